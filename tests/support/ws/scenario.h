/*
 * scenario.h - one input to one endpoint, run in every way that must not matter: whole, byte by
 * byte, cut at each position, cut at many, and with each allocation failing in turn.
 *
 * The endpoint's owner echoes each whole message and answers a Close with its code. Linked with the
 * failing allocator.
 */
#ifndef TESTS_SCENARIO_H
#define TESTS_SCENARIO_H

#include "support/ws/journal.h"
#include "ws/endpoint.h"

struct scenario {
    const char *name;
    enum dx_role role;
    uint64_t max_message;   /* 0: 1 MiB */
    uint32_t max_fragments; /* 0: 16384 */
    const uint8_t *in;
    size_t in_len;
    bool is_quiet; /* the owner does not echo */
    const struct dx_transform *transform;
    void (*reset_transform)(void *state); /* before each run */
    void *transform_state;
};

/* What came of a run. */
struct outcome {
    struct journal events;
    struct journal out;
};

/* How much was tried so far. */
struct scenario_counts {
    unsigned long input_count;
    unsigned long run_count;     /* inputs x cuts */
    unsigned long failure_count; /* allocations that were failed */
};

extern struct scenario_counts scenario_counts;

/** Runs it with `cut_count` cuts at the ascending positions `cuts`. */
void scenario_run(const struct scenario *scenario, const size_t *cuts, size_t cut_count,
                  struct outcome *outcome);

void outcome_release(struct outcome *outcome);

/**
 * Runs it in all ways and fails the test (cmocka) unless each gives `events` and `out` (NULL: what
 * the whole run gives), and unless each failed allocation gives the same or a failure that names
 * it. Nothing may stay allocated.
 */
void scenario_check(const struct scenario *scenario, const char *events, const char *out);

/**
 * From now on scenario_check runs nothing and writes each input of at most 512 bytes to a file of
 * `folder`, as a seed for fuzz/endpoint.c.
 */
void scenario_write_seeds(const char *folder);

/** Whether it does that: then there is nothing to count. */
bool scenario_is_writing_seeds(void);

/** Prints the counts, on one line that begins with `name`. */
void scenario_print_counts(const char *name);

/* A frame as a test writes it: the first byte, the payload, and what is odd about it. */
struct frame_text {
    uint8_t first;
    const char *payload;
    size_t len;
    uint8_t length_form; /* 0: the shortest; 16 or 64: that one */
    bool has_wrong_mask; /* masked where it must not be, or not where it must */
    uint64_t announced;  /* the length that the header says; 0: len */
};

/** Appends the frame as the peer of `role` would send it to `bytes`; returns its length. */
size_t frame_text_write(const struct frame_text *frame, enum dx_role role, uint8_t *bytes);

#endif
