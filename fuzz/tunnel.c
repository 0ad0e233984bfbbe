/*
 * tunnel.c - fuzz target: what a proxy answers to CONNECT and SOCKS5, the text that names a proxy,
 * and references in redirects.
 *
 * The first byte says what the rest is. Besides not crashing: the cuts do not matter, what is open
 * has used no more than came, what has failed says why, and nothing that was written begins a line
 * of its own.
 */
#include "check.h"

#include "client/connector/proxy.h"
#include "client/tunnel/tunnel.h"
#include "http/url/url_join.h"

#include <string.h>

#define IS_SOCKS5 1
#define HAS_NAME 2
#define IS_TEXT 4 /* of a proxy */
#define IS_REFERENCE 8
#define ANSWERS 16 /* the proxy waits for what we say in between */

struct verdict {
    enum dx_tunnel_status status;
    enum dx_err err;
    const char *detail;
    uint16_t http_status;
    size_t used;
};

static struct dx_tunnel_target target_of(uint8_t flags)
{
    struct dx_tunnel_target target = {.kind =
                                          flags & IS_SOCKS5 ? DX_TUNNEL_SOCKS5 : DX_TUNNEL_CONNECT,
                                      .host = "far.example",
                                      .port = 443};

    if (flags & HAS_NAME) {
        target.name = "name";
        target.password = "pass:word";
    }
    return target;
}

static void send_all(struct dx_tunnel *tunnel)
{
    dx_tunnel_sent(tunnel, dx_tunnel_output(tunnel).len);
}

static struct verdict feed(uint8_t flags, struct dx_slice bytes, size_t piece)
{
    struct dx_tunnel_target target = target_of(flags);
    struct verdict verdict = {.status = DX_TUNNEL_MORE};
    struct dx_tunnel tunnel;

    CHECK(dx_tunnel_init(&tunnel, &target) == DX_OK);
    CHECK(dx_tunnel_output(&tunnel).len > 0);
    send_all(&tunnel);
    while (verdict.status == DX_TUNNEL_MORE && bytes.len > 0) {
        size_t len = piece < bytes.len ? piece : bytes.len, used = 0;

        verdict.status = dx_tunnel_feed(&tunnel, bytes.data, len, &used);
        CHECK(used <= len);
        verdict.used += used;
        bytes.data += len;
        bytes.len -= len;
        if (flags & ANSWERS)
            send_all(&tunnel);
    }
    CHECK((verdict.status == DX_TUNNEL_FAILED) == (tunnel.err != DX_OK));
    CHECK((verdict.status == DX_TUNNEL_FAILED) == (tunnel.detail != NULL));
    CHECK(tunnel.in_len <= DX_TUNNEL_HEAD_MAX);
    verdict.err = tunnel.err;
    verdict.detail = tunnel.detail;
    verdict.http_status = tunnel.http_status;
    dx_tunnel_release(&tunnel);
    return verdict;
}

/* What answers in turn comes in pieces of its own: two bytes at a time are those of SOCKS5. */
static void read_answer(uint8_t flags, struct dx_slice bytes)
{
    struct verdict whole = feed(flags, bytes, flags & ANSWERS ? 2 : SIZE_MAX);
    struct verdict cut = feed(flags, bytes, 1);

    CHECK(whole.status == cut.status && whole.err == cut.err);
    CHECK((whole.detail == NULL) == (cut.detail == NULL) && whole.http_status == cut.http_status);
    CHECK(whole.detail == NULL || strcmp(whole.detail, cut.detail) == 0);
    if (whole.status == DX_TUNNEL_OPEN)
        CHECK(whole.used == cut.used);
}

static void read_proxy(struct dx_slice bytes)
{
    char *text = malloc(bytes.len + 1);
    struct dx_tunnel_target target = {.host = "far.example", .port = 443};
    const char *detail = NULL;
    struct dx_proxy proxy;
    struct dx_tunnel tunnel;

    CHECK(text != NULL);
    if (bytes.len > 0)
        memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';
    if (dx_proxy_parse(text, &proxy, &detail) != DX_OK) {
        CHECK(detail != NULL);
        free(text);
        return;
    }
    CHECK(proxy.port > 0 && proxy.host.len > 0);
    target.kind = proxy.kind;
    target.name = proxy.has_name ? proxy.name : NULL;
    target.password = proxy.has_name ? proxy.password : NULL;
    if (dx_tunnel_init(&tunnel, &target) == DX_OK) {
        struct dx_slice out = dx_tunnel_output(&tunnel);
        size_t lines = 0;

        for (size_t i = 0; proxy.kind == DX_TUNNEL_CONNECT && i < out.len; i++)
            lines += out.data[i] == '\r' || out.data[i] == '\n';
        CHECK(lines == (proxy.kind == DX_TUNNEL_SOCKS5 ? 0 : proxy.has_name ? 8 : 6));
        dx_tunnel_release(&tunnel);
    } else {
        CHECK(proxy.has_name && strchr(proxy.name, ':') != NULL);
    }
    free(text);
}

static void read_reference(struct dx_slice bytes)
{
    static char normal[DX_URL_MAX + 1], next[DX_URL_MAX + 1], joined[DX_URL_MAX + 1];
    const char *detail = NULL;
    struct dx_url base, url;

    CHECK(dx_url_parse(dx_slice_of("wss://h.example:81/a/b?c"), &base, normal, &detail) == DX_OK);
    if (!dx_url_join(&base, normal, bytes, joined, sizeof(joined)))
        return;
    if (dx_url_parse(dx_slice_of(joined), &url, next, &detail) != DX_OK) {
        CHECK(detail != NULL);
        return;
    }
    /* Without an authority of its own it stays where it was. */
    if (memchr(bytes.data, ':', bytes.len) == NULL && memchr(bytes.data, '/', bytes.len) == NULL &&
        memchr(bytes.data, '\\', bytes.len) == NULL)
        CHECK(url.port == 81 && dx_host_equal(&url.host, &base.host));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len < 2)
        return 0;
    if (data[0] & IS_TEXT)
        read_proxy((struct dx_slice){data + 1, len - 1});
    else if (data[0] & IS_REFERENCE)
        read_reference((struct dx_slice){data + 1, len - 1});
    else
        read_answer(data[0], (struct dx_slice){data + 1, len - 1});
    return 0;
}
