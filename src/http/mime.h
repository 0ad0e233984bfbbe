/*
 * mime.h - media types by file name, for what a small web site needs.
 */
#ifndef DX_HTTP_MIME_H
#define DX_HTTP_MIME_H

/**
 * The Content-Type of a file of that name, with a charset for text; application/octet-stream if the
 * extension is unknown.
 */
const char *dx_mime_type(const char *file_name);

#endif
