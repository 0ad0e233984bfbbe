/*
 * proxy.c - see proxy.h.
 */
#include "client/connector/proxy.h"

#include "base/text.h"

#include <string.h>

static const struct scheme {
    const char *text;
    enum dx_tunnel_kind kind;
    bool is_secure;
    bool resolves_names;
    uint16_t port;
} schemes[] = {
    {"http://", DX_TUNNEL_CONNECT, false, true, 80},
    {"https://", DX_TUNNEL_CONNECT, true, true, 443},
    {"socks5://", DX_TUNNEL_SOCKS5, false, false, 1080},
    {"socks5h://", DX_TUNNEL_SOCKS5, false, true, 1080},
};

static enum dx_err fail(const char **detail, const char *text)
{
    *detail = text;
    return DX_ERR_USAGE;
}

/* The row of the scheme; moves *at past it. NULL for an unknown scheme. */
static const struct scheme *find_scheme(const char **at)
{
    if (strstr(*at, "://") == NULL)
        return &schemes[0];
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i].text);

        if (strlen(*at) >= len &&
            dx_text_is_nocase((struct dx_slice){(const uint8_t *)*at, len}, schemes[i].text)) {
            *at += len;
            return &schemes[i];
        }
    }
    return NULL;
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Percent-decodes `len` bytes into `to`. False: malformed, too long, or a control character. */
static bool decode(const char *from, size_t len, char to[DX_TUNNEL_CREDENTIAL_MAX + 1])
{
    size_t to_len = 0;

    for (size_t at = 0; at < len; at++) {
        int byte = (unsigned char)from[at];

        if (byte == '%') {
            bool is_whole = len - at > 2;
            int high = is_whole ? hex_digit(from[at + 1]) : -1;
            int low = is_whole ? hex_digit(from[at + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            byte = high * 16 + low;
            at += 2;
        }
        if (byte < 0x20 || byte == 0x7f || to_len == DX_TUNNEL_CREDENTIAL_MAX)
            return false;
        to[to_len++] = (char)byte;
    }
    to[to_len] = '\0';
    return true;
}

static bool read_credentials(const char *text, size_t len, struct dx_proxy *proxy)
{
    const char *colon = memchr(text, ':', len);
    size_t name_len = colon != NULL ? (size_t)(colon - text) : len;

    proxy->has_name = true;
    if (name_len == 0 || !decode(text, name_len, proxy->name))
        return false;
    return colon == NULL || decode(colon + 1, len - name_len - 1, proxy->password);
}

enum dx_err dx_proxy_parse(const char *text, struct dx_proxy *proxy, const char **detail)
{
    struct dx_proxy found = {0};
    const struct scheme *scheme = find_scheme(&text);
    struct dx_authority authority;
    const char *at;
    size_t len;

    if (scheme == NULL)
        return fail(detail, "a proxy is http://, https://, socks5:// or socks5h://");
    len = strlen(text);
    if (len > 0 && text[len - 1] == '/')
        len--;
    at = memrchr(text, '@', len);
    if (at != NULL) {
        if (!read_credentials(text, (size_t)(at - text), &found))
            return fail(detail, "the proxy's name or password cannot be read");
        len -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    if (!dx_authority_parse((struct dx_slice){(const uint8_t *)text, len}, &authority, detail))
        return DX_ERR_USAGE;
    if (authority.has_port && authority.port == 0)
        return fail(detail, "the proxy's port is 0");
    found.kind = scheme->kind;
    found.is_secure = scheme->is_secure;
    found.resolves_names = scheme->resolves_names;
    found.host = authority.host;
    found.port = authority.has_port ? authority.port : scheme->port;
    *proxy = found;
    return DX_OK;
}
