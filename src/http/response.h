/*
 * response.h - writes response heads (RFC 9112 section 4, RFC 9110 section 15) and the one-line
 * answers to what is refused. Header values are checked, so that no text of a peer or a program can
 * begin a header of its own.
 */
#ifndef DX_HTTP_RESPONSE_H
#define DX_HTTP_RESPONSE_H

#include <duplex/error.h>

#include <duplex/header.h>

#include "base/output.h"
#include "base/slice.h"

/** The reason phrase of a status ("Not Found"); "Unknown" for one that is not in the table. */
const char *dx_status_text(unsigned status);

/*
 * A head being written into memory of the caller. Errors stick: check once, at
 * dx_response_head_end.
 */
struct dx_response_head {
    char *text;
    size_t room;
    size_t len;
    enum dx_err err;
};

/** Begins with the status line of `status` (100 to 999). */
void dx_response_head_begin(struct dx_response_head *response, char *text, size_t room,
                            unsigned status);

/**
 * Adds a header. A name that is no token, or a value with a control character other than a tab, is
 * DX_ERR_USAGE.
 */
void dx_response_head_add(struct dx_response_head *response, const char *name,
                          struct dx_slice value);
void dx_response_head_add_text(struct dx_response_head *response, const char *name,
                               const char *value);
void dx_response_head_add_number(struct dx_response_head *response, const char *name,
                                 uint64_t value);

/** Whether the name is a token and the value has no control character but tabs. */
bool dx_response_is_header(const struct dx_header *header);

/**
 * The headers that keep a browser from guessing types, framing our pages and telling others where
 * it was: X-Content-Type-Options, X-Frame-Options, Referrer-Policy, Cross-Origin-Resource-Policy.
 */
void dx_response_head_security_headers(struct dx_response_head *response);

/**
 * Ends the head with its empty line; `*len` is what was written.
 *
 * Returns DX_OK; DX_ERR_USAGE (see dx_response_head_add); DX_ERR_TOO_BIG (more than `room`).
 */
DX_MUST_CHECK enum dx_err dx_response_head_end(struct dx_response_head *response, size_t *len);

/* The parts of an answer to a refused request, apart from its status. */
struct dx_error_answer {
    unsigned status;
    const char *detail;      /* one line of text, the body; NULL: the status text alone */
    const char *header_name; /* one more header (Allow, Upgrade, Retry-After ...), or NULL */
    const char *header_value;
    bool is_head_request;  /* the body is only counted, not sent */
    bool keep_alive;       /* without it: Connection: close */
    uint64_t unix_seconds; /* for Date; 0: none */
};

/**
 * Queues a whole small answer: text/plain, one line "404 Not Found: detail".
 *
 * Returns DX_OK; DX_ERR_USAGE (a control character in the detail or header); DX_ERR_TOO_BIG (above
 * 2 KiB); DX_ERR_NOMEM, DX_ERR_TOO_MANY. Nothing is queued on error.
 */
DX_MUST_CHECK enum dx_err dx_response_error(struct dx_output *output,
                                            const struct dx_error_answer *answer);

#endif
