/*
 * raw.c - bytes over a simulated wire, good and bad.
 */
#include "support/sim/raw.h"

#include "support/sim/memory.h"
#include "support/sim/talker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_MS 300000 /* after that a client of either kind goes away */

static void close_raw(struct sim_raw *raw, bool abort, const char *why)
{
    sim_trace("raw %d: %s", raw->number, why);
    dx_watch_stop(raw->loop, &raw->stream.watch);
    dx_stream_close(&raw->stream, abort);
    raw->is_done = true;
    dx_loop_timer_unset(raw->timer);
}

/* ---- what they say ---- */

static void say(struct sim_raw *raw, const void *bytes, size_t len)
{
    if (raw->out_len + len > raw->out_room)
        sim_fail("a raw client has too much to say");
    memcpy(raw->out + raw->out_len, bytes, len);
    raw->out_len += len;
}

static void say_garbage(struct sim_raw *raw, size_t max)
{
    struct sim_message garbage = sim_message_draw(SIM_CLIENT, (uint32_t)max);

    say(raw, sim_message_bytes(&garbage), garbage.len);
}

static void say_handshake(struct sim_raw *raw)
{
    static const char request[] =
        "GET /ws/x/now HTTP/1.1\r\nHost: " SIM_HOST "\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n";

    say(raw, request, sizeof(request) - 1);
}

/* A frame whose header may say anything. */
static void say_frame(struct sim_raw *raw)
{
    static const uint8_t firsts[] = {0x81, 0x82, 0x01, 0x02, 0x80, 0x00, 0x89, 0x8a, 0x88, 0x83};
    uint32_t len = sim_magnitude(SIM_CLIENT, 0, 3000);
    uint8_t header[8] = {firsts[sim_below(SIM_CLIENT, sizeof(firsts))]};
    size_t header_len = 2;

    if (sim_happens(SIM_CLIENT, 50))
        header[0] = (uint8_t)sim_random(SIM_CLIENT);
    header[1] = (uint8_t)(len < 126 ? len : 126);
    if (len >= 126) {
        header[2] = (uint8_t)(len >> 8);
        header[3] = (uint8_t)len;
        header_len = 4;
    }
    if (!sim_happens(SIM_CLIENT, 50)) {
        header[1] |= 0x80; /* with a key of zeros */
        header_len += 4;
    }
    say(raw, header, header_len);
    for (struct sim_message filling; len > 0; len -= filling.len) {
        filling = sim_message_draw(SIM_CLIENT, len);
        say(raw, sim_message_bytes(&filling), filling.len);
    }
}

static void say_something_hostile(struct sim_raw *raw)
{
    uint32_t kind = sim_below(SIM_CLIENT, 5);

    sim_counts.hostile++;
    raw->pause_ms = sim_magnitude(SIM_CLIENT, 0, 5000);
    raw->piece_len = 1 + sim_magnitude(SIM_CLIENT, 0, 4000);
    raw->ends_side = sim_happens(SIM_CLIENT, 400);
    if (kind == 0) {
        say_garbage(raw, 20000);
    } else if (kind == 1) {
        say_handshake(raw);
        raw->out_len = sim_below(SIM_CLIENT, (uint32_t)raw->out_len);
    } else if (kind > 2) {
        say_handshake(raw);
        for (uint32_t i = sim_below(SIM_CLIENT, 12); i > 0; i--)
            say_frame(raw);
        if (kind == 4)
            say_garbage(raw, 3000);
    }
}

static void ask(struct sim_raw *raw)
{
    static const char *const kinds[] = {"GET /plain", "GET /plain", "GET /pieces", "POST /body"};
    char request[200];

    raw->asked_count = 1 + sim_below(SIM_CLIENT, SIM_ASKED_MAX);
    raw->piece_len = SIZE_MAX;
    for (uint32_t i = 0; i < raw->asked_count; i++) {
        const char *kind = kinds[sim_below(SIM_CLIENT, 4)];
        bool has_body = kind[0] == 'P';
        struct sim_message body = {.opcode = DX_OP_BINARY, .at = sim_below(SIM_CLIENT, 65536)};

        body.len = sim_magnitude(SIM_CLIENT, 0, has_body ? 20000 : SIM_MESSAGE_MAX / 2);
        raw->asked[i].len = body.len;
        raw->asked[i].at = body.at;
        (void)snprintf(request, sizeof(request),
                       "%s/%u/%u HTTP/1.1\r\nHost: " SIM_HOST "\r\nContent-Length: %u\r\n%s\r\n",
                       kind, body.len, body.at, has_body ? body.len : 0,
                       i + 1 == raw->asked_count ? "Connection: close\r\n" : "");
        say(raw, request, strlen(request));
        if (has_body)
            say(raw, sim_message_bytes(&body), body.len);
    }
}

/* ---- what they hear ---- */

static bool take_answer(struct sim_raw *raw)
{
    static const char ending[] = "\r\n\r\n";
    static const char length[] = "Content-Length: ";
    struct sim_message body = {.opcode = DX_OP_BINARY};
    const uint8_t *end = memmem(raw->in, raw->in_len, ending, 4);
    const uint8_t *at =
        end == NULL ? NULL : memmem(raw->in, (size_t)(end - raw->in), length, sizeof(length) - 1);
    size_t head_len, len;

    if (end == NULL)
        return false;
    head_len = (size_t)(end - raw->in) + 4;
    len = at == NULL ? 0 : strtoul((const char *)at + sizeof(length) - 1, NULL, 10);
    if (memcmp(raw->in, "HTTP/1.1 200", 12) != 0) {
        /* No memory, or the server ends: that is the last answer. */
        raw->got_count = raw->asked_count;
        raw->in_len = 0;
        return false;
    }
    if (raw->got_count == raw->asked_count || at == NULL || len != raw->asked[raw->got_count].len)
        sim_fail("raw %d: answer %u has %zu bytes", raw->number, raw->got_count, len);
    if (raw->in_len < head_len + len)
        return false;
    body.at = raw->asked[raw->got_count].at;
    if (memcmp(raw->in + head_len, sim_message_bytes(&body), len) != 0)
        sim_fail("raw %d: answer %u is another one", raw->number, raw->got_count);
    raw->got_count++;
    sim_counts.requests++;
    raw->in_len -= head_len + len;
    memmove(raw->in, raw->in + head_len + len, raw->in_len);
    return true;
}

static void hear(struct sim_raw *raw, size_t got)
{
    raw->in_len += got;
    if (raw->is_hostile) {
        raw->in_len = 0;
        return;
    }
    while (take_answer(raw)) {
    }
}

/* Says a piece of what is left. False: the stream is broken. */
static bool say_on(struct sim_raw *raw)
{
    struct dx_slice slice = {raw->out + raw->out_sent, raw->out_len - raw->out_sent};
    enum dx_err err = DX_OK;
    size_t put = 0;

    if (slice.len > raw->piece_len)
        slice.len = raw->piece_len;
    if (slice.len > 0)
        err = dx_stream_write(&raw->stream, &slice, 1, &put);
    if (err != DX_OK && err != DX_ERR_AGAIN)
        return false;
    raw->out_sent += err == DX_OK ? put : 0;
    if (raw->out_sent == raw->out_len && raw->ends_side)
        dx_stream_shutdown(&raw->stream);
    return dx_watch_set(raw->loop, &raw->stream.watch,
                        raw->pause_ms == 0 && raw->out_sent < raw->out_len
                            ? DX_WATCH_READ | DX_WATCH_WRITE
                            : DX_WATCH_READ) == DX_OK;
}

static void on_ready(struct dx_watch *watch, unsigned events)
{
    struct sim_raw *raw = dx_container_of(watch, struct sim_raw, stream.watch);
    bool is_sound = true;
    size_t got;
    enum dx_err err;

    if (watch->wanted & events & DX_WATCH_WRITE)
        is_sound = say_on(raw);
    /* What the server has said before is heard all the same. */
    err = dx_stream_read(&raw->stream, raw->in + raw->in_len, raw->in_room - raw->in_len, &got);
    if (err == DX_OK)
        hear(raw, got);
    else if (err != DX_ERR_AGAIN || !is_sound)
        close_raw(raw, false, dx_err_name(err));
}

/* ---- life ---- */

static void begin(struct sim_raw *raw)
{
    int fd = sim_connect(false, SIM_PORT, &raw->weather);

    raw->is_done = true;
    if (fd < 0)
        return;
    sim_trace("raw %d: wire %d, %zu bytes to say%s", raw->number, sim_wire_number(fd), raw->out_len,
              raw->is_hostile ? ", hostile" : "");
    if (dx_stream_init(&raw->stream, raw->loop, fd, NULL) != DX_OK)
        sim_fail("a stream without TLS needs nothing");
    if (dx_watch_start(raw->loop, &raw->stream.watch, fd, DX_WATCH_READ | DX_WATCH_WRITE,
                       on_ready) != DX_OK) {
        close_raw(raw, true, "the descriptor cannot be watched");
        return;
    }
    raw->is_done = false;
    dx_loop_timer_set(raw->timer, raw->pause_ms > 0 ? raw->pause_ms : LIFE_MS);
}

static void on_due(void *user)
{
    struct sim_raw *raw = user;

    if (raw->stream.watch.fd == 0) {
        begin(raw);
    } else if (raw->is_done) {
        return;
    } else if (raw->pause_ms > 0 && raw->out_sent < raw->out_len && !sim_manners.is_ending) {
        (void)!dx_watch_set(raw->loop, &raw->stream.watch, DX_WATCH_READ | DX_WATCH_WRITE);
        dx_loop_timer_set(raw->timer, raw->pause_ms);
    } else if (raw->pause_ms > 0 && !sim_manners.is_ending) {
        raw->pause_ms = 0;
        dx_loop_timer_set(raw->timer, LIFE_MS);
    } else {
        close_raw(raw, sim_happens(SIM_CLIENT, 500), "goes away");
    }
}

static uint8_t *take(size_t len)
{
    uint8_t *bytes;

    sim_memory_hold();
    bytes = malloc(len);
    sim_memory_let_go();
    if (bytes == NULL)
        sim_fail("the machine itself has no memory");
    return bytes;
}

void sim_raw_start(struct sim_raw *raw, bool is_hostile, uint32_t delay_ms)
{
    raw->is_hostile = is_hostile;
    raw->out_room = is_hostile ? 65536 : SIM_ASKED_MAX * 20200;
    raw->in_room = SIM_MESSAGE_MAX + 65536;
    raw->out = take(raw->out_room);
    raw->in = take(raw->in_room);
    if (is_hostile)
        say_something_hostile(raw);
    else
        ask(raw);
    sim_memory_hold();
    if (dx_loop_timer_new(raw->loop, on_due, raw, &raw->timer) != DX_OK)
        sim_fail("the machine itself has no memory");
    sim_memory_let_go();
    dx_loop_timer_set(raw->timer, delay_ms);
}

void sim_raw_release(struct sim_raw *raw)
{
    dx_loop_timer_free(raw->timer);
    free(raw->out);
    free(raw->in);
}

void sim_raw_check(const struct sim_raw *raw, bool has_to_be_whole)
{
    if (has_to_be_whole && !raw->is_hostile && raw->got_count != raw->asked_count)
        sim_fail("raw %d: %u of %u answers came", raw->number, raw->got_count, raw->asked_count);
}
