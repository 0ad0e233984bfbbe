/*
 * handshake_test.c - the opening handshake, one row a rule: a request as it stands on the wire and
 * the exact answer, for the server; a response and the verdict on it, for the client. Each head is
 * parsed whole and byte by byte.
 *
 * The rows' names are referred to elsewhere (tests/project/guards.py): keep them.
 */
#include "ws/handshake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/test.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* clang-format off */
#define GET "GET /chat HTTP/1.1\r\n"
#define HOST "Host: example.com\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define WITH_KEY "Sec-WebSocket-Key: " KEY "\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define ALL GET HOST UPGRADE CONNECTION WITH_KEY VERSION
/* clang-format on */

static const char *const subprotocols[] = {"chat.v2", "chat"};

static enum dx_head_status parse(struct dx_head *head, enum dx_head_kind kind, const char *text,
                                 size_t step)
{
    struct dx_head_limits limits = dx_head_limits_init();
    enum dx_head_status status = DX_HEAD_MORE;
    size_t len = strlen(text);

    dx_head_init(head, kind);
    for (size_t at = step < len ? step : len; status == DX_HEAD_MORE;
         at = at + step < len ? at + step : len) {
        status = dx_head_parse(head, &limits, (const uint8_t *)text, at);
        if (at == len)
            break;
    }
    return status;
}

/* ---- the server's side ---- */

struct server_row {
    const char *name;
    const char *request; /* without its empty line */
    uint16_t status;
    const char *header; /* that the answer must carry, or the 101's further lines */
    const char *detail;
};

#define CHAT_CHOSEN "Sec-WebSocket-Protocol: chat\r\n"
#define GET_ONLY "Allow: GET", "a WebSocket handshake uses GET"
#define NO_UPGRADE "Upgrade: websocket", "this address accepts WebSocket connections only"
#define NO_13 "Sec-WebSocket-Version: 13", "only version 13 of WebSocket is spoken here"
#define BAD_KEY "", "Sec-WebSocket-Key is not the base64 of 16 bytes"
#define BAD_EXTENSIONS "", "Sec-WebSocket-Extensions breaks its grammar"
#define BAD_SUBPROTOCOLS "", "Sec-WebSocket-Protocol is not a list of tokens"
#define HAS_BODY "", "a request for a WebSocket has no body"

/* clang-format off */
static const struct server_row server_rows[] = {
    {"the example of RFC 6455 1.3", ALL, 101, "", NULL},
    {"the order, case and blanks of headers do not matter", "GET / HTTP/1.1\r\nSEC-websocket-VERSION:13\r\nsec-websocket-key:\t" KEY " \t\r\nconnection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\nhost: h\r\n", 101, "", NULL},
    {"lists over several lines are one list", GET HOST "Upgrade: h2c\r\nUpgrade: foo, websocket\r\nConnection: keep-alive\r\nConnection: upgrade\r\n" WITH_KEY VERSION, 101, "", NULL},
    {"HTTP/1.2 is treated as 1.1", "GET / HTTP/1.2\r\n" HOST UPGRADE CONNECTION WITH_KEY VERSION, 101, "", NULL},
    {"Content-Length: 0 is no body", ALL "Content-Length: 0\r\n", 101, "", NULL},

    {"A1 POST", "POST / HTTP/1.1\r\n" HOST UPGRADE CONNECTION WITH_KEY VERSION "Content-Length: 0\r\n", 405, GET_ONLY},
    {"A1 PUT", "PUT / HTTP/1.1\r\n" HOST UPGRADE CONNECTION WITH_KEY VERSION, 405, GET_ONLY},
    {"A1 HEAD", "HEAD / HTTP/1.1\r\n" HOST UPGRADE CONNECTION WITH_KEY VERSION, 405, GET_ONLY},
    {"A1 get in small letters", "get / HTTP/1.1\r\n" HOST UPGRADE CONNECTION WITH_KEY VERSION, 405, GET_ONLY},
    {"A2 HTTP/1.0", "GET / HTTP/1.0\r\n" HOST UPGRADE CONNECTION WITH_KEY VERSION, 400, "", "a WebSocket handshake needs HTTP/1.1"},
    {"A3 no Upgrade", GET HOST CONNECTION WITH_KEY VERSION, 426, NO_UPGRADE},
    {"A3 Upgrade to h2c", GET HOST "Upgrade: h2c\r\n" CONNECTION WITH_KEY VERSION, 426, NO_UPGRADE},
    {"A3 Upgrade to websockets", GET HOST "Upgrade: websockets\r\n" CONNECTION WITH_KEY VERSION, 426, NO_UPGRADE},
    {"A4 no Connection", GET HOST UPGRADE WITH_KEY VERSION, 400, "", "Connection does not list upgrade"},
    {"A4 Connection: keep-alive", GET HOST UPGRADE "Connection: keep-alive\r\n" WITH_KEY VERSION, 400, "", "Connection does not list upgrade"},
    {"A4 Connection: upgrade2", GET HOST UPGRADE "Connection: upgrade2, xupgrade\r\n" WITH_KEY VERSION, 400, "", "Connection does not list upgrade"},
    {"A5 no version", GET HOST UPGRADE CONNECTION WITH_KEY, 426, NO_13},
    {"A5 version 7", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version: 7\r\n", 426, NO_13},
    {"A5 version 8", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version: 8\r\n", 426, NO_13},
    {"A5 version 12", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version: 12\r\n", 426, NO_13},
    {"A5 version 14", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version: 14\r\n", 426, NO_13},
    {"A5 version 13, 8", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version: 13, 8\r\n", 426, NO_13},
    {"A5 version 13x", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version: 13x\r\n", 426, NO_13},
    {"A5 version 013", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version: 013\r\n", 426, NO_13},
    {"A5 version of no text", GET HOST UPGRADE CONNECTION WITH_KEY "Sec-WebSocket-Version:\r\n", 426, NO_13},
    {"A6 no key", GET HOST UPGRADE CONNECTION VERSION, 400, "", "Sec-WebSocket-Key is missing"},
    {"A6 key of no text", GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key:\r\n", 400, BAD_KEY},
    {"A6 key of 15 bytes", GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n", 400, BAD_KEY},
    {"A6 key of 17 bytes", GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n", 400, BAD_KEY},
    {"A6 key that is not base64", GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25*ZQ==\r\n", 400, BAD_KEY},
    {"A6 key without padding", GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", 400, BAD_KEY},
    {"A6 key that is not canonical", GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n", 400, BAD_KEY},
    {"A6 key with a blank in it", GET HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j ZQ==\r\n", 400, BAD_KEY},
    {"A7 two keys", ALL WITH_KEY, 400, "", "Sec-WebSocket-Key comes more than once"},
    {"A7 two versions", ALL VERSION, 400, "", "Sec-WebSocket-Version comes more than once"},
    {"A7 two versions that differ", ALL "Sec-WebSocket-Version: 8\r\n", 400, "", "Sec-WebSocket-Version comes more than once"},
    {"A11 Content-Length", ALL "Content-Length: 5\r\n", 400, HAS_BODY},
    {"A11 chunked body", ALL "Transfer-Encoding: chunked\r\n", 400, HAS_BODY},
    {"A14 none of the subprotocols is ours", ALL "Sec-WebSocket-Protocol: mqtt, soap\r\n", 101, "", NULL},
    {"A14 one of the subprotocols is ours", ALL "Sec-WebSocket-Protocol: mqtt, chat\r\n", 101, CHAT_CHOSEN, NULL},
    {"A14 subprotocols over several lines", ALL "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Protocol: chat\r\n", 101, CHAT_CHOSEN, NULL},
    {"A14 our order of subprotocols counts", ALL "Sec-WebSocket-Protocol: chat, chat.v2\r\n", 101, "Sec-WebSocket-Protocol: chat.v2\r\n", NULL},
    {"A14 the case of subprotocols counts", ALL "Sec-WebSocket-Protocol: Chat\r\n", 101, "", NULL},
    {"A14 a subprotocol that is no token", ALL "Sec-WebSocket-Protocol: ch@t\r\n", 400, BAD_SUBPROTOCOLS},
    {"A14 a quoted subprotocol", ALL "Sec-WebSocket-Protocol: \"chat\"\r\n", 400, BAD_SUBPROTOCOLS},
    {"A15 unknown extension", ALL "Sec-WebSocket-Extensions: foo; bar=1, x-webkit-deflate-frame\r\n", 101, "", NULL},
    {"A15 unterminated quote", ALL "Sec-WebSocket-Extensions: foo; bar=\"1\r\n", 400, BAD_EXTENSIONS},
    {"A15 two semicolons", ALL "Sec-WebSocket-Extensions: foo;; bar\r\n", 400, BAD_EXTENSIONS},
    {"A15 semicolon at the end", ALL "Sec-WebSocket-Extensions: foo;\r\n", 400, BAD_EXTENSIONS},
    {"A15 extension without a name", ALL "Sec-WebSocket-Extensions: ;bar=1\r\n", 400, BAD_EXTENSIONS},
    {"A15 parameter without a name", ALL "Sec-WebSocket-Extensions: foo; =1\r\n", 400, BAD_EXTENSIONS},
    {"A15 parameter without the value it announces", ALL "Sec-WebSocket-Extensions: foo; bar=\r\n", 400, BAD_EXTENSIONS},
    {"A15 quoted value that is no token", ALL "Sec-WebSocket-Extensions: foo; bar=\"a b\"\r\n", 400, BAD_EXTENSIONS},
    {"A15 two words", ALL "Sec-WebSocket-Extensions: foo bar\r\n", 400, BAD_EXTENSIONS},
    {"A15 extension of ours", ALL "Sec-WebSocket-Extensions: foo, x-test; size=10\r\n", 101, "Sec-WebSocket-Extensions: x-test; size=10\r\n", NULL},
    {"A15 quoted value with an escape", ALL "Sec-WebSocket-Extensions: x-test ; size = \"1\\0\"\r\n", 101, "Sec-WebSocket-Extensions: x-test; size=10\r\n", NULL},
    {"A15 bad parameter declines that offer", ALL "Sec-WebSocket-Extensions: x-test; size=99, x-test; nonsense, x-test; size=10\r\n", 101, "Sec-WebSocket-Extensions: x-test; size=10\r\n", NULL},
    {"A15 all offers declined", ALL "Sec-WebSocket-Extensions: x-test; size=99\r\nSec-WebSocket-Extensions: x-test; size\r\n", 101, "", NULL},
};
/* clang-format on */

/* An extension that agrees to size=10 and to nothing else. */
static bool accept_size_10(void *context, struct dx_extension offer,
                           char answer[DX_EXTENSION_ANSWER_MAX])
{
    struct dx_extension_parameter parameter;
    bool has_size = false;

    (void)context;
    while (dx_extension_next(&offer, &parameter) == DX_EXTENSION_PARAMETER) {
        char value[8];

        if (!dx_slice_is(parameter.name, "size") || parameter.value.data == NULL ||
            !dx_extension_value(&parameter, value, sizeof(value)) || strcmp(value, "10") != 0)
            return false;
        has_size = true;
    }
    snprintf(answer, DX_EXTENSION_ANSWER_MAX, "x-test; size=10");
    return has_size;
}

static void write_answer(const struct dx_head *head, const struct dx_handshake_verdict *verdict,
                         char *text, size_t room)
{
    static const struct dx_extension_rule rule = {"x-test", accept_size_10, NULL};
    char extension[DX_EXTENSION_ANSWER_MAX];
    struct dx_response_head response;
    size_t len = 0;

    dx_handshake_choose_extension(head, &rule, 1, extension);
    dx_handshake_respond(&response, text, room - 1, verdict,
                         dx_handshake_choose_subprotocol(head, subprotocols, 2), extension);
    assert_int_equal(dx_response_head_end(&response, &len), DX_OK);
    text[len] = '\0';
}

static void check_server_row(const struct server_row *row, size_t step)
{
    struct dx_handshake_verdict verdict;
    struct dx_head head;
    char request[2048], got[1024], wanted[1024];

    snprintf(request, sizeof(request), "%s\r\n", row->request);
    assert_int_equal(parse(&head, DX_HEAD_REQUEST, request, step), DX_HEAD_DONE);
    assert_int_equal(dx_handshake_judge(&head, &verdict), row->status == 101);
    if (row->status == 101) {
        write_answer(&head, &verdict, got, sizeof(got));
        snprintf(wanted, sizeof(wanted),
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: " ACCEPT "\r\n%s\r\n",
                 row->header);
    } else {
        snprintf(got, sizeof(got), "%d %s%s%s %s", verdict.refusal.status,
                 verdict.header_name ? verdict.header_name : "", verdict.header_name ? ": " : "",
                 verdict.header_name ? verdict.header_value : "", verdict.refusal.detail);
        snprintf(wanted, sizeof(wanted), "%d %s %s", row->status, row->header, row->detail);
    }
    assert_string_equal(got, wanted);
}

static void check_server(void **state)
{
    check_server_row(*state, SIZE_MAX / 2);
    check_server_row(*state, 1);
}

/* ---- the client's side ---- */

struct client_row {
    const char *name;
    const char *response; /* without its empty line */
    enum dx_handshake_result result;
    const char *detail; /* of BROKEN; the subprotocol of OPEN, or "" */
};

/* clang-format off */
#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define WITH_ACCEPT "Sec-WebSocket-Accept: " ACCEPT "\r\n"
#define ANSWER SWITCH UPGRADE CONNECTION WITH_ACCEPT
#define BROKEN_UPGRADE DX_HANDSHAKE_BROKEN, "the server's Upgrade does not say websocket"
#define BROKEN_CONNECTION DX_HANDSHAKE_BROKEN, "the server's Connection does not say Upgrade"
#define BROKEN_ACCEPT DX_HANDSHAKE_BROKEN, "the server's Sec-WebSocket-Accept does not belong to our key"
#define BROKEN_SUBPROTOCOL DX_HANDSHAKE_BROKEN, "the server chose a subprotocol that was not offered"
#define BROKEN_EXTENSION DX_HANDSHAKE_BROKEN, "the server chose an extension that was not offered"

static const struct client_row client_rows[] = {
    {"L115 the right answer", ANSWER, DX_HANDSHAKE_OPEN, ""},
    {"L115 case and order do not matter", SWITCH "sec-websocket-accept:" ACCEPT "\r\nCONNECTION: keep-alive, upgrade\r\nUpgrade: WebSocket\r\n", DX_HANDSHAKE_OPEN, ""},
    {"L115 101 in HTTP/1.0", "HTTP/1.0 101 Yes\r\n" UPGRADE CONNECTION WITH_ACCEPT, DX_HANDSHAKE_BROKEN, "the server switches protocols in HTTP/1.0"},
    {"L115 no Upgrade", SWITCH CONNECTION WITH_ACCEPT, BROKEN_UPGRADE},
    {"L115 Upgrade to something else", SWITCH "Upgrade: h2c\r\n" CONNECTION WITH_ACCEPT, BROKEN_UPGRADE},
    {"L115 Upgrade to a list", SWITCH "Upgrade: websocket, h2c\r\n" CONNECTION WITH_ACCEPT, BROKEN_UPGRADE},
    {"L115 two Upgrades", SWITCH UPGRADE UPGRADE CONNECTION WITH_ACCEPT, BROKEN_UPGRADE},
    {"L115 no Connection", SWITCH UPGRADE WITH_ACCEPT, BROKEN_CONNECTION},
    {"L115 Connection: close", SWITCH UPGRADE "Connection: close\r\n" WITH_ACCEPT, BROKEN_CONNECTION},
    {"L115 no Accept", SWITCH UPGRADE CONNECTION, BROKEN_ACCEPT},
    {"L115 wrong Accept", SWITCH UPGRADE CONNECTION "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=\r\n", BROKEN_ACCEPT},
    {"L115 Accept in another case", SWITCH UPGRADE CONNECTION "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", BROKEN_ACCEPT},
    {"L115 Accept that begins right", SWITCH UPGRADE CONNECTION "Sec-WebSocket-Accept: " ACCEPT "x\r\n", BROKEN_ACCEPT},
    {"L115 two Accepts", ANSWER WITH_ACCEPT, BROKEN_ACCEPT},
    {"L116 subprotocol of ours", ANSWER "Sec-WebSocket-Protocol: chat\r\n", DX_HANDSHAKE_OPEN, "chat"},
    {"L116 subprotocol not asked for", ANSWER "Sec-WebSocket-Protocol: mqtt\r\n", BROKEN_SUBPROTOCOL},
    {"L116 subprotocol in another case", ANSWER "Sec-WebSocket-Protocol: Chat\r\n", BROKEN_SUBPROTOCOL},
    {"L116 subprotocol of no text", ANSWER "Sec-WebSocket-Protocol:\r\n", BROKEN_SUBPROTOCOL},
    {"L116 two subprotocols", ANSWER "Sec-WebSocket-Protocol: chat, chat.v2\r\n", BROKEN_SUBPROTOCOL},
    {"L116 two subprotocol headers", ANSWER "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n", BROKEN_SUBPROTOCOL},
    {"L116 extension of ours", ANSWER "Sec-WebSocket-Extensions: x-test; size=10\r\n", DX_HANDSHAKE_OPEN, ""},
    {"L116 extension not asked for", ANSWER "Sec-WebSocket-Extensions: permessage-deflate\r\n", BROKEN_EXTENSION},
    {"L116 extension twice", ANSWER "Sec-WebSocket-Extensions: x-test, x-test\r\n", BROKEN_EXTENSION},
    {"L116 extension with bad grammar", ANSWER "Sec-WebSocket-Extensions: x-test;;\r\n", BROKEN_EXTENSION},
    {"L116 extension with an open quote", ANSWER "Sec-WebSocket-Extensions: x-test; size=\"1\r\n", BROKEN_EXTENSION},
    {"100 before the answer", "HTTP/1.1 100 Continue\r\n", DX_HANDSHAKE_INTERIM, ""},
    {"103 before the answer", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n", DX_HANDSHAKE_INTERIM, ""},
    {"200", "HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION WITH_ACCEPT, DX_HANDSHAKE_REFUSED, ""},
    {"302", "HTTP/1.1 302 Found\r\nLocation: /\r\n", DX_HANDSHAKE_REFUSED, ""},
    {"401", "HTTP/1.1 401 Unauthorized\r\n", DX_HANDSHAKE_REFUSED, ""},
    {"426", "HTTP/1.1 426 Upgrade Required\r\n", DX_HANDSHAKE_REFUSED, ""},
};
/* clang-format on */

static const struct dx_handshake_request plain_request = {
    .size = sizeof(plain_request),
    .target = "/chat?x=1",
    .host = "example.com:8080",
    .subprotocols = subprotocols,
    .subprotocol_count = 2,
    .extensions = "x-test; size=10, x-test",
};

static void check_client_row(const struct client_row *row, size_t step)
{
    struct dx_handshake_answer answer;
    struct dx_head head;
    char response[1024];

    snprintf(response, sizeof(response), "%s\r\n", row->response);
    assert_int_equal(parse(&head, DX_HEAD_RESPONSE, response, step), DX_HEAD_DONE);
    assert_int_equal(dx_handshake_judge_response(&head, &plain_request, KEY, &answer), row->result);
    assert_int_equal(answer.result, row->result);
    if (row->result == DX_HANDSHAKE_BROKEN)
        assert_string_equal(answer.detail, row->detail);
    if (row->result == DX_HANDSHAKE_OPEN)
        assert_string_equal(answer.subprotocol ? answer.subprotocol : "", row->detail);
}

static void check_client(void **state)
{
    check_client_row(*state, SIZE_MAX / 2);
    check_client_row(*state, 1);
}

static const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN] = "the sample nonce";

static void request_in_its_exact_bytes(void **state)
{
    static const struct dx_header headers[] = {{"Cookie", "a=b"}, {"X-Y", ""}};
    struct dx_handshake_request request = plain_request;
    char key[DX_HANDSHAKE_KEY_LEN + 1], text[1024];
    size_t len = 0;

    (void)state;
    request.origin = "https://example.com";
    request.headers = headers;
    request.header_count = 2;
    assert_int_equal(dx_handshake_request_write(&request, nonce, key, text, sizeof(text), &len),
                     DX_OK);
    text[len] = '\0';
    assert_string_equal(key, KEY);
    assert_string_equal(text, "GET /chat?x=1 HTTP/1.1\r\n"
                              "Host: example.com:8080\r\n" UPGRADE CONNECTION WITH_KEY VERSION
                              "Origin: https://example.com\r\n"
                              "Sec-WebSocket-Protocol: chat.v2, chat\r\n"
                              "Sec-WebSocket-Extensions: x-test; size=10, x-test\r\n"
                              "Cookie: a=b\r\n"
                              "X-Y: \r\n\r\n");
}

static enum dx_err try_request(const struct dx_handshake_request *request)
{
    char key[DX_HANDSHAKE_KEY_LEN + 1], text[1024];
    size_t len = 12345;
    enum dx_err err = dx_handshake_request_write(request, nonce, key, text, sizeof(text), &len);

    assert_true(err == DX_OK || len == 12345);
    return err;
}

/* L121: nothing of the caller's can begin a line of its own. */
static void what_cannot_be_asked_for(void **state)
{
    static const char *const targets[] = {"",     "chat",  "/a b",      "/a\r\nX: y",
                                          "/a#b", "/\x7f", "/\xc3\xa4", "http://h/"};
    static const char *const hosts[] = {"", "h\r\nX: y", "h\n"};
    static const char *const names[][2] = {
        {"a b", NULL}, {"", NULL}, {"a,b", NULL}, {"a\r\n", NULL}, {"same", "same"}};
    static const struct dx_header headers[] = {{"X", "a\r\nY: b"},
                                               {"X\r\nY", "b"},
                                               {"X:", "a"},
                                               {"", "a"},
                                               {"X", "a\nb"},
                                               {"host", "other"},
                                               {"Sec-WebSocket-Key", KEY},
                                               {"content-length", "5"},
                                               {"Transfer-Encoding", "chunked"}};
    struct dx_handshake_request request = {.size = sizeof(request), .target = "/", .host = "h"};

    (void)state;
    assert_int_equal(try_request(&request), DX_OK);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        request.target = targets[i];
        assert_int_equal(try_request(&request), DX_ERR_USAGE);
    }
    request.target = "/";
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        request.host = hosts[i];
        assert_int_equal(try_request(&request), DX_ERR_USAGE);
    }
    request.host = "h";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        request.subprotocols = names[i];
        request.subprotocol_count = names[i][1] == NULL ? 1 : 2;
        assert_int_equal(try_request(&request), DX_ERR_USAGE);
    }
    request.subprotocol_count = 0;
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        request.headers = &headers[i];
        request.header_count = 1;
        assert_int_equal(try_request(&request), DX_ERR_USAGE);
    }
    request.header_count = 0;
    request.extensions = "foo;;";
    assert_int_equal(try_request(&request), DX_ERR_USAGE);
    request.extensions = "foo; bar=\"";
    assert_int_equal(try_request(&request), DX_ERR_USAGE);
}

static void a_request_without_room(void **state)
{
    char key[DX_HANDSHAKE_KEY_LEN + 1], text[1024];
    size_t len = 0, whole;

    (void)state;
    assert_int_equal(dx_handshake_request_write(&plain_request, nonce, key, text, 1024, &whole),
                     DX_OK);
    for (size_t room = 0; room < whole; room++)
        assert_int_equal(dx_handshake_request_write(&plain_request, nonce, key, text, room, &len),
                         DX_ERR_TOO_BIG);
    assert_int_equal(dx_handshake_request_write(&plain_request, nonce, key, text, whole, &len),
                     DX_OK);
}

/*
 * A14: the time to judge 200 subprotocols is the time to read them, four times as long for four
 * times as many.
 */
static void two_hundred_subprotocols(void **state)
{
    static char request[16384];
    struct dx_handshake_verdict verdict;
    struct dx_head head;
    size_t len;

    (void)state;
    len = (size_t)snprintf(request, sizeof(request), "%sSec-WebSocket-Protocol: a", ALL);
    for (int i = 0; i < 200; i++)
        len += (size_t)snprintf(request + len, sizeof(request) - len, ", unknown-%d", i);
    snprintf(request + len, sizeof(request) - len, ", chat\r\n\r\n");
    assert_int_equal(parse(&head, DX_HEAD_REQUEST, request, SIZE_MAX / 2), DX_HEAD_DONE);
    assert_true(dx_handshake_judge(&head, &verdict));
    assert_string_equal(dx_handshake_choose_subprotocol(&head, subprotocols, 2), "chat");
    assert_null(dx_handshake_choose_subprotocol(&head, subprotocols, 1));
    assert_null(dx_handshake_choose_subprotocol(&head, NULL, 0));
}

static void what_we_ask_we_accept(void **state)
{
    struct dx_handshake_verdict verdict;
    struct dx_handshake_answer answer;
    struct dx_head head;
    char key[DX_HANDSHAKE_KEY_LEN + 1], text[1024];
    size_t len = 0;

    (void)state;
    assert_int_equal(
        dx_handshake_request_write(&plain_request, nonce, key, text, sizeof(text) - 1, &len),
        DX_OK);
    text[len] = '\0';
    assert_int_equal(parse(&head, DX_HEAD_REQUEST, text, 7), DX_HEAD_DONE);
    assert_true(dx_handshake_is_asked(&head));
    assert_true(dx_handshake_judge(&head, &verdict));
    write_answer(&head, &verdict, text, sizeof(text));
    assert_int_equal(parse(&head, DX_HEAD_RESPONSE, text, 7), DX_HEAD_DONE);
    assert_int_equal(dx_handshake_judge_response(&head, &plain_request, key, &answer),
                     DX_HANDSHAKE_OPEN);
    assert_string_equal(answer.subprotocol, "chat.v2");
    assert_true(dx_slice_is(answer.extensions, "x-test; size=10"));
}

static void values_that_do_not_fit(void **state)
{
    struct dx_extension_parameter parameter = {.value = dx_slice_of("a\\bc")};
    char text[4];

    (void)state;
    for (size_t room = 0; room < 4; room++)
        assert_false(dx_extension_value(&parameter, text, room));
    assert_true(dx_extension_value(&parameter, text, 4));
    assert_string_equal(text, "abc");
}

/* Writes the row's head as a seed for fuzz/handshake.c. */
static void write_seed(const char *folder, const char *name, const char *head)
{
    char path[512];
    size_t at = (size_t)snprintf(path, sizeof(path), "%s/", folder);
    FILE *file;

    snprintf(path + at, sizeof(path) - at, "%s", name);
    for (char *letter = path + at; *letter != '\0'; letter++)
        if (strchr(" ,:/*", *letter) != NULL)
            *letter = '_';
    file = fopen(path, "wb");
    if (file == NULL || fprintf(file, "%s\r\n", head) < 0 || fclose(file) != 0)
        exit(1);
}

static int write_seeds(const char *folder)
{
    for (size_t i = 0; i < sizeof(server_rows) / sizeof(server_rows[0]); i++)
        write_seed(folder, server_rows[i].name, server_rows[i].request);
    for (size_t i = 0; i < sizeof(client_rows) / sizeof(client_rows[0]); i++)
        write_seed(folder, client_rows[i].name, client_rows[i].response);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(request_in_its_exact_bytes), cmocka_unit_test(what_cannot_be_asked_for),
        cmocka_unit_test(a_request_without_room),     cmocka_unit_test(two_hundred_subprotocols),
        cmocka_unit_test(what_we_ask_we_accept),      cmocka_unit_test(values_that_do_not_fit),
    };
    enum {
        SERVER_COUNT = sizeof(server_rows) / sizeof(server_rows[0]),
        CLIENT_COUNT = sizeof(client_rows) / sizeof(client_rows[0]),
        OTHER_COUNT = sizeof(others) / sizeof(others[0]),
    };
    static struct CMUnitTest tests[SERVER_COUNT + CLIENT_COUNT + OTHER_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < SERVER_COUNT; i++)
        tests[count++] = (struct CMUnitTest){.name = server_rows[i].name,
                                             .test_func = check_server,
                                             .initial_state = (void *)(uintptr_t)&server_rows[i]};
    for (size_t i = 0; i < CLIENT_COUNT; i++)
        tests[count++] = (struct CMUnitTest){.name = client_rows[i].name,
                                             .test_func = check_client,
                                             .initial_state = (void *)(uintptr_t)&client_rows[i]};
    memcpy(tests + count, others, sizeof(others));
    if (argc > 2 && strcmp(argv[1], "--seeds") == 0)
        return write_seeds(argv[2]);
    return run_group(tests, NULL, NULL);
}
