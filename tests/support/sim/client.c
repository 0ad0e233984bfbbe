/*
 * client.c - the opening handshake of a simulated client.
 */
#include "support/sim/client.h"

#include "support/sim/memory.h"
#include "support/sim/talker.h"

#include <stdio.h>
#include <string.h>

#define HANDSHAKE_MS 60000

static void on_ready(struct dx_watch *watch, unsigned events);

static void give_up(struct sim_client *client, const char *why)
{
    sim_trace("link %d, client: %s", client->link->number, why);
    dx_watch_stop(client->loop, &client->stream.watch);
    dx_stream_close(&client->stream, sim_happens(SIM_CLIENT, 300));
    dx_loop_timer_unset(client->timer);
    client->is_done = true;
}

/* The stream is the connection's; what came behind the answer goes with it. */
static void become_open(struct sim_client *client, size_t head_len)
{
    struct dx_connection_start start = {
        .kind = client->kind,
        .handlers = sim_talker_handlers(SIM_CLIENT),
        .user = &client->link->client,
        .early = client->in + head_len,
        .early_len = client->in_len - head_len,
    };
    struct dx_connection *connection;

    dx_watch_stop(client->loop, &client->stream.watch);
    if (dx_connection_new(client->loop, &client->stream, &start, &connection) != DX_OK) {
        if (!sim_manners.is_scarce)
            sim_fail("link %d: no connection is made", client->link->number);
        client->link->is_disturbed = true;
        give_up(client, "no memory for the connection");
        return;
    }
    dx_loop_timer_unset(client->timer);
    client->is_done = true;
    sim_talker_open(&client->link->client, connection);
}

static void judge(struct sim_client *client)
{
    struct dx_handshake_response response = dx_handshake_response_init();
    enum dx_err err = dx_handshake_response_read(&client->request, client->key, client->in,
                                                 client->in_len, &response);

    if (err == DX_ERR_AGAIN && client->in_len < sizeof(client->in))
        return;
    if (err == DX_OK)
        become_open(client, response.head_len);
    else if (err == DX_ERR_REFUSED)
        give_up(client, "refused");
    else
        sim_fail("link %d: an answer that is none", client->link->number);
}

static bool write_request(struct sim_client *client)
{
    struct dx_slice slice = {(const uint8_t *)client->out + client->out_sent,
                             client->out_len - client->out_sent};
    size_t put;
    enum dx_err err;

    if (slice.len == 0)
        return true;
    err = dx_stream_write(&client->stream, &slice, 1, &put);
    if (err == DX_OK)
        client->out_sent += put;
    else if (err != DX_ERR_AGAIN)
        return false;
    return dx_watch_set(client->loop, &client->stream.watch,
                        client->out_sent < client->out_len ? DX_WATCH_READ | DX_WATCH_WRITE
                                                           : DX_WATCH_READ) == DX_OK;
}

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct sim_client *client = dx_container_of(watch, struct sim_client, stream.watch);
    size_t got;
    enum dx_err err;

    (void)events;
    if (!write_request(client)) {
        give_up(client, "the request cannot be sent");
        return;
    }
    err = dx_stream_read(&client->stream, client->in + client->in_len,
                         sizeof(client->in) - client->in_len, &got);
    if (err == DX_ERR_AGAIN)
        return;
    if (err != DX_OK) {
        give_up(client, "the server has gone");
        return;
    }
    client->in_len += got;
    judge(client);
}

static void befall(const struct sim_client *client, int fd)
{
    uint64_t now_us = sim_now_us();

    sim_cut_at(fd, client->cut,
               client->cut_after_us == SIM_NEVER ? SIM_NEVER : now_us + client->cut_after_us,
               client->cut_byte_count);
    if (client->stall_us > 0)
        sim_stall(fd, (int)sim_below(SIM_NET, 2), now_us + sim_magnitude(SIM_NET, 0, 2000000),
                  now_us + client->stall_us);
}

static void begin(struct sim_client *client)
{
    int fd = sim_connect(client->is_ipv6, SIM_PORT, &client->weather);

    client->is_done = true;
    if (fd < 0) {
        sim_trace("link %d, client: connection refused", client->link->number);
        return;
    }
    client->link->wire_number = sim_wire_number(fd);
    befall(client, fd);
    if (dx_stream_init(&client->stream, client->loop, fd, NULL) != DX_OK)
        sim_fail("a stream without TLS needs nothing");
    if (dx_watch_start(client->loop, &client->stream.watch, fd, DX_WATCH_READ | DX_WATCH_WRITE,
                       on_ready) != DX_OK) {
        give_up(client, "the descriptor cannot be watched");
        return;
    }
    client->is_done = false;
    sim_trace("link %d, client: wire %d, %s", client->link->number, sim_wire_number(fd),
              client->target);
    dx_loop_timer_set(client->timer, HANDSHAKE_MS);
}

static void on_due(void *user)
{
    struct sim_client *client = user;

    if (client->stream.watch.fd == 0)
        begin(client);
    else if (!client->is_done)
        give_up(client, "no answer in time");
}

void sim_client_start(struct sim_client *client, const char *mode, uint32_t delay_ms)
{
    uint8_t nonce[DX_HANDSHAKE_NONCE_LEN];

    for (size_t i = 0; i < sizeof(nonce); i++)
        nonce[i] = (uint8_t)sim_random(SIM_CLIENT);
    (void)snprintf(client->target, sizeof(client->target), "/ws/%d/%s", client->link->number, mode);
    client->request = dx_handshake_request_init(SIM_HOST, client->target);
    if (dx_handshake_request_write(&client->request, nonce, client->key, client->out,
                                   sizeof(client->out), &client->out_len) != DX_OK)
        sim_fail("the request cannot be written");
    sim_memory_hold();
    if (dx_loop_timer_new(client->loop, on_due, client, &client->timer) != DX_OK)
        sim_fail("the machine itself has no memory");
    sim_memory_let_go();
    dx_loop_timer_set(client->timer, delay_ms);
}
