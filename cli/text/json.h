/*
 * json.h - JSON as it is shown and written (RFC 8259): its tokens, whether a text is JSON, and strings. No tree: numbers, order and
 * repeated names stay as they came.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "cli/text/buffer.h"

enum cli_json_kind {
    CLI_JSON_END, /* of the text */
    CLI_JSON_MARK,
    CLI_JSON_STRING,
    CLI_JSON_NUMBER,
    CLI_JSON_WORD, /* true, false, null */
    CLI_JSON_WRONG,
};

struct cli_json_token {
    enum cli_json_kind kind;
    const char *text; /* a string with its quotes */
    size_t len;
};

/** The token at `*at`, which is moved behind it. */
struct cli_json_token cli_json_next(const char **at, const char *end);

/** Is the text one JSON value, at most 64 deep? */
bool cli_json_is_valid(const char *text, size_t len);

/** Writes a string with quotes; bytes that are not UTF-8 become U+FFFD. */
void cli_json_put_string(struct cli_buffer *to, const char *text, size_t len);

/** What a string token stands for, in UTF-8. False: a half of a surrogate pair. */
bool cli_json_decode(struct cli_buffer *to, const struct cli_json_token *string);

#endif
