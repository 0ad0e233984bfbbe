/*
 * escape.c - see escape.h.
 */
#include "cli/text/escape.h"

#include <string.h>

#include "base/text.h"

void cli_escape(const char *text, size_t len, char *out, size_t size)
{
    static const char more[] = "...";
    struct dx_slice slice = {(const uint8_t *)text, len};
    bool is_cut;
    size_t written = dx_text_escape(slice, out, size - 1, &is_cut);

    if (is_cut) {
        written = dx_text_escape(slice, out, size - sizeof(more), NULL);
        memcpy(out + written, more, sizeof(more));
    } else {
        out[written] = '\0';
    }
}

struct cli_shown cli_shown_part(const char *text, size_t len)
{
    struct cli_shown shown;

    cli_escape(text, len, shown.text, sizeof(shown.text));
    return shown;
}

struct cli_shown cli_shown(const char *text)
{
    return cli_shown_part(text, strlen(text));
}
