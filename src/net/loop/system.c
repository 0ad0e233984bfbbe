/*
 * system.c - maps errno to enum dx_err, in one place so that all layers agree.
 */
#include "net/loop/system.h"

#include <errno.h>

enum dx_err dx_err_of_errno(int code)
{
    switch (code) {
    case EAGAIN:
        return DX_ERR_AGAIN;
    case ENOMEM:
    case ENOBUFS:
        return DX_ERR_NOMEM;
    case EMFILE:
    case ENFILE:
        return DX_ERR_DESCRIPTORS;
    case EADDRINUSE:
        return DX_ERR_ADDRESS_IN_USE;
    case EACCES:
    case EPERM:
        return DX_ERR_ACCESS;
    case ENOENT:
    case ENOTDIR:
        return DX_ERR_NOT_FOUND;
    case ECONNRESET:
    case EPIPE:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
        return DX_ERR_RESET;
    default:
        return DX_ERR_SYSTEM;
    }
}
