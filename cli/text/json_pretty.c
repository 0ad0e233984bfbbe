/*
 * json_pretty.c - see json_pretty.h.
 */
#include "cli/text/json_pretty.h"

#include <string.h>

#include "base/text.h"
#include "cli/text/json.h"

#define NAME_COLOUR "\033[36m"
#define STRING_COLOUR "\033[32m"
#define NUMBER_COLOUR "\033[33m"
#define PLAIN "\033[0m"

static void put_safely(struct cli_buffer *to, const char *text, size_t len)
{
    char shown[DX_TEXT_ESCAPED_CHAR_MAX];

    while (len > 0) {
        size_t shown_len;
        size_t taken = dx_text_escape_char(dx_slice_of_len(text, len), shown, &shown_len);

        cli_buffer_put(to, shown, shown_len);
        text += taken;
        len -= taken;
    }
}

static void put_coloured(struct cli_buffer *to, const struct cli_json_token *token,
                         const char *colour)
{
    if (colour)
        cli_buffer_put_text(to, colour);
    put_safely(to, token->text, token->len);
    if (colour)
        cli_buffer_put_text(to, PLAIN);
}

static void new_line(struct cli_buffer *to, size_t depth)
{
    cli_buffer_put(to, "\n", 1);
    for (size_t i = 0; i < depth; i++)
        cli_buffer_put(to, "  ", 2);
}

/* Is a string the name of a member? */
static bool is_name(const char *at, const char *end)
{
    struct cli_json_token next = cli_json_next(&at, end);

    return next.kind == CLI_JSON_MARK && *next.text == ':';
}

static void put_mark(struct cli_buffer *to, char mark, size_t *depth, bool was_opened)
{
    if (mark == '}' || mark == ']') {
        --*depth;
        if (!was_opened)
            new_line(to, *depth);
    } else if (was_opened) {
        new_line(to, *depth);
    }
    cli_buffer_put(to, &mark, 1);
    if (mark == '{' || mark == '[')
        ++*depth;
    else if (mark == ',')
        new_line(to, *depth);
    else if (mark == ':')
        cli_buffer_put(to, " ", 1);
}

static const char *colour_of(const struct cli_json_token *token, const char *at, const char *end)
{
    if (token->kind == CLI_JSON_STRING)
        return is_name(at, end) ? NAME_COLOUR : STRING_COLOUR;
    return NUMBER_COLOUR;
}

bool cli_json_pretty(struct cli_buffer *to, const char *text, size_t len, bool colours)
{
    const char *end = text + len;
    size_t depth = 0;
    bool was_opened = false; /* the last token was { or [ */

    if (len == 0 || !strchr("{[ \t\r\n", *text) || !cli_json_is_valid(text, len))
        return false;
    for (;;) {
        struct cli_json_token token = cli_json_next(&text, end);

        if (token.kind == CLI_JSON_END)
            return true;
        if (token.kind == CLI_JSON_MARK) {
            put_mark(to, *token.text, &depth, was_opened);
            was_opened = strchr("{[", *token.text) != NULL;
            continue;
        }
        if (was_opened)
            new_line(to, depth);
        was_opened = false;
        put_coloured(to, &token, colours ? colour_of(&token, text, end) : NULL);
    }
}
