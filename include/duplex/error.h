/*
 * duplex/error.h - every error of the library, once: name, value, text.
 *
 * A function that can fail returns enum dx_err: 0 on success, else a negative value, and its
 * comment lists which. On an error its outputs are unchanged, unless the comment says otherwise.
 * The class of an error says who is at fault, and so what to do about it. Values are ABI: append,
 * never renumber. All functions here may be called from any thread.
 */
#ifndef DUPLEX_ERROR_H
#define DUPLEX_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
# define DX_API __attribute__((visibility("default")))
# define DX_MUST_CHECK __attribute__((warn_unused_result))
# define DX_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else
# define DX_API
# define DX_MUST_CHECK
# define DX_PRINTF(format_at, args_at)
#endif

/* Makes every member 0 or NULL, in C and in C++: `struct dx_route route = DX_ZEROED;`. */
#ifdef __cplusplus
# define DX_ZEROED                                                                                 \
  {                                                                                                \
  }
#else
# define DX_ZEROED                                                                                 \
  {                                                                                                \
   0                                                                                               \
  }
#endif

/* Who is at fault. */
enum dx_err_class {
    DX_CLASS_NONE = 0,  /* success */
    DX_CLASS_PEER = 1,  /* the other side broke a rule or went away */
    DX_CLASS_LOCAL = 2, /* this machine refused: memory, descriptors, files, network */
    DX_CLASS_LIMIT = 3, /* a configured limit was reached */
    DX_CLASS_USAGE = 4, /* the function was called wrongly */
};

/* X(name, value, class, text) */
#define DX_ERR_MAP(X)                                                                              \
 X(DX_OK, 0, DX_CLASS_NONE, "success")                                                             \
 X(DX_ERR_AGAIN, -1, DX_CLASS_NONE, "not now: more input or output space is needed")               \
 X(DX_ERR_NOMEM, -2, DX_CLASS_LOCAL, "out of memory")                                              \
 X(DX_ERR_USAGE, -3, DX_CLASS_USAGE, "the function was called wrongly")                            \
 X(DX_ERR_STATE, -4, DX_CLASS_USAGE, "not possible in this state")                                 \
 X(DX_ERR_PROTOCOL, -5, DX_CLASS_PEER, "the peer broke the protocol")                              \
 X(DX_ERR_UTF8, -6, DX_CLASS_PEER, "text that is not UTF-8")                                       \
 X(DX_ERR_TOO_BIG, -7, DX_CLASS_LIMIT, "larger than the limit")                                    \
 X(DX_ERR_TOO_MANY, -8, DX_CLASS_LIMIT, "more than the limit allows")                              \
 X(DX_ERR_TIMEOUT, -9, DX_CLASS_PEER, "the deadline has passed")                                   \
 X(DX_ERR_CLOSED, -10, DX_CLASS_PEER, "the connection is closed")                                  \
 X(DX_ERR_RESET, -11, DX_CLASS_PEER, "the connection was reset by the peer")                       \
 X(DX_ERR_QUEUE_FULL, -12, DX_CLASS_LIMIT, "the queue is full")                                    \
 X(DX_ERR_SYSTEM, -13, DX_CLASS_LOCAL, "the system refused")                                       \
 X(DX_ERR_DESCRIPTORS, -14, DX_CLASS_LOCAL, "no descriptor is free")                               \
 X(DX_ERR_ADDRESS_IN_USE, -15, DX_CLASS_LOCAL, "the address is in use")                            \
 X(DX_ERR_ACCESS, -16, DX_CLASS_LOCAL, "permission denied")                                        \
 X(DX_ERR_NOT_FOUND, -17, DX_CLASS_LOCAL, "no such file or name")                                  \
 X(DX_ERR_TLS, -18, DX_CLASS_PEER, "TLS failed")                                                   \
 X(DX_ERR_BAD_CERTIFICATE, -19, DX_CLASS_LOCAL, "the certificate or key cannot be used")           \
 X(DX_ERR_SPAWN, -20, DX_CLASS_LOCAL, "the program could not be started")                          \
 X(DX_ERR_REFUSED, -21, DX_CLASS_PEER, "the handshake was refused")                                \
 X(DX_ERR_RESOLVE, -22, DX_CLASS_LOCAL, "the name could not be resolved")                          \
 X(DX_ERR_CONNECT, -23, DX_CLASS_PEER, "no connection could be made")

enum dx_err {
#define DX_ERR_ENUM(name, value, class_, text) name = (value),
    DX_ERR_MAP(DX_ERR_ENUM)
#undef DX_ERR_ENUM
};

/**
 * A text for people, in English, never NULL; "unknown error" for a value that is not in the list.
 */
DX_API const char *dx_err_text(enum dx_err err);

/** The name in the source, such as "DX_ERR_NOMEM"; never NULL. */
DX_API const char *dx_err_name(enum dx_err err);

/** The class of `err`: who is at fault. */
DX_API enum dx_err_class dx_err_class_of(enum dx_err err);

#ifdef __cplusplus
}
#endif
#endif
