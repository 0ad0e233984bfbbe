/*
 * slash.c - see slash.h.
 */
#include "cli/connect/slash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/text/codec.h"
#include "cli/connect/session.h"

#define REASON_MAX 123

/* Each is given what stands behind its name, without the blanks between. */
static enum cli_slash_result do_ping(struct cli_session *session, const char *rest)
{
    if (strlen(rest) > 125)
        cli_show_note(session, "a ping holds at most 125 bytes");
    else
        cli_session_ping(session, rest, strlen(rest));
    return CLI_SLASH_DONE;
}

static enum cli_slash_result do_close(struct cli_session *session, const char *rest)
{
    char *end;
    unsigned long code = strtoul(rest, &end, 10);

    if (end == rest) {
        code = DX_CLOSE_NORMAL;
    } else if (code > 4999 || (*end && *end != ' ')) {
        cli_show_note(session, "write /close, /close CODE or /close CODE REASON");
        return CLI_SLASH_DONE;
    }
    end += strspn(end, " ");
    if (strlen(end) > REASON_MAX)
        cli_show_note(session, "a reason has at most 123 bytes");
    else if (session->state == CLI_SESSION_WAITING)
        cli_session_finish(session, EXIT_SUCCESS);
    else
        cli_session_close(session, (uint16_t)code, end, strlen(end));
    return CLI_SLASH_DONE;
}

static enum cli_slash_result do_quit(struct cli_session *session, const char *rest)
{
    (void)rest;
    return do_close(session, "");
}

static enum cli_slash_result send_bytes(struct cli_session *session, enum dx_opcode opcode,
                                        const char *data, size_t len)
{
    return cli_session_send(session, opcode, data, len) ? CLI_SLASH_DONE : CLI_SLASH_NOT_NOW;
}

static enum cli_slash_result send_file(struct cli_session *session, enum dx_opcode opcode,
                                       const char *path)
{
    struct cli_buffer bytes = {0};
    enum cli_slash_result result = CLI_SLASH_DONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t len = -1;

    while (fd >= 0 && cli_buffer_len(&bytes) <= session->config->max_message) {
        char *room = cli_buffer_reserve(&bytes, 65536);

        len = room ? read(fd, room, 65536) : -1;
        if (len <= 0)
            break;
        cli_buffer_commit(&bytes, (size_t)len);
    }
    if (len < 0 || bytes.has_failed)
        cli_show_note(session, "%s: %s", path, strerror(bytes.has_failed ? ENOMEM : errno));
    else if (cli_buffer_len(&bytes) > session->config->max_message)
        cli_show_note(session, "%s: longer than --max-message", path);
    else
        result = send_bytes(session, opcode, cli_buffer_text(&bytes) ? cli_buffer_text(&bytes) : "",
                            cli_buffer_len(&bytes));
    if (fd >= 0)
        close(fd);
    cli_buffer_release(&bytes);
    return result;
}

static enum cli_slash_result do_binary(struct cli_session *session, const char *rest)
{
    if (*rest == '@')
        return send_file(session, DX_OP_BINARY, rest + 1);
    return send_bytes(session, DX_OP_BINARY, rest, strlen(rest));
}

static enum cli_slash_result do_text(struct cli_session *session, const char *rest)
{
    if (*rest == '@')
        return send_file(session, DX_OP_TEXT, rest + 1);
    return send_bytes(session, DX_OP_TEXT, rest, strlen(rest));
}

static enum cli_slash_result send_decoded(struct cli_session *session, const char *rest,
                                          bool (*decode)(struct cli_buffer *to, const char *text,
                                                         size_t len),
                                          const char *problem)
{
    struct cli_buffer bytes = {0};
    enum cli_slash_result result = CLI_SLASH_DONE;

    if (decode(&bytes, rest, strlen(rest)) && !bytes.has_failed)
        result = send_bytes(session, DX_OP_BINARY,
                            cli_buffer_text(&bytes) ? cli_buffer_text(&bytes) : "",
                            cli_buffer_len(&bytes));
    else
        cli_show_note(session, "%s", problem);
    cli_buffer_release(&bytes);
    return result;
}

static enum cli_slash_result do_hex(struct cli_session *session, const char *rest)
{
    return send_decoded(session, rest, cli_hex_decode, "write hexadecimal digits in pairs: 00 ff");
}

static enum cli_slash_result do_base64(struct cli_session *session, const char *rest)
{
    return send_decoded(session, rest, cli_base64_decode, "that is no base64");
}

static enum cli_slash_result do_help(struct cli_session *session, const char *rest);

static const struct command {
    const char *name;
    const char *value;
    const char *help;
    enum cli_slash_result (*call)(struct cli_session *session, const char *rest);
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

static enum cli_slash_result do_help(struct cli_session *session, const char *rest)
{
    struct cli_buffer text = {0};

    (void)rest;
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        cli_buffer_printf(&text, "  %-7s%-16s  %s\n", commands[i].name, commands[i].value,
                          commands[i].help);
    cli_buffer_put_text(&text, "  //...                    send /...\n");
    cli_buffer_put(&text, "", 1);
    if (!text.has_failed)
        cli_show_help(session, cli_buffer_text(&text));
    cli_buffer_release(&text);
    return CLI_SLASH_DONE;
}

const char *cli_slash_name(size_t index)
{
    return index < COMMAND_COUNT ? commands[index].name : NULL;
}

enum cli_slash_result cli_slash_do(struct cli_session *session, const char *line)
{
    size_t len = strcspn(line, " ");
    const char *rest = line + len + strspn(line + len, " ");

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strlen(commands[i].name) == len && memcmp(commands[i].name, line, len) == 0)
            return commands[i].call(session, rest);
    cli_show_note(session, "%.*s: no such command (see /help; // sends a line that begins with /)",
                  (int)len, line);
    return CLI_SLASH_DONE;
}
