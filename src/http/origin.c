/*
 * origin.c - see origin.h.
 */
#include "http/origin.h"

#include "base/text.h"

static bool fail(const char **detail, const char *text)
{
    *detail = text;
    return false;
}

static uint16_t default_port(struct dx_slice scheme)
{
    if (dx_slice_is(scheme, "http") || dx_slice_is(scheme, "ws"))
        return 80;
    return dx_slice_is(scheme, "https") || dx_slice_is(scheme, "wss") ? 443 : 0;
}

/* The length of the scheme at the start (RFC 3986 3.1, lower case); 0: there is none with `://`. */
static size_t scheme_len(struct dx_slice value)
{
    size_t len = 0;

    while (len < value.len &&
           ((value.data[len] >= 'a' && value.data[len] <= 'z') ||
            (len > 0 && (dx_text_is_digit(value.data[len]) || value.data[len] == '+' ||
                         value.data[len] == '-' || value.data[len] == '.'))))
        len++;
    return value.len - len >= 3 && memcmp(value.data + len, "://", 3) == 0 ? len : 0;
}

/*
 * Whether it is in the form of browsers: no upper case, no other notation of an address, no port
 * that is empty or has leading zeros.
 */
static bool is_as_browsers_write(struct dx_slice text, const struct dx_authority *authority)
{
    size_t brackets = authority->host.kind == DX_HOST_IPV6 ? 1 : 0;
    size_t len = authority->host.len + 2 * brackets;

    if (text.len < len ||
        memcmp(text.data + brackets, authority->host.text, authority->host.len) != 0)
        return false;
    return text.len == len ||
           (text.data[len] == ':' && authority->has_port && text.data[len + 1] != '0');
}

bool dx_origin_parse(struct dx_slice value, struct dx_origin *origin, const char **detail)
{
    struct dx_origin parsed = {0};
    struct dx_authority authority;
    size_t len;

    if (dx_slice_is(value, "null")) {
        *origin = (struct dx_origin){.is_null = true};
        return true;
    }
    len = scheme_len(value);
    if (len == 0)
        return fail(detail, "malformed Origin");
    parsed.scheme = (struct dx_slice){value.data, len};
    value.data += len + 3;
    value.len -= len + 3;
    if (!dx_authority_parse(value, &authority, detail))
        return fail(detail, "malformed Origin");
    if (!is_as_browsers_write(value, &authority))
        return fail(detail, "malformed Origin");
    parsed.host = authority.host;
    parsed.port = authority.has_port ? authority.port : default_port(parsed.scheme);
    *origin = parsed;
    return true;
}

bool dx_origin_is_same(const struct dx_origin *origin, const struct dx_authority *authority)
{
    uint16_t port = authority->has_port ? authority->port : default_port(origin->scheme);

    /*
     * A scheme without a default port is an extension or an application, not a page of this host.
     */
    return !origin->is_null && default_port(origin->scheme) != 0 && origin->port == port &&
           dx_host_equal(&origin->host, &authority->host);
}

/* Reads a pattern whose host begins with an asterisk, without the asterisk. False: it has none. */
static bool read_wildcard(struct dx_slice pattern, struct dx_origin *origin)
{
    char text[DX_HOST_MAX + 32];
    size_t len = scheme_len(pattern);
    const char *detail;

    if (len == 0 || pattern.len > sizeof(text) || pattern.len < len + 5 ||
        memcmp(pattern.data + len + 3, "*.", 2) != 0)
        return false;
    memcpy(text, pattern.data, len + 3);
    memcpy(text + len + 3, pattern.data + len + 5, pattern.len - len - 5);
    if (!dx_origin_parse((struct dx_slice){(const uint8_t *)text, pattern.len - 2}, origin,
                         &detail))
        return false;
    origin->scheme = (struct dx_slice){pattern.data, len};
    return origin->host.kind == DX_HOST_NAME && !memchr(origin->host.text, '*', origin->host.len);
}

bool dx_origin_is_pattern(struct dx_slice pattern)
{
    struct dx_origin read;
    const char *detail;

    return read_wildcard(pattern, &read) || (dx_origin_parse(pattern, &read, &detail) &&
                                             !memchr(read.host.text, '*', read.host.len));
}

static bool is_below(const struct dx_host *host, const struct dx_host *parent)
{
    size_t at;

    if (host->kind != DX_HOST_NAME || host->len < parent->len + 2)
        return false;
    at = (size_t)host->len - parent->len;
    return host->text[at - 1] == '.' && memcmp(host->text + at, parent->text, parent->len) == 0;
}

bool dx_origin_matches(const struct dx_origin *origin, struct dx_slice pattern)
{
    struct dx_origin read;
    const char *detail;
    bool is_wildcard = read_wildcard(pattern, &read);

    if (!is_wildcard && !dx_origin_parse(pattern, &read, &detail))
        return false;
    if (origin->is_null || read.is_null)
        return origin->is_null && read.is_null;
    if (!dx_text_equal_nocase(origin->scheme, read.scheme) || origin->port != read.port)
        return false;
    return is_wildcard ? is_below(&origin->host, &read.host)
                       : dx_host_equal(&origin->host, &read.host);
}

static bool is_admitted(const struct dx_origin *origin, const struct dx_authority *authority,
                        const struct dx_origin_rules *rules)
{
    if (rules->allow_same && dx_origin_is_same(origin, authority))
        return true;
    if (rules->allow_loopback && !origin->is_null && default_port(origin->scheme) != 0 &&
        dx_host_is_loopback(&origin->host))
        return true;
    for (size_t i = 0; i < rules->pattern_count; i++)
        if (dx_origin_matches(origin, dx_slice_of(rules->patterns[i])))
            return true;
    return false;
}

bool dx_origin_judge(const struct dx_head *head, const struct dx_authority *authority,
                     const struct dx_origin_rules *rules, struct dx_refusal *refusal)
{
    size_t count = dx_head_count(head, "origin");
    struct dx_slice value = {0};
    struct dx_origin origin;
    const char *detail;

    if (count == 0)
        return true;
    if (count > 1 || !dx_head_find(head, "origin", &value)) {
        *refusal = (struct dx_refusal){400, "more than one Origin"};
        return false;
    }
    if (rules->allow_any)
        return true;
    if (!dx_origin_parse(value, &origin, &detail)) {
        *refusal = (struct dx_refusal){400, detail};
        return false;
    }
    if (!is_admitted(&origin, authority, rules)) {
        *refusal = (struct dx_refusal){403, "Origin not allowed"};
        return false;
    }
    return true;
}
