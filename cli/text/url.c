/*
 * url.c - see url.h.
 */
#include "cli/text/url.h"

#include <string.h>

bool cli_url_read(struct cli_url *url, const char *text, const char **problem)
{
    if (dx_url_parse_login(dx_slice_of(text), &url->parts, url->text, &url->login, problem) ==
        DX_OK)
        return true;
    url->text[0] = '\0';
    return false;
}

void cli_url_release(struct cli_url *url)
{
    explicit_bzero(url, sizeof(*url));
}
