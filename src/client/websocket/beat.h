/*
 * beat.h - a heartbeat by text message: when to ask, and what counts as the answer.
 *
 * For peers whose application answers a text such as "ping" with another such as "pong"; the pings
 * of the protocol are the connection's. The caller brings the time, owns the timer and sends.
 */
#ifndef DX_CLIENT_BEAT_H
#define DX_CLIENT_BEAT_H

#include <duplex/frame.h>

#include "base/slice.h"

struct dx_beat {
    const char *answer; /* borrowed; NULL: no heartbeat by text */
    size_t answer_len;
    uint32_t interval_ms; /* of silence before the question; 0: never ask */
    uint32_t timeout_ms;  /* for the answer; 0: wait forever */
    uint64_t heard_ms;    /* the last message or pong */
    uint64_t due_ms;      /* the next dx_beat_step */
    size_t held_len;      /* start of a fragmented message that may be the answer, held back */
    bool awaits_answer;
};

/* What to do when the heartbeat is due. */
enum dx_beat_step { DX_BEAT_WAIT, DX_BEAT_ASK, DX_BEAT_DEAD };

/** Without an answer there is no heartbeat. */
void dx_beat_init(struct dx_beat *beat, const char *answer, uint32_t interval_ms,
                  uint32_t timeout_ms);

/** Whether the heartbeat needs a timer, set to due_ms. */
static inline bool dx_beat_is_on(const struct dx_beat *beat)
{
    return beat->interval_ms > 0;
}

/** A connection has opened. */
void dx_beat_start(struct dx_beat *beat, uint64_t now_ms);

/** Something arrived. Returns whether due_ms has changed. */
bool dx_beat_note_heard(struct dx_beat *beat, uint64_t now_ms);

/** The timer fired. A websocket that does not read cannot miss an answer. Sets the next due_ms. */
enum dx_beat_step dx_beat_step(struct dx_beat *beat, uint64_t now_ms, bool is_reading);

/** Whether a message is the answer, which listeners do not get. */
bool dx_beat_is_answer(const struct dx_beat *beat, enum dx_opcode opcode, const uint8_t *data,
                       size_t len);

/**
 * The same for one piece of a message. True: the piece is part of the answer, or may be, and is
 * held back. False: `*held` is what was held back of this message until now; it goes first.
 */
bool dx_beat_holds_chunk(struct dx_beat *beat, enum dx_opcode opcode, struct dx_slice chunk,
                         bool is_first, bool is_last, struct dx_slice *held);

#endif
