/*
 * log_line.c - text and JSON lines. Both escape a value in the same way, so that no value can forge
 * another field or line.
 */
#include "cli/log/log_line.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Reserved for the end of a line: three dots, a quote, a brace, a newline. */
#define CLOSERS_LEN 6

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const char *const level_colours[] = {"\033[31m", "\033[33m", "\033[32m", "\033[2m"};

/* Appends all of the bytes or none. */
static bool append(struct cli_log_line *line, const char *bytes, size_t len)
{
    if (len > sizeof(line->text) - CLOSERS_LEN - line->len)
        return false;
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
    return true;
}

static bool append_text(struct cli_log_line *line, const char *text)
{
    return append(line, text, strlen(text));
}

/* Appends the end of a value or line; there is always room for it. */
static void append_closer(struct cli_log_line *line, const char *closer)
{
    size_t len = strlen(closer);

    memcpy(line->text + line->len, closer, len);
    line->len += len;
}

/*
 * Doubles backslashes; in quotes escapes the quote; for JSON escapes both once more. Returns false
 * when it did not fit.
 */
static bool append_piece(struct cli_log_line *line, const char *piece, size_t piece_len,
                         bool in_quotes, bool json)
{
    char out[2 * DX_TEXT_ESCAPED_CHAR_MAX];
    size_t out_len = 0;
    bool is_literal = piece_len == 1;

    for (size_t i = 0; i < piece_len; i++) {
        bool is_backslash = piece[i] == '\\';
        size_t copies = is_backslash && is_literal ? 2 : 1;

        if (is_backslash && json)
            copies *= 2;
        if (piece[i] == '"' && in_quotes)
            out[out_len++] = '\\';
        while (copies-- > 0)
            out[out_len++] = piece[i];
    }
    return append(line, out, out_len);
}

/* Appends a value, cut with "..." where the line is full. Returns false when it was cut. */
static bool append_value(struct cli_log_line *line, const char *value, size_t len, bool in_quotes,
                         bool json)
{
    while (len > 0) {
        char piece[DX_TEXT_ESCAPED_CHAR_MAX];
        size_t piece_len;
        size_t taken = dx_text_escape_char(dx_slice_of_len(value, len), piece, &piece_len);

        if (!append_piece(line, piece, piece_len, in_quotes, json)) {
            append_closer(line, "...");
            return false;
        }
        value += taken;
        len -= taken;
    }
    return true;
}

static bool needs_quotes(const char *value, size_t len)
{
    if (len == 0)
        return true;
    for (size_t i = 0; i < len; i++)
        if (value[i] == ' ' || value[i] == '"' || value[i] == '=')
            return true;
    return false;
}

/* Returns false when the line is full. */
static bool append_text_field(struct cli_log_line *line, const struct dx_log_field *field)
{
    size_t before = line->len;
    bool quotes = needs_quotes(field->value, field->len);
    bool is_whole;

    if (!append_text(line, " ") || !append_text(line, field->name) ||
        !append_text(line, quotes ? "=\"" : "=")) {
        line->len = before;
        return false;
    }
    is_whole = append_value(line, field->value, field->len, quotes, false);
    if (quotes)
        append_closer(line, "\"");
    return is_whole && sizeof(line->text) - line->len > CLOSERS_LEN;
}

static bool append_json_field(struct cli_log_line *line, const struct dx_log_field *field)
{
    size_t before = line->len;
    bool is_whole;

    if (!append_text(line, ",\"") || !append_text(line, field->name) ||
        !append_text(line, "\":\"")) {
        line->len = before;
        return false;
    }
    is_whole = append_value(line, field->value, field->len, true, true);
    append_closer(line, "\"");
    return is_whole && sizeof(line->text) - line->len > CLOSERS_LEN;
}

static void append_time(struct cli_log_line *line, const struct timespec *now)
{
    char text[64];
    struct tm parts;
    size_t len = 0;

    if (gmtime_r(&now->tv_sec, &parts))
        len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    len += (size_t)snprintf(text + len, sizeof(text) - len, ".%03dZ",
                            (int)(now->tv_nsec / 1000000 % 1000));
    append(line, text, len);
}

static void begin_text(struct cli_log_line *line, bool colour, const struct timespec *now,
                       enum dx_log_level level, const char *message)
{
    char name[32];

    append_time(line, now);
    snprintf(name, sizeof(name), colour ? " %s%-5s\033[0m " : " %s%-5s ",
             colour ? level_colours[level] : "", level_names[level]);
    append_text(line, name);
    append_value(line, message, strlen(message), false, false);
}

static void begin_json(struct cli_log_line *line, const struct timespec *now,
                       enum dx_log_level level, const char *message)
{
    append_text(line, "{\"time\":\"");
    append_time(line, now);
    append_text(line, "\",\"level\":\"");
    append_text(line, level_names[level]);
    append_text(line, "\",\"message\":\"");
    append_value(line, message, strlen(message), true, true);
    append_closer(line, "\"");
}

void cli_log_line_format(struct cli_log_line *line, enum cli_log_format format, bool colour,
                         const struct timespec *now, enum dx_log_level level, const char *message,
                         const struct dx_log_field *fields, size_t field_count)
{
    bool json = format == CLI_LOG_JSON;
    bool has_room;

    line->len = 0;
    if (json)
        begin_json(line, now, level, message);
    else
        begin_text(line, colour, now, level, message);
    has_room = sizeof(line->text) - line->len > CLOSERS_LEN;
    for (size_t i = 0; i < field_count && has_room; i++)
        has_room = json ? append_json_field(line, &fields[i]) : append_text_field(line, &fields[i]);
    append_closer(line, json ? "}\n" : "\n");
}
