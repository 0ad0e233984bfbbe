/*
 * tunnel_connect.c - HTTP CONNECT (RFC 9110 section 9.3.6), with Basic credentials (RFC 7617).
 */
#include "client/tunnel/tunnel.h"

#include "base/base64.h"
#include "http/head.h"

#include <stdio.h>
#include <string.h>

#define CREDENTIALS_MAX (2 * DX_TUNNEL_CREDENTIAL_MAX + 1)

static bool put_text(struct dx_tunnel *tunnel, const char *text)
{
    return dx_tunnel_put(tunnel, text, strlen(text));
}

static bool put_credentials(struct dx_tunnel *tunnel)
{
    const struct dx_tunnel_target *target = &tunnel->target;
    char plain[CREDENTIALS_MAX + 1], text[DX_BASE64_LEN(CREDENTIALS_MAX) + 1];
    int len;
    bool is_put;

    if (target->name == NULL)
        return true;
    len = snprintf(plain, sizeof(plain), "%s:%s", target->name,
                   target->password != NULL ? target->password : "");
    dx_base64_encode(plain, (size_t)len, text);
    text[DX_BASE64_LEN((size_t)len)] = '\0';
    is_put = put_text(tunnel, "Proxy-Authorization: Basic ") && put_text(tunnel, text) &&
             put_text(tunnel, "\r\n");
    explicit_bzero(plain, sizeof(plain));
    explicit_bzero(text, sizeof(text));
    return is_put;
}

enum dx_err dx_tunnel_connect_begin(struct dx_tunnel *tunnel)
{
    bool is_ipv6 = strchr(tunnel->target.host, ':') != NULL;
    char authority[DX_TUNNEL_HOST_MAX + sizeof("[]:65535")];

    (void)snprintf(authority, sizeof(authority), "%s%s%s:%u", is_ipv6 ? "[" : "",
                   tunnel->target.host, is_ipv6 ? "]" : "", (unsigned)tunnel->target.port);
    if (put_text(tunnel, "CONNECT ") && put_text(tunnel, authority) &&
        put_text(tunnel, " HTTP/1.1\r\nHost: ") && put_text(tunnel, authority) &&
        put_text(tunnel, "\r\n") && put_credentials(tunnel) && put_text(tunnel, "\r\n"))
        return DX_OK;
    return tunnel->err;
}

enum dx_tunnel_status dx_tunnel_connect_step(struct dx_tunnel *tunnel)
{
    struct dx_head_limits limits = dx_head_limits_init();
    struct dx_head head;

    for (;;) {
        dx_head_init(&head, DX_HEAD_RESPONSE);
        switch (dx_head_parse(&head, &limits, tunnel->in + tunnel->in_start,
                              tunnel->in_len - tunnel->in_start)) {
        case DX_HEAD_MORE:
            return DX_TUNNEL_MORE;
        case DX_HEAD_REFUSED:
            return dx_tunnel_fail(tunnel, DX_ERR_PROTOCOL, head.refusal.detail);
        case DX_HEAD_DONE:
            break;
        }
        tunnel->in_start += head.len;
        if (head.status >= 200)
            break; /* heads before this one are interim responses */
    }
    tunnel->http_status = head.status;
    /* Content-Length and Transfer-Encoding are ignored: the tunnel starts after the head. */
    if (head.status < 300)
        return DX_TUNNEL_OPEN;
    /* Some proxies answer 401 to wrong credentials. */
    if (head.status == 407 || head.status == 401)
        return dx_tunnel_fail(tunnel, DX_ERR_REFUSED, "the proxy requires valid credentials");
    return dx_tunnel_fail(tunnel, DX_ERR_REFUSED, "the proxy refuses the connection");
}
