/*
 * screen.c - see screen.h.
 */
#include "cli/connect/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/text/escape.h"

#define WHAT_MAX 512

void cli_screen_init(struct cli_screen *screen, const struct cli_connect_config *config)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");
    bool is_terminal = isatty(STDOUT_FILENO) != 0;

    *screen = (struct cli_screen){
        .is_quiet = config->is_quiet,
        .is_verbose = config->is_verbose,
        .shows_notes = config->is_verbose && !config->prints_json,
        .is_terminal = is_terminal,
        .has_colours = is_terminal && !(no_colour && *no_colour) &&
                       !(terminal && strcmp(terminal, "dumb") == 0),
    };
}

void cli_screen_print(const struct cli_screen *screen, const char *text, size_t len)
{
    if (screen->print)
        screen->print(screen->user, text, len);
    else
        (void)!fwrite(text, 1, len, stderr);
}

void cli_screen_escape(struct cli_buffer *to, const char *text, size_t len, bool keeps_lines)
{
    while (len > 0) {
        char shown[DX_TEXT_ESCAPED_CHAR_MAX];
        size_t shown_len;
        size_t taken = 1;

        if (keeps_lines && (*text == '\n' || *text == '\t')) {
            cli_buffer_put(to, text, 1);
        } else {
            taken = dx_text_escape_char(dx_slice_of_len(text, len), shown, &shown_len);
            cli_buffer_put(to, shown, shown_len);
        }
        text += taken;
        len -= taken;
    }
}

void cli_screen_line(const struct cli_screen *screen, const char *colour, const char *mark,
                     const char *text, size_t len)
{
    struct cli_buffer line = {0};
    bool has_colours = screen->has_colours && screen->print;

    if (has_colours)
        cli_buffer_put_text(&line, colour);
    cli_buffer_put_text(&line, mark);
    cli_screen_escape(&line, text, len, false);
    if (has_colours)
        cli_buffer_put_text(&line, CLI_PLAIN);
    cli_buffer_put(&line, "\n", 1);
    cli_screen_print(screen, cli_buffer_text(&line), cli_buffer_len(&line));
    cli_buffer_release(&line);
}

void cli_screen_note(const struct cli_screen *screen, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    if (!screen->shows_notes)
        return;
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len > 0)
        cli_screen_line(screen, CLI_DIM, "* ", text,
                        (size_t)len < sizeof(text) ? (size_t)len : sizeof(text) - 1);
}

int cli_screen_complain(const struct cli_screen *screen, int exit_status, const char *what,
                        const char *format, ...)
{
    char why[1024];
    char shown[WHAT_MAX];
    char line[2048];
    va_list args;
    int len;

    if (screen->is_quiet)
        return exit_status;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    cli_escape(what, strlen(what), shown, sizeof(shown));
    len = snprintf(line, sizeof(line), "duplex connect: %s: ", shown);
    cli_escape(why, strlen(why), line + len, sizeof(line) - (size_t)len - 1);
    strcat(line, "\n");
    cli_screen_print(screen, line, strlen(line));
    return exit_status;
}
