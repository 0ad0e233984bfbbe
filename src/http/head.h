/*
 * head.h - parses the head of an HTTP/1.1 request or response as it comes (RFC 9112 sections 2-5,
 * RFC 9110 section 5).
 *
 * Strict, because leniency allows request smuggling: lines end in CRLF; folded lines, a space
 * before a colon, and control characters are refused. One leniency of RFC 9112 2.2 is kept: one
 * empty line before a request line is ignored, a second one is refused.
 *
 * The bytes stay in the caller's buffer; the head holds offsets into it, so that the buffer may
 * move (dx_head_rebase). It allocates nothing, examines each byte at most twice however the input
 * is cut, and its result does not depend on the cuts. What the values mean is read by http/list.h,
 * http/message.h, http/url.h and http/origin.h.
 */
#ifndef DX_HTTP_HEAD_H
#define DX_HTTP_HEAD_H

#include <duplex/error.h>

#include "base/slice.h"

#define DX_HEAD_HEADERS_MAX 100
#define DX_HEAD_TOTAL_MAX 65535

/* Lengths are bytes. What is longer is refused. Lines are counted without their CRLF. */
struct dx_head_limits {
    uint16_t start_line_len; /* the request line: 414 */
    uint16_t header_len;     /* one header line: 431 */
    uint16_t total_len;      /* the whole head, with its last empty line: 431 */
    uint16_t header_count;   /* at most DX_HEAD_HEADERS_MAX: 431 */
};

/** The limits of a server: 8 KiB for each line, 16 KiB in all, 100 headers. */
static inline struct dx_head_limits dx_head_limits_init(void)
{
    return (struct dx_head_limits){8192, 8192, 16384, DX_HEAD_HEADERS_MAX};
}

/**
 * Why something is refused: the status of the answer, and a static sentence for the log and the
 * body.
 */
struct dx_refusal {
    uint16_t status; /* 400, 414, 431, 505 ... */
    const char *detail;
};

enum dx_head_kind { DX_HEAD_REQUEST, DX_HEAD_RESPONSE };

enum dx_head_status {
    DX_HEAD_MORE,    /* no error yet: call again when more has come */
    DX_HEAD_DONE,    /* head->len bytes are the head; what follows does not belong to it */
    DX_HEAD_REFUSED, /* see head->refusal; nothing after it may be parsed */
};

/* A part of the head: offset and length in its bytes. */
struct dx_span {
    uint16_t at;
    uint16_t len;
};

struct dx_head_field {
    struct dx_span name;
    struct dx_span value; /* without blanks around it */
};

struct dx_head {
    const uint8_t *bytes; /* as of the last call */
    struct dx_refusal refusal;
    uint8_t kind;
    uint8_t minor;         /* the x of HTTP/1.x; above 1 it is treated as 1 */
    uint16_t len;          /* bytes of the whole head, when it is complete */
    uint16_t status;       /* of a response */
    struct dx_span method; /* of a request */
    struct dx_span target; /* of a request */
    struct dx_span reason; /* of a response; may be empty */
    uint16_t header_count;
    uint16_t scanned_len;  /* private: the next byte to parse */
    uint16_t line_at;      /* private: the start of the current line */
    uint8_t state;         /* private */
    uint32_t examined_len; /* bytes that were examined, for the test of linear time */
    struct dx_head_field headers[DX_HEAD_HEADERS_MAX];
};

void dx_head_init(struct dx_head *head, enum dx_head_kind kind);

/**
 * Continues parsing. `bytes` are all bytes from the first one of the head on, not only the new
 * ones; they may be elsewhere than at the last call. After DX_HEAD_DONE or DX_HEAD_REFUSED it
 * returns the same again.
 */
enum dx_head_status dx_head_parse(struct dx_head *head, const struct dx_head_limits *limits,
                                  const uint8_t *bytes, size_t len);

/** The bytes of the head have moved to `bytes`. */
void dx_head_rebase(struct dx_head *head, const uint8_t *bytes);

/** The part at `span`, valid until the buffer moves. */
static inline struct dx_slice dx_head_slice(const struct dx_head *head, struct dx_span span)
{
    return (struct dx_slice){head->bytes + span.at, span.len};
}

/**
 * Finds the next header line of that name (ASCII case is ignored) from line `*index` on, sets
 * `value`, unless it is NULL, and sets `*index` to the line after it. False: there is none. Start
 * with 0.
 */
bool dx_head_next(const struct dx_head *head, const char *name, size_t *index,
                  struct dx_slice *value);

/** The value of the first header line of that name. False: there is none. */
bool dx_head_find(const struct dx_head *head, const char *name, struct dx_slice *value);

/** How many header lines of that name there are. */
size_t dx_head_count(const struct dx_head *head, const char *name);

#endif
