/*
 * system.h - errno values as enum dx_err.
 */
#ifndef DX_NET_SYSTEM_H
#define DX_NET_SYSTEM_H

#include <duplex/error.h>

/** The error for `code`, an errno; DX_ERR_SYSTEM when no other error fits. */
enum dx_err dx_err_of_errno(int code);

#endif
