/*
 * json.c - see json.h.
 */
#include "cli/text/json.h"

#include <string.h>

#include "base/text.h"

#define DEPTH_MAX 64

/* ---- tokens ---- */

static struct cli_json_token token(enum cli_json_kind kind, const char *from, const char *to)
{
    return (struct cli_json_token){kind, from, (size_t)(to - from)};
}

static struct cli_json_token next_string(const char *from, const char *end)
{
    for (const char *at = from + 1; at < end; at++) {
        if (*at == '"')
            return token(CLI_JSON_STRING, from, at + 1);
        if ((unsigned char)*at < 0x20)
            break;
        if (*at != '\\')
            continue;
        at++;
        if (at == end || !*at || !strchr("\"\\/bfnrtu", *at))
            break;
        for (int i = 0; *at == 'u' && i < 4; i++)
            if (end - at <= i + 1 || dx_text_hex_value((uint8_t)at[i + 1]) < 0)
                return token(CLI_JSON_WRONG, from, at);
    }
    return token(CLI_JSON_WRONG, from, from);
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && dx_text_is_digit((uint8_t)*at))
        at++;
    return at;
}

static struct cli_json_token next_number(const char *from, const char *end)
{
    const char *at = from + (*from == '-');
    const char *begin = at;

    at = skip_digits(at, end);
    if (at == begin || (*begin == '0' && at > begin + 1))
        return token(CLI_JSON_WRONG, from, at);
    if (at < end && *at == '.') {
        begin = ++at;
        at = skip_digits(at, end);
        if (at == begin)
            return token(CLI_JSON_WRONG, from, at);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        at += at < end && (*at == '+' || *at == '-');
        begin = at;
        at = skip_digits(at, end);
        if (at == begin)
            return token(CLI_JSON_WRONG, from, at);
    }
    return token(CLI_JSON_NUMBER, from, at);
}

static struct cli_json_token next_word(const char *from, const char *end)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(words[i]);

        if ((size_t)(end - from) >= len && memcmp(from, words[i], len) == 0)
            return token(CLI_JSON_WORD, from, from + len);
    }
    return token(CLI_JSON_WRONG, from, from);
}

struct cli_json_token cli_json_next(const char **at, const char *end)
{
    const char *from = *at;
    struct cli_json_token found;

    while (from < end && *from && strchr(" \t\r\n", *from))
        from++;
    if (from == end)
        found = token(CLI_JSON_END, from, from);
    else if (*from && strchr("{}[]:,", *from))
        found = token(CLI_JSON_MARK, from, from + 1);
    else if (*from == '"')
        found = next_string(from, end);
    else if (*from == '-' || dx_text_is_digit((uint8_t)*from))
        found = next_number(from, end);
    else
        found = next_word(from, end);
    *at = found.text + found.len;
    return found;
}

/* ---- grammar ---- */

enum state { VALUE, FIRST_VALUE, NAME, FIRST_NAME, COLON, AFTER };

struct grammar {
    enum state state;
    size_t depth;
    bool is_object[DEPTH_MAX];
};

static bool begin(struct grammar *grammar, bool is_object)
{
    if (grammar->depth == DEPTH_MAX)
        return false;
    grammar->is_object[grammar->depth++] = is_object;
    grammar->state = is_object ? FIRST_NAME : FIRST_VALUE;
    return true;
}

static bool end_nest(struct grammar *grammar, bool is_object)
{
    bool may_end =
        grammar->state == AFTER || grammar->state == (is_object ? FIRST_NAME : FIRST_VALUE);

    if (!may_end || grammar->depth == 0 || grammar->is_object[grammar->depth - 1] != is_object)
        return false;
    grammar->depth--;
    grammar->state = AFTER;
    return true;
}

static bool take_mark(struct grammar *grammar, char mark)
{
    bool wants_value = grammar->state == VALUE || grammar->state == FIRST_VALUE;

    switch (mark) {
    case '{':
    case '[':
        return wants_value && begin(grammar, mark == '{');
    case '}':
    case ']':
        return end_nest(grammar, mark == '}');
    case ':':
        if (grammar->state != COLON)
            return false;
        grammar->state = VALUE;
        return true;
    default:
        if (grammar->state != AFTER || grammar->depth == 0)
            return false;
        grammar->state = grammar->is_object[grammar->depth - 1] ? NAME : VALUE;
        return true;
    }
}

static bool take(struct grammar *grammar, const struct cli_json_token *token)
{
    if (token->kind == CLI_JSON_WRONG)
        return false;
    if (token->kind == CLI_JSON_MARK)
        return take_mark(grammar, *token->text);
    if (grammar->state == NAME || grammar->state == FIRST_NAME) {
        grammar->state = COLON;
        return token->kind == CLI_JSON_STRING;
    }
    if (grammar->state != VALUE && grammar->state != FIRST_VALUE)
        return false;
    grammar->state = AFTER;
    return true;
}

bool cli_json_is_valid(const char *text, size_t len)
{
    struct grammar grammar = {.state = VALUE};
    const char *end = text + len;

    for (;;) {
        struct cli_json_token token = cli_json_next(&text, end);

        if (token.kind == CLI_JSON_END)
            return grammar.state == AFTER && grammar.depth == 0;
        if (!take(&grammar, &token))
            return false;
    }
}

/* ---- strings ---- */

static void put_character(struct cli_buffer *to, const char *text, size_t len)
{
    unsigned char byte = (unsigned char)*text;

    if (byte == '"' || byte == '\\')
        cli_buffer_printf(to, "\\%c", byte);
    else if (byte == '\n')
        cli_buffer_put(to, "\\n", 2);
    else if (byte == '\t')
        cli_buffer_put(to, "\\t", 2);
    else if (byte == '\r')
        cli_buffer_put(to, "\\r", 2);
    else if (byte < 0x20 || byte == 0x7f)
        cli_buffer_printf(to, "\\u%04x", byte);
    else if (len == 2 && byte == 0xc2 &&
             (unsigned char)text[1] < 0xa0) /* C1: some terminals obey them */
        cli_buffer_printf(to, "\\u00%02x", (unsigned char)text[1]);
    else
        cli_buffer_put(to, text, len);
}

void cli_json_put_string(struct cli_buffer *to, const char *text, size_t len)
{
    cli_buffer_put(to, "\"", 1);
    while (len > 0) {
        size_t run = 0;
        size_t taken;
        uint32_t code_point;

        while (run < len && (unsigned char)text[run] >= 0x20 && (unsigned char)text[run] < 0x7f &&
               text[run] != '"' && text[run] != '\\')
            run++;
        cli_buffer_put(to, text, run);
        text += run;
        len -= run;
        if (len == 0)
            break;
        taken = dx_text_utf8_char(dx_slice_of_len(text, len), &code_point);
        if (taken > 0)
            put_character(to, text, taken);
        else
            cli_buffer_put_text(to, "\xef\xbf\xbd");
        text += taken > 0 ? taken : 1;
        len -= taken > 0 ? taken : 1;
    }
    cli_buffer_put(to, "\"", 1);
}
