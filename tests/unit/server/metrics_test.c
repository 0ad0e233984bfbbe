/*
 * metrics_test.c - what a server counts, held against what was done to it; and its text, read by a
 * small parser of Prometheus' exposition format.
 */
#include "server/metrics.h"
#include "server/server.h"
#include "support/server/service.h"
#include "support/test.h"

#include <duplex/request.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUEST(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct service service;
static struct answer answer;
static struct dx_server_metrics now;

static void look(void)
{
    now = dx_server_metrics_init();
    dx_server_metrics(service.server, &now);
}

/* ---- a parser: 0.0.4, what of it a server may write ---- */

#define SAMPLES_MAX 64

struct sample {
    char name[256]; /* with its labels */
    uint64_t value;
};

static struct sample samples[SAMPLES_MAX];
static size_t sample_count, family_count;

static size_t name_len(const char *at)
{
    size_t len = 0;

    while (isalpha((unsigned char)at[len]) || at[len] == '_' || at[len] == ':' ||
           (len > 0 && isdigit((unsigned char)at[len])))
        len++;
    return len;
}

/* name="value" and a comma between them, in braces; values here have nothing to escape. */
static size_t labels_len(const char *at)
{
    size_t len = 1, part;

    if (at[0] != '{')
        return 0;
    do {
        part = name_len(at + len);
        assert_true(part > 0);
        len += part;
        assert_true(at[len] == '=' && at[len + 1] == '"');
        len += 2;
        while (at[len] != '"') {
            assert_true(at[len] != '\n' && at[len] != '\\' && at[len] != '\0');
            len++;
        }
        len++;
    } while (at[len++] == ',');
    assert_int_equal(at[len - 1], '}');
    return len;
}

static void read_sample(const char *line, const char *family, bool is_counter)
{
    size_t len = name_len(line), labels = labels_len(line + len);
    struct sample *sample = &samples[sample_count++];
    char *end;

    assert_true(sample_count <= SAMPLES_MAX);
    assert_true(len == strlen(family) && memcmp(line, family, len) == 0);
    assert_true(len > 6);
    assert_int_equal(is_counter, memcmp(line + len - 6, "_total", 6) == 0);
    assert_true(len + labels < sizeof(sample->name));
    memcpy(sample->name, line, len + labels);
    sample->name[len + labels] = '\0';
    assert_int_equal(line[len + labels], ' ');
    assert_true(isdigit((unsigned char)line[len + labels + 1]));
    sample->value = strtoull(line + len + labels + 1, &end, 10);
    assert_int_equal(*end, '\n');
    for (size_t i = 0; i + 1 < sample_count; i++)
        assert_string_not_equal(samples[i].name, sample->name);
}

/* "# HELP name text", then "# TYPE name kind". Returns what is behind both. */
static const char *read_family(const char *at, char family[128], bool *is_counter)
{
    size_t len;

    assert_memory_equal(at, "# HELP duplex_", 14);
    len = name_len(at + 7);
    assert_true(len < 128 && at[7 + len] == ' ' && at[8 + len] != '\n');
    memcpy(family, at + 7, len);
    family[len] = '\0';
    at = strchr(at, '\n') + 1;
    assert_memory_equal(at, "# TYPE ", 7);
    assert_true(memcmp(at + 7, family, len) == 0 && at[7 + len] == ' ');
    at += 8 + len;
    *is_counter = strncmp(at, "counter\n", 8) == 0;
    assert_true(*is_counter || strncmp(at, "gauge\n", 6) == 0);
    family_count++;
    return strchr(at, '\n') + 1;
}

static void parse(const char *text, size_t len)
{
    const char *at = text;
    char family[128] = "";
    bool is_counter = false;

    sample_count = family_count = 0;
    assert_int_equal(strlen(text), len);
    assert_int_equal(text[len - 1], '\n');
    while (*at != '\0') {
        if (*at == '#') {
            at = read_family(at, family, &is_counter);
            assert_true(*at != '#' && *at != '\0'); /* none without a sample */
        }
        read_sample(at, family, is_counter);
        at = strchr(at, '\n') + 1;
    }
}

static uint64_t value_of(const char *name)
{
    for (size_t i = 0; i < sample_count; i++)
        if (strcmp(samples[i].name, name) == 0)
            return samples[i].value;
    fail_msg("there is no %s", name);
    return 0;
}

/* ---- text ---- */

static void test_text(void **state)
{
    const struct dx_server_metrics metrics = {
        sizeof(metrics), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, {11, 12, 13, 14, 15}, 16, 17, 18, 19};
    static const char *const names[] = {"duplex_streams",
                                        "duplex_websockets",
                                        "duplex_half_open",
                                        "duplex_buffered_bytes",
                                        "duplex_streams_accepted_total",
                                        "duplex_streams_refused_total",
                                        "duplex_websockets_opened_total",
                                        "duplex_websockets_closed_total{how=\"clean\"}",
                                        "duplex_websockets_closed_total{how=\"broken\"}",
                                        "duplex_requests_total",
                                        "duplex_responses_total{class=\"1xx\"}",
                                        "duplex_responses_total{class=\"2xx\"}",
                                        "duplex_responses_total{class=\"3xx\"}",
                                        "duplex_responses_total{class=\"4xx\"}",
                                        "duplex_responses_total{class=\"5xx\"}",
                                        "duplex_messages_total{direction=\"in\"}",
                                        "duplex_payload_bytes_total{direction=\"in\"}",
                                        "duplex_messages_total{direction=\"out\"}",
                                        "duplex_payload_bytes_total{direction=\"out\"}"};
    char text[DX_METRICS_TEXT_MAX];

    (void)state;
    parse(text, dx_metrics_write(&metrics, text));
    assert_int_equal(sample_count, 19);
    assert_int_equal(family_count, 12);
    for (size_t i = 0; i < 19; i++)
        assert_int_equal(value_of(names[i]), i + 1);
}

/* The longest text there can be fits. */
static void test_room(void **state)
{
    struct dx_server_metrics metrics = dx_server_metrics_init();
    char text[DX_METRICS_TEXT_MAX];
    size_t len;

    (void)state;
    memset(&metrics, 0xff, sizeof(metrics));
    memset(text, 'x', sizeof(text));
    len = dx_metrics_write(&metrics, text);
    assert_true(len < DX_METRICS_TEXT_MAX / 2); /* there is room for as much again */
    parse(text, len);
    assert_true(value_of("duplex_payload_bytes_total{direction=\"out\"}") == UINT64_MAX);
    print_message("the longest text: %zu bytes\n", len);
}

/* ---- numbers ---- */

static bool are_gone(void *data)
{
    (void)data;
    look();
    return now.streams == 0;
}

static void start(void)
{
    struct service_setup setup = service_setup_init();

    assert_true(service_start(&service, &setup));
}

static void ask(const char *request, unsigned status)
{
    struct raw raw;

    (void)raw_connect(&raw, &service, false);
    assert_true(raw_send_text(&raw, request));
    assert_true(raw_wait_answer(&raw, &answer, false));
    assert_int_equal(answer.status, status);
    raw_close(&raw);
}

static void test_requests(void **state)
{
    (void)state;
    start();
    look();
    assert_int_equal(now.streams_accepted + now.requests + now.responses[1], 0);
    ask(REQUEST("/plain"), 200);
    ask(REQUEST("/plain"), 200);
    ask(REQUEST("/plain/../..//x"), 400);
    ask("GET /plain HTTP/1.1\r\nHost: a b\r\n\r\n", 400);
    ask("no request at all\r\n\r\n", 400); /* its head is none */
    ask("GET /plain HTTP/1.1\r\nHost: foreign.example\r\n\r\n", 421);
    assert_true(service_wait(&service, are_gone, NULL, PATIENCE_MS));
    assert_int_equal(now.streams_accepted, 6);
    assert_int_equal(now.streams_refused, 0);
    assert_int_equal(now.requests, 5);
    assert_int_equal(now.responses[0], 0);
    assert_int_equal(now.responses[1], 2);
    assert_int_equal(now.responses[3], 4);
    assert_int_equal(now.responses[4], 0);
    assert_int_equal(now.half_open, 0);
    service_stop(&service);
}

/* Those that are open count as those that have gone. */
static void test_websockets(void **state)
{
    static const uint8_t close_frame[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};
    struct raw clean, broken, silent;
    struct frame frame;

    (void)state;
    start();
    assert_true(raw_open(&clean, &service, "/"));
    assert_true(raw_open(&broken, &service, "/"));
    (void)raw_connect(&silent, &service, false);
    assert_true(raw_echo(&clean, "12345"));
    assert_true(raw_echo(&broken, "123"));
    assert_true(raw_echo(&broken, "1"));
    look();
    assert_int_equal(now.websockets, 2);
    assert_int_equal(now.streams, 3);
    assert_int_equal(now.half_open, 1);
    assert_int_equal(now.websockets_opened, 2);
    assert_int_equal(now.websockets_closed_clean + now.websockets_closed_broken, 0);
    assert_int_equal(now.responses[0], 2);
    assert_int_equal(now.messages_in, 3);
    assert_int_equal(now.bytes_in, 9);
    assert_int_equal(now.messages_out, 3);
    assert_int_equal(now.bytes_out, 9);
    assert_true(raw_send(&clean, close_frame, sizeof(close_frame), 0));
    assert_true(raw_wait_frame(&clean, &frame) && raw_wait_end(&clean));
    raw_close(&clean);
    raw_close(&broken);
    raw_close(&silent);
    assert_true(service_wait(&service, are_gone, NULL, PATIENCE_MS));
    assert_int_equal(now.websockets, 0);
    assert_int_equal(now.websockets_opened, 2);
    assert_int_equal(now.websockets_closed_clean, 1);
    assert_int_equal(now.websockets_closed_broken, 1);
    assert_int_equal(now.messages_in, 3);
    assert_int_equal(now.bytes_out, 9);
    assert_int_equal(now.buffered_bytes, 0);
    service_stop(&service);
}

static bool has_200_bytes(void *data)
{
    (void)data;
    look();
    return now.bytes_in == 200;
}

/* A message that has not come whole has bytes, which wait in a buffer, and is none yet. */
static void test_half_a_message(void **state)
{
    char payload[200] = {0};
    uint8_t frame[300];
    struct raw raw;
    size_t len;

    (void)state;
    start();
    assert_true(raw_open(&raw, &service, "/"));
    len = frame_write(frame, 0x02, payload, sizeof(payload));
    assert_true(raw_send(&raw, frame, len, 0));
    assert_true(service_wait(&service, has_200_bytes, NULL, PATIENCE_MS));
    assert_int_equal(now.messages_in, 0);
    assert_true(now.buffered_bytes >= 200);
    len = frame_write(frame, 0x80, payload, sizeof(payload));
    assert_true(raw_send(&raw, frame, len, 0));
    assert_true(raw_wait_len(&raw, 404));
    look();
    assert_int_equal(now.messages_in, 1);
    assert_int_equal(now.messages_out, 1);
    assert_int_equal(now.bytes_in, 400);
    assert_int_equal(now.bytes_out, 400);
    raw_close(&raw);
    service_stop(&service);
}

/* For want of a place: above max_connections with an answer, far above it without. */
static void test_refused(void **state)
{
    struct service_setup setup = service_setup_init();
    struct raw raws[DX_SERVER_SPARE_STREAMS + 2];
    size_t count = DX_SERVER_SPARE_STREAMS + 1;

    (void)state;
    setup.options.max_connections = 1;
    assert_true(service_start(&service, &setup));
    for (size_t i = 0; i < count; i++) {
        (void)raw_connect(&raws[i], &service, false);
        service_turn(&service, 0);
    }
    (void)raw_connect(&raws[count], &service, false);
    assert_true(raw_wait_end(&raws[count]));
    look();
    assert_int_equal(now.streams_accepted, count + 1);
    assert_int_equal(now.streams_refused, count);
    assert_int_equal(now.streams, count);
    for (size_t i = 0; i <= count; i++)
        raw_close(&raws[i]);
    service_stop(&service);
}

/* ---- the route ---- */

static const struct dx_response_handlers no_handlers = {.size = sizeof(no_handlers)};

static void on_pieces(struct dx_request *request, void *user)
{
    struct dx_response_options options = dx_response_options_init();
    struct dx_response *response;

    (void)user;
    options.status = 206;
    options.content_type = "text/plain";
    options.len = 4;
    options.handlers = &no_handlers;
    if (dx_request_respond_in_pieces(request, &options, &response) != DX_OK)
        return;
    assert_int_equal(dx_response_write(response, "half", 4), DX_OK);
    dx_response_end(response);
}

static void on_redirected(struct dx_request *request, void *user)
{
    static const struct dx_header location = {"Location", "/"};

    (void)user;
    dx_request_respond(request, 303, NULL, &location, 1, "", 0);
}

static void on_failing(struct dx_request *request, void *user)
{
    static const struct dx_header broken = {"no header", ""};

    (void)user;
    dx_request_respond(request, 200, NULL, &broken, 1, "", 0);
}

static bool add_routes(struct service *at, void *data)
{
    const struct dx_route pieces = {
        .size = sizeof(pieces), .on_request = on_pieces, .wants_plain = true};
    const struct dx_route redirected = {
        .size = sizeof(redirected), .on_request = on_redirected, .wants_plain = true};
    const struct dx_route failing = {
        .size = sizeof(failing), .on_request = on_failing, .wants_plain = true};

    (void)data;
    return dx_server_route_metrics(at->server, "/metrics") == DX_OK &&
           dx_server_route(at->server, "/pieces", &pieces) == DX_OK &&
           dx_server_route(at->server, "/redirected", &redirected) == DX_OK &&
           dx_server_route(at->server, "/failing", &failing) == DX_OK;
}

/* Each kind of answer, once: one that cannot be composed is the 500 that is sent in its place. */
static void test_classes(void **state)
{
    struct service_setup setup = service_setup_init();

    (void)state;
    setup.prepare = add_routes;
    assert_true(service_start(&service, &setup));
    ask(REQUEST("/pieces"), 206);
    ask(REQUEST("/redirected"), 303);
    ask(REQUEST("/failing"), 500);
    ask(REQUEST("/nowhere"), 404);
    look();
    assert_int_equal(now.requests, 4);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(now.responses[i], i > 0);
    service_stop(&service);
}

static void test_route(void **state)
{
    struct service_setup setup = service_setup_init();

    (void)state;
    setup.prepare = add_routes;
    assert_true(service_start(&service, &setup));
    assert_int_equal(dx_server_route_metrics(service.server, "/more"), DX_ERR_STATE);
    ask(REQUEST("/metrics"), 200);
    assert_true(answer_has(&answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8"));
    assert_true(answer_has(&answer, "Cache-Control: no-store"));
    answer.body[answer.body_len] = '\0';
    parse(answer.body, answer.body_len);
    assert_int_equal(value_of("duplex_requests_total"), 1);
    assert_int_equal(value_of("duplex_responses_total{class=\"2xx\"}"), 0);
    ask(REQUEST("/metrics"), 200);
    answer.body[answer.body_len] = '\0';
    parse(answer.body, answer.body_len);
    assert_int_equal(value_of("duplex_requests_total"), 2);
    assert_int_equal(value_of("duplex_responses_total{class=\"2xx\"}"), 1);
    ask("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405);
    assert_true(answer_has(&answer, "Allow: GET, HEAD"));
    ask(REQUEST("/metrics/more"), 404);
    service_stop(&service);
}

static void test_usage(void **state)
{
    char text[DX_METRICS_TEXT_MAX] = "as it was";
    size_t len = 4711;

    (void)state;
    start();
    assert_int_equal(dx_server_metrics_text(service.server, text, DX_METRICS_TEXT_MAX - 1, &len),
                     DX_ERR_TOO_BIG);
    assert_int_equal(len, 4711);
    assert_string_equal(text, "as it was");
    assert_int_equal(dx_server_metrics_text(service.server, text, sizeof(text), &len), DX_OK);
    parse(text, len);
    service_stop(&service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),           cmocka_unit_test(test_room),
        cmocka_unit_test(test_requests),       cmocka_unit_test(test_websockets),
        cmocka_unit_test(test_half_a_message), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_classes),        cmocka_unit_test(test_route),
        cmocka_unit_test(test_usage),
    };

    return run_group(tests, NULL, NULL);
}
