/*
 * url.c - see url.h.
 */
#include "cli/text/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <duplex/error.h>

#include "cli/text/codec.h"

/* Percent-decodes; a control character would end a header. */
static char *decode(const char *text, size_t len, const char **problem)
{
    char *made = malloc(len + 2);
    size_t made_len = 0;
    bool has_colon = false;

    if (!made) {
        *problem = dx_err_text(DX_ERR_NOMEM);
        return NULL;
    }
    for (size_t i = 0; i < len; i++) {
        struct cli_buffer byte = {0};
        char found = text[i];

        has_colon |= found == ':';
        if (found == '%' && len - i > 2 && cli_hex_decode(&byte, text + i + 1, 2) &&
            cli_buffer_len(&byte) == 1) {
            found = cli_buffer_text(&byte)[0];
            i += 2;
        }
        cli_buffer_release(&byte);
        if ((unsigned char)found < 0x20 || found == 0x7f) {
            *problem = "a control character in its name or password";
            free(made);
            return NULL;
        }
        made[made_len++] = found;
    }
    if (!has_colon)
        made[made_len++] = ':';
    made[made_len] = '\0';
    return made;
}

static void read_host(struct cli_url *url, const char *host, size_t len)
{
    const char *end = host + len;
    const char *port = NULL;
    size_t host_len;

    if (len > 0 && *host == '[') {
        const char *bracket = memchr(host, ']', len);

        host++;
        host_len = bracket ? (size_t)(bracket - host) : (size_t)(end - host);
        if (bracket && bracket + 1 < end && bracket[1] == ':')
            port = bracket + 2;
    } else {
        const char *colon = memchr(host, ':', len);

        host_len = colon ? (size_t)(colon - host) : len;
        port = colon ? colon + 1 : NULL;
    }
    url->port = url->is_secure ? 443 : 80;
    if (port && port < end)
        url->port = (uint16_t)strtoul(port, NULL, 10);
    if (host_len > CLI_URL_HOST_MAX)
        return;
    for (size_t i = 0; i < host_len; i++)
        url->host[i] = (char)tolower((unsigned char)host[i]);
    url->host[host_len] = '\0';
}

bool cli_url_read(struct cli_url *url, const char *text, const char **problem)
{
    const char *authority = strchr(text, ':');
    const char *at;
    size_t len;

    *url = (struct cli_url){.text = strdup(text)};
    *problem = url->text ? NULL : dx_err_text(DX_ERR_NOMEM);
    if (!url->text || !authority)
        return url->text != NULL;
    url->is_secure = strncasecmp(text, "wss:", 4) == 0 || strncasecmp(text, "https:", 6) == 0;
    /* However many slashes, of either kind, there are: none of them hides a password. */
    authority++;
    authority += strspn(authority, "/\\");
    len = strcspn(authority, "/?#\\");
    at = memrchr(authority, '@', len);
    if (at) {
        size_t rest = (size_t)(authority - text);

        url->credentials = decode(authority, (size_t)(at - authority), problem);
        if (!url->credentials)
            return false;
        memmove(url->text + rest, at + 1, strlen(at + 1) + 1);
        len -= (size_t)(at + 1 - authority);
        authority = at + 1;
    }
    read_host(url, authority, len);
    return true;
}

void cli_url_release(struct cli_url *url)
{
    if (url->credentials)
        explicit_bzero(url->credentials, strlen(url->credentials));
    free(url->credentials);
    free(url->text);
    *url = (struct cli_url){0};
}
