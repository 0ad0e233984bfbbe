/*
 * response.h - writes response heads (RFC 9112 section 4, RFC 9110 section 15) and one-line answers
 * to refused requests. Header values are checked, so that no text of a peer or a program can add a
 * header.
 */
#ifndef DX_HTTP_RESPONSE_H
#define DX_HTTP_RESPONSE_H

#include <duplex/error.h>

#include <duplex/header.h>

#include "base/output.h"
#include "base/slice.h"

/**
 * The reason phrase of a status, such as "Not Found"; "Unknown" for one that is not in the table.
 */
const char *dx_status_text(unsigned status);

/*
 * A head that is being written to memory of the caller. The first error is kept: check it once, at
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
 * Adds a header. DX_ERR_USAGE if the name is no token, or the value has a control character other
 * than a tab.
 */
void dx_response_head_add(struct dx_response_head *response, const char *name,
                          struct dx_slice value);
void dx_response_head_add_text(struct dx_response_head *response, const char *name,
                               const char *value);
void dx_response_head_add_number(struct dx_response_head *response, const char *name,
                                 uint64_t value);

/** Whether the name is a token, and the value has no control characters except tabs. */
bool dx_response_is_header(const struct dx_header *header);

/**
 * Adds headers that keep a browser from guessing types, framing our pages, and telling other sites
 * which page it came from: X-Content-Type-Options, X-Frame-Options, Referrer-Policy,
 * Cross-Origin-Resource-Policy.
 */
void dx_response_head_security_headers(struct dx_response_head *response);

/**
 * Ends the head with its empty line; `*len` is its length.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE     see dx_response_head_add
 *   DX_ERR_TOO_BIG   it is longer than `room`
 */
DX_MUST_CHECK enum dx_err dx_response_head_end(struct dx_response_head *response, size_t *len);

/* The answer to a refused request, without its status. */
struct dx_error_answer {
    unsigned status;
    const char *detail;      /* the body, one line of text; NULL: only the text of the status */
    const char *header_name; /* one more header (Allow, Upgrade, Retry-After ...), or NULL */
    const char *header_value;
    bool is_head_request;  /* the body is counted but not sent */
    bool keep_alive;       /* false: Connection: close */
    uint64_t unix_seconds; /* for Date; 0: no Date */
};

/**
 * Queues a whole answer: text/plain, one line "404 Not Found: detail". On an error nothing is
 * queued.
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE     a control character in the detail or header
 *   DX_ERR_TOO_BIG   it is longer than 2 KiB
 *   DX_ERR_NOMEM, DX_ERR_TOO_MANY
 */
DX_MUST_CHECK enum dx_err dx_response_error(struct dx_output *output,
                                            const struct dx_error_answer *answer);

#endif
