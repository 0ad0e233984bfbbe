/*
 * show.h - what happened, as it is printed: messages on stdout, all else on stderr; as JSON, or on a terminal, both on stdout.
 */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include <duplex/client.h>

struct cli_session;

struct cli_show {
    bool is_terminal; /* stdout is one: what the peer sends must not drive it */
    bool colours;
    bool notes; /* there is somebody to read them: -v, or a person who types */
};

void cli_show_init(struct cli_session *session);

void cli_show_message(struct cli_session *session, enum dx_opcode opcode, const uint8_t *data,
                      size_t len);
void cli_show_open(struct cli_session *session, struct dx_websocket *websocket);
/** With --listen: who has come, and what it asked for. */
void cli_show_client(struct cli_session *session, const char *peer, const char *target);
void cli_show_request(struct cli_session *session, const char *head, size_t len);
/** `rtt_ns` 0: unknown. */
void cli_show_control(struct cli_session *session, bool is_ping, const uint8_t *data, size_t len,
                      uint64_t rtt_ns);
void cli_show_error(struct cli_session *session, const struct dx_error_event *error);
void cli_show_close(struct cli_session *session, const struct dx_close_event *close);

/** A line for people, where there are some. */
void cli_show_note(struct cli_session *session, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** A line for who types: no note otherwise. */
void cli_show_help(struct cli_session *session, const char *text);

#endif
