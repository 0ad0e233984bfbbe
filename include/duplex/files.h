/*
 * duplex/files.h - static files below a directory, served by the server itself.
 *
 * Requests: GET and HEAD, with the conditions of RFC 9110 section 13 (If-None-Match,
 * If-Modified-Since, If-Match, If-Unmodified-Since) and one range with If-Range (section 14);
 * several ranges get the whole file. Content types go by the extension.
 *
 * Only regular files below the directory are served. Dotfiles, listings, symbolic links and paths
 * out of the directory are 404.
 *
 * An ETag is made of the file's inode, length, and times of modification and change. It differs
 * from machine to machine. It is weak for two seconds after a change, because changes that are
 * closer together than the clock's grain cannot be told apart.
 *
 * Without TLS the kernel sends a file from its cache (sendfile), 64 KiB in a turn of the loop.
 * SIGPIPE is blocked in the loop's thread during such a call, so that it never reaches the program.
 * While a file is sent, it holds a descriptor besides its connection's. A file that becomes shorter
 * while it is sent ends its connection.
 *
 *     struct dx_files_options options = dx_files_options_init();
 *
 *     options.not_found = "404.html";
 *     err = dx_server_route_files(server, "/", "/srv/www", &options);
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

    /* The page of a directory: a file name. Default "index.html"; NULL: directories are 404. */
    const char *index;

    /* The header Cache-Control; default "no-cache"; NULL: none. */
    const char *cache_control;

    /*
     * A file below the directory that is the body of 404 answers. Default NULL: one line of text,
     * which is used, too, when the file does not exist.
     */
    const char *not_found;

    /*
     * More headers for each answer with a file; default none. Together with cache_control at most
     * 4 KiB.
     */
    const struct dx_header *headers;
    size_t header_count;

    /*
     * Send FILE.br or FILE.gz to clients that accept it, unless it is older than FILE; answers have
     * Vary: Accept-Encoding. Default true.
     */
    bool is_precompressed;

    /*
     * Paths of files that are never served, even if they lie below the directory: programs, keys.
     * Ends with NULL; default NULL: none. At most 64 KiB of names.
     */
    const char *const *hidden;
};

/** The page index.html, Cache-Control: no-cache, compressed files where they exist. */
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
 * Serves the files below a directory, at a path and everything below it. Call it before the first
 * listen.
 *
 * path        as dx_server_route's: "/static" serves DIRECTORY/app.js at /static/app.js
 * directory   opened by this call, so that renaming it later changes nothing
 * options     copied, with all that they point to; NULL: the defaults
 *
 * Returns DX_OK, or:
 *   DX_ERR_USAGE         the path has no leading slash, or a route for GET exists there
 *   DX_ERR_USAGE         the directory is NULL, or an option is invalid: an index that is no file
 *                        name or begins with a dot, an empty not_found, a header that
 *                        dx_request_add_header would refuse, more than 4 KiB of headers
 *   DX_ERR_STATE         the server is listening already
 *   DX_ERR_TOO_MANY      the server has 1,024 routes already
 *   DX_ERR_TOO_BIG       hidden has more than 64 KiB of names
 *   DX_ERR_NOT_FOUND     the directory does not exist, or is no directory
 *   DX_ERR_ACCESS        the directory cannot be opened
 *   DX_ERR_DESCRIPTORS   no descriptor is free
 *   DX_ERR_SYSTEM        the system refused
 *   DX_ERR_NOMEM         out of memory
 */
DX_API DX_MUST_CHECK enum dx_err dx_server_route_files(struct dx_server *server, const char *path,
                                                       const char *directory,
                                                       const struct dx_files_options *options);

#ifdef __cplusplus
}
#endif
#endif
