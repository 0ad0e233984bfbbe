/*
 * origin.c - origins (RFC 6454 7), hosts and subprotocols as options name them.
 */
#include "cli/options/origin.h"

#include <string.h>

#include "cli/options/address.h"
#include "cli/options/number.h"

static const char not_an_origin[] =
    "not an origin (write same, any, null, https://HOST[:PORT] or https://*.HOST)";

static bool host_is_valid(const char *text, size_t len)
{
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
        return cli_ipv6_is_valid(text + 1, len - 2) && !memchr(text, '%', len);
    return cli_host_name_is_valid(text, len);
}

/* HOST or HOST:PORT, where HOST may begin with "*." and the port is 1 to 65535. */
static const char *check_authority(const char *text)
{
    const char *bracket = strchr(text, ']');
    const char *colon = strchr(bracket ? bracket : text, ':');
    size_t len = colon ? (size_t)(colon - text) : strlen(text);
    uint16_t port = 1;

    if (len > 2 && strncmp(text, "*.", 2) == 0) {
        text += 2;
        len -= 2;
        if (!cli_host_name_is_valid(text, len) || strspn(text, "0123456789.") >= len)
            return not_an_origin;
    }
    if (!host_is_valid(text, len))
        return not_an_origin;
    /* Browsers write no zeros before a port, and none at all that is the scheme's own: the
     * library refuses the first. */
    if (colon && (cli_port_parse(colon + 1, &port) || colon[1] == '0'))
        return not_an_origin;
    return NULL;
}

/* What follows a scheme that pages have: http, https, or that of a browser's extensions. NULL
 * for others. */
static const char *behind_scheme(const char *text)
{
    static const char extension[] = "-extension";
    const char *end = strstr(text, "://");
    size_t len = end ? (size_t)(end - text) : 0;

    if ((len == 4 && strncmp(text, "http", len) == 0) ||
        (len == 5 && strncmp(text, "https", len) == 0) ||
        (len > strlen(extension) && text[0] >= 'a' && text[0] <= 'z' &&
         strspn(text, "abcdefghijklmnopqrstuvwxyz-") == len &&
         strncmp(end - strlen(extension), extension, strlen(extension)) == 0))
        return end + 3;
    return NULL;
}

const char *cli_origin_check(const char *text)
{
    const char *rest = behind_scheme(text);

    if (strcmp(text, "same") == 0 || strcmp(text, "any") == 0 || strcmp(text, "null") == 0)
        return NULL;
    if (!rest)
        return not_an_origin;
    if (strchr(rest, '/'))
        return "an origin has no path (write it up to the host or port, without a / behind)";
    if (text[strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
        return "an origin is in lower case (write it so)";
    return check_authority(rest);
}

const char *cli_host_check(const char *text)
{
    const char *colon = strrchr(text, ':');
    uint16_t port;

    if (host_is_valid(text, strlen(text)))
        return NULL;
    if (cli_ipv6_is_valid(text, strlen(text)))
        return "an IPv6 address needs brackets (write [IPv6])";
    if (colon && host_is_valid(text, (size_t)(colon - text)) && !cli_port_parse(colon + 1, &port))
        return "no port here (write the name alone)";
    return "not a host name (write a name such as www.example.org, or an address)";
}

const char *cli_subprotocol_check(const char *text)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    if (strchr(text, ','))
        return "one name at a time (repeat the option for each)";
    if (*text == '\0' || text[strspn(text, token)] != '\0')
        return "not a subprotocol (write letters, digits or any of !#$%&'*+-.^_`|~)";
    return NULL;
}
