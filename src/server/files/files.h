/*
 * files.h - a directory whose files a route answers with: GET and HEAD of what lies beneath it (RFC
 * 9110 sections 8.8, 12.5.3, 13, 14).
 */
#ifndef DX_SERVER_FILES_H
#define DX_SERVER_FILES_H

#include <duplex/files.h>

struct dx_request;
struct dx_files;

/** Opens the directory; `options` may be NULL. Errors as dx_server_route_files. */
DX_MUST_CHECK enum dx_err dx_files_new(const char *directory,
                                       const struct dx_files_options *options,
                                       struct dx_files **files);

/** Frees a struct dx_files. NULL is fine. */
void dx_files_free(void *files);

/** The on_request of a route whose user is a struct dx_files. The request is a GET or HEAD. */
void dx_files_answer(struct dx_request *request, void *files);

#endif
