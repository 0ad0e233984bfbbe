/*
 * body_rows.h - bodies that break a rule, and what each must get: the table of body_test.c.
 */
#ifndef TESTS_SERVER_BODY_ROWS_H
#define TESTS_SERVER_BODY_ROWS_H

#include <stdio.h>
#include <string.h>

#define HOST "Host: localhost\r\n"
#define POST "POST /echo HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define PLAIN "GET /plain HTTP/1.1\r\n" HOST "\r\n"

#define MADE_ROOM 80000

static size_t make_long_extension(char *text)
{
    size_t len = (size_t)sprintf(text, CHUNKED "5;");

    memset(text + len, 'e', 65536);
    len += 65536;
    return len + (size_t)sprintf(text + len, "\r\nhello\r\n0\r\n\r\n");
}

static size_t make_many_extensions(char *text)
{
    size_t len = (size_t)sprintf(text, CHUNKED);

    for (int i = 0; i < 5000; i++)
        len += (size_t)sprintf(text + len, "1;ab\r\nx\r\n");
    return len + (size_t)sprintf(text + len, "0\r\n\r\n");
}

static size_t make_long_trailer(char *text)
{
    size_t len = (size_t)sprintf(text, CHUNKED "0\r\nX: ");

    memset(text + len, 't', 10000);
    len += 10000;
    return len + (size_t)sprintf(text + len, "\r\n\r\n");
}

struct row {
    const char *name;
    const char *request;
    unsigned status;
    size_t (*make)(char *text);
};

static const struct row rows[] = {
    {"both lengths", POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     NULL},
    {"both lengths, the other way",
     POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, NULL},
    {"two lengths", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, NULL},
    {"two equal lengths", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400, NULL},
    {"a list of lengths", POST "Content-Length: 5, 5\r\n\r\nhello", 400, NULL},
    {"length +5", POST "Content-Length: +5\r\n\r\nhello", 400, NULL},
    {"length -1", POST "Content-Length: -1\r\n\r\nhello", 400, NULL},
    {"length 0x5", POST "Content-Length: 0x5\r\n\r\nhello", 400, NULL},
    {"length 5 5", POST "Content-Length: 5 5\r\n\r\nhello", 400, NULL},
    {"length 5.0", POST "Content-Length: 5.0\r\n\r\nhello", 400, NULL},
    {"no length", POST "Content-Length:\r\n\r\nhello", 400, NULL},
    {"length 2^63", POST "Content-Length: 9223372036854775808\r\n\r\nhello", 400, NULL},
    {"length 2^64+5", POST "Content-Length: 18446744073709551621\r\n\r\nhello", 400, NULL},
    {"length over the limit", POST "Content-Length: 100001\r\n\r\nhello", 413, NULL},
    {"length 2^63-1", POST "Content-Length: 9223372036854775807\r\n\r\nhello", 413, NULL},
    {"chunked twice", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, NULL},
    {"chunked on two lines",
     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, NULL},
    {"chunked not last", POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400, NULL},
    {"identity", POST "Transfer-Encoding: identity\r\n\r\nhello", 400, NULL},
    {"xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, NULL},
    {"no coding", POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 400, NULL},
    {"another coding", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, NULL},
    {"vertical tab",
     POST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n0\r\n\r\n",
     400, NULL},
    {"space before the colon", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, NULL},
    {"HTTP/1.0", "POST /echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     NULL},
    {"size of 17 digits", CHUNKED "10000000000000000\r\nx", 400, NULL},
    {"size 2^63", CHUNKED "8000000000000000\r\nx", 400, NULL},
    {"size 2^64-1", CHUNKED "ffffffffffffffff\r\nx", 400, NULL},
    {"size 2^63-1", CHUNKED "7fffffffffffffff\r\nx", 413, NULL},
    {"size over the limit", CHUNKED "186a1\r\nx", 413, NULL},
    {"sum over the limit", CHUNKED "1\r\nx\r\n186a0\r\nx", 413, NULL},
    {"size -1", CHUNKED "-1\r\nx\r\n0\r\n\r\n", 400, NULL},
    {"size 0x1", CHUNKED "0x1\r\nx\r\n0\r\n\r\n", 400, NULL},
    {"size with a blank before", CHUNKED " 1\r\nx\r\n0\r\n\r\n", 400, NULL},
    {"size with a blank behind", CHUNKED "1 \r\nx\r\n0\r\n\r\n", 400, NULL},
    {"no size", CHUNKED "\r\nx\r\n0\r\n\r\n", 400, NULL},
    {"LF alone behind the size", CHUNKED "1\nx\r\n0\r\n\r\n", 400, NULL},
    {"CR alone behind the size", CHUNKED "1\rx\r\n0\r\n\r\n", 400, NULL},
    {"LF alone behind an extension", CHUNKED "1;a\nx\r\n0\r\n\r\n", 400, NULL},
    {"CR alone in an extension", CHUNKED "1;a\rb\r\nx\r\n0\r\n\r\n", 400, NULL},
    {"no CRLF behind the data", CHUNKED "1\r\nx0\r\n\r\n", 400, NULL},
    {"LF alone behind the data", CHUNKED "1\r\nx\n0\r\n\r\n", 400, NULL},
    {"more data than announced", CHUNKED "1\r\nxy\r\n0\r\n\r\n", 400, NULL},
    {"LF alone at the end", CHUNKED "0\r\n\n", 400, NULL},
    {"a trailer that is none", CHUNKED "0\r\nnonsense\r\n\r\n", 400, NULL},
    {"a folded trailer", CHUNKED "0\r\nX: y\r\n z\r\n\r\n", 400, NULL},
    {"64 KiB of extension", NULL, 400, make_long_extension},
    {"many extensions", NULL, 400, make_many_extensions},
    {"10 KB of trailer", NULL, 400, make_long_trailer},
};

#endif
