/*
 * origin.c - origins (RFC 6454 7), hosts and subprotocols as options name them.
 */
#include "cli/options/origin.h"

#include <string.h>

#include "base/text.h"
#include "cli/options/address.h"
#include "cli/options/number.h"
#include "http/origin.h"

static const char not_an_origin[] =
    "not an origin (write same, any, null, https://HOST[:PORT] or https://*.HOST)";

/*
 * What follows a scheme that pages have: http, https, or that of a browser extension. NULL for
 * others.
 */
static const char *after_scheme(const char *text)
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
    const char *rest = after_scheme(text);

    if (strcmp(text, "same") == 0 || strcmp(text, "any") == 0 || strcmp(text, "null") == 0)
        return NULL;
    if (!rest)
        return not_an_origin;
    if (strchr(rest, '/'))
        return "an origin has no path (write it up to the host or port, without a / after it)";
    if (text[strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0')
        return "an origin is in lower case (write it so)";
    if (strncmp(rest, "*.", 2) == 0)
        rest += 2;
    /* The library takes an asterisk elsewhere as a part of a name. */
    if (strchr(rest, '*') || !dx_origin_is_pattern(dx_slice_of(text)))
        return not_an_origin;
    return NULL;
}

const char *cli_host_check(const char *text)
{
    const char *colon = strrchr(text, ':');
    uint16_t port;

    if (cli_host_is_valid(text, strlen(text)))
        return NULL;
    if (cli_ipv6_is_valid(text, strlen(text)))
        return "an IPv6 address needs brackets (write [IPv6])";
    if (colon && cli_host_is_valid(text, (size_t)(colon - text)) &&
        !cli_port_parse(colon + 1, &port))
        return "no port here (write the name alone)";
    return "not a host name (write a name such as www.example.org, or an address)";
}

const char *cli_subprotocol_check(const char *text)
{
    if (strchr(text, ','))
        return "one name at a time (repeat the option for each)";
    if (!dx_text_is_token(dx_slice_of(text)))
        return "not a subprotocol (write letters, digits or any of !#$%&'*+-.^_`|~)";
    return NULL;
}
