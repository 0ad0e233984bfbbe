/*
 * journal.h - what happened, as one line of text that a test can compare: events, and frames as
 * they stand on the wire.
 *
 *   [1:Hello]                  a text message; [2:...] a binary one; a message without ] did not
 *   end [1:Hel ping(x) lo]         a ping between its fragments
 *   ping(x) pong(x)            control frames
 *   close(1000 bye) close()    a Close with code and reason, and an empty one
 *   fail(1002 why)             the endpoint failed the connection
 *   text(x) text+(x) cont+(x)  frames on the wire, with + when not the last of their message
 *
 * Bytes that are not printable ASCII, and backslash, are \xNN; of a run of more than 64 bytes only
 * the length and a sum are written.
 */
#ifndef TESTS_JOURNAL_H
#define TESTS_JOURNAL_H

#include <duplex/endpoint.h>

struct journal {
    char *text; /* ends in NUL; NULL while nothing was written */
    size_t len;
    size_t room;
    bool is_inside; /* a message is begun */
    bool needs_gap; /* something else was noted inside it */
    uint64_t run;   /* bytes of the message's current run, between two events */
    uint32_t sum;   /* of that run */
    size_t run_at;  /* where in text the run begins */
};

void journal_release(struct journal *journal);

/** The text, never NULL. */
const char *journal_text(const struct journal *journal);

void journal_note(struct journal *journal, const char *text);
void journal_event(struct journal *journal, const struct dx_event *event);

/**
 * Writes down frames as `role` sends them, read by a reader of its own (not the endpoint's): a
 * wrong mask bit, a length that is not minimal or a frame that is cut are noted as such.
 */
void journal_frames(struct journal *journal, enum dx_role role, const uint8_t *bytes, size_t len);

#endif
