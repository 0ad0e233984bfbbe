/*
 * terminal.c - a person who types, as a source (source.h): editing, history and completion
 * by libedit.
 *
 * libedit waits for a key in a function of ours, and there the event loop runs: so a message can be
 * printed above the line that is being typed, without a thread.
 */
#include "cli/connect/source/source.h"

#include <errno.h>
#include <glob.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/container.h"
#include "cli/connect/source/history.h"
#include "cli/connect/source/slash.h"
#include "cli/options/complaint.h"
#include "cli/text/buffer.h"

#define PROMPT "> "
#define PROMPT_WIDTH 2

struct terminal {
    struct cli_source source;
    struct cli_source_setup setup;
    EditLine *editor;
    History *history;
    char *history_path;
    bool is_editing;         /* a line is shown and edited */
    bool has_ended;          /* ^D was typed, or the terminal has gone */
    mbstate_t state;         /* of a character that has come in part */
    struct cli_buffer typed; /* lines for which there was no connection, each with a NUL */
};

static struct terminal *terminal_of(struct cli_source *source)
{
    return dx_container_of(source, struct terminal, source);
}

static enum cli_session_state state_of(const struct terminal *terminal)
{
    return terminal->setup.calls->state(terminal->setup.calls->user);
}

/* ---- the line on the screen ---- */

static void write_all(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, text, len);

        if (written < 0 && errno == EAGAIN) {
            struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};

            (void)poll(&room, 1, -1);
        } else if (written < 0 && errno != EINTR) {
            return;
        } else if (written > 0) {
            text += written;
            len -= (size_t)written;
        }
    }
}

/* The row of the line that the cursor is in. */
static int cursor_row(struct terminal *terminal)
{
    const LineInfoW *line = el_wline(terminal->editor);
    struct winsize size = {.ws_col = 80};
    int column = PROMPT_WIDTH;

    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    if (size.ws_col == 0)
        return 0;
    for (const wchar_t *at = line->buffer; at < line->cursor; at++) {
        int width = wcwidth(*at);

        column += width < 0 ? 2 : width; /* a control is shown as ^X */
    }
    return column / size.ws_col;
}

static void erase_line(struct terminal *terminal)
{
    char text[32];
    int row = cursor_row(terminal);

    fflush(stdout);
    if (row > 0)
        write_all(text, (size_t)snprintf(text, sizeof(text), "\033[%dA", row));
    write_all("\r\033[J", 4);
}

static void print(void *user, const char *text, size_t len)
{
    struct terminal *terminal = user;

    if (terminal->is_editing)
        erase_line(terminal);
    write_all(text, len);
    if (terminal->is_editing)
        el_set(terminal->editor, EL_REFRESH);
}

void cli_terminal_signal(struct cli_source *source, int number)
{
    struct terminal *terminal = terminal_of(source);

    if (number == SIGWINCH) {
        el_resize(terminal->editor);
        return;
    }
    if (terminal->is_editing) {
        erase_line(terminal);
        el_set(terminal->editor, EL_PREP_TERM, 0);
    }
    kill(getpid(), SIGSTOP);
    /* Some shell has brought us back. */
    if (terminal->is_editing) {
        el_set(terminal->editor, EL_PREP_TERM, 1);
        el_set(terminal->editor, EL_REFRESH);
    }
}

/* ---- keys ---- */

static bool is_over(const struct terminal *terminal)
{
    return state_of(terminal) == CLI_SESSION_OVER;
}

/* Runs the loop until there is a key; without `wants_key` once. False: the session is over. */
static bool wait_for_key(struct terminal *terminal, bool wants_key)
{
    struct dx_loop *loop = terminal->setup.loop;

    while (!is_over(terminal)) {
        struct pollfd fds[2] = {{.fd = dx_loop_fd(loop), .events = POLLIN},
                                {.fd = STDIN_FILENO, .events = POLLIN}};

        fflush(stdout);
        if (poll(fds, wants_key ? 2 : 1, dx_loop_timeout_ms(loop)) < 0 && errno != EINTR)
            return false;
        (void)!dx_loop_dispatch(loop);
        if (wants_key && fds[1].revents && !is_over(terminal))
            return true;
    }
    return false;
}

/* libedit's hook: 1 and a character, 0 at the end, -1 on failure. */
static int get_key(EditLine *editor, wchar_t *key)
{
    struct terminal *terminal;

    el_get(editor, EL_CLIENTDATA, &terminal);
    while (wait_for_key(terminal, true)) {
        char byte;
        ssize_t len = read(STDIN_FILENO, &byte, 1);
        size_t taken;

        if (len < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (len <= 0)
            return 0;
        taken = mbrtowc(key, &byte, 1, &terminal->state);
        if (taken == (size_t)-1) {
            terminal->state = (mbstate_t){0};
            continue;
        }
        if (taken != (size_t)-2)
            return 1;
    }
    return 0;
}

/* ---- completion ---- */

static size_t shared_len(const char *a, const char *b)
{
    size_t len = 0;

    while (a[len] && a[len] == b[len])
        len++;
    return len;
}

/* Inserts what all candidates have in common after the word, or shows them. */
static unsigned char complete_from(struct terminal *terminal, size_t word_len,
                                   const char *const *names, size_t count, const char *ending)
{
    char rest[256];
    size_t len = count > 0 ? strlen(names[0]) : 0;
    struct cli_buffer list = {0};

    for (size_t i = 0; i < count; i++) {
        size_t shared = shared_len(names[0], names[i]);

        len = shared < len ? shared : len;
    }
    if (count == 0 || len < word_len)
        return CC_ERROR;
    if (len > word_len || count == 1) {
        snprintf(rest, sizeof(rest), "%.*s%s", (int)(len - word_len), names[0] + word_len,
                 count == 1 ? ending : "");
        return *rest && el_insertstr(terminal->editor, rest) == 0 ? CC_REFRESH : CC_ERROR;
    }
    for (size_t i = 0; i < count; i++) {
        cli_buffer_put_text(&list, names[i]);
        cli_buffer_put_text(&list, i + 1 < count ? "  " : "\n");
    }
    print(terminal, cli_buffer_text(&list), cli_buffer_len(&list));
    cli_buffer_release(&list);
    return CC_NORM;
}

static unsigned char complete_file(struct terminal *terminal, const char *word, size_t len)
{
    char pattern[512];
    glob_t found;
    unsigned char result = CC_ERROR;

    if (snprintf(pattern, sizeof(pattern), "%.*s*", (int)len, word) >= (int)sizeof(pattern))
        return CC_ERROR;
    if (glob(pattern, GLOB_MARK, NULL, &found) == 0)
        result =
            complete_from(terminal, len, (const char *const *)found.gl_pathv, found.gl_pathc, "");
    globfree(&found);
    return result;
}

static unsigned char complete(EditLine *editor, int key)
{
    const LineInfo *line = el_line(editor);
    size_t len = (size_t)(line->cursor - line->buffer);
    const char *blank = memchr(line->buffer, ' ', len);
    struct terminal *terminal;
    const char *names[32];
    const char *name;
    size_t count = 0;

    (void)key;
    el_get(editor, EL_CLIENTDATA, &terminal);
    if (len == 0 || *line->buffer != '/')
        return CC_ERROR;
    if (blank) {
        if (blank + 1 < line->cursor && blank[1] == '@')
            return complete_file(terminal, blank + 2, (size_t)(line->cursor - blank) - 2);
        return CC_ERROR;
    }
    for (size_t i = 0; (name = cli_slash_name(i)) != NULL && count < 32; i++)
        if (strncmp(name, line->buffer, len) == 0)
            names[count++] = name;
    return complete_from(terminal, len, names, count, " ");
}

/* ---- lines ---- */

/* False: not now. */
static bool say(struct terminal *terminal, const char *line)
{
    const struct cli_source_calls *calls = terminal->setup.calls;

    if (line[0] == '/' && line[1] != '/')
        return cli_slash_do(&terminal->setup, line);
    line += line[0] == '/';
    return calls->give(calls->user, line, strlen(line));
}

static void resume(struct cli_source *source)
{
    struct terminal *terminal = terminal_of(source);
    const struct cli_source_calls *calls = terminal->setup.calls;
    struct cli_buffer *typed = &terminal->typed;

    while (cli_buffer_len(typed) > 0 && say(terminal, cli_buffer_text(typed)))
        cli_buffer_drop(typed, strlen(cli_buffer_text(typed)) + 1);
    if (cli_buffer_len(typed) == 0 && terminal->has_ended && state_of(terminal) == CLI_SESSION_OPEN)
        calls->close(calls->user, DX_CLOSE_NORMAL, "", 0);
}

static void remember(struct terminal *terminal, const char *line)
{
    HistEvent event;

    /* A blank before it keeps a line from being remembered, as in shells. */
    if (!*line || *line == ' ')
        return;
    history(terminal->history, &event, H_ENTER, line);
    if (terminal->history_path)
        cli_history_append(terminal->history_path, line);
}

static void take_line(struct terminal *terminal, const char *text, int len)
{
    char *line = strndup(text, (size_t)len);

    if (!line)
        return;
    line[strcspn(line, "\r\n")] = '\0';
    remember(terminal, line);
    if (cli_buffer_len(&terminal->typed) > terminal->setup.config->max_message)
        cli_screen_note(terminal->setup.screen, "not sent: too much is waiting already");
    else if (*line && (cli_buffer_len(&terminal->typed) > 0 || !say(terminal, line)))
        cli_buffer_put(&terminal->typed, line, strlen(line) + 1);
    free(line);
}

static void take_end(struct terminal *terminal)
{
    const struct cli_source_calls *calls = terminal->setup.calls;

    terminal->has_ended = true;
    if (state_of(terminal) == CLI_SESSION_OPEN)
        resume(&terminal->source);
    else if (state_of(terminal) == CLI_SESSION_WAITING && cli_buffer_len(&terminal->typed) == 0)
        calls->finish(calls->user, EXIT_SUCCESS);
}

void cli_terminal_run(struct cli_source *source)
{
    struct terminal *terminal = terminal_of(source);

    while (!is_over(terminal)) {
        const char *line;
        int len = 0;

        if (terminal->has_ended) {
            (void)wait_for_key(terminal, false);
            continue;
        }
        terminal->is_editing = true;
        line = el_gets(terminal->editor, &len);
        if (is_over(terminal) || !line || len <= 0)
            erase_line(terminal);
        terminal->is_editing = false;
        fflush(stdout);
        if (is_over(terminal))
            break;
        if (line && len > 0)
            take_line(terminal, line, len);
        else
            take_end(terminal);
    }
}

/* ---- life ---- */

static const char *prompt(EditLine *editor)
{
    (void)editor;
    return PROMPT;
}

static void add_to_history(void *user, const char *line)
{
    HistEvent event;

    history(user, &event, H_ENTER, line);
}

static bool start(struct terminal *terminal)
{
    HistEvent event;

    terminal->editor = el_init("duplex", stdin, stdout, stderr);
    terminal->history = history_init();
    if (!terminal->editor || !terminal->history)
        return false;
    el_set(terminal->editor, EL_CLIENTDATA, terminal);
    el_set(terminal->editor, EL_PROMPT, prompt);
    el_set(terminal->editor, EL_EDITOR, "emacs");
    el_set(terminal->editor, EL_GETCFN, get_key);
    /* el_set() would leak copies of the two texts. */
    el_wset(terminal->editor, EL_ADDFN, L"complete", L"Complete a command", complete);
    el_set(terminal->editor, EL_BIND, "^I", "complete", NULL);
    history(terminal->history, &event, H_SETSIZE, CLI_HISTORY_MAX);
    history(terminal->history, &event, H_SETUNIQUE, 1);
    el_set(terminal->editor, EL_HIST, history, terminal->history);
    el_source(terminal->editor, NULL);
    terminal->history_path = cli_history_path();
    if (terminal->history_path)
        cli_history_load(terminal->history_path, add_to_history, terminal->history);
    return true;
}

static void name_it(const struct cli_source *source, char name[CLI_SOURCE_NAME_MAX])
{
    (void)source;
    strcpy(name, "terminal");
}

static void stop(struct cli_source *source)
{
    (void)source; /* what is typed is kept for the next connection */
}

static void free_terminal(struct terminal *terminal)
{
    terminal->setup.screen->print = NULL;
    if (terminal->editor)
        el_end(terminal->editor);
    if (terminal->history)
        history_end(terminal->history);
    cli_buffer_release(&terminal->typed);
    free(terminal->history_path);
    free(terminal);
}

static void free_it(struct cli_source *source)
{
    free_terminal(terminal_of(source));
}

int cli_source_terminal(const struct cli_source_setup *setup, struct cli_source **source)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));

    /* Where no locale is set, text is UTF-8 all the same. */
    if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (!terminal)
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "terminal", "out of memory");
    terminal->source =
        (struct cli_source){.resume = resume, .stop = stop, .name = name_it, .free = free_it};
    terminal->setup = *setup;
    if (!start(terminal)) {
        free_terminal(terminal);
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "terminal",
                                   "it cannot be used");
    }
    setup->screen->print = print;
    setup->screen->user = terminal;
    setup->screen->shows_notes = true;
    *source = &terminal->source;
    return 0;
}
