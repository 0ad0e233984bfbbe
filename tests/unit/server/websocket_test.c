/*
 * websocket_test.c - what an idle WebSocket costs: one block of the heap, and no more bytes of it
 * than is said here.
 */
#include "connection/connection_parts.h"
#include "server/connections/websocket.h"
#include "support/failing/allocator.h"
#include "support/server/service.h"
#include "support/test.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_COUNT 8
#define IDLE_LEN                                                                                   \
 384 /* with the allocator's own bytes; what grows it is paid for by every idle connection */

#define ID_LEN (sizeof(void *) + sizeof(uint32_t)) /* its place in the table: object, generation */

static struct service service;

static void test_bytes(void **state)
{
    struct dx_slice path = {(const uint8_t *)"/", 1};
    size_t len = sizeof(struct dx_connection) + dx_server_websocket_len("127.0.0.1:65535", path);
    void *block = malloc(len);
    size_t taken = malloc_usable_size(block) + sizeof(size_t);

    (void)state;
    print_message("an idle WebSocket: %zu bytes, %zu of the heap, %zu in the table of ids\n", len,
                  taken, ID_LEN);
    assert_true(taken + ID_LEN <= IDLE_LEN);
    free(block);
}

static void test_one_block(void **state)
{
    struct service_setup setup = service_setup_init();
    struct raw first, raws[OPEN_COUNT];

    (void)state;
    assert_true(service_start(&service, &setup));
    /* What the loop keeps for the next one is made by the first. */
    assert_true(raw_open(&first, &service, "/") && raw_echo(&first, "one"));
    failing_allocator_start(0);
    for (size_t i = 0; i < OPEN_COUNT; i++)
        assert_true(raw_open(&raws[i], &service, "/") && raw_echo(&raws[i], "one"));
    service_turn(&service, 5);
    assert_int_equal(failing_allocator_live(), OPEN_COUNT);
    for (size_t i = 0; i < OPEN_COUNT; i++)
        raw_close(&raws[i]);
    raw_close(&first);
    service_turn(&service, 50);
    assert_int_equal(failing_allocator_live(), 0);
    failing_allocator_stop();
    service_stop(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_one_block),
    };

    return run_group(tests, NULL, NULL);
}
