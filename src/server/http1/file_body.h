/*
 * file_body.h - a file, or a part of one, as the body of an answer: so many bytes, as announced.
 */
#ifndef DX_SERVER_FILE_BODY_H
#define DX_SERVER_FILE_BODY_H

#include <duplex/error.h>

#include "base/slice.h"

struct dx_http_connection;
struct dx_file_body;

/** `len` bytes from `at` on. Takes the descriptor over. Returns DX_OK; DX_ERR_NOMEM: it is still the caller's. */
DX_MUST_CHECK enum dx_err dx_file_body_new(int fd, uint64_t at, uint64_t len,
                                           struct dx_file_body **body);

/** Closes the file. NULL is fine. */
void dx_file_body_free(struct dx_file_body *body);

/**
 * Begins to send an answer whose body is http->file: the head's slices and the file's first bytes leave together. The rest follows
 * in this turn, or in later ones: at most 64 KiB in each.
 */
void dx_file_body_begin(struct dx_http_connection *http, const struct dx_slice *slices,
                        size_t count);

/**
 * Goes on with http->file when the peer takes bytes again and nothing waits before it. True: all is sent, and the file gone. False:
 * there is more and the peer is waited for, or the connection is cut (also when the file has become shorter than was announced).
 */
bool dx_file_body_go_on(struct dx_http_connection *http);

#endif
