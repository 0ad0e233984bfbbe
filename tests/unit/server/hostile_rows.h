/*
 * hostile_rows.h - requests that break a rule, and what each must get: the table of hostile_test.c.
 */
#ifndef TESTS_SERVER_HOSTILE_ROWS_H
#define TESTS_SERVER_HOSTILE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define START "GET / HTTP/1.1\r\n"
#define HOST "Host: localhost\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define REST UPGRADE CONNECTION VERSION KEY "\r\n"
#define WITH(lines) START HOST lines UPGRADE CONNECTION VERSION KEY "\r\n"
#define ON(start) start HOST REST

/* Stands behind every refused request: it must never be looked at. */
#define BEHIND "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"

#define MADE_ROOM 70000

struct row {
    const char *name;
    const char *request;
    size_t (*make)(char *text); /* in place of `request` */
    unsigned status;
    const char *headers[2];
    bool is_head;
    size_t len; /* of `request`, when it has a NUL inside */
};

static size_t fill(char *text, const char *before, char with, size_t count, const char *after)
{
    size_t len = strlen(before);

    memcpy(text, before, len);
    memset(text + len, with, count);
    len += count;
    memcpy(text + len, after, strlen(after));
    return len + strlen(after);
}

static size_t make_long_line(char *text)
{
    return fill(text, "GET /", 'a', 8193 - strlen("GET / HTTP/1.1"), " HTTP/1.1\r\n" HOST REST);
}

static size_t make_long_header(char *text)
{
    return fill(text, START HOST "X: ", 'a', 8190, "\r\n" REST);
}

static size_t make_long_total(char *text)
{
    char two[8300];
    size_t len = fill(two, "X: ", 'a', 8000, "\r\n");
    size_t at = strlen(START HOST);

    memcpy(text, START HOST, at);
    for (int i = 0; i < 3; i++, at += len)
        memcpy(text + at, two, len);
    memcpy(text + at, REST, strlen(REST));
    return at + strlen(REST);
}

static size_t make_many_headers(char *text)
{
    size_t at = strlen(START HOST);

    memcpy(text, START HOST, at);
    for (int i = 0; i < 96; i++, at += 6)
        memcpy(text + at, "X: y\r\n", 6);
    memcpy(text + at, REST, strlen(REST));
    return at + strlen(REST);
}

static const struct row rows[] = {
    {"A1 POST", ON("POST / HTTP/1.1\r\n"), NULL, 405, {"Allow: GET"}, false, 0},
    {"A1 PUT", ON("PUT / HTTP/1.1\r\n"), NULL, 405, {"Allow: GET"}, false, 0},
    {"A1 HEAD", ON("HEAD / HTTP/1.1\r\n"), NULL, 405, {"Allow: GET"}, true, 0},
    {"A2 HTTP/1.0", ON("GET / HTTP/1.0\r\n"), NULL, 400, {0}, false, 0},
    {"A2 HTTP/2.0", ON("GET / HTTP/2.0\r\n"), NULL, 505, {0}, false, 0},
    {"A2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL, 505, {0}, false, 0},
    {"A4 no upgrade in Connection",
     START HOST UPGRADE "Connection: close\r\n" VERSION KEY "\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"A4 no Connection", START HOST UPGRADE VERSION KEY "\r\n", NULL, 400, {0}, false, 0},
    {"A5 no version",
     START HOST UPGRADE CONNECTION KEY "\r\n",
     NULL,
     426,
     {"Sec-WebSocket-Version: 13"},
     false,
     0},
    {"A5 version 7",
     START HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 7\r\n" KEY "\r\n",
     NULL,
     426,
     {"Sec-WebSocket-Version: 13"},
     false,
     0},
    {"A5 version 8",
     START HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 8\r\n" KEY "\r\n",
     NULL,
     426,
     {"Sec-WebSocket-Version: 13"},
     false,
     0},
    {"A5 version 12",
     START HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 12\r\n" KEY "\r\n",
     NULL,
     426,
     {"Sec-WebSocket-Version: 13"},
     false,
     0},
    {"A5 version 14",
     START HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 14\r\n" KEY "\r\n",
     NULL,
     426,
     {"Sec-WebSocket-Version: 13"},
     false,
     0},
    {"A5 version 13, 8",
     START HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 13, 8\r\n" KEY "\r\n",
     NULL,
     426,
     {"Sec-WebSocket-Version: 13"},
     false,
     0},
    {"A5 version 13x",
     START HOST UPGRADE CONNECTION "Sec-WebSocket-Version: 13x\r\n" KEY "\r\n",
     NULL,
     426,
     {"Sec-WebSocket-Version: 13"},
     false,
     0},
    {"A6 no key", START HOST UPGRADE CONNECTION VERSION "\r\n", NULL, 400, {0}, false, 0},
    {"A6 key of 15 bytes",
     START HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"A6 key of 17 bytes",
     START HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"A6 key no base64",
     START HOST UPGRADE CONNECTION VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j!!==\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"A7 two keys", WITH(KEY), NULL, 400, {0}, false, 0},
    {"A7 two versions", WITH(VERSION), NULL, 400, {0}, false, 0},
    {"A7 two hosts", WITH(HOST), NULL, 400, {0}, false, 0},
    {"A8 no host", START REST, NULL, 400, {0}, false, 0},
    {"A8 host with @", START "Host: a@localhost\r\n" REST, NULL, 400, {0}, false, 0},
    {"A8 host with /", START "Host: localhost/\r\n" REST, NULL, 400, {0}, false, 0},
    {"A8 host with a blank", START "Host: local host\r\n" REST, NULL, 400, {0}, false, 0},
    {"A8 host with port 99999", START "Host: localhost:99999\r\n" REST, NULL, 400, {0}, false, 0},
    {"A8 empty host", START "Host:\r\n" REST, NULL, 400, {0}, false, 0},
    {"A9 request line of 8 KiB and 1", NULL, make_long_line, 414, {0}, false, 0},
    {"A9 header above 8 KiB", NULL, make_long_header, 431, {0}, false, 0},
    {"A9 above 16 KiB in all", NULL, make_long_total, 431, {0}, false, 0},
    {"A9 101 headers", NULL, make_many_headers, 431, {0}, false, 0},
    {"A10 no colon", WITH("Nonsense\r\n"), NULL, 400, {0}, false, 0},
    {"A10 blank before the colon", WITH("X : y\r\n"), NULL, 400, {0}, false, 0},
    {"A10 folded line", WITH("X: y\r\n z\r\n"), NULL, 400, {0}, false, 0},
    {"A10 bare LF", WITH("X: y\n"), NULL, 400, {0}, false, 0},
    {"A10 bare CR", WITH("X: y\rz\r\n"), NULL, 400, {0}, false, 0},
    {"A10 NUL", WITH("X: y\0z\r\n"), NULL, 400, {0}, false, sizeof(WITH("X: y\0z\r\n")) - 1},
    {"A10 0x01", WITH("X: y\001z\r\n"), NULL, 400, {0}, false, 0},
    {"A10 0x1f", WITH("X: y\037z\r\n"), NULL, 400, {0}, false, 0},
    {"A10 0x7f", WITH("X: y\177z\r\n"), NULL, 400, {0}, false, 0},
    {"A11 upgrade with a body", WITH("Content-Length: 5\r\n"), NULL, 400, {0}, false, 0},
    {"A11 upgrade in chunks", WITH("Transfer-Encoding: chunked\r\n"), NULL, 400, {0}, false, 0},
    {"A11 upgrade with another coding",
     WITH("Transfer-Encoding: gzip\r\n"),
     NULL,
     400,
     {0},
     false,
     0},
    {"A15 extensions that break the grammar",
     WITH("Sec-WebSocket-Extensions: a; b=\"c\r\n"),
     NULL,
     400,
     {0},
     false,
     0},
    {"A15 extension with two semicolons",
     WITH("Sec-WebSocket-Extensions: a;;b\r\n"),
     NULL,
     400,
     {0},
     false,
     0},
    {"A16 absolute form, another host",
     "GET http://other/ HTTP/1.1\r\n" HOST REST,
     NULL,
     400,
     {0},
     false,
     0},
    {"A16 authority form", "CONNECT localhost:80 HTTP/1.1\r\n" HOST REST, NULL, 400, {0}, false, 0},
    {"A17 %00", ON("GET /a%00b HTTP/1.1\r\n"), NULL, 400, {0}, false, 0},
    {"A17 %0d%0a", ON("GET /a%0d%0ab HTTP/1.1\r\n"), NULL, 400, {0}, false, 0},
    {"A17 escape that is none", ON("GET /a%zz HTTP/1.1\r\n"), NULL, 400, {0}, false, 0},
    {"A17 overlong UTF-8", ON("GET /a%c0%af HTTP/1.1\r\n"), NULL, 400, {0}, false, 0},
    {"A17 dots", ON("GET /a/../b HTTP/1.1\r\n"), NULL, 400, {0}, false, 0},
    {"A18 a TLS ClientHello",
     "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
     NULL,
     400,
     {0},
     false,
     11},
    {"G69 CL and TE",
     "POST /plain HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"G69 two CL",
     "POST /plain HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"G69 CL +5",
     "POST /plain HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"G69 CL -1",
     "POST /plain HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"G69 CL 0x5",
     "POST /plain HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n",
     NULL,
     400,
     {0},
     false,
     0},
    {"G73 K113 another host", START "Host: evil.example\r\n" REST, NULL, 421, {0}, false, 0},
    {"K113 a host that only begins well",
     START "Host: localhost.evil.example\r\n" REST,
     NULL,
     421,
     {0},
     false,
     0},
    {"K113 another host, plain",
     "GET /plain HTTP/1.1\r\nHost: evil.example\r\n\r\n",
     NULL,
     421,
     {0},
     false,
     0},
    {"K110 foreign origin", WITH("Origin: http://evil.example\r\n"), NULL, 403, {0}, false, 0},
    {"K111 null", WITH("Origin: null\r\n"), NULL, 403, {0}, false, 0},
    {"K111 good.example.evil", WITH("Origin: http://localhost.evil\r\n"), NULL, 403, {0}, false, 0},
    {"K111 good@evil", WITH("Origin: http://localhost@evil\r\n"), NULL, 400, {0}, false, 0},
    {"K111 case", WITH("Origin: http://LOCALHOST\r\n"), NULL, 400, {0}, false, 0},
    {"K111 IDNA", WITH("Origin: http://\xc3\xb6.example\r\n"), NULL, 400, {0}, false, 0},
    {"K111 empty", WITH("Origin:\r\n"), NULL, 400, {0}, false, 0},
    {"K111 two origins",
     WITH("Origin: http://localhost\r\nOrigin: http://localhost\r\n"),
     NULL,
     400,
     {0},
     false,
     0},
    {"K111 two origins in one",
     WITH("Origin: http://localhost http://evil.example\r\n"),
     NULL,
     400,
     {0},
     false,
     0},
    {"refused by its route",
     ON("GET /no HTTP/1.1\r\n"),
     NULL,
     401,
     {"WWW-Authenticate: Basic"},
     false,
     0},
    {"a WebSocket where there is none", ON("GET /plain HTTP/1.1\r\n"), NULL, 404, {0}, false, 0},
};

#endif
