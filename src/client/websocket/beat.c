/*
 * beat.c - see beat.h.
 */
#include "client/websocket/beat.h"

#include <string.h>

void dx_beat_init(struct dx_beat *beat, const char *answer, uint32_t interval_ms,
                  uint32_t timeout_ms)
{
    *beat = (struct dx_beat){.answer = answer, .timeout_ms = timeout_ms};
    if (answer == NULL)
        return;
    beat->answer_len = strlen(answer);
    beat->interval_ms = interval_ms;
}

void dx_beat_start(struct dx_beat *beat, uint64_t now_ms)
{
    beat->heard_ms = now_ms;
    beat->due_ms = now_ms + beat->interval_ms;
    beat->held_len = 0;
    beat->awaits_answer = false;
}

bool dx_beat_note_heard(struct dx_beat *beat, uint64_t now_ms)
{
    beat->heard_ms = now_ms;
    if (!beat->awaits_answer)
        return false; /* the timer finds heard_ms when it fires */
    beat->awaits_answer = false;
    beat->due_ms = now_ms + beat->interval_ms;
    return true;
}

enum dx_beat_step dx_beat_step(struct dx_beat *beat, uint64_t now_ms, bool is_reading)
{
    if (!is_reading)
        (void)dx_beat_note_heard(beat, now_ms);
    else if (beat->awaits_answer && beat->timeout_ms > 0)
        return DX_BEAT_DEAD;
    if (now_ms - beat->heard_ms < beat->interval_ms) {
        beat->due_ms = beat->heard_ms + beat->interval_ms;
        return DX_BEAT_WAIT;
    }
    beat->awaits_answer = true;
    beat->due_ms = now_ms + (beat->timeout_ms > 0 ? beat->timeout_ms : beat->interval_ms);
    return DX_BEAT_ASK;
}

bool dx_beat_is_answer(const struct dx_beat *beat, enum dx_opcode opcode, const uint8_t *data,
                       size_t len)
{
    return beat->answer != NULL && opcode == DX_OP_TEXT && beat->answer_len == len &&
           memcmp(beat->answer, data, len) == 0;
}

/* Whether this piece continues the answer at `at`, and ends it where the message ends. */
static bool matches(const struct dx_beat *beat, size_t at, struct dx_slice chunk, bool is_last)
{
    return chunk.len <= beat->answer_len - at &&
           memcmp(beat->answer + at, chunk.data, chunk.len) == 0 &&
           (!is_last || at + chunk.len == beat->answer_len);
}

bool dx_beat_holds_chunk(struct dx_beat *beat, enum dx_opcode opcode, struct dx_slice chunk,
                         bool is_first, bool is_last, struct dx_slice *held)
{
    size_t at = is_first ? 0 : beat->held_len;

    *held = (struct dx_slice){(const uint8_t *)beat->answer, 0};
    if (beat->answer == NULL || opcode != DX_OP_TEXT || (!is_first && at == 0))
        return false;
    beat->held_len = 0;
    if (matches(beat, at, chunk, is_last)) {
        beat->held_len = is_last ? 0 : at + chunk.len;
        return is_last || at + chunk.len > 0;
    }
    held->len = at;
    return false;
}
