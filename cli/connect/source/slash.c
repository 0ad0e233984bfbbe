/*
 * slash.c - see slash.h.
 */
#include "cli/connect/source/slash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/text/buffer.h"
#include "cli/text/codec.h"

#define REASON_MAX 123

/* Each command gets what follows its name, without the blanks between. False: not now. */
static bool do_ping(const struct cli_source_setup *setup, const char *rest)
{
    if (strlen(rest) > 125)
        cli_screen_note(setup->screen, "a ping holds at most 125 bytes");
    else
        setup->calls->ping(setup->calls->user, rest, strlen(rest));
    return true;
}

static bool do_close(const struct cli_source_setup *setup, const char *rest)
{
    const struct cli_source_calls *calls = setup->calls;
    char *end;
    unsigned long code = strtoul(rest, &end, 10);

    if (end == rest) {
        code = DX_CLOSE_NORMAL;
    } else if (code > 4999 || (*end && *end != ' ')) {
        cli_screen_note(setup->screen, "write /close, /close CODE or /close CODE REASON");
        return true;
    }
    end += strspn(end, " ");
    if (strlen(end) > REASON_MAX)
        cli_screen_note(setup->screen, "a reason has at most 123 bytes");
    else if (calls->state(calls->user) == CLI_SESSION_WAITING)
        calls->finish(calls->user, EXIT_SUCCESS);
    else
        calls->close(calls->user, (uint16_t)code, end, strlen(end));
    return true;
}

static bool do_quit(const struct cli_source_setup *setup, const char *rest)
{
    (void)rest;
    return do_close(setup, "");
}

static bool send_bytes(const struct cli_source_setup *setup, enum dx_opcode opcode,
                       const char *data, size_t len)
{
    return setup->calls->send(setup->calls->user, opcode, data, len);
}

static bool send_file(const struct cli_source_setup *setup, enum dx_opcode opcode, const char *path)
{
    struct cli_buffer bytes = {0};
    bool is_done = true;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t len = -1;

    while (fd >= 0 && cli_buffer_len(&bytes) <= setup->config->max_message) {
        char *room = cli_buffer_reserve(&bytes, 65536);

        len = room ? read(fd, room, 65536) : -1;
        if (len <= 0)
            break;
        cli_buffer_commit(&bytes, (size_t)len);
    }
    if (len < 0 || bytes.has_failed)
        cli_screen_note(setup->screen, "%s: %s", path, strerror(bytes.has_failed ? ENOMEM : errno));
    else if (cli_buffer_len(&bytes) > setup->config->max_message)
        cli_screen_note(setup->screen, "%s: longer than --max-message", path);
    else
        is_done = send_bytes(setup, opcode, cli_buffer_text(&bytes) ? cli_buffer_text(&bytes) : "",
                             cli_buffer_len(&bytes));
    if (fd >= 0)
        close(fd);
    cli_buffer_release(&bytes);
    return is_done;
}

static bool do_binary(const struct cli_source_setup *setup, const char *rest)
{
    if (*rest == '@')
        return send_file(setup, DX_OP_BINARY, rest + 1);
    return send_bytes(setup, DX_OP_BINARY, rest, strlen(rest));
}

static bool do_text(const struct cli_source_setup *setup, const char *rest)
{
    if (*rest == '@')
        return send_file(setup, DX_OP_TEXT, rest + 1);
    return send_bytes(setup, DX_OP_TEXT, rest, strlen(rest));
}

static bool send_decoded(const struct cli_source_setup *setup, const char *rest,
                         bool (*decode)(struct cli_buffer *to, const char *text, size_t len),
                         const char *problem)
{
    struct cli_buffer bytes = {0};
    bool is_done = true;

    if (decode(&bytes, rest, strlen(rest)) && !bytes.has_failed)
        is_done =
            send_bytes(setup, DX_OP_BINARY, cli_buffer_text(&bytes) ? cli_buffer_text(&bytes) : "",
                       cli_buffer_len(&bytes));
    else
        cli_screen_note(setup->screen, "%s", problem);
    cli_buffer_release(&bytes);
    return is_done;
}

static bool do_hex(const struct cli_source_setup *setup, const char *rest)
{
    return send_decoded(setup, rest, cli_hex_decode, "write hexadecimal digits in pairs: 00 ff");
}

static bool do_base64(const struct cli_source_setup *setup, const char *rest)
{
    return send_decoded(setup, rest, cli_base64_decode, "that is no base64");
}

static bool do_help(const struct cli_source_setup *setup, const char *rest);

static const struct command {
    const char *name;
    const char *value;
    const char *help;
    bool (*call)(const struct cli_source_setup *setup, const char *rest);
} commands[] = {
    {"/base64", " TEXT", "send the bytes as a binary message", do_base64},
    {"/binary", " TEXT or @FILE", "send it as a binary message", do_binary},
    {"/close", " [CODE [REASON]]", "close the connection", do_close},
    {"/help", "", "show this", do_help},
    {"/hex", " DIGITS", "send the bytes as a binary message", do_hex},
    {"/ping", " [TEXT]", "send a ping, and time its pong", do_ping},
    {"/quit", "", "close the connection", do_quit},
    {"/text", " TEXT or @FILE", "send it as a text message", do_text},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static bool do_help(const struct cli_source_setup *setup, const char *rest)
{
    struct cli_buffer text = {0};

    (void)rest;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        cli_buffer_printf(&text, "  %-7s%-16s  %s\n", commands[i].name, commands[i].value,
                          commands[i].help);
    cli_buffer_put_text(&text, "  //...                    send /...\n");
    if (!text.has_failed)
        cli_screen_print(setup->screen, cli_buffer_text(&text), cli_buffer_len(&text));
    cli_buffer_release(&text);
    return true;
}

const char *cli_slash_name(size_t index)
{
    return index < COMMAND_COUNT ? commands[index].name : NULL;
}

bool cli_slash_do(const struct cli_source_setup *setup, const char *line)
{
    size_t len = strcspn(line, " ");
    const char *rest = line + len + strspn(line + len, " ");

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strlen(commands[i].name) == len && memcmp(commands[i].name, line, len) == 0)
            return commands[i].call(setup, rest);
    cli_screen_note(setup->screen,
                    "%.*s: no such command (see /help; // sends a line that begins with /)",
                    (int)len, line);
    return true;
}
