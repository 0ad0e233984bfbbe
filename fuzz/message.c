/*
 * message.c - fuzz target: what a request says beyond its head's grammar - chunks, ranges,
 * preconditions, codings, cookies, queries, relative URLs.
 *
 * Besides not crashing: a body in chunks is the same however it is cut, what is written in chunks
 * is read back, a range lies in what it is of, and a joined URL is read as the same URL again.
 */
#include "check.h"

#include "http/accept.h"
#include "http/chunked.h"
#include "http/conditional.h"
#include "http/cookie.h"
#include "http/url/query.h"
#include "http/range.h"
#include "http/url/url_join.h"

/* A number for a body in chunks, in which the cuts do not show; `*last` is how it ended. */
static uint32_t decode(const uint8_t *data, size_t len, size_t step, enum dx_chunked_step *last)
{
    struct dx_chunked chunked = {0};
    uint32_t sum = 1;

    *last = DX_CHUNKED_MORE;
    for (size_t at = 0; at < len && *last == DX_CHUNKED_MORE; at += step) {
        struct dx_slice input = {data + at, len - at < step ? len - at : step};
        struct dx_slice body;

        while ((*last = dx_chunked_next(&chunked, &input, &body)) == DX_CHUNKED_DATA)
            for (size_t i = 0; i < body.len; i++)
                sum = sum * 31 + body.data[i];
    }
    if (*last == DX_CHUNKED_BAD)
        CHECK(chunked.detail != NULL);
    return *last == DX_CHUNKED_BAD ? 0 : sum;
}

static void read_chunks(const uint8_t *data, size_t len)
{
    enum dx_chunked_step whole, bytewise;
    uint32_t sum = decode(data, len, len + 1, &whole);

    CHECK(sum == decode(data, len, 1, &bytewise) && whole == bytewise);
    CHECK(sum == decode(data, len, 3, &bytewise) && whole == bytewise);
}

static void write_chunk(const uint8_t *data, size_t len)
{
    char text[DX_CHUNKED_HEAD_ROOM];
    struct dx_chunked chunked = {0};
    size_t head_len = dx_chunked_write_head(text, len > 0 ? len : 1);
    struct dx_slice input = {(const uint8_t *)text, head_len}, body;

    CHECK(dx_chunked_next(&chunked, &input, &body) == DX_CHUNKED_MORE);
    CHECK(dx_chunked_announced(&chunked) == (len > 0 ? len : 1));
    input = (struct dx_slice){data, len};
    if (len > 0)
        CHECK(dx_chunked_next(&chunked, &input, &body) == DX_CHUNKED_DATA && body.len == len);
}

/* The bytes are the header lines of a request. */
static void read_headers(const uint8_t *data, size_t len)
{
    static const char line[] = "GET / HTTP/1.1\r\n";
    static const struct dx_validators states[] = {{"\"a-1\"", 1000000000, true},
                                                  {"W/\"a-1\"", 1000000000, false}};
    struct dx_head_limits limits = dx_head_limits_init();
    uint8_t *bytes = malloc(sizeof(line) + len + 4);
    size_t head_len = sizeof(line) - 1 + len;
    struct dx_codings codings;
    struct dx_slice value;
    uint64_t at, count;
    struct dx_head head;

    CHECK(bytes != NULL);
    memcpy(bytes, line, sizeof(line) - 1);
    if (len > 0)
        memcpy(bytes + sizeof(line) - 1, data, len);
    memcpy(bytes + head_len, "\r\n\r\n", 4);
    dx_head_init(&head, DX_HEAD_REQUEST);
    if (dx_head_parse(&head, &limits, bytes, head_len + 4) == DX_HEAD_DONE) {
        if (dx_range_read(&head, 1000, &at, &count) == DX_RANGE_PART)
            CHECK(count > 0 && at < 1000 && count <= 1000 - at);
        for (size_t i = 0; i < 2; i++) {
            (void)dx_condition_judge(&head, &states[i], 1800000000);
            (void)dx_condition_if_range(&head, &states[i], 1800000000);
        }
        dx_codings_read(&head, &codings);
        CHECK(codings.br <= 1000 && codings.gzip <= 1000 && codings.identity <= 1000);
        (void)dx_codings_prefer(&codings, codings.br);
        if (dx_head_find(&head, "Cookie", &value) && dx_cookie_find(value, "a", &value))
            CHECK(value.len < len);
    }
    free(bytes);
}

static void read_query(const uint8_t *data, size_t len)
{
    struct dx_slice query = {data, len}, value;
    char *text;

    if (!dx_query_find(query, "a", &value))
        return;
    CHECK(value.data >= data && value.data + value.len <= data + len);
    text = malloc(value.len + 1);
    CHECK(text != NULL);
    if (dx_query_decode(value, text))
        CHECK(strlen(text) <= value.len);
    free(text);
}

static void join(const uint8_t *data, size_t len)
{
    static char normal[DX_URL_MAX + 1], joined[DX_URL_MAX + 1], first[DX_URL_MAX + 1],
        again[DX_URL_MAX + 1];
    struct dx_url base, url;
    const char *detail;

    CHECK(dx_url_parse(dx_slice_of("ws://a.example:81/b/c?d"), &base, normal, &detail) == DX_OK);
    if (!dx_url_join(&base, normal, (struct dx_slice){data, len}, joined, sizeof(joined)))
        return;
    if (strlen(joined) == 0 || dx_url_parse(dx_slice_of(joined), &url, first, &detail) != DX_OK)
        return;
    CHECK(dx_url_parse(dx_slice_of(first), &url, again, &detail) == DX_OK);
    CHECK(strcmp(first, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    read_chunks(data, len);
    write_chunk(data, len);
    read_headers(data, len);
    read_query(data, len);
    join(data, len);
    return 0;
}
