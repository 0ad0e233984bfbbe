/*
 * system.h - what errno means in the library's terms.
 */
#ifndef DX_NET_SYSTEM_H
#define DX_NET_SYSTEM_H

#include <duplex/error.h>

/** The error that stands for `code`, an errno; DX_ERR_SYSTEM for one that has none of its own. */
enum dx_err dx_err_of_errno(int code);

#endif
