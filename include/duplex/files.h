/*
 * duplex/files.h - static files beneath a directory, served by the server itself.
 *
 * GET and HEAD; index pages; types by extension; ETag and Last-Modified with If-None-Match, If-Modified-Since, If-Match,
 * If-Unmodified-Since (RFC 9110 section 13); one range, with If-Range (section 14; several ranges get the whole file); `.br` and
 * `.gz` beside a file, unless they are older. No dotfiles, no listings, nothing outside the directory, no symbolic links, regular files
 * only: all else is 404. Sent by the kernel from its cache (sendfile) where there is no TLS, 64 KiB a turn of the loop. SIGPIPE is
 * held back in the loop's thread during such a call and never reaches the host.
 *
 * A tag is made of the file's inode, length and times of modification and change: it differs from machine to machine, and is
 * weak for two seconds after a change, for a clock cannot tell two changes apart that are closer than its grain. A file that becomes shorter
 * while it is sent ends the connection. A file that is being sent holds a descriptor, besides its connection's.
 */
#ifndef DUPLEX_FILES_H
#define DUPLEX_FILES_H

#include <duplex/header.h>
#include <duplex/server.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dx_files_options {
    size_t size;
    const char *index;         /* a directory's page, a name; NULL: directories are 404 */
    const char *cache_control; /* NULL: no such header */
    const char *
        not_found; /* a file beneath the directory that is the body of 404 answers; NULL, or not there: one line of text */
    const struct dx_header *headers; /* more of them for each answer with a file */
    size_t header_count;
    bool
        is_precompressed; /* FILE.br or FILE.gz is sent to who accepts it, with Vary: Accept-Encoding */
    const char *const *
        hidden; /* paths of files that are never served, should they lie beneath the directory: programs, keys; ends with NULL; or NULL */
};

static inline struct dx_files_options dx_files_options_init(void)
{
    struct dx_files_options options = DX_ZEROED;

    options.size = sizeof(options);
    options.index = "index.html";
    options.cache_control = "no-cache";
    options.is_precompressed = true;
    return options;
}

/**
 * Serves the files beneath `directory` at `path` and below it. The directory is opened here, so that moving it later changes nothing.
 * `options` may be NULL; its strings are copied.
 *
 * Errors as dx_server_route, and DX_ERR_USAGE (an index that is no name or begins with a dot, headers that are none, more than
 * 4 KiB of them), DX_ERR_TOO_BIG (64 KiB of hidden names), DX_ERR_NOT_FOUND (also: not a directory), DX_ERR_ACCESS, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM.
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_route_files(struct dx_server *server, const char *path,
                                                       const char *directory,
                                                       const struct dx_files_options *options);

#ifdef __cplusplus
}
#endif
#endif
