/*
 * duplex/uv.h - a loop on a uv_loop_t of yours: Duplex lives beside whatever else runs there.
 *
 * The only header that needs libuv's: build with `pkg-config --cflags --libs duplex-uv`, and with -std=c11 define
 * _POSIX_C_SOURCE=200809L, whose names libuv uses. A dx_loop adds a fixed handful of handles, however many connections it has.
 */
#ifndef DUPLEX_UV_H
#define DUPLEX_UV_H

#include <duplex/loop.h>

#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a loop on `uv`, which stays yours, must outlive it, and is run by you (uv_run): dx_loop_run, dx_loop_stop, dx_loop_fd and
 * dx_loop_dispatch are not for such a loop (DX_ERR_STATE, nothing, -1). It keeps uv_run running while something is open on it (a post
 * that waits is not). One dx_loop for one uv_loop_t is enough, but several work.
 *
 * dx_loop_free closes its handles; they are gone after the next turn of `uv`, so run that once more (UV_RUN_NOWAIT is enough)
 * before uv_loop_close. Call it on the thread of `uv`, not from inside a callback of the same loop.
 *
 * Returns DX_OK, DX_ERR_NOMEM, DX_ERR_DESCRIPTORS, DX_ERR_SYSTEM. After a failure, too, a handle may have to go in the next turn.
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_new_on_uv(uv_loop_t *uv, struct dx_loop **loop);

/** The uv loop below, of any dx_loop: for handles of your own on it. */
DX_API uv_loop_t *dx_loop_uv(struct dx_loop *loop);

#ifdef __cplusplus
}
#endif
#endif
