/*
 * address.c - the six spellings of an address to listen on.
 */
#include "cli/options/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "cli/options/number.h"
#include "http/host.h"

#define LABEL_MAX_LEN 63
#define IPV6_TEXT_MAX 64

static const char not_an_address[] =
    "not an address (write PORT, HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N)";

static bool is_label_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* The names that resolvers accept. dx_host_parse accepts more, for Host headers. */
static bool is_made_of_labels(const char *text, size_t len)
{
    size_t label_len = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.') {
            if (label_len == 0)
                return false;
            label_len = 0;
        } else if (!is_label_byte(text[i]) || ++label_len > LABEL_MAX_LEN) {
            return false;
        }
    }
    return true;
}

bool cli_host_is_valid(const char *text, size_t len)
{
    struct dx_host host;
    const char *detail;

    if (!dx_host_parse(dx_slice_of_len(text, len), &host, &detail))
        return false;
    if (host.kind == DX_HOST_NAME)
        return is_made_of_labels(text, len);
    /* To dx_host_parse 0x7f.1 is an IPv4 address, as to browsers. Here only 127.0.0.1 is. */
    return host.kind == DX_HOST_IPV6 || (host.len == len && memcmp(host.text, text, len) == 0);
}

bool cli_ipv6_is_valid(const char *text, size_t len)
{
    char bracketed[IPV6_TEXT_MAX];
    struct dx_host host;
    const char *detail;
    const char *zone = memchr(text, '%', len);
    size_t address_len = zone ? (size_t)(zone - text) : len;

    if (address_len + 2 >= sizeof(bracketed) || (zone && address_len + 1 == len))
        return false;
    snprintf(bracketed, sizeof(bracketed), "[%.*s]", (int)address_len, text);
    return dx_host_parse(dx_slice_of_len(bracketed, address_len + 2), &host, &detail);
}

static const char *parse_unix(const char *path, struct cli_address *address)
{
    if (*path == '\0')
        return "no path (write unix:PATH)";
    if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
        return "too long for a Unix socket (at most 107 bytes)";
    *address = (struct cli_address){.kind = CLI_ADDRESS_UNIX, .fd = -1};
    return NULL;
}

static const char *parse_fd(const char *number, struct cli_address *address)
{
    uint64_t fd;

    if (cli_count_parse(number, &fd) || fd > INT32_MAX)
        return "not a descriptor (write fd:N with the number of an inherited socket)";
    *address = (struct cli_address){.kind = CLI_ADDRESS_FD, .fd = (int)fd};
    return NULL;
}

static const char *parse_bracketed(const char *text, struct cli_address *address)
{
    const char *end = strchr(text, ']');
    uint16_t port;

    if (!end)
        return "bracket not closed (write [IPv6]:PORT)";
    if (!cli_ipv6_is_valid(text, (size_t)(end - text)))
        return "not an IPv6 address (write [IPv6]:PORT, for example [::1]:8080)";
    if (end[1] != ':')
        return "no port (write [IPv6]:PORT)";

    const char *problem = cli_port_parse(end + 2, &port);

    if (problem)
        return problem;
    *address = (struct cli_address){.kind = CLI_ADDRESS_HOST, .port = port, .fd = -1};
    return NULL;
}

static const char *parse_host(const char *text, const char *colon, struct cli_address *address)
{
    size_t host_len = (size_t)(colon - text);
    bool is_any = host_len == 1 && *text == '*';
    uint16_t port;

    if (host_len == 0)
        return "no host (write PORT alone for loopback, *:PORT for all addresses)";
    if (!is_any && cli_ipv6_is_valid(text, strlen(text)))
        return "an IPv6 address needs brackets (write [IPv6]:PORT)";
    if (!is_any && (*text == '[' || !cli_host_is_valid(text, host_len)))
        return not_an_address;

    const char *problem = cli_port_parse(colon + 1, &port);

    if (problem)
        return problem;
    *address = (struct cli_address){
        .kind = is_any ? CLI_ADDRESS_ANY : CLI_ADDRESS_HOST, .port = port, .fd = -1};
    return NULL;
}

const char *cli_address_parse(const char *text, struct cli_address *address)
{
    const char *colon = strrchr(text, ':');
    uint16_t port;

    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, address);
    if (strncmp(text, "fd:", 3) == 0)
        return parse_fd(text + 3, address);
    if (*text == '[')
        return parse_bracketed(text + 1, address);
    if (colon)
        return parse_host(text, colon, address);
    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
        return not_an_address;

    const char *problem = cli_port_parse(text, &port);

    if (problem)
        return problem;
    *address = (struct cli_address){.kind = CLI_ADDRESS_LOOPBACK, .port = port, .fd = -1};
    return NULL;
}
