/*
 * list.h - comma-separated header values (RFC 9110 section 5.6), which may be split over several
 * lines of the same name.
 */
#ifndef DX_HTTP_LIST_H
#define DX_HTTP_LIST_H

#include "http/head.h"

/*
 * Walks the members of one list. It borrows from the head and is valid while the bytes do not move.
 */
struct dx_list {
    const struct dx_head *head;
    const char *name;
    size_t line;          /* the next header line */
    struct dx_slice rest; /* of the current line */
};

enum dx_list_step {
    DX_LIST_END,
    DX_LIST_MEMBER,
    DX_LIST_BAD, /* a quoted string that does not end, or contains a control character */
};

/** Begins a walk over all header lines of that name, in their order. */
void dx_list_init(struct dx_list *list, const struct dx_head *head, const char *name);

/** Begins a walk over one value that the caller has. */
void dx_list_init_value(struct dx_list *list, struct dx_slice value);

/**
 * The next member without blanks around it. A comma in a quoted string does not end it; empty
 * members are skipped (RFC 9110 5.6.1.2). The whole walk takes time linear in the length of the
 * lines.
 */
enum dx_list_step dx_list_next(struct dx_list *list, struct dx_slice *member);

/** Whether a header line of that name lists this token; ASCII case is ignored. */
bool dx_list_has_token(const struct dx_head *head, const char *name, const char *token);

#endif
