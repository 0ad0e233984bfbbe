/*
 * loop_uv.c - a loop on the caller's uv_loop_t (<duplex/uv.h>), which is not run here.
 *
 * The handles are part of the loop's memory, so it is freed only when uv has closed the last one.
 */
#include "net/loop/loop_parts.h"

#include <duplex/uv.h>

#include <stdlib.h>

enum dx_err dx_loop_new_on_uv(uv_loop_t *uv, struct dx_loop **loop)
{
    return dx_loop_make(uv, loop);
}

uv_loop_t *dx_loop_uv(struct dx_loop *loop)
{
    return loop->uv;
}

static void on_closed(uv_handle_t *handle)
{
    struct dx_loop *loop = handle->data;

    if (--loop->handle_count == 0)
        free(loop);
}

void dx_loop_leave_uv(struct dx_loop *loop)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&loop->async, (uv_handle_t *)&loop->poll,
                              (uv_handle_t *)&loop->timer, (uv_handle_t *)&loop->prepare,
                              (uv_handle_t *)&loop->check};
    int count = loop->handle_count;

    if (count == 0)
        free(loop);
    for (int i = 0; i < count; i++) {
        handles[i]->data = loop;
        uv_close(handles[i], on_closed);
    }
}
