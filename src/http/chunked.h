/*
 * chunked.h - the chunked transfer coding (RFC 9112 section 7.1), both ways. Extensions and
 * trailers are read and dropped.
 *
 * Strict, because a chunk that two readers end at different places is a smuggled request: lines end
 * in CRLF, sizes are plain hexadecimal digits, no control character anywhere. Keeps no bytes and
 * does not depend on how the input is cut.
 */
#ifndef DX_HTTP_CHUNKED_H
#define DX_HTTP_CHUNKED_H

#include "base/slice.h"

#define DX_CHUNKED_DIGITS_MAX 16       /* of one size, leading zeros included */
#define DX_CHUNKED_EXTENSIONS_MAX 4096 /* bytes of all extensions of a body */
#define DX_CHUNKED_TRAILERS_MAX 8192   /* bytes of all trailers, line ends included */

struct dx_chunked {
    uint64_t left;      /* of the chunk that has begun: bytes that are still to come */
    const char *detail; /* DX_CHUNKED_BAD: one static sentence */
    uint16_t extensions_len;
    uint16_t trailers_len;
    uint8_t digit_count;
    uint8_t state; /* private; 0 at first */
};

enum dx_chunked_step {
    DX_CHUNKED_MORE, /* the input is used up */
    DX_CHUNKED_DATA, /* some of the body */
    DX_CHUNKED_DONE, /* the body is whole; the rest of the input comes after it */
    DX_CHUNKED_BAD,  /* nothing after it may be read */
};

/** Goes on reading, takes what it has read off `input`. Begin with a struct that is all zero. */
enum dx_chunked_step dx_chunked_next(struct dx_chunked *chunked, struct dx_slice *input,
                                     struct dx_slice *data);

/** How much is still to come of the chunk whose line is complete; 0 between chunks. */
uint64_t dx_chunked_announced(const struct dx_chunked *chunked);

#define DX_CHUNKED_HEAD_ROOM 18 /* 16 digits and a line end */

/**
 * Writes the line before a chunk of `len` bytes (not 0), without NUL; after the chunk comes
 * "\r\n". Returns its length.
 */
size_t dx_chunked_write_head(char head[DX_CHUNKED_HEAD_ROOM], uint64_t len);

/* What ends a body. */
#define DX_CHUNKED_END "0\r\n\r\n"

#endif
