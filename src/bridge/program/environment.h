/*
 * environment.h - the environment of a program, built from nothing: a few of the server's
 * variables, the route's, and the request as CGI/1.1 variables (RFC 3875 section 4.1).
 *
 * A client can set variables named HTTP_[A-Z0-9_]+ only, and never HTTP_PROXY or
 * HTTP_AUTHORIZATION. A header whose name has an underscore is dropped, so that X_A cannot stand in
 * for X-A.
 */
#ifndef DX_BRIDGE_ENVIRONMENT_H
#define DX_BRIDGE_ENVIRONMENT_H

#include <duplex/request.h>

/* A list for execve. Its strings are in one piece of memory. */
struct dx_environment {
    char **list; /* ends with NULL */
    size_t count;
    char *text;
    size_t text_len;
    size_t text_capacity;
    enum dx_err err; /* the first failure; additions after it do nothing */
};

/** The largest environment, names and values together. The head of a request is at most 16 KiB. */
#define DX_ENVIRONMENT_MAX 65536

void dx_environment_init(struct dx_environment *environment);
void dx_environment_release(struct dx_environment *environment);

/** Adds `name`=`value`. A failure is kept in environment->err: DX_ERR_NOMEM, DX_ERR_TOO_BIG. */
void dx_environment_add(struct dx_environment *environment, const char *name, const char *value);

/**
 * Adds those variables of `inherited` ("NAME=value", as in environ) that every program gets: PATH,
 * HOME, USER, LANG, LC_*, TZ and TMPDIR.
 */
void dx_environment_add_inherited(struct dx_environment *environment, char *const *inherited);

/** Adds "NAME=value" lines unchanged. A later line replaces an earlier one of the same name. */
void dx_environment_add_lines(struct dx_environment *environment, const char *const *lines);

/** Adds all variables of `other`, which need not be finished, and its failure. */
void dx_environment_add_all(struct dx_environment *environment, const struct dx_environment *other);

/** Adds the request's variables. `unique_id` is 32 hexadecimal digits. */
void dx_environment_add_request(struct dx_environment *environment, struct dx_request *request,
                                const char *unique_id);

/**
 * Makes the list. Of several lines with the same name only the last is kept.
 *
 * Returns DX_OK, DX_ERR_NOMEM, or DX_ERR_TOO_BIG: over DX_ENVIRONMENT_MAX.
 */
DX_MUST_CHECK enum dx_err dx_environment_finish(struct dx_environment *environment);

#endif
