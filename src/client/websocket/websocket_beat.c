/*
 * websocket_beat.c - the heartbeat by text, for peers whose applications answer "ping" with "pong" (pings of the protocol are the
 * connection's). The answer is kept from listeners, also where it comes in pieces.
 */
#include "client/websocket/websocket_parts.h"

#include <string.h>

static void beat_at(struct dx_websocket *websocket, uint64_t due_ms)
{
    dx_wheel_set(dx_loop_wheel(websocket->loop), &websocket->timer, due_ms);
}

void dx_websocket_start_beating(struct dx_websocket *websocket)
{
    const struct dx_websocket_options *options = &websocket->settings.options;
    uint32_t interval_ms = options->connection->ping_interval_ms;

    if (options->heartbeat_text != NULL && interval_ms > 0)
        beat_at(websocket, websocket->heard_ms + interval_ms);
}

void dx_websocket_note_heard(struct dx_websocket *websocket)
{
    bool waited = websocket->waits_for_answer;

    websocket->heard_ms = dx_loop_now_ms(websocket->loop);
    websocket->waits_for_answer = false;
    if (waited && websocket->connection != NULL)
        dx_websocket_start_beating(websocket); /* not first when the answer would have been due */
}

/* Inside a fragmented message no other can be sent: a ping asks as well. Where nothing can be sent silence counts all the same. */
static void ask(struct dx_websocket *websocket)
{
    const char *text = websocket->settings.options.heartbeat_text;
    enum dx_err err = dx_connection_send(websocket->connection, DX_OP_TEXT, text, strlen(text));

    if (err == DX_ERR_STATE)
        err = dx_connection_ping(websocket->connection, NULL, 0);
    (void)err;
    websocket->waits_for_answer = true;
}

void dx_websocket_beat(struct dx_websocket *websocket)
{
    const struct dx_connection_options *options = &websocket->settings.connection;
    uint64_t now_ms = dx_loop_now_ms(websocket->loop);

    if (dx_websocket_state(websocket) != DX_READY_STATE_OPEN)
        return; /* closing has its own deadline */
    if (websocket->is_paused) {
        dx_websocket_note_heard(websocket); /* who does not read cannot miss an answer */
    } else if (websocket->waits_for_answer && options->pong_timeout_ms > 0) {
        dx_connection_abort(websocket->connection, DX_ERR_TIMEOUT,
                            "the peer did not answer the heartbeat");
        return;
    }
    if (now_ms - websocket->heard_ms < options->ping_interval_ms) {
        dx_websocket_start_beating(websocket);
        return;
    }
    ask(websocket);
    beat_at(websocket, now_ms + (options->pong_timeout_ms > 0 ? options->pong_timeout_ms
                                                              : options->ping_interval_ms));
}

bool dx_websocket_is_answer(const struct dx_websocket *websocket, enum dx_opcode opcode,
                            const uint8_t *data, size_t len)
{
    const char *answer = websocket->settings.options.heartbeat_answer;

    return answer != NULL && opcode == DX_OP_TEXT && strlen(answer) == len &&
           memcmp(answer, data, len) == 0;
}

bool dx_websocket_is_answer_chunk(struct dx_websocket *websocket, enum dx_opcode opcode,
                                  const uint8_t *data, size_t len, bool *is_first, bool is_last)
{
    const char *answer = websocket->settings.options.heartbeat_answer;
    size_t found = *is_first ? 0 : websocket->answer_found;
    size_t answer_len = answer != NULL ? strlen(answer) : 0;

    if (answer == NULL || opcode != DX_OP_TEXT || (!*is_first && found == 0))
        return false;
    websocket->answer_found = 0;
    if (len <= answer_len - found && memcmp(answer + found, data, len) == 0 &&
        (!is_last || found + len == answer_len)) {
        websocket->answer_found = is_last ? 0 : found + len;
        return is_last || found + len > 0;
    }
    if (found == 0)
        return false;
    *is_first = false;
    dx_websocket_tell_chunk(websocket, opcode, (const uint8_t *)answer, found, true, false);
    return false;
}
