/*
 * files.h - static files: GET and HEAD of what lies beneath a directory (RFC 9110 sections 8.8, 12.5.3, 13, 14).
 */
#ifndef DX_SERVER_FILES_H
#define DX_SERVER_FILES_H

#include <duplex/files.h>

struct dx_request;

/* A directory whose files are served. */
struct dx_files;

/** Opens the directory; `options` may be NULL. Errors as dx_server_route_files. */
DX_MUST_CHECK enum dx_err dx_files_new(const char *directory,
                                       const struct dx_files_options *options,
                                       struct dx_files **files);

/** NULL is fine. */
void dx_files_free(struct dx_files *files);

/** Answers the request, a GET or HEAD, whose route is that of `files`. */
void dx_files_answer(const struct dx_files *files, struct dx_request *request);

#endif
