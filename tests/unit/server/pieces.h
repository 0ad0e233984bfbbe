/*
 * pieces.h - one answer in pieces at a time, and what it was told: for pieces_test.c and
 * pieces_ending_test.c.
 */
#ifndef TESTS_SERVER_PIECES_H
#define TESTS_SERVER_PIECES_H

#include "net/loop/loop.h"
#include "support/server/service.h"
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HOST "Host: localhost\r\n"
#define LATER "GET /later HTTP/1.1\r\n" HOST "\r\n"
#define PLAIN "GET /plain HTTP/1.1\r\n" HOST "\r\n"
#define CHUNKED_HEAD "Transfer-Encoding: chunked"

static struct service service;
static struct answer answer;
static uint8_t block[65536];

/* What the one response of a test was told. */
static struct {
    struct dx_response *response;
    size_t drain_count;
    size_t close_count;
    enum dx_err err;
    void (*drain)(struct dx_response *response);
    void (*close)(void);
} told;

static inline void on_drain(struct dx_response *response, void *user)
{
    assert_ptr_equal(user, &told);
    assert_false(dx_response_is_congested(response));
    told.drain_count++;
    if (told.drain != NULL)
        told.drain(response);
}

static inline void on_close(struct dx_response *response, enum dx_err err, void *user)
{
    assert_ptr_equal(user, &told);
    assert_ptr_equal(response, told.response);
    assert_int_equal(dx_response_write(response, "x", 1), DX_ERR_CLOSED);
    told.close_count++;
    told.err = err;
    if (told.close != NULL)
        told.close();
}

static const struct dx_response_handlers handlers = {
    .size = sizeof(handlers), .on_drain = on_drain, .on_close = on_close};

static inline bool has_closed(void *data)
{
    (void)data;
    return told.close_count > 0;
}

static inline bool one_is_kept(void *data)
{
    (void)data;
    return service.kept_count == 1;
}

static inline int start(uint32_t write_timeout_ms, uint32_t close_timeout_ms)
{
    struct service_setup setup = service_setup_init();

    memset(&told, 0, sizeof(told));
    if (write_timeout_ms > 0)
        setup.connection.write_timeout_ms = write_timeout_ms;
    if (close_timeout_ms > 0)
        setup.connection.close_timeout_ms = close_timeout_ms;
    return !service_start(&service, &setup);
}

static inline int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)(i * 7 + i / 251);
    return start(0, 0);
}

static inline int set_up_impatient(void **state)
{
    (void)state;
    return start(150, 150);
}

static inline int tear_down(void **state)
{
    (void)state;
    service_stop(&service);
    return 0;
}

static inline struct dx_request *take_kept(void)
{
    assert_true(service_wait(&service, one_is_kept, NULL, PATIENCE_MS));
    return service.kept[--service.kept_count];
}

static inline struct dx_response *answer_kept(uint16_t status, uint64_t len)
{
    static const struct dx_header header = {"X-Mine", "1"};
    struct dx_response_options options = dx_response_options_init();

    options.status = status;
    options.content_type = "text/plain";
    options.headers = &header;
    options.header_count = 1;
    options.len = len;
    options.handlers = &handlers;
    options.user = &told;
    assert_int_equal(dx_request_respond_in_pieces(take_kept(), &options, &told.response), DX_OK);
    return told.response;
}

static inline struct dx_response *begin(struct raw *raw, const char *text, uint16_t status,
                                        uint64_t len)
{
    (void)raw_connect(raw, &service, false);
    assert_true(raw_send_text(raw, text));
    return answer_kept(status, len);
}

static inline void write_text(struct dx_response *response, const char *text)
{
    assert_int_equal(dx_response_write(response, text, strlen(text)), DX_OK);
}

static inline void expect_text(struct raw *raw, const char *text)
{
    assert_true(raw_wait_len(raw, strlen(text)));
    assert_memory_equal(raw->in, text, strlen(text));
    raw_consume(raw, strlen(text));
}

static inline void expect_plain(struct raw *raw)
{
    assert_true(raw_wait_answer(raw, &answer, false));
    assert_int_equal(answer.status, 200);
    assert_memory_equal(answer.body, "hello\n", 6);
}

static inline void expect_closed(enum dx_err err)
{
    assert_true(service_wait(&service, has_closed, NULL, PATIENCE_MS));
    assert_int_equal(told.err, err);
    service_turn(&service, 5);
    assert_int_equal(told.close_count, 1);
    assert_int_equal(dx_loop_pool(service.loop)->used_len, 0);
}

/* Writes until the kernel takes no more and something waits. */
static inline void block_peer(struct dx_response *response)
{
    while (!dx_response_is_congested(response))
        assert_int_equal(dx_response_write(response, block, sizeof(block)), DX_OK);
}

#endif
