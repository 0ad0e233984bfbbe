/*
 * url.c - the states of the WHATWG URL standard, from "scheme start" to "query", each as a
 * function.
 */
#include "http/url/url.h"

#include "base/text.h"

struct parser {
    struct dx_slice rest; /* the part that has not been read */
    char *text;           /* the normal form */
    size_t len;
    bool is_too_long;
    struct dx_url_login *login; /* NULL: none is allowed */
    const char *detail;
};

static bool fail(struct parser *parser, const char *detail)
{
    parser->detail = detail;
    return false;
}

static void put(struct parser *parser, char character)
{
    if (parser->len < DX_URL_MAX)
        parser->text[parser->len++] = character;
    else
        parser->is_too_long = true;
}

static void put_text(struct parser *parser, const char *text)
{
    for (; *text; text++)
        put(parser, *text);
}

static void put_encoded(struct parser *parser, uint8_t byte, const char *reserved)
{
    static const char digits[] = "0123456789ABCDEF";

    if (byte > 0x20 && byte < 0x7f && !strchr(reserved, byte)) {
        put(parser, (char)byte);
        return;
    }
    put(parser, '%');
    put(parser, digits[byte >> 4]);
    put(parser, digits[byte & 15]);
}

static void skip(struct parser *parser, size_t len)
{
    parser->rest.data += len;
    parser->rest.len -= len;
}

static bool is_slash(uint8_t byte)
{
    return byte == '/' || byte == '\\';
}

/* ---- before the scheme ---- */

static bool check_characters(struct parser *parser)
{
    struct dx_slice *rest = &parser->rest;

    while (rest->len > 0 && rest->data[0] == ' ')
        skip(parser, 1);
    while (rest->len > 0 && rest->data[rest->len - 1] == ' ')
        rest->len--;
    for (size_t i = 0; i < rest->len; i++) {
        if (rest->data[i] < 0x20 || rest->data[i] == 0x7f)
            return fail(parser, "a control character in the URL");
        if (rest->data[i] == '#')
            return fail(parser, "a WebSocket URL has no fragment (#...)");
    }
    return dx_text_is_utf8(*rest) || fail(parser, "the URL is not UTF-8");
}

static bool parse_scheme(struct parser *parser, struct dx_url *url)
{
    static const struct {
        const char *name;
        bool is_websocket;
        bool is_secure;
    } schemes[] = {
        {"ws", true, false}, {"wss", true, true}, {"http", false, false}, {"https", false, true}};
    const uint8_t *colon = NULL;
    struct dx_slice name = {parser->rest.data, 0};

    if (parser->rest.len > 0)
        colon = memchr(parser->rest.data, ':', parser->rest.len);
    if (!colon)
        return fail(parser, "a URL begins with ws:// or wss://");
    name.len = (size_t)(colon - name.data);
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (!dx_text_is_nocase(name, schemes[i].name))
            continue;
        url->is_websocket = schemes[i].is_websocket;
        url->is_secure = schemes[i].is_secure;
        put_text(parser, schemes[i].name);
        put_text(parser, "://");
        skip(parser, name.len + 1);
        return true;
    }
    return fail(parser, "the URL's scheme is none of ws, wss, http, https");
}

/* ---- authority ---- */

/* Takes the authority, up to the path or query. Any number of slashes before it is ignored. */
static struct dx_slice take_authority(struct parser *parser)
{
    struct dx_slice authority;
    size_t end = 0;

    while (parser->rest.len > 0 && is_slash(parser->rest.data[0]))
        skip(parser, 1);
    while (end < parser->rest.len && !is_slash(parser->rest.data[end]) &&
           parser->rest.data[end] != '?')
        end++;
    authority = (struct dx_slice){parser->rest.data, end};
    skip(parser, end);
    return authority;
}

/*
 * A host may be percent-encoded; the result must be ASCII. False: an incomplete escape, or too
 * long.
 */
static bool decode_host(struct dx_slice text, uint8_t decoded[DX_HOST_MAX + 7], size_t *len)
{
    *len = 0;
    for (size_t at = 0; at < text.len; at++) {
        int byte = text.data[at];

        if (byte == '%') {
            int high = at + 2 < text.len ? dx_text_hex_value(text.data[at + 1]) : -1;
            int low = high >= 0 ? dx_text_hex_value(text.data[at + 2]) : -1;

            if (low < 0)
                return false;
            byte = high * 16 + low;
            at += 2;
            /* If it were decoded, a colon or bracket would be read as part of the authority. */
            if (byte == ':' || byte == '[' || byte == ']')
                return false;
        }
        if (*len >= DX_HOST_MAX + 7)
            return false;
        decoded[(*len)++] = (uint8_t)byte;
    }
    return true;
}

static void put_host(struct parser *parser, const struct dx_host *host)
{
    if (host->kind == DX_HOST_IPV6)
        put(parser, '[');
    put_text(parser, host->text);
    if (host->kind == DX_HOST_IPV6)
        put(parser, ']');
}

static void put_number(struct parser *parser, unsigned value)
{
    if (value >= 10)
        put_number(parser, value / 10);
    put(parser, (char)('0' + value % 10));
}

/*
 * Decodes the byte at `*at`, and leaves `*at` at its last character. Negative: a byte that Basic
 * authentication cannot carry.
 */
static int decode_login(struct dx_slice text, size_t *at, bool has_colon)
{
    int byte = text.data[*at];
    int high = byte == '%' && *at + 2 < text.len ? dx_text_hex_value(text.data[*at + 1]) : -1;
    int low = high >= 0 ? dx_text_hex_value(text.data[*at + 2]) : -1;

    if (low < 0)
        return byte;
    *at += 2;
    byte = high * 16 + low;
    /* The first colon ends the name. */
    return byte < 0x20 || byte == 0x7f || (byte == ':' && !has_colon) ? -1 : byte;
}

/* Up to the last @. A name alone has an empty password. */
static bool read_login(struct parser *parser, struct dx_slice text)
{
    struct dx_url_login *login = parser->login;
    bool has_colon = false;

    login->len = 0;
    for (size_t at = 0; at < text.len; at++) {
        int byte;

        has_colon = has_colon || text.data[at] == ':';
        byte = decode_login(text, &at, has_colon);
        if (byte < 0)
            return fail(parser, "a character that cannot stand in a name or password");
        if (login->len + 2 > DX_URL_LOGIN_MAX)
            return fail(parser, "the URL's name and password are too long");
        login->text[login->len++] = (char)byte;
    }
    if (login->len == 1 && has_colon)
        login->len = 0;
    if (login->len > 0 && !has_colon)
        login->text[login->len++] = ':';
    return true;
}

/* Takes NAME:PASSWORD@, if it is allowed. */
static bool take_login(struct parser *parser, struct dx_slice *text)
{
    struct dx_slice login = *text;

    while (login.len > 0 && login.data[login.len - 1] != '@')
        login.len--;
    if (login.len == 0)
        return true;
    if (parser->login == NULL)
        return fail(parser, "a name or password in the URL: there are options for them");
    login.len--;
    text->data += login.len + 1;
    text->len -= login.len + 1;
    return read_login(parser, login);
}

static bool parse_authority(struct parser *parser, struct dx_url *url)
{
    struct dx_slice text = take_authority(parser);
    uint16_t default_port = url->is_secure ? 443 : 80;
    uint8_t decoded[DX_HOST_MAX + 7]; /* the longest host, a colon and five digits */
    struct dx_authority authority;
    size_t len;

    if (!take_login(parser, &text))
        return false;
    if (!decode_host(text, decoded, &len))
        return fail(parser, "malformed host in the URL");
    for (size_t i = 0; i < len; i++)
        if (decoded[i] >= 0x80)
            return fail(parser, "a host outside ASCII has to be written as xn--...");
    if (!dx_authority_parse((struct dx_slice){decoded, len}, &authority, &parser->detail))
        return false;
    url->host = authority.host;
    url->has_port = authority.has_port && authority.port != default_port;
    url->port = authority.has_port ? authority.port : default_port;
    put_host(parser, &url->host);
    if (url->has_port) {
        put(parser, ':');
        put_number(parser, url->port);
    }
    return true;
}

/* ---- path and query ---- */

/* 1 or 2: the segment is that many dots, where `%2e` counts as a dot. 0: another segment. */
static unsigned count_dots(struct dx_slice segment)
{
    unsigned dots = 0;

    while (segment.len > 0) {
        size_t len = segment.data[0] == '.' ? 1 : 3;

        if (len == 3 && (segment.len < 3 || memcmp(segment.data, "%2", 2) != 0 ||
                         (segment.data[2] | 0x20) != 'e'))
            return 0;
        if (++dots > 2)
            return 0;
        segment.data += len;
        segment.len -= len;
    }
    return dots;
}

/* Removes the last segment of the path, with its slash. */
static void shorten_path(struct parser *parser, size_t path_at)
{
    while (parser->len > path_at && parser->text[--parser->len] != '/')
        ;
}

static void parse_path(struct parser *parser)
{
    size_t path_at = parser->len;

    if (parser->rest.len > 0 && is_slash(parser->rest.data[0]))
        skip(parser, 1);
    for (;;) {
        struct dx_slice segment = {parser->rest.data, 0};
        unsigned dots;
        bool is_last;

        while (segment.len < parser->rest.len && !is_slash(segment.data[segment.len]) &&
               segment.data[segment.len] != '?')
            segment.len++;
        is_last = segment.len == parser->rest.len || segment.data[segment.len] == '?';
        dots = count_dots(segment);
        if (dots == 2)
            shorten_path(parser, path_at);
        if (dots == 0 || is_last)
            put(parser, '/');
        for (size_t i = 0; dots == 0 && i < segment.len; i++)
            put_encoded(parser, segment.data[i], "\"#<>?^`{}");
        skip(parser, segment.len + !is_last);
        if (is_last)
            return;
    }
}

static void parse_query(struct parser *parser)
{
    if (parser->rest.len == 0)
        return;
    put(parser, '?');
    for (skip(parser, 1); parser->rest.len > 0; skip(parser, 1))
        put_encoded(parser, parser->rest.data[0], "\"#<>'");
}

static enum dx_err parse(struct dx_slice text, struct dx_url *url, char normal[DX_URL_MAX + 1],
                         struct dx_url_login *login, const char **detail)
{
    struct parser parser = {.rest = text, .text = normal, .login = login};
    struct dx_url parsed = {0};

    if (!check_characters(&parser) || !parse_scheme(&parser, &parsed) ||
        !parse_authority(&parser, &parsed)) {
        *detail = parser.detail;
        return DX_ERR_USAGE;
    }
    parsed.target_at = (uint16_t)parser.len;
    parse_path(&parser);
    parsed.path_len = (uint16_t)(parser.len - parsed.target_at);
    parse_query(&parser);
    if (parser.is_too_long) {
        *detail = "the URL is too long";
        return DX_ERR_TOO_BIG;
    }
    parsed.len = (uint16_t)parser.len;
    normal[parser.len] = 0;
    *url = parsed;
    return DX_OK;
}

enum dx_err dx_url_parse(struct dx_slice text, struct dx_url *url, char normal[DX_URL_MAX + 1],
                         const char **detail)
{
    return parse(text, url, normal, NULL, detail);
}

enum dx_err dx_url_parse_login(struct dx_slice text, struct dx_url *url,
                               char normal[DX_URL_MAX + 1], struct dx_url_login *login,
                               const char **detail)
{
    login->len = 0;
    return parse(text, url, normal, login, detail);
}
