/*
 * help.c - lays out the tables of commands and options for a terminal of 80 columns.
 */
#include "cli/help.h"

#include <string.h>

#include <duplex/version.h>

#include "cli/commands.h"
#include "cli/text/buffer.h"

#define TEXT_COLUMN 29

static void print_heading(FILE *out, const char *title, bool bold)
{
    fprintf(out, bold ? "\n\033[1m%s:\033[0m\n" : "\n%s:\n", title);
}

/* Prints blanks up to the text's column, on the next line if the names reach into it. */
static size_t indent(FILE *out, size_t column)
{
    if (column + 2 > TEXT_COLUMN) {
        fputc('\n', out);
        column = 0;
    }
    fprintf(out, "%*s", (int)(TEXT_COLUMN - column), "");
    return TEXT_COLUMN;
}

/* Prints `text_len` bytes of text, wrapped; returns the column after it. */
static size_t print_wrapped(FILE *out, size_t column, const char *text, size_t text_len)
{
    bool is_first = column == TEXT_COLUMN;

    for (size_t at = 0; at < text_len;) {
        const char *blank = memchr(text + at, ' ', text_len - at);
        size_t word_len = blank ? (size_t)(blank - text) - at : text_len - at;

        if (!is_first && column + 1 + word_len > CLI_HELP_WIDTH) {
            fputc('\n', out);
            column = indent(out, 0);
            is_first = true;
        }
        if (!is_first)
            fputc(' ', out);
        fwrite(text + at, 1, word_len, out);
        column += word_len + !is_first;
        is_first = false;
        at += word_len + 1;
    }
    return column;
}

static void print_option(FILE *out, const struct cli_option *option)
{
    struct cli_buffer text = {0};
    const char *preset = cli_option_default(option);
    size_t column = 2;

    fputs("  ", out);
    if (option->letter)
        column += (size_t)fprintf(out, "-%c, ", option->letter);
    column += (size_t)fprintf(out, "--%s", option->name);
    if (option->placeholder)
        column += (size_t)fprintf(out, "=%s", option->placeholder);
    column = indent(out, column);
    cli_buffer_put_text(&text, option->help);
    if (preset)
        cli_buffer_printf(&text, " [%s]", preset);
    print_wrapped(out, column, cli_buffer_text(&text), cli_buffer_len(&text));
    cli_buffer_release(&text);
    fputc('\n', out);
}

void cli_help_print_command(FILE *out, const struct cli_command *command, bool bold)
{
    const char *title = NULL;

    fprintf(out, "Usage: %s", command->synopsis);
    fprintf(out, "\n%s", command->about);
    for (struct cli_row row = {0}; cli_row_next(command, &row);) {
        if (!title || strcmp(title, row.group->title) != 0)
            print_heading(out, row.group->title, bold);
        title = row.group->title;
        print_option(out, row.option);
    }
    fputs("\nTIME is 250ms, 5s or 2m, a bare number is seconds; SIZE is bytes, 64K, 1M or 1G.\n"
          "Defaults are in [brackets].\n",
          out);
    print_heading(out, "Examples", bold);
    fputs(command->examples, out);
    fprintf(out, "\nThe manual: man duplex-%s\n", command->name);
}

void cli_help_print(FILE *out, bool bold)
{
    fputs("Duplex: WebSocket for any program.\n\nUsage: duplex COMMAND [options]\n"
          "       duplex URL [options]     the same as duplex connect URL\n",
          out);
    print_heading(out, "Commands", bold);
    for (const struct cli_command *const *command = cli_commands; *command; command++)
        fprintf(out, "  %-9s%s\n", (*command)->name, (*command)->summary);
    fprintf(out, "  %-9s%s\n", "help", "show the help of a command: duplex help serve");
    print_heading(out, "Options", bold);
    fputs("  -h, --help     show this help and exit\n"
          "  -V, --version  show the version and exit\n",
          out);
    print_heading(out, "A first try", bold);
    fputs("  duplex serve vmstat 1\n"
          "\nand open http://127.0.0.1:8080/ in a browser. The manual: man duplex\n",
          out);
}

void cli_help_print_version(FILE *out)
{
    fputs("duplex " DX_VERSION "\n", out);
}
