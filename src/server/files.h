/*
 * files.h - static files: GET and HEAD of what lies beneath a directory (RFC 9110 sections 8.8, 13.1.2, 13.1.3).
 */
#ifndef DX_SERVER_FILES_H
#define DX_SERVER_FILES_H

#include <duplex/error.h>

struct dx_request;

/* A directory whose files are served. */
struct dx_files;

/** Opens the directory. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_NOT_FOUND (also: not a directory), DX_ERR_ACCESS, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_files_new(const char *directory, struct dx_files **files);

/** NULL is fine. */
void dx_files_free(struct dx_files *files);

/** Answers the request, whose route is that of `files`. */
void dx_files_answer(const struct dx_files *files, struct dx_request *request);

/* A file being sent: so many bytes, as announced. */
struct dx_file_body;

/** Takes the descriptor over. Returns DX_OK; DX_ERR_NOMEM: it is still the caller's. */
DX_MUST_CHECK enum dx_err dx_file_body_new(int fd, uint64_t len, struct dx_file_body **body);

/** Closes the file. NULL is fine. */
void dx_file_body_free(struct dx_file_body *body);

/** Reads at most `room` of the next bytes, without going on. Returns DX_OK with `*len` > 0; DX_ERR_CLOSED when the file has become shorter; DX_ERR_SYSTEM. */
DX_MUST_CHECK enum dx_err dx_file_body_read(const struct dx_file_body *body, void *bytes,
                                            size_t room, size_t *len);

/** Goes on behind bytes that were read. */
void dx_file_body_advance(struct dx_file_body *body, size_t len);
uint64_t dx_file_body_left(const struct dx_file_body *body);

#endif
