/*
 * environment.h - the environment of a program, built from nothing: a few variables of the server's own, the route's, and the
 * request as CGI/1.1 variables (RFC 3875 section 4.1).
 *
 * What a client sends can only reach names HTTP_[A-Z0-9_]+: never HTTP_PROXY, HTTP_AUTHORIZATION or HTTP_COOKIE2-like tricks with
 * underscores (a header whose name has one is dropped, so that it cannot shadow its hyphenated twin).
 */
#ifndef DX_BRIDGE_ENVIRONMENT_H
#define DX_BRIDGE_ENVIRONMENT_H

#include <duplex/request.h>

/* A list for execve in one piece of memory. */
struct dx_environment {
    char **list; /* ends with NULL */
    size_t count;
    char *text;
    size_t text_len;
    size_t text_capacity;
    enum dx_err err; /* the first failure; later additions do nothing */
};

/** The largest environment, names and values together. A request's head is at most 16 KiB. */
#define DX_ENVIRONMENT_MAX 65536

void dx_environment_init(struct dx_environment *environment);
void dx_environment_release(struct dx_environment *environment);

/** Adds `name`=`value`. Failure is kept in environment->err (DX_ERR_NOMEM, DX_ERR_TOO_BIG). */
void dx_environment_add(struct dx_environment *environment, const char *name, const char *value);

/** Adds those of `inherited` ("NAME=value", as in environ) that every program gets: PATH HOME USER LANG LC_* TZ TMPDIR. */
void dx_environment_add_inherited(struct dx_environment *environment, char *const *inherited);

/** Adds "NAME=value" lines as they are; later ones win over earlier ones of the same name. */
void dx_environment_add_lines(struct dx_environment *environment, const char *const *lines);

/** Adds all that `other`, which need not be finished, has; its failure too. */
void dx_environment_add_all(struct dx_environment *environment, const struct dx_environment *other);

/** Adds the request's variables. `unique_id` is 32 hexadecimal digits. */
void dx_environment_add_request(struct dx_environment *environment, struct dx_request *request,
                                const char *unique_id);

/** Makes the list: of several lines with one name the last stays. Returns DX_OK, DX_ERR_NOMEM, DX_ERR_TOO_BIG. */
DX_MUST_CHECK enum dx_err dx_environment_finish(struct dx_environment *environment);

#endif
