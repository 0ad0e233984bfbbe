/*
 * uv.c - loops, timers, polls, prepare, check, idle and async handles, as libuv 1.44 orders them in
 * a turn.
 *
 * A handle's record is found by its address. Nothing waits: a turn that has nothing to do ends.
 */
#include "support/sim/uv.h"

#include "support/sim/sockets.h"

#include <string.h>

#define LOOPS 16
#define HANDLES 16 /* of one loop */

struct handle {
    uv_handle_t *uv; /* NULL: free */
    bool is_active;
    bool is_referenced;
    bool is_closing;
    bool is_sent; /* async */
    uint64_t due_ms;
    int fd;
    union {
        uv_timer_cb timer;
        uv_prepare_cb prepare;
        uv_check_cb check;
        uv_idle_cb idle;
        uv_async_cb async;
        uv_poll_cb poll;
    } call;
};

struct loop {
    uv_loop_t *uv; /* NULL: free */
    struct handle handles[HANDLES];
};

static struct loop loops[LOOPS];

void sim_uv_reset(void)
{
    memset(loops, 0, sizeof(loops));
}

static struct loop *loop_of(const uv_loop_t *uv)
{
    for (int i = 0; i < LOOPS; i++)
        if (loops[i].uv == uv)
            return &loops[i];
    sim_fail("a loop that is none is used");
}

static struct handle *handle_of(const void *uv)
{
    struct loop *loop = loop_of(((const uv_handle_t *)uv)->loop);

    for (int i = 0; i < HANDLES; i++)
        if (loop->handles[i].uv == uv)
            return &loop->handles[i];
    sim_fail("a handle that is none is used");
}

uv_loop_t *sim_uv_loop(int index)
{
    for (int i = 0; i < LOOPS; i++)
        if (loops[i].uv != NULL && index-- == 0)
            return loops[i].uv;
    return NULL;
}

static struct handle *add(uv_loop_t *uv, void *added, uv_handle_type type)
{
    struct loop *loop = loop_of(uv);
    uv_handle_t *handle = added;

    for (int i = 0; i < HANDLES; i++) {
        if (loop->handles[i].uv != NULL)
            continue;
        handle->loop = uv;
        handle->type = type;
        loop->handles[i] = (struct handle){.uv = handle, .is_referenced = true};
        return &loop->handles[i];
    }
    sim_fail("more than %d handles on one loop", HANDLES);
}

/* ---- loops ---- */

int uv_loop_init(uv_loop_t *uv)
{
    memset(uv, 0, sizeof(*uv));
    loop_of(NULL)->uv = uv;
    uv_update_time(uv);
    return 0;
}

int uv_loop_close(uv_loop_t *uv)
{
    struct loop *loop = loop_of(uv);

    for (int i = 0; i < HANDLES; i++)
        if (loop->handles[i].uv != NULL)
            sim_fail("a loop is closed with a handle on it");
    memset(loop, 0, sizeof(*loop));
    return 0;
}

uint64_t uv_hrtime(void)
{
    return sim_now_us() * 1000;
}

void uv_update_time(uv_loop_t *uv)
{
    uv->time = sim_now_us() / 1000;
}

uint64_t uv_now(const uv_loop_t *uv)
{
    return uv->time;
}

int uv_backend_fd(const uv_loop_t *uv)
{
    (void)uv;
    return -1;
}

void uv_stop(uv_loop_t *uv)
{
    uv->stop_flag = 1;
}

static bool is_due(const struct handle *handle)
{
    return handle->uv != NULL && handle->is_active && handle->uv->type == UV_TIMER &&
           handle->due_ms <= handle->uv->loop->time;
}

static void run_timers(struct loop *loop)
{
    for (int i = 0; i < HANDLES; i++) {
        struct handle *handle = &loop->handles[i];

        if (is_due(handle)) {
            handle->is_active = false;
            handle->call.timer((uv_timer_t *)handle->uv);
        }
    }
}

static void run_kind(struct loop *loop, uv_handle_type type)
{
    for (int i = 0; i < HANDLES; i++) {
        struct handle *handle = &loop->handles[i];

        if (handle->uv == NULL || !handle->is_active || handle->uv->type != type)
            continue;
        if (type == UV_PREPARE)
            handle->call.prepare((uv_prepare_t *)handle->uv);
        else if (type == UV_CHECK)
            handle->call.check((uv_check_t *)handle->uv);
        else
            handle->call.idle((uv_idle_t *)handle->uv);
    }
}

static void run_polls(struct loop *loop)
{
    for (int i = 0; i < HANDLES; i++) {
        struct handle *handle = &loop->handles[i];

        if (handle->uv == NULL || !handle->is_active)
            continue;
        if (handle->uv->type == UV_ASYNC && handle->is_sent) {
            handle->is_sent = false;
            handle->call.async((uv_async_t *)handle->uv);
        } else if (handle->uv->type == UV_POLL &&
                   (sim_epoll_is_ready(handle->fd) ||
                    sim_happens(SIM_SYSTEM, sim_troubles()->spurious))) {
            handle->call.poll((uv_poll_t *)handle->uv, 0, UV_READABLE);
        }
    }
}

static void run_closing(struct loop *loop)
{
    for (int i = 0; i < HANDLES; i++) {
        struct handle closed = loop->handles[i];

        if (closed.uv == NULL || !closed.is_closing)
            continue;
        memset(&loop->handles[i], 0, sizeof(closed));
        if (closed.uv->close_cb != NULL)
            closed.uv->close_cb(closed.uv);
    }
}

int uv_loop_alive(const uv_loop_t *uv)
{
    const struct loop *loop = loop_of(uv);

    for (int i = 0; i < HANDLES; i++)
        if (loop->handles[i].uv != NULL &&
            (loop->handles[i].is_closing ||
             (loop->handles[i].is_active && loop->handles[i].is_referenced)))
            return 1;
    return 0;
}

int uv_run(uv_loop_t *uv, uv_run_mode mode)
{
    struct loop *loop = loop_of(uv);
    int turns = 0;

    while (uv_loop_alive(uv) && uv->stop_flag == 0) {
        sim_counts.turns++;
        uv_update_time(uv);
        run_timers(loop);
        run_kind(loop, UV_IDLE);
        run_kind(loop, UV_PREPARE);
        run_polls(loop);
        run_kind(loop, UV_CHECK);
        run_closing(loop);
        if (mode != UV_RUN_DEFAULT)
            break;
        if (++turns > 1000)
            sim_fail("a loop waits for something that nobody simulates");
    }
    uv->stop_flag = 0;
    return uv_loop_alive(uv);
}

bool sim_uv_is_ready(const uv_loop_t *uv)
{
    const struct loop *loop = loop_of(uv);

    for (int i = 0; i < HANDLES; i++) {
        const struct handle *handle = &loop->handles[i];

        if (handle->uv == NULL || !handle->is_active)
            continue;
        if ((handle->uv->type == UV_TIMER && handle->due_ms <= sim_now_us() / 1000) ||
            (handle->uv->type == UV_ASYNC && handle->is_sent) ||
            (handle->uv->type == UV_POLL && sim_epoll_is_ready(handle->fd)) ||
            handle->uv->type == UV_IDLE)
            return true;
    }
    return false;
}

/* ---- handles ---- */

void uv_walk(uv_loop_t *uv, uv_walk_cb call, void *argument)
{
    struct loop *loop = loop_of(uv);

    for (int i = 0; i < HANDLES; i++)
        if (loop->handles[i].uv != NULL)
            call(loop->handles[i].uv, argument);
}

void uv_close(uv_handle_t *uv, uv_close_cb call)
{
    struct handle *handle = handle_of(uv);

    if (handle->is_closing)
        sim_fail("a handle is closed twice");
    uv->close_cb = call;
    handle->is_closing = true;
    handle->is_active = false;
}

int uv_is_closing(const uv_handle_t *uv)
{
    return handle_of(uv)->is_closing;
}

int uv_is_active(const uv_handle_t *uv)
{
    return handle_of(uv)->is_active;
}

void uv_ref(uv_handle_t *uv)
{
    handle_of(uv)->is_referenced = true;
}

void uv_unref(uv_handle_t *uv)
{
    handle_of(uv)->is_referenced = false;
}

int uv_has_ref(const uv_handle_t *uv)
{
    return handle_of(uv)->is_referenced;
}

int uv_timer_init(uv_loop_t *uv, uv_timer_t *timer)
{
    (void)add(uv, timer, UV_TIMER);
    return 0;
}

int uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t delay_ms, uint64_t repeat_ms)
{
    struct handle *handle = handle_of(timer);

    if (repeat_ms != 0)
        sim_fail("repeating timers are not simulated");
    handle->is_active = true;
    handle->due_ms = timer->loop->time + delay_ms;
    handle->call.timer = call;
    return 0;
}

int uv_timer_stop(uv_timer_t *timer)
{
    handle_of(timer)->is_active = false;
    return 0;
}

int uv_poll_init(uv_loop_t *uv, uv_poll_t *poll, int fd)
{
    add(uv, poll, UV_POLL)->fd = fd;
    return 0;
}

int uv_poll_start(uv_poll_t *poll, int events, uv_poll_cb call)
{
    (void)events;
    handle_of(poll)->is_active = true;
    handle_of(poll)->call.poll = call;
    return 0;
}

int uv_poll_stop(uv_poll_t *poll)
{
    handle_of(poll)->is_active = false;
    return 0;
}

int uv_async_init(uv_loop_t *uv, uv_async_t *async, uv_async_cb call)
{
    struct handle *handle = add(uv, async, UV_ASYNC);

    handle->is_active = true;
    handle->call.async = call;
    return 0;
}

int uv_async_send(uv_async_t *async)
{
    handle_of(async)->is_sent = true;
    return 0;
}

int uv_prepare_init(uv_loop_t *uv, uv_prepare_t *prepare)
{
    (void)add(uv, prepare, UV_PREPARE);
    return 0;
}

int uv_prepare_start(uv_prepare_t *prepare, uv_prepare_cb call)
{
    handle_of(prepare)->is_active = true;
    handle_of(prepare)->call.prepare = call;
    return 0;
}

int uv_prepare_stop(uv_prepare_t *prepare)
{
    handle_of(prepare)->is_active = false;
    return 0;
}

int uv_check_init(uv_loop_t *uv, uv_check_t *check)
{
    (void)add(uv, check, UV_CHECK);
    return 0;
}

int uv_check_start(uv_check_t *check, uv_check_cb call)
{
    handle_of(check)->is_active = true;
    handle_of(check)->call.check = call;
    return 0;
}

int uv_check_stop(uv_check_t *check)
{
    handle_of(check)->is_active = false;
    return 0;
}

int uv_idle_init(uv_loop_t *uv, uv_idle_t *idle)
{
    (void)add(uv, idle, UV_IDLE);
    return 0;
}

int uv_idle_start(uv_idle_t *idle, uv_idle_cb call)
{
    handle_of(idle)->is_active = true;
    handle_of(idle)->call.idle = call;
    return 0;
}

int uv_idle_stop(uv_idle_t *idle)
{
    handle_of(idle)->is_active = false;
    return 0;
}
