/*
 * mime.h - media types by file name, for what a small web page is made of.
 */
#ifndef DX_HTTP_MIME_H
#define DX_HTTP_MIME_H

/**
 * The Content-Type of a file of that name, charset included for text; application/octet-stream when
 * it is not known.
 */
const char *dx_mime_type(const char *file_name);

#endif
