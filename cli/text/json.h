/*
 * json.h - JSON as it is shown and written (RFC 8259): its tokens, whether a text is JSON, and
 * strings. No tree, which would lose the spelling of numbers, the order of members and repeated
 * names. Where members are read, jansson reads them.
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

/** The token at `*at`, which is moved past it. */
struct cli_json_token cli_json_next(const char **at, const char *end);

/** Is the text one JSON value, at most 64 deep? */
bool cli_json_is_valid(const char *text, size_t len);

/** Writes a string with quotes; bytes that are not UTF-8 become U+FFFD. */
void cli_json_put_string(struct cli_buffer *to, const char *text, size_t len);

#endif
