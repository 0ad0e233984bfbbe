/*
 * alone_test.c - <duplex/endpoint.h> as its users have it: two endpoints that own what they need,
 * joined byte by byte, with each allocation failing, and what is refused.
 */
#include <duplex/endpoint.h>

#include "support/failing/allocator.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BIG_LEN 70000
#define SLICES 3

static bool fill_random(uint8_t *bytes, size_t len, void *user)
{
    uint8_t *counter = user;

    for (size_t i = 0; i < len; i++)
        bytes[i] = *counter += 77;
    return true;
}

static bool fill_nothing(uint8_t *bytes, size_t len, void *context)
{
    (void)context;
    (void)bytes;
    (void)len;
    return false;
}

/* What came out of an endpoint. */
struct seen {
    size_t text_len, binary_len;
    unsigned pings, pongs, closes, fails;
    uint16_t code;
};

static void note(struct seen *seen, struct dx_endpoint *endpoint, const struct dx_event *event)
{
    switch (event->type) {
    case DX_EVENT_DATA:
        *(event->opcode == DX_OP_TEXT ? &seen->text_len : &seen->binary_len) += event->len;
        break;
    case DX_EVENT_PING:
        seen->pings++;
        break;
    case DX_EVENT_PONG:
        seen->pongs++;
        break;
    case DX_EVENT_CLOSE:
        seen->closes++;
        seen->code = event->code;
        if (dx_endpoint_close(endpoint, event->code, NULL, 0) != DX_OK)
            seen->fails++;
        break;
    case DX_EVENT_FAIL:
        seen->fails++;
        seen->code = event->code;
        break;
    case DX_EVENT_NONE:
        break;
    }
}

/* Moves everything that waits from one to the other, `step` bytes at a time. */
static void travel(struct dx_endpoint *from, struct dx_endpoint *to, size_t step, struct seen *seen)
{
    struct dx_slice slices[SLICES];
    static uint8_t bytes[65536];

    while (dx_endpoint_output(from, slices, SLICES) > 0) {
        size_t len = slices[0].len < step ? slices[0].len : step;
        struct dx_event event;

        memcpy(bytes, slices[0].data, len);
        dx_endpoint_output_sent(from, len);
        dx_endpoint_feed(to, bytes, len);
        while (dx_endpoint_next(to, &event) != DX_EVENT_NONE)
            note(seen, to, &event);
    }
}

static struct dx_endpoint *make(enum dx_role role, uint8_t *counter)
{
    struct dx_endpoint_options options = dx_endpoint_options_init(role);
    struct dx_endpoint *endpoint = NULL;

    options.fill_random = role == DX_ROLE_CLIENT ? fill_random : NULL;
    options.user = counter;
    options.max_output = 131072;
    if (dx_endpoint_new(&options, &endpoint) != DX_OK)
        return NULL;
    return endpoint;
}

/* A whole conversation; false: memory was short somewhere. */
static bool talk(size_t step, struct seen *server_seen, struct seen *client_seen)
{
    static const uint8_t big[BIG_LEN];
    uint8_t counter = 0;
    struct dx_endpoint *client = make(DX_ROLE_CLIENT, &counter);
    struct dx_endpoint *server = make(DX_ROLE_SERVER, NULL);
    bool is_whole = client != NULL && server != NULL;

    if (is_whole) {
        is_whole = dx_endpoint_send(client, DX_OP_TEXT, "Hello", 5) == DX_OK;
        is_whole &= dx_endpoint_ping(client, "p", 1) == DX_OK;
        is_whole &= dx_endpoint_send_fragment(client, DX_OP_BINARY, big, BIG_LEN, false) == DX_OK;
        is_whole &= dx_endpoint_send_fragment(client, DX_OP_BINARY, big, 5, true) == DX_OK;
        travel(client, server, step, server_seen);
        is_whole &= dx_endpoint_send(server, DX_OP_TEXT, "there", 5) == DX_OK;
        travel(server, client, step, client_seen);
        is_whole &= dx_endpoint_close(client, 4001, "bye", 3) == DX_OK;
        travel(client, server, step, server_seen);
        travel(server, client, step, client_seen);
        is_whole &= dx_endpoint_close_is_sent(server) && dx_endpoint_close_is_received(server) &&
                    dx_endpoint_close_is_received(client) && !dx_endpoint_is_failed(client);
    }
    dx_endpoint_free(client);
    dx_endpoint_free(server);
    return is_whole;
}

static void a_conversation_in_any_pieces(void **state)
{
    static const size_t steps[] = {1, 2, 3, 7, 125, 4096, 65536};

    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct seen server = {0}, client = {0};

        assert_true(talk(steps[i], &server, &client));
        assert_int_equal(server.text_len, 5);
        assert_int_equal(server.binary_len, BIG_LEN + 5);
        assert_int_equal(server.pings, 1);
        assert_int_equal(server.closes, 1);
        assert_int_equal(server.code, 4001);
        assert_int_equal(client.text_len, 5);
        assert_int_equal(client.pongs, 1);
        assert_int_equal(client.closes, 1);
        assert_int_equal(client.code, 4001);
    }
}

static void each_allocation_failing(void **state)
{
    size_t nth = 0;
    bool has_failed = true;

    (void)state;
    while (has_failed) {
        struct seen server = {0}, client = {0};
        bool is_whole;

        failing_allocator_start(++nth);
        is_whole = talk(1000, &server, &client);
        has_failed = failing_allocator_stop();
        assert_int_equal(failing_allocator_live(), 0);
        /* A failure is told by whoever it hit: by a return value, or as the peer's Close 1011. */
        if (!has_failed)
            assert_true(is_whole);
    }
    assert_true(nth > 8);
    printf("injected %zu failures\n", nth - 1);
}

static void what_waits_has_a_limit(void **state)
{
    struct dx_endpoint *server = make(DX_ROLE_SERVER, NULL);
    static const uint8_t block[10000];
    size_t count = 0, len;
    enum dx_err err;

    (void)state;
    while ((err = dx_endpoint_send(server, DX_OP_BINARY, block, sizeof(block))) == DX_OK)
        count++;
    assert_int_equal(err, DX_ERR_TOO_MANY);
    assert_in_range(count, 11, 13);
    len = dx_endpoint_buffered_amount(server);
    assert_int_equal(len, count * (sizeof(block) + 4));
    dx_endpoint_output_sent(server, len);
    assert_int_equal(dx_endpoint_buffered_amount(server), 0);
    assert_int_equal(dx_endpoint_send(server, DX_OP_BINARY, block, sizeof(block)), DX_OK);
    dx_endpoint_free(server);
}

static void limits_of_what_comes(void **state)
{
    struct dx_endpoint_options options = dx_endpoint_options_init(DX_ROLE_SERVER);
    static const uint8_t block[1001];
    uint8_t counter = 0;
    struct dx_endpoint *client = make(DX_ROLE_CLIENT, &counter), *server;
    struct seen seen = {0};

    (void)state;
    options.max_message = 1000;
    assert_int_equal(dx_endpoint_new(&options, &server), DX_OK);
    assert_int_equal(dx_endpoint_send(client, DX_OP_BINARY, block, 1000), DX_OK);
    travel(client, server, 100, &seen);
    assert_int_equal(seen.binary_len, 1000);
    assert_int_equal(dx_endpoint_send(client, DX_OP_BINARY, block, 1001), DX_OK);
    travel(client, server, 100, &seen);
    assert_int_equal(seen.binary_len, 1000);
    assert_int_equal(seen.fails, 1);
    assert_int_equal(seen.code, DX_CLOSE_TOO_BIG);
    assert_int_equal(dx_endpoint_send(server, DX_OP_TEXT, "", 0), DX_ERR_CLOSED);
    dx_endpoint_free(client);
    dx_endpoint_free(server);
}

static void options_that_make_no_endpoint(void **state)
{
    struct dx_endpoint_options client = dx_endpoint_options_init(DX_ROLE_CLIENT);
    struct dx_endpoint_options server = dx_endpoint_options_init(DX_ROLE_SERVER);
    struct dx_endpoint *endpoint = NULL;

    (void)state;
    assert_int_equal(dx_endpoint_new(&client, &endpoint), DX_ERR_USAGE);
    server.max_fragments = 0;
    assert_int_equal(dx_endpoint_new(&server, &endpoint), DX_ERR_USAGE);
    server = dx_endpoint_options_init(DX_ROLE_SERVER);
    server.max_output = 16383;
    assert_int_equal(dx_endpoint_new(&server, &endpoint), DX_ERR_USAGE);
    assert_null(endpoint);
    client.fill_random = fill_nothing;
    assert_int_equal(dx_endpoint_new(&client, &endpoint), DX_OK);
    assert_int_equal(dx_endpoint_send(endpoint, DX_OP_TEXT, "x", 1), DX_ERR_SYSTEM);
    assert_int_equal(dx_endpoint_buffered_amount(endpoint), 0);
    dx_endpoint_free(endpoint);
    dx_endpoint_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conversation_in_any_pieces),  cmocka_unit_test(each_allocation_failing),
        cmocka_unit_test(what_waits_has_a_limit),        cmocka_unit_test(limits_of_what_comes),
        cmocka_unit_test(options_that_make_no_endpoint),
    };

    return run_group(tests, NULL, NULL);
}
