/*
 * input.h - stdin as messages: lines, records that end with NUL, or bytes as they come. A message
 * that is not taken stays, and reading stops until it is.
 */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <duplex/loop.h>

#include "cli/text/buffer.h"

/* How reading ended. */
enum cli_input_end {
    CLI_INPUT_END = 0,
    CLI_INPUT_TOO_LONG, /* one message is longer than max_len */
    CLI_INPUT_FAILED,   /* `error` says why */
};

struct cli_input {
    struct dx_loop *loop;
    struct dx_loop_watch *watch;
    struct dx_loop_timer *timer; /* of a file, which cannot be watched */
    bool cuts;                   /* messages end with `mark`; else each read is one */
    char mark;
    bool has_ended; /* the end of the file; the buffer may have more */
    bool is_over;   /* on_end has come */
    bool is_pumping;
    int error;
    uint64_t number; /* of messages taken, for what is said about one */
    size_t max_len;
    size_t at;      /* of the next message in the buffer */
    size_t scanned; /* no mark from `at` up to here */
    struct cli_buffer buffer;
    /* False: not now. cli_input_resume asks again. */
    bool (*on_message)(void *user, const char *data, size_t len);
    void (*on_end)(void *user, enum cli_input_end end);
    void *user;
};

/**
 * Starts reading, or continues. Loop, callbacks, `cuts`, `mark` and `max_len` are set.
 * Returns DX_OK, DX_ERR_NOMEM or DX_ERR_SYSTEM.
 */
DX_MUST_CHECK enum dx_err cli_input_resume(struct cli_input *input);
/** Stops reading; what was read stays. */
void cli_input_stop(struct cli_input *input);
void cli_input_release(struct cli_input *input);

#endif
