/*
 * words.c - the quoting rules of POSIX shells (XCU 2.2) without any expansion. The state machine
 * has one function per state.
 */
#include "cli/serve/words.h"

#include <stdlib.h>
#include <string.h>

static const char quote_open[] = "a quote is not closed (close it, or write \\ before it)";
static const char backslash_last[] = "ends in a backslash (write \\\\ for one)";
static const char no_command[] = "no command (write PATH=COMMAND)";

struct splitter {
    const char *in;
    char *out;
    char **words;
    size_t count;
    bool in_word;
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n';
}

static void begin_word(struct splitter *s)
{
    if (s->in_word)
        return;
    s->words[s->count++] = s->out;
    s->in_word = true;
}

static void end_word(struct splitter *s)
{
    if (!s->in_word)
        return;
    *s->out++ = '\0';
    s->in_word = false;
}

static const char *single_quoted(struct splitter *s)
{
    const char *end = strchr(s->in, '\'');

    if (!end)
        return quote_open;
    memcpy(s->out, s->in, (size_t)(end - s->in));
    s->out += end - s->in;
    s->in = end + 1;
    return NULL;
}

static const char *double_quoted(struct splitter *s)
{
    for (; *s->in != '"'; s->in++) {
        if (*s->in == '\\' && s->in[1] != '\0' && strchr("\"\\$`", s->in[1]))
            s->in++;
        if (*s->in == '\0')
            return quote_open;
        *s->out++ = *s->in;
    }
    s->in++;
    return NULL;
}

static const char *escaped(struct splitter *s)
{
    if (*s->in == '\0')
        return backslash_last;
    *s->out++ = *s->in++;
    return NULL;
}

static const char *next_byte(struct splitter *s)
{
    char byte = *s->in++;

    if (is_blank(byte)) {
        end_word(s);
        return NULL;
    }
    begin_word(s);
    switch (byte) {
    case '\'':
        return single_quoted(s);
    case '"':
        return double_quoted(s);
    case '\\':
        return escaped(s);
    default:
        *s->out++ = byte;
        return NULL;
    }
}

enum dx_err cli_words_split(const char *text, char ***words, const char **problem)
{
    /* A word needs a byte and a blank: at most half as many words as bytes, and the NULL. */
    size_t len = strlen(text);
    size_t slots = len / 2 + 2;
    char **block = malloc(slots * sizeof(*block) + len + 1);
    const char *found = NULL;

    if (!block)
        return DX_ERR_NOMEM;

    struct splitter s = {.in = text, .out = (char *)(block + slots), .words = block};

    while (*s.in && !found)
        found = next_byte(&s);
    end_word(&s);
    block[s.count] = NULL;
    if (!found && (s.count == 0 || block[0][0] == '\0'))
        found = no_command;
    if (found) {
        free(block);
        *problem = found;
        return DX_ERR_USAGE;
    }
    *words = block;
    return DX_OK;
}
