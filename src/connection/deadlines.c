/*
 * deadlines.c - one timer per connection, set to the nearest of its deadlines.
 *
 * Traffic only stores times. The timer is moved when a nearer deadline appears, and recomputes the
 * nearest one when it fires: a busy connection touches the wheel twice a minute, not once per
 * message.
 */
#include "connection/connection_parts.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define PING_WIRE_LEN 64 /* more than our ping takes, with masking key and TLS record */

static uint32_t left_of(uint32_t now, uint32_t since, uint32_t limit_ms)
{
    uint32_t elapsed = now - since;

    return elapsed < limit_ms ? limit_ms - elapsed : 0;
}

static void take_nearer(uint64_t *nearest, uint32_t left)
{
    if (left < *nearest)
        *nearest = left;
}

static bool may_time_out_writing(const struct dx_connection *connection)
{
    return connection->writing == DX_WRITING_BLOCKED &&
           dx_connection_options(connection)->write_timeout_ms > 0;
}

static bool may_time_out_closing(const struct dx_connection *connection)
{
    return connection->is_waiting && dx_connection_options(connection)->close_timeout_ms > 0;
}

static bool may_time_out_in_message(const struct dx_connection *connection)
{
    return connection->is_in_message && dx_connection_is_open(connection) &&
           !connection->is_paused && dx_connection_options(connection)->message_timeout_ms > 0;
}

/*
 * No ping while output waits: it would queue after the output, and the write deadline runs. None
 * while paused: the pong would not be read.
 */
static bool may_ping(const struct dx_connection *connection)
{
    return dx_connection_options(connection)->ping_interval_ms > 0 && !connection->is_paused &&
           connection->writing == DX_WRITING_FLOWING && dx_connection_is_open(connection);
}

static uint32_t ping_limit(const struct dx_connection *connection)
{
    const struct dx_connection_options *options = dx_connection_options(connection);

    if (!connection->ping_is_out)
        return options->ping_interval_ms;
    return options->pong_timeout_ms > UINT32_MAX - options->ping_interval_ms
               ? UINT32_MAX
               : options->ping_interval_ms + options->pong_timeout_ms;
}

static bool may_miss_pong(const struct dx_connection *connection)
{
    return !connection->ping_is_out || dx_connection_options(connection)->pong_timeout_ms > 0;
}

/* Milliseconds until the nearest deadline; UINT64_MAX when there is none. */
static uint64_t find_nearest(const struct dx_connection *connection, uint32_t now)
{
    const struct dx_connection_options *options = dx_connection_options(connection);
    uint64_t nearest = UINT64_MAX;

    if (may_time_out_writing(connection))
        take_nearer(&nearest, left_of(now, connection->write_ms, options->write_timeout_ms));
    if (may_time_out_closing(connection))
        take_nearer(&nearest, left_of(now, connection->phase_ms, options->close_timeout_ms));
    if (may_time_out_in_message(connection))
        take_nearer(&nearest, left_of(now, connection->phase_ms, options->message_timeout_ms));
    if (may_ping(connection) && may_miss_pong(connection))
        take_nearer(&nearest, left_of(now, connection->heard_ms, ping_limit(connection)));
    if (dx_connection_is_probing(connection))
        take_nearer(&nearest,
                    left_of(now, connection->heard_ms, dx_connection_probe_interval(connection)));
    return nearest;
}

void dx_connection_arm(struct dx_connection *connection)
{
    uint64_t now_ms = dx_loop_now_ms(dx_connection_loop(connection));
    uint64_t nearest = find_nearest(connection, (uint32_t)now_ms);

    if (nearest == UINT64_MAX)
        return;
    if (dx_timer_is_set(&connection->timer) && connection->timer.due_ms <= now_ms + nearest)
        return;
    dx_wheel_set(dx_loop_wheel(dx_connection_loop(connection)), &connection->timer,
                 now_ms + nearest);
}

/* Bytes in our kernel's send buffer; for a unix socket, those that the peer has not read. */
static uint32_t unsent_of(const struct dx_connection *connection)
{
    int unsent = 0;

    return ioctl(connection->stream.watch.fd, SIOCOUTQ, &unsent) == 0 ? (uint32_t)unsent : 0;
}

/*
 * The beginning of the kernel's tcp_info. libc's struct ends before these three members, and the
 * kernel's header conflicts with libc's, which libuv includes: the amalgamation would have both.
 */
struct tcp_facts {
    struct tcp_info known;
    uint64_t pacing_rate, max_pacing_rate, bytes_acked;
};
_Static_assert(offsetof(struct tcp_facts, bytes_acked) == 120, "as in linux/tcp.h");

/*
 * A number that grows as the peer's system accepts what we sent: the bytes that TCP acknowledged
 * or, without TCP, the negative length of our send buffer.
 */
static uint32_t taken_of(const struct dx_connection *connection)
{
    struct tcp_facts facts = {.bytes_acked = 0};
    socklen_t len = sizeof(facts);

    if (getsockopt(connection->stream.watch.fd, IPPROTO_TCP, TCP_INFO, &facts, &len) == 0 &&
        len == sizeof(facts))
        return (uint32_t)facts.bytes_acked;
    return 0 - unsent_of(connection);
}

static bool has_progressed(struct dx_connection *connection)
{
    uint32_t taken = taken_of(connection);

    if ((int32_t)(taken - connection->taken) <= 0)
        return false;
    connection->taken = taken;
    return true;
}

static void restart_pong(struct dx_connection *connection)
{
    connection->heard_ms =
        dx_connection_now(connection) - dx_connection_options(connection)->ping_interval_ms;
}

void dx_connection_restart_ping(struct dx_connection *connection)
{
    if (!connection->ping_is_out)
        return;
    connection->taken = taken_of(connection);
    restart_pong(connection);
}

/*
 * A ping queues after what our system has not delivered yet. A peer that reads slowly is still
 * alive: while that output makes progress, the pong's time restarts at each check. If nothing was
 * waiting, delivery of the ping itself must not count as progress.
 */
static void ping(struct dx_connection *connection)
{
    bool waits;
    enum dx_err err;

    if (connection->ping_is_out) {
        if (has_progressed(connection))
            restart_pong(connection);
        else
            dx_connection_end(connection, DX_ERR_TIMEOUT, "the peer did not answer a ping", true);
        return;
    }
    waits = connection->output.len > 0 || unsent_of(connection) > 0;
    err = dx_endpoint_ping(&connection->endpoint, NULL, 0);
    if (err) {
        dx_connection_end(connection, err, "no memory for a ping", true);
        return;
    }
    connection->ping_is_out = true;
    connection->taken = taken_of(connection) + (waits ? 0 : PING_WIRE_LEN);
    restart_pong(connection);
}

static void check(struct dx_connection *connection, uint32_t now)
{
    const struct dx_connection_options *options = dx_connection_options(connection);

    if (may_time_out_writing(connection) &&
        left_of(now, connection->write_ms, options->write_timeout_ms) == 0) {
        dx_connection_end(connection, DX_ERR_TIMEOUT, "the peer does not read", true);
    } else if (may_time_out_closing(connection) &&
               left_of(now, connection->phase_ms, options->close_timeout_ms) == 0) {
        dx_connection_give_up_closing(connection);
    } else if (may_time_out_in_message(connection) &&
               left_of(now, connection->phase_ms, options->message_timeout_ms) == 0) {
        dx_connection_fail(connection, DX_CLOSE_POLICY, DX_ERR_TIMEOUT,
                           "no progress inside a message");
    } else if (may_ping(connection) && may_miss_pong(connection) &&
               left_of(now, connection->heard_ms, ping_limit(connection)) == 0) {
        ping(connection);
    } else if (dx_connection_is_probing(connection) &&
               left_of(now, connection->heard_ms, dx_connection_probe_interval(connection)) == 0) {
        dx_connection_probe(connection);
    }
}

void dx_connection_on_due(struct dx_timer *timer)
{
    struct dx_connection *connection = dx_container_of(timer, struct dx_connection, timer);

    check(connection, dx_connection_now(connection));
    if (!connection->is_dead)
        dx_connection_settle(connection);
}
