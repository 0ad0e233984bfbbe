/*
 * connector_bench.c - see connector_bench.h.
 */
#include "support/client/connector_bench.h"
#include "support/failing/allocator.h"
#include "support/failing/system.h"
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void pause_failures(const struct connector_bench *bench, bool is_paused)
{
    if (bench->fails_allocations)
        failing_allocator_pause(is_paused);
    if (bench->fails_calls)
        failing_system_pause(is_paused);
}

/* ---- what was told ---- */

static void note_headers(struct seen *seen, const struct dx_error_event *error)
{
    size_t len = 0;

    seen->header_count = error->header_count;
    for (size_t i = 0; i < error->header_count && len < sizeof(seen->headers); i++)
        len += (size_t)snprintf(seen->headers + len, sizeof(seen->headers) - len, "%s: %s\n",
                                error->headers[i].name, error->headers[i].value);
}

static void note_error(struct seen *seen, const struct dx_error_event *error)
{
    seen->step = error->step;
    seen->err = error->err;
    seen->system_error = error->system_error;
    seen->http_status = error->http_status;
    (void)snprintf(seen->detail, sizeof(seen->detail), "%s", error->detail);
    note_headers(seen, error);
    assert_true(error->body_len <= sizeof(seen->body));
    if (error->body_len > 0)
        memcpy(seen->body, error->body, error->body_len);
    seen->body_len = error->body_len;
}

static void on_done(void *user, const struct dx_opening *opening)
{
    struct connector_bench *bench = user;
    struct seen *seen = &bench->seen;

    pause_failures(bench, true);
    seen->calls++;
    if (opening->error != NULL) {
        note_error(seen, opening->error);
        pause_failures(bench, false);
        return;
    }
    seen->is_open = true;
    (void)snprintf(seen->subprotocol, sizeof(seen->subprotocol), "%s",
                   opening->subprotocol != NULL ? opening->subprotocol : "");
    assert_int_equal(opening->head->status, 101);
    seen->early_len = opening->early_len;
    if (opening->early_len > 0)
        memcpy(seen->early, opening->early, opening->early_len);
    bench->stream = opening->stream;
    seen->fd = opening->stream.watch.fd;
    pause_failures(bench, false);
    seen->has_tls = dx_stream_tls_facts(&bench->stream, &seen->facts);
    if (!bench->keeps_stream)
        dx_stream_close(&bench->stream, true);
}

/* ---- life ---- */

void bench_begin(struct connector_bench *bench)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);
    static char url[64];

    memset(bench, 0, sizeof(*bench));
    assert_int_equal(dx_loop_new(&bench->loop), DX_OK);
    scripted_server_begin(&bench->server);
    (void)scripted_server_listen(&bench->server, "127.0.0.1", 0);
    assert_int_equal(getsockname(bench->server.listeners[0], (struct sockaddr *)&at, &len), 0);
    (void)snprintf(url, sizeof(url), "ws://127.0.0.1:%u/", (unsigned)ntohs(at.sin_port));
    bench->options =
        (struct dx_connector_options){.loop = bench->loop, .url = url, .timeout_ms = PATIENCE_MS};
}

void bench_end(struct connector_bench *bench)
{
    scripted_server_end(&bench->server);
    dx_loop_free(bench->loop);
}

uint16_t bench_port(const struct connector_bench *bench)
{
    struct sockaddr_in at;
    socklen_t len = sizeof(at);

    assert_int_equal(getsockname(bench->server.listeners[0], (struct sockaddr *)&at, &len), 0);
    return ntohs(at.sin_port);
}

const char *bench_url(const struct connector_bench *bench, const char *scheme, const char *host,
                      const char *rest)
{
    static char urls[8][512];
    static unsigned next;
    char *url = urls[next++ % 8];

    (void)snprintf(url, sizeof(urls[0]), "%s://%s:%u%s", scheme, host, (unsigned)bench_port(bench),
                   rest);
    return url;
}

static void wait_for_something(struct connector_bench *bench)
{
    struct pollfd fds[SCRIPTED_LISTENERS + SCRIPTED_CONNECTIONS + 1];
    size_t count = scripted_server_fds(&bench->server, fds);
    int timeout_ms = dx_loop_timeout_ms(bench->loop);

    fds[count++] = (struct pollfd){.fd = dx_loop_fd(bench->loop), .events = POLLIN};
    /* Nobody waits longer than for its own deadline. */
    assert_true(poll(fds, count, timeout_ms < 0 ? PATIENCE_MS : timeout_ms) >= 0);
}

/* A turn that fails as a whole is followed by another. */
static void turn_once(struct connector_bench *bench)
{
    if (dx_loop_dispatch(bench->loop) != DX_OK)
        bench->failed_turns++;
}

enum dx_err bench_run(struct connector_bench *bench, const struct scripted_talk *talks,
                      size_t talk_count)
{
    struct dx_connector *connector = NULL;
    enum dx_err err;

    memset(&bench->seen, 0, sizeof(bench->seen));
    bench->server.talks = talks;
    bench->server.talk_count = talk_count;
    bench->turns = 0;
    err = dx_connector_start(&bench->options, on_done, bench, &connector);
    assert_int_equal(bench->seen.calls, 0);
    if (err != DX_OK)
        return err;
    while (bench->seen.calls == 0) {
        bool has_done;

        if (++bench->turns == bench->cancel_at) {
            dx_connector_cancel(connector);
            break;
        }
        turn_once(bench);
        pause_failures(bench, true);
        has_done = scripted_server_step(&bench->server);
        if (!has_done && bench->seen.calls == 0)
            wait_for_something(bench);
        pause_failures(bench, false);
    }
    /* What was to come later would come now. */
    for (int i = 0; i < 3; i++)
        turn_once(bench);
    assert_int_equal(bench->seen.calls,
                     bench->cancel_at > 0 && bench->turns == bench->cancel_at ? 0 : 1);
    return err;
}

enum dx_err bench_run_answer(struct connector_bench *bench, const char *answer, size_t len,
                             enum scripted_end end)
{
    const struct scripted_turn turn = {.wait_for = "\r\n\r\n", .say = answer, .say_len = len};
    const struct scripted_talk talk = {&turn, 1, end, false, 0, false};
    enum dx_err err;

    err = bench_run(bench, &talk, 1);
    pause_failures(bench, true);
    scripted_server_restart(&bench->server);
    pause_failures(bench, false);
    return err;
}

int bench_open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 512; fd++)
        if (lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF)
            count++;
    return count;
}
