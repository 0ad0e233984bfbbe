/*
 * chunked.h - the chunked transfer coding (RFC 9112 section 7.1), reading and writing. Extensions
 * and trailers are read and dropped.
 *
 * Strict, because a chunk that two readers end at different places allows request smuggling: lines
 * end in CRLF, sizes are hexadecimal digits only, and control characters are refused. Keeps no
 * bytes; the result does not depend on how the input is cut.
 */
#ifndef DX_HTTP_CHUNKED_H
#define DX_HTTP_CHUNKED_H

#include "base/slice.h"

#define DX_CHUNKED_DIGITS_MAX 16       /* of one size, with leading zeros */
#define DX_CHUNKED_EXTENSIONS_MAX 4096 /* bytes of all extensions of a body */
#define DX_CHUNKED_TRAILERS_MAX 8192   /* bytes of all trailers, with their line ends */

struct dx_chunked {
    uint64_t left;      /* bytes of the current chunk that are still to come */
    const char *detail; /* DX_CHUNKED_BAD: one static sentence */
    uint16_t extensions_len;
    uint16_t trailers_len;
    uint8_t digit_count;
    uint8_t state; /* private; 0 at first */
};

enum dx_chunked_step {
    DX_CHUNKED_MORE, /* all input has been read */
    DX_CHUNKED_DATA, /* some of the body */
    DX_CHUNKED_DONE, /* the body is complete; the rest of the input follows it */
    DX_CHUNKED_BAD,  /* nothing after this may be read */
};

/** Continues reading, and removes what it has read from `input`. All zero at first. */
enum dx_chunked_step dx_chunked_next(struct dx_chunked *chunked, struct dx_slice *input,
                                     struct dx_slice *data);

/** How many bytes of the current chunk are still to come; 0 between chunks. */
uint64_t dx_chunked_announced(const struct dx_chunked *chunked);

#define DX_CHUNKED_HEAD_ROOM 18 /* 16 digits and a line end */

/**
 * Writes the line before a chunk of `len` bytes (not 0), without a NUL, and returns its length. The
 * chunk is followed by "\r\n".
 */
size_t dx_chunked_write_head(char head[DX_CHUNKED_HEAD_ROOM], uint64_t len);

/* The end of a body. */
#define DX_CHUNKED_END "0\r\n\r\n"

#endif
