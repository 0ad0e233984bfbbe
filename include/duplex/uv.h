/*
 * duplex/uv.h - a dx_loop on your uv_loop_t, beside whatever else runs there.
 *
 * This is the only header that includes libuv's. Build with `pkg-config --cflags --libs duplex-uv`;
 * with -std=c11 define _POSIX_C_SOURCE=200809L, because libuv uses its names. A dx_loop adds at
 * most four handles, however many connections it has.
 */
#ifndef DUPLEX_UV_H
#define DUPLEX_UV_H

#include <duplex/loop.h>

#include <uv.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Makes a loop on `uv`.
 *
 * `uv` stays yours, must outlive the loop, and you run it (uv_run). dx_loop_run and
 * dx_loop_dispatch return DX_ERR_STATE for such a loop, dx_loop_stop does nothing, and dx_loop_fd
 * returns -1. uv_run continues while something is open on the loop; a waiting post does not count.
 * One dx_loop per uv_loop_t is enough, several work.
 *
 * dx_loop_free closes the handles. They are gone after the next turn of `uv`: run it once more
 * (UV_RUN_NOWAIT is enough) before uv_loop_close, also after a failure of this function. Call
 * dx_loop_free on the thread of `uv`, not inside a callback of the same loop.
 *
 * Returns DX_OK, or:
 *   DX_ERR_NOMEM         out of memory
 *   DX_ERR_DESCRIPTORS   no descriptor is free
 *   DX_ERR_SYSTEM        the system refused
 */
DX_API DX_MUST_CHECK enum dx_err dx_loop_new_on_uv(uv_loop_t *uv, struct dx_loop **loop);

/** The uv loop of any dx_loop, for your own handles. */
DX_API uv_loop_t *dx_loop_uv(struct dx_loop *loop);

#ifdef __cplusplus
}
#endif
#endif
