/*
 * loop_uv.c - a loop on the caller's uv_loop_t (<duplex/uv.h>), which is not run here.
 */
#include "net/loop/loop_parts.h"

#include <duplex/uv.h>

enum dx_err dx_loop_new_on_uv(uv_loop_t *uv, struct dx_loop **loop)
{
    return dx_loop_make(uv, loop);
}

uv_loop_t *dx_loop_uv(struct dx_loop *loop)
{
    return loop->uv;
}
