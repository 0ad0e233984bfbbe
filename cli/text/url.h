/*
 * url.h - what the program itself reads in a URL: the name and password in it, which go into a header, and the host, by which the
 * environment chooses a proxy. Whether it is a URL at all is the library's to say.
 */
#ifndef CLI_URL_H
#define CLI_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/text/buffer.h"

#define CLI_URL_HOST_MAX 255

struct cli_url {
    char *text;                      /* without name and password; owned */
    char *credentials;               /* NAME:PASSWORD, percent-decoded, or NULL; owned */
    char host[CLI_URL_HOST_MAX + 1]; /* in lower case, without brackets; "" if there is none */
    uint16_t port;
    bool is_secure;
};

/** False without memory, or when the credentials cannot be decoded (`*problem` is set). Release it in any case. */
bool cli_url_read(struct cli_url *url, const char *text, const char **problem);
void cli_url_release(struct cli_url *url);

#endif
