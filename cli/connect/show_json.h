/*
 * show_json.h - events as JSON objects, a line each (--json).
 */
#ifndef CLI_SHOW_JSON_H
#define CLI_SHOW_JSON_H

#include <duplex/client.h>

struct cli_session;

void cli_show_json_message(struct cli_session *session, enum dx_opcode opcode, const uint8_t *data,
                           size_t len);
void cli_show_json_open(struct cli_session *session, struct dx_websocket *websocket);
void cli_show_json_client(struct cli_session *session, const char *peer, const char *target);
void cli_show_json_control(struct cli_session *session, bool is_ping, const uint8_t *data,
                           size_t len, uint64_t rtt_ns);
void cli_show_json_error(struct cli_session *session, const struct dx_error_event *error);
void cli_show_json_close(struct cli_session *session, const struct dx_close_event *close);

#endif
