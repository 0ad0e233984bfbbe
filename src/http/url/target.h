/*
 * target.h - what a request asks for, and from which host: its target and its Host, checked
 * together (RFC 9112 section 3.2), and the decoding of paths. Files and routes are found elsewhere.
 */
#ifndef DX_HTTP_TARGET_H
#define DX_HTTP_TARGET_H

#include "http/head.h"
#include "http/host.h"

enum dx_target_kind {
    DX_TARGET_PATH,     /* /path?query, or http://host/path?query */
    DX_TARGET_ASTERISK, /* OPTIONS * */
};

/* Slices point into the head's bytes, still percent-encoded. */
struct dx_target {
    uint8_t kind;
    bool has_query;
    struct dx_slice path;          /* begins with a slash; "*" for the asterisk form */
    struct dx_slice query;         /* without the question mark */
    struct dx_authority authority; /* from Host */
};

/**
 * Splits the target of a parsed request and reads its Host.
 *
 * False, with the refusal filled (400): no Host, or several; a malformed Host; an absolute target
 * with a scheme other than http, https, ws, wss, with userinfo, or with a host or port that differs
 * from Host; a fragment; the authority form (CONNECT); `*` with a method other than OPTIONS.
 */
DX_MUST_CHECK bool dx_target_parse(const struct dx_head *head, struct dx_target *target,
                                   struct dx_refusal *refusal);

/**
 * Writes `path` without its percent-encoding to `text`, which has room for path.len + 1 bytes, and
 * adds a NUL that is not counted. The result is UTF-8 without control characters, and no segment
 * leads above the root.
 *
 * `*has_dots` says whether a segment is `.` or `..`, where a backslash counts as a slash. Such a
 * path does not mean what it spells: refuse it.
 *
 * False, with the refusal filled (400): an escape that is not two hexadecimal digits; `%00` or
 * another control character; not UTF-8; `..` above the root; a path that does not begin with a
 * slash.
 */
DX_MUST_CHECK bool dx_path_decode(struct dx_slice path, char *text, size_t *len, bool *has_dots,
                                  struct dx_refusal *refusal);

#endif
