/*
 * target.c - see target.h.
 */
#include "http/url/target.h"

#include "base/text.h"

static bool refuse(struct dx_refusal *refusal, const char *detail)
{
    *refusal = (struct dx_refusal){400, detail};
    return false;
}

static bool read_host(const struct dx_head *head, struct dx_authority *authority,
                      struct dx_refusal *refusal)
{
    size_t count = dx_head_count(head, "host");
    struct dx_slice value;
    const char *detail;

    if (count != 1 || !dx_head_find(head, "host", &value))
        return refuse(refusal, count == 0 ? "no Host" : "more than one Host");
    if (!dx_authority_parse(value, authority, &detail))
        return refuse(refusal, "malformed Host");
    return true;
}

static const struct scheme {
    const char *prefix;
    uint16_t port;
} schemes[] = {{"http://", 80}, {"https://", 443}, {"ws://", 80}, {"wss://", 443}};

static const struct scheme *find_scheme(struct dx_slice target)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t len = strlen(schemes[i].prefix);

        if (target.len >= len &&
            dx_text_is_nocase((struct dx_slice){target.data, len}, schemes[i].prefix))
            return &schemes[i];
    }
    return NULL;
}

static uint16_t port_or(const struct dx_authority *authority, uint16_t port)
{
    return authority->has_port ? authority->port : port;
}

/*
 * Leaves path and query in `*rest`. If a proxy could read another host than we do, caches could be
 * poisoned.
 */
static bool check_absolute(struct dx_slice *rest, const struct dx_authority *host,
                           struct dx_refusal *refusal)
{
    const struct scheme *scheme = find_scheme(*rest);
    struct dx_slice text;
    struct dx_authority authority;
    const char *detail;
    size_t end;

    if (!scheme)
        return refuse(refusal, "malformed request target");
    text.data = rest->data + strlen(scheme->prefix);
    text.len = rest->len - strlen(scheme->prefix);
    for (end = 0; end < text.len && text.data[end] != '/' && text.data[end] != '?'; end++)
        ;
    *rest = (struct dx_slice){text.data + end, text.len - end};
    text.len = end;
    if (!dx_authority_parse(text, &authority, &detail))
        return refuse(refusal, "malformed authority in the request target");
    if (!dx_host_equal(&authority.host, &host->host) ||
        port_or(&authority, scheme->port) != port_or(host, scheme->port))
        return refuse(refusal, "Host differs from the request target");
    return true;
}

static void split_query(struct dx_slice rest, struct dx_target *target)
{
    size_t end = 0;

    while (end < rest.len && rest.data[end] != '?')
        end++;
    target->path = end > 0 ? (struct dx_slice){rest.data, end} : dx_slice_of("/");
    target->has_query = end < rest.len;
    if (target->has_query)
        target->query = (struct dx_slice){rest.data + end + 1, rest.len - end - 1};
}

bool dx_target_parse(const struct dx_head *head, struct dx_target *target,
                     struct dx_refusal *refusal)
{
    struct dx_slice rest = dx_head_slice(head, head->target);
    struct dx_target parsed = {0};

    if (!read_host(head, &parsed.authority, refusal))
        return false;
    if (memchr(rest.data, '#', rest.len))
        return refuse(refusal, "fragment in the request target");
    if (dx_slice_is(rest, "*")) {
        if (!dx_slice_is(dx_head_slice(head, head->method), "OPTIONS"))
            return refuse(refusal, "malformed request target");
        parsed.kind = DX_TARGET_ASTERISK;
        parsed.path = rest;
    } else {
        if (rest.data[0] != '/' && !check_absolute(&rest, &parsed.authority, refusal))
            return false;
        split_query(rest, &parsed);
    }
    *target = parsed;
    return true;
}

/* ---- paths ---- */

/* Takes one character of the path, decoded; -1: it is malformed or a control character. */
static int decode_byte(struct dx_slice path, size_t *at)
{
    int byte = path.data[*at];

    *at += 1;
    if (byte == '%') {
        int high = *at + 1 < path.len ? dx_text_hex_value(path.data[*at]) : -1;
        int low = high >= 0 ? dx_text_hex_value(path.data[*at + 1]) : -1;

        if (low < 0)
            return -1;
        byte = high * 16 + low;
        *at += 2;
    }
    return byte < 0x20 || byte == 0x7f ? -1 : byte;
}

/* In UTF-8, C1 controls are two bytes: 0xc2 0x80 to 0xc2 0x9f. */
static bool is_utf8_without_controls(struct dx_slice text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == 0xc2 && text.data[i + 1] < 0xa0)
            return false;
    return dx_text_is_utf8(text);
}

/* Follows the segments to see where each `..` leads. False: above the root. */
static bool follow_segments(struct dx_slice text, bool *has_dots)
{
    size_t depth = 0;
    size_t begin = 1;

    *has_dots = false;
    for (size_t at = 1; at <= text.len; at++) {
        size_t len = at - begin;

        if (at < text.len && text.data[at] != '/' && text.data[at] != '\\')
            continue;
        if (len == 2 && memcmp(text.data + begin, "..", 2) == 0) {
            *has_dots = true;
            if (depth == 0)
                return false;
            depth--;
        } else if (len == 1 && text.data[begin] == '.') {
            *has_dots = true;
        } else if (len > 0) {
            depth++;
        }
        begin = at + 1;
    }
    return true;
}

bool dx_path_decode(struct dx_slice path, char *text, size_t *len, bool *has_dots,
                    struct dx_refusal *refusal)
{
    size_t written = 0;
    bool found_dots;

    if (path.len == 0 || path.data[0] != '/')
        return refuse(refusal, "malformed path");
    for (size_t at = 0; at < path.len;) {
        int byte = decode_byte(path, &at);

        if (byte < 0)
            return refuse(refusal, "malformed escape or control character in the path");
        text[written++] = (char)byte;
    }
    text[written] = 0;
    if (!is_utf8_without_controls((struct dx_slice){(const uint8_t *)text, written}))
        return refuse(refusal, "the path is not UTF-8 or has a control character");
    if (!follow_segments((struct dx_slice){(const uint8_t *)text, written}, &found_dots))
        return refuse(refusal, "the path leads above the root");
    *len = written;
    *has_dots = found_dots;
    return true;
}
