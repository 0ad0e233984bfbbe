/*
 * proxy.c - see proxy.h.
 */
#include "cli/connect/peer/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The first of these variables that is set and not empty. */
static const char *first_of(const char *const *names, const char **variable)
{
    for (; *names; names++) {
        const char *value = getenv(*names);

        if (value && *value) {
            *variable = *names;
            return value;
        }
    }
    return NULL;
}

/* ---- addresses and networks ---- */

static bool share_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned rest = bits % 8;

    if (memcmp(a, b, bits / 8) != 0)
        return false;
    return rest == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

/* "10.0.0.0/8", "::1", "[::1]": is `host` an address in it? */
static bool is_in_network(const char *entry, size_t len, const char *host)
{
    unsigned char network[16], address[16];
    char text[64];
    char *slash;
    unsigned long bits;
    bool is_ipv6 = strchr(host, ':') != NULL;

    if (len > 1 && entry[0] == '[' && entry[len - 1] == ']') {
        entry++;
        len -= 2;
    }
    if (len >= sizeof(text) || inet_pton(is_ipv6 ? AF_INET6 : AF_INET, host, address) != 1)
        return false;
    memcpy(text, entry, len);
    text[len] = '\0';
    slash = strchr(text, '/');
    bits = is_ipv6 ? 128 : 32;
    if (slash) {
        char *end;
        unsigned long given = strtoul(slash + 1, &end, 10);

        if (*end || end == slash + 1 || given > bits)
            return false;
        bits = given;
        *slash = '\0';
    }
    return inet_pton(is_ipv6 ? AF_INET6 : AF_INET, text, network) == 1 &&
           share_bits(network, address, (unsigned)bits);
}

/* ---- names ---- */

/* "example.org" and ".example.org" are that host and all below it. */
static bool is_below(const char *entry, size_t len, const char *host)
{
    size_t host_len = strlen(host);

    if (host_len > 0 && host[host_len - 1] == '.')
        host_len--;
    if (len > 0 && entry[len - 1] == '.')
        len--;
    if (len > 0 && *entry == '.') {
        entry++;
        len--;
    }
    if (len == 0 || host_len < len || strncasecmp(host + host_len - len, entry, len) != 0)
        return false;
    return host_len == len || host[host_len - len - 1] == '.';
}

bool cli_proxy_is_excluded(const char *list, const char *host)
{
    unsigned char address[16];
    bool is_address = inet_pton(AF_INET, host, address) == 1 || strchr(host, ':') != NULL;

    if (strcmp(list, "*") == 0)
        return true;
    while (*list) {
        size_t len = strcspn(list, ", \t");

        if (len > 0 && (is_address ? is_in_network(list, len, host) : is_below(list, len, host)))
            return true;
        list += len;
        list += strspn(list, ", \t");
    }
    return false;
}

const char *cli_proxy_of_environment(const struct cli_url *url, const char **variable)
{
    static const char *const plain[] = {"ws_proxy", "WS_PROXY", "http_proxy", NULL};
    static const char *const secure[] = {"wss_proxy", "WSS_PROXY", "https_proxy", "HTTPS_PROXY",
                                         NULL};
    static const char *const all[] = {"all_proxy", "ALL_PROXY", NULL};
    static const char *const none[] = {"no_proxy", "NO_PROXY", NULL};
    const char *ignored;
    const char *excluded = first_of(none, &ignored);
    const char *proxy = first_of(url->parts.is_secure ? secure : plain, variable);

    if (!proxy)
        proxy = first_of(all, variable);
    if (proxy && excluded && cli_proxy_is_excluded(excluded, url->parts.host.text))
        return NULL;
    return proxy;
}
