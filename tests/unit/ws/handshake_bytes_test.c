/*
 * handshake_bytes_test.c - the opening handshake from bytes to bytes: both sides joined at every
 * cut, each refusal with its status, each answer that breaks a rule.
 */
#include <duplex/handshake.h>

#include <stdio.h>
#include <string.h>

#include "support/test.h"

/* The example of RFC 6455 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define ASKED                                                                                      \
 "Host: a.example:81\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " KEY      \
 "\r\nSec-WebSocket-Version: 13\r\n"

static const char *const ours[] = {"chat.v2", "chat.v1"};

static enum dx_err answer_to(const char *request, size_t len, struct dx_handshake_upgrade *upgrade,
                             char answer[DX_HANDSHAKE_ANSWER_ROOM], size_t *answer_len)
{
    return dx_handshake_answer((const uint8_t *)request, len, ours, 2, upgrade, answer,
                               DX_HANDSHAKE_ANSWER_ROOM, answer_len);
}

static void check_slice(struct dx_slice slice, const char *text)
{
    assert_int_equal(slice.len, strlen(text));
    assert_memory_equal(slice.data, text, slice.len);
}

static void a_request_at_every_cut(void **state)
{
    static const char request[] =
        "GET /a/b?c=d HTTP/1.1\r\n" ASKED
        "Origin: https://a.example\r\nSec-WebSocket-Protocol: chat.v1, chat.v2\r\n\r\n\x81\x85";
    static const char wanted[] =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: chat.v2\r\n\r\n";
    size_t head_len = sizeof(request) - 3, answer_len = 99;
    char answer[DX_HANDSHAKE_ANSWER_ROOM] = "untouched";
    struct dx_handshake_upgrade upgrade = {.size = sizeof(upgrade), .head_len = 42};

    (void)state;
    for (size_t cut = 0; cut < head_len; cut++) {
        assert_int_equal(answer_to(request, cut, &upgrade, answer, &answer_len), DX_ERR_AGAIN);
        assert_int_equal(upgrade.head_len, 42);
        assert_int_equal(answer_len, 99);
        assert_string_equal(answer, "untouched");
    }
    for (size_t len = head_len; len < sizeof(request); len++) {
        assert_int_equal(answer_to(request, len, &upgrade, answer, &answer_len), DX_OK);
        assert_int_equal(upgrade.head_len, head_len);
        assert_int_equal(answer_len, strlen(wanted));
        assert_memory_equal(answer, wanted, answer_len);
        check_slice(upgrade.target, "/a/b?c=d");
        check_slice(upgrade.host, "a.example:81");
        check_slice(upgrade.origin, "https://a.example");
        assert_string_equal(upgrade.subprotocol, "chat.v2");
    }
}

static void refusals(void **state)
{
    static const struct {
        const char *request;
        const char *status;
        const char *header;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426 ", "\r\nUpgrade: websocket\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "426 ", "\r\nConnection: upgrade, close\r\n"},
        {"POST / HTTP/1.1\r\n" ASKED "\r\n", "405 ", "\r\nAllow: GET\r\n"},
        {"GET / HTTP/1.0\r\n" ASKED "\r\n", "400 ", "\r\nConnection: close\r\n"},
        {"GET /%zz HTTP/1.1\r\n" ASKED "Host: b\r\n\r\n", "400 ", "\r\nConnection: close\r\n"},
        {"GET / HTTP/2.0\r\n" ASKED "\r\n", "505 ", "\r\nConnection: close\r\n"},
        {"GET / HTTP/1.1\r\n" ASKED "Sec-WebSocket-Key: " KEY "\r\n\r\n", "400 ", "close"},
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Version: 12\r\n\r\n",
         "426 ", "\r\nSec-WebSocket-Version: 13\r\n"},
        {"GARBAGE\r\n\r\n", "400 ", "\r\nConnection: close\r\n"},
        {"\x16\x03\x01\x02", "400 ", "close"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char answer[DX_HANDSHAKE_ANSWER_ROOM + 1];
        struct dx_handshake_upgrade upgrade = {.size = sizeof(upgrade), .head_len = 42};
        size_t len = 0;

        if (answer_to(rows[i].request, strlen(rows[i].request), &upgrade, answer, &len) !=
            DX_ERR_REFUSED)
            fail_msg("not refused: %s", rows[i].request);
        answer[len] = '\0';
        assert_memory_equal(answer, "HTTP/1.1 ", 9);
        if (strncmp(answer + 9, rows[i].status, 4) != 0 || strstr(answer, rows[i].header) == NULL)
            fail_msg("%s: %s", rows[i].request, answer);
        assert_int_equal(upgrade.head_len, 42);
        for (size_t room = 0; room < len; room++)
            assert_int_equal(dx_handshake_answer((const uint8_t *)rows[i].request,
                                                 strlen(rows[i].request), ours, 2, &upgrade, answer,
                                                 room, &len),
                             DX_ERR_TOO_BIG);
    }
}

static void a_head_without_end_is_refused(void **state)
{
    static char request[DX_HANDSHAKE_HEAD_MAX + 2];
    char answer[DX_HANDSHAKE_ANSWER_ROOM];
    struct dx_handshake_upgrade upgrade = dx_handshake_upgrade_init();
    size_t len = 0, at = 0;

    (void)state;
    at = (size_t)snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n");
    while (at + 8 < sizeof(request)) {
        memcpy(request + at, (at / 6) % 600 ? "aaaaaa" : "a\r\nb: ", 6);
        at += 6;
    }
    memset(request + at, 'x', sizeof(request) - at);
    assert_int_equal(answer_to(request, sizeof(request), &upgrade, answer, &len), DX_ERR_REFUSED);
}

static const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN] = "the sample nonce";

static void a_client_and_a_server(void **state)
{
    static const struct dx_header extra = {"Authorization", "Bearer t"};
    struct dx_handshake_request request = dx_handshake_request_init("a.example", "/chat");
    char key[DX_HANDSHAKE_KEY_LEN + 1], text[1024], answer[DX_HANDSHAKE_ANSWER_ROOM + 64];
    struct dx_handshake_upgrade upgrade = dx_handshake_upgrade_init();
    struct dx_handshake_response response = {.size = sizeof(response), .head_len = 42};
    size_t len = 0, answer_len = 0;

    (void)state;
    request.subprotocols = ours;
    request.subprotocol_count = 2;
    request.origin = "https://a.example";
    request.headers = &extra;
    request.header_count = 1;
    assert_int_equal(dx_handshake_request_write(&request, nonce, key, text, sizeof(text), &len),
                     DX_OK);
    assert_string_equal(key, KEY);
    for (size_t room = 0; room < len; room++) {
        char small[1024];
        size_t small_len = 7;

        assert_int_equal(dx_handshake_request_write(&request, nonce, key, small, room, &small_len),
                         DX_ERR_TOO_BIG);
        assert_int_equal(small_len, 7);
    }
    /* An interim answer goes before ours. */
    answer_len =
        (size_t)snprintf(answer, sizeof(answer), "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n");
    {
        size_t rest = 0;

        assert_int_equal(answer_to(text, len, &upgrade, answer + answer_len, &rest), DX_OK);
        answer_len += rest;
    }
    for (size_t cut = 0; cut < answer_len; cut++) {
        assert_int_equal(
            dx_handshake_response_read(&request, key, (uint8_t *)answer, cut, &response),
            DX_ERR_AGAIN);
        assert_int_equal(response.head_len, 42);
    }
    assert_int_equal(
        dx_handshake_response_read(&request, key, (uint8_t *)answer, answer_len + 2, &response),
        DX_OK);
    assert_int_equal(response.head_len, answer_len);
    assert_int_equal(response.status, 101);
    assert_ptr_equal(response.subprotocol, ours[0]);
    assert_int_equal(response.extensions.len, 0);
}

static void requests_that_must_not_get_out(void **state)
{
    static const char *const twice[] = {"a", "a"};
    static const struct dx_header injected = {"X", "a\r\nY: b"};
    static const struct dx_header reserved = {"sec-websocket-key", "x"};
    struct dx_handshake_request rows[7];
    char key[DX_HANDSHAKE_KEY_LEN + 1], text[1024];
    size_t len = 7;

    (void)state;
    for (size_t i = 0; i < 7; i++)
        rows[i] = dx_handshake_request_init("a", "/");
    rows[0].target = "/a b";
    rows[1].target = "/a\r\nX: y";
    rows[2].host = "a\r\nX: y";
    rows[3].origin = "a\nb";
    rows[4].subprotocols = twice;
    rows[4].subprotocol_count = 2;
    rows[5].headers = &injected;
    rows[5].header_count = 1;
    rows[6].headers = &reserved;
    rows[6].header_count = 1;
    for (size_t i = 0; i < 7; i++) {
        if (dx_handshake_request_write(&rows[i], nonce, key, text, sizeof(text), &len) !=
            DX_ERR_USAGE)
            fail_msg("row %zu was written", i);
        assert_int_equal(len, 7);
    }
}

static void answers_that_open_nothing(void **state)
{
    static const struct {
        const char *answer;
        enum dx_err err;
        uint16_t status;
    } rows[] = {
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", DX_ERR_REFUSED, 401},
        {"HTTP/1.1 200 OK\r\n\r\n", DX_ERR_REFUSED, 200},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: wrong\r\n\r\n",
         DX_ERR_PROTOCOL, 101},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Protocol: other\r\n\r\n",
         DX_ERR_PROTOCOL, 101},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Accept: " ACCEPT "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
         DX_ERR_PROTOCOL, 101},
        {"SSH-2.0-OpenSSH\r\n", DX_ERR_PROTOCOL, 0},
    };
    struct dx_handshake_request request = dx_handshake_request_init("a", "/");

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dx_handshake_response response = {.size = sizeof(response), .head_len = 42};
        enum dx_err err = dx_handshake_response_read(&request, KEY, (const uint8_t *)rows[i].answer,
                                                     strlen(rows[i].answer), &response);

        if (err != rows[i].err || response.status != rows[i].status)
            fail_msg("%s: %s, %u", rows[i].answer, dx_err_name(err), response.status);
        assert_true((response.detail != NULL) == (err == DX_ERR_PROTOCOL));
    }
}

/* A server could say 103 for ever. */
static void interim_answers_have_an_end(void **state)
{
    static const char one[] = "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n";
    struct dx_handshake_request request = dx_handshake_request_init("a", "/");
    struct dx_handshake_response response = dx_handshake_response_init();
    static char many[DX_HANDSHAKE_HEAD_MAX + sizeof(one)];
    size_t len = 0;

    (void)state;
    while (len <= DX_HANDSHAKE_HEAD_MAX) {
        assert_int_equal(dx_handshake_response_read(&request, KEY, (uint8_t *)many, len, &response),
                         DX_ERR_AGAIN);
        memcpy(many + len, one, sizeof(one) - 1);
        len += sizeof(one) - 1;
    }
    assert_int_equal(dx_handshake_response_read(&request, KEY, (uint8_t *)many, len, &response),
                     DX_ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_at_every_cut),
        cmocka_unit_test(refusals),
        cmocka_unit_test(a_head_without_end_is_refused),
        cmocka_unit_test(a_client_and_a_server),
        cmocka_unit_test(requests_that_must_not_get_out),
        cmocka_unit_test(answers_that_open_nothing),
        cmocka_unit_test(interim_answers_have_an_end),
    };

    return run_group(tests, NULL, NULL);
}
