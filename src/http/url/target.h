/*
 * target.h - whom and what a request asks for: its target and its Host, judged together (RFC 9112
 * section 3.2), and paths without their percent-encoding. It maps nothing to files or routes.
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
    struct dx_slice path;          /* begins with a slash ("*" for the asterisk) */
    struct dx_slice query;         /* without its question mark */
    struct dx_authority authority; /* from Host */
};

/**
 * Splits a parsed request's target and reads its Host.
 *
 * False, with the refusal filled (400): no Host or several; a malformed Host; an absolute target of
 * another scheme than http, https, ws, wss, with userinfo, or with another host or port than Host
 * names; a fragment; the authority form (CONNECT); `*` with another method than OPTIONS.
 */
DX_MUST_CHECK bool dx_target_parse(const struct dx_head *head, struct dx_target *target,
                                   struct dx_refusal *refusal);

/**
 * Writes `path` without its percent-encoding to `text` (room for path.len + 1 bytes; a NUL is
 * added, not counted). The result is UTF-8 without control characters, and none of its segments
 * goes above the root.
 *
 * `*has_dots` says whether a segment is `.` or `..`, a backslash counting as a slash: such a path
 * names something else than its letters say, so it is for the caller to refuse, not to map.
 *
 * False, with the refusal filled (400): an escape that is not two hexadecimal digits; `%00` or
 * another control character; what is not UTF-8; `..` above the root; a path that does not begin
 * with a slash.
 */
DX_MUST_CHECK bool dx_path_decode(struct dx_slice path, char *text, size_t *len, bool *has_dots,
                                  struct dx_refusal *refusal);

#endif
