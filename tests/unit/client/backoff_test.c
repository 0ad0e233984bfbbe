/*
 * backoff_test.c - delays as a pure function, and what is worth another attempt, row by row.
 */
#include "client/websocket/backoff.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

#define CLIENT_COUNT 1000
#define SEED_COUNT 200
#define SLOT_MS 100

static uint32_t random_of(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 32);
}

/* Doubling, capped, and the random part of it. */
static void test_delays(void **state)
{
    struct dx_reconnect_options options = {
        .size = sizeof(options), .first_delay_ms = 500, .max_delay_ms = 30000};
    const uint32_t most[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000};

    (void)state;
    for (uint32_t attempt = 1; attempt <= 9; attempt++) {
        assert_int_equal(dx_backoff_delay(&options, attempt, 0), 0);
        assert_int_equal(dx_backoff_delay(&options, attempt, UINT32_MAX), most[attempt - 1] - 1);
        assert_int_equal(dx_backoff_delay(&options, attempt, 1u << 31), most[attempt - 1] / 2);
    }
    assert_int_equal(dx_backoff_delay(&options, UINT32_MAX, UINT32_MAX), 29999);
    options.first_delay_ms = options.max_delay_ms = UINT32_MAX;
    assert_int_equal(dx_backoff_delay(&options, 40, UINT32_MAX), UINT32_MAX - 1);
}

/*
 * Of 1,000 clients whose server comes back no 100 ms holds more than 5 %, with the defaults, at the
 * first attempt.
 */
static void test_spread(void **state)
{
    struct dx_reconnect_options defaults = dx_reconnect_options_init();
    uint64_t seed = 1;
    unsigned most = 0;

    (void)state;
    for (int i = 0; i < SEED_COUNT; i++) {
        unsigned slots[400] = {0};

        for (int client = 0; client < CLIENT_COUNT; client++) {
            uint32_t delay = dx_backoff_delay(&defaults, 1, random_of(&seed));
            unsigned held = ++slots[delay / SLOT_MS];

            most = held > most ? held : most;
        }
    }
    print_message("%d times %d clients: at most %u in 100 ms\n", SEED_COUNT, CLIENT_COUNT, most);
    assert_true(most <= CLIENT_COUNT / 20);
}

static const struct row {
    const char *id;
    enum dx_failure_step step; /* 0: a clean close */
    enum dx_err err;
    uint16_t value; /* HTTP status, or close code */
    bool is_worth_it;
} rows[] = {
    {"1000", 0, DX_OK, 1000, false},
    {"1001 going away", 0, DX_OK, 1001, true},
    {"1002", 0, DX_OK, 1002, false},
    {"1003", 0, DX_OK, 1003, false},
    {"1005 no code", 0, DX_OK, 1005, true},
    {"1007", 0, DX_OK, 1007, false},
    {"1008 policy", 0, DX_OK, 1008, false},
    {"1009", 0, DX_OK, 1009, false},
    {"1010", 0, DX_OK, 1010, false},
    {"1011", 0, DX_OK, 1011, true},
    {"1012 restart", 0, DX_OK, 1012, true},
    {"1013 later", 0, DX_OK, 1013, true},
    {"4000", 0, DX_OK, 4000, true},
    {"no address", DX_STEP_RESOLVE, DX_ERR_RESOLVE, 0, true},
    {"nobody accepts", DX_STEP_CONNECT, DX_ERR_CONNECT, 0, true},
    {"connecting takes too long", DX_STEP_CONNECT, DX_ERR_TIMEOUT, 0, true},
    {"no descriptor", DX_STEP_CONNECT, DX_ERR_DESCRIPTORS, 0, true},
    {"a blocked port", DX_STEP_CONNECT, DX_ERR_ACCESS, 0, false},
    {"a path that is too long", DX_STEP_CONNECT, DX_ERR_USAGE, 0, false},
    {"a proxy that is away", DX_STEP_PROXY, DX_ERR_CONNECT, 0, true},
    {"a proxy that refuses", DX_STEP_PROXY, DX_ERR_REFUSED, 0, false},
    {"407", DX_STEP_PROXY, DX_ERR_REFUSED, 407, false},
    {"a proxy's 502", DX_STEP_PROXY, DX_ERR_REFUSED, 502, true},
    {"a wrong certificate", DX_STEP_TLS, DX_ERR_TLS, 0, false},
    {"authorities that cannot be read", DX_STEP_TLS, DX_ERR_BAD_CERTIFICATE, 0, false},
    {"TLS broken off", DX_STEP_TLS, DX_ERR_RESET, 0, true},
    {"TLS takes too long", DX_STEP_TLS, DX_ERR_TIMEOUT, 0, true},
    {"400", DX_STEP_UPGRADE, DX_ERR_REFUSED, 400, false},
    {"401", DX_STEP_UPGRADE, DX_ERR_REFUSED, 401, false},
    {"403", DX_STEP_UPGRADE, DX_ERR_REFUSED, 403, false},
    {"404", DX_STEP_UPGRADE, DX_ERR_REFUSED, 404, false},
    {"408", DX_STEP_UPGRADE, DX_ERR_REFUSED, 408, true},
    {"425", DX_STEP_UPGRADE, DX_ERR_REFUSED, 425, true},
    {"429", DX_STEP_UPGRADE, DX_ERR_REFUSED, 429, true},
    {"200", DX_STEP_UPGRADE, DX_ERR_REFUSED, 200, false},
    {"301", DX_STEP_UPGRADE, DX_ERR_REFUSED, 301, false},
    {"500", DX_STEP_UPGRADE, DX_ERR_REFUSED, 500, true},
    {"503", DX_STEP_UPGRADE, DX_ERR_REFUSED, 503, true},
    {"a wrong accept key", DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, 0, false},
    {"a subprotocol that was not offered", DX_STEP_HANDSHAKE, DX_ERR_PROTOCOL, 0, false},
    {"a handshake broken off", DX_STEP_HANDSHAKE, DX_ERR_CLOSED, 0, true},
    {"no memory for it", DX_STEP_HANDSHAKE, DX_ERR_NOMEM, 0, true},
    {"a broken frame", DX_STEP_PROTOCOL, DX_ERR_PROTOCOL, 0, false},
    {"not UTF-8", DX_STEP_PROTOCOL, DX_ERR_UTF8, 0, false},
    {"too big", DX_STEP_PROTOCOL, DX_ERR_TOO_BIG, 0, false},
    {"a message that does not go on", DX_STEP_PROTOCOL, DX_ERR_TIMEOUT, 0, true},
    {"no sign of life", DX_STEP_HEARTBEAT, DX_ERR_TIMEOUT, 0, true},
    {"lost", DX_STEP_LOST, DX_ERR_RESET, 0, true},
    {"closed by ourselves", DX_STEP_CLOSED, DX_ERR_CLOSED, 0, false},
};

static void test_worth(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct dx_error_event error = {.step = row->step, .err = row->err};
        struct dx_close_event close = {.code = row->step == 0 ? row->value : 1006};

        error.http_status = row->value;
        if (dx_backoff_is_worth_it(row->step == 0 ? NULL : &error, &close) != row->is_worth_it)
            fail_msg("%s", row->id);
    }
    print_message("%zu rows\n", sizeof(rows) / sizeof(rows[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delays),
        cmocka_unit_test(test_spread),
        cmocka_unit_test(test_worth),
    };

    return run_group(tests, NULL, NULL);
}
