/*
 * file_body.h - a file, or a part of one, as the body of an answer: as many bytes as were
 * announced.
 */
#ifndef DX_SERVER_FILE_BODY_H
#define DX_SERVER_FILE_BODY_H

#include <duplex/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dx_file_body {
    int fd;
    bool must_be_read; /* its file system has no sendfile */
    uint64_t at;
    uint64_t left;
};

/**
 * `len` bytes of the file from `at` on. Takes the descriptor over.
 *
 * Returns DX_OK, or DX_ERR_NOMEM: the descriptor is still the caller's.
 */
DX_MUST_CHECK enum dx_err dx_file_body_new(int fd, uint64_t at, uint64_t len,
                                           struct dx_file_body **body);

/** Closes the file. NULL is fine. */
void dx_file_body_free(struct dx_file_body *body);

/** How many of the next `room` bytes there are. */
static inline size_t dx_file_body_at_most(const struct dx_file_body *body, size_t room)
{
    return body->left < room ? (size_t)body->left : room;
}

/**
 * Copies the next bytes, at most `room`, and stays where it is.
 *
 * Returns DX_OK, or:
 *   DX_ERR_CLOSED   the file has become shorter than was announced
 *   DX_ERR_SYSTEM   it cannot be read
 */
DX_MUST_CHECK enum dx_err dx_file_body_read(const struct dx_file_body *body, void *bytes,
                                            size_t room, size_t *len);

/** The next `len` bytes have been sent. */
static inline void dx_file_body_advance(struct dx_file_body *body, size_t len)
{
    body->at += len;
    body->left -= len;
}

#endif
