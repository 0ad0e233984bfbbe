/*
 * tunnel_socks5.c - SOCKS5 (RFC 1928), with user name and password (RFC 1929). One function per
 * state.
 */
#include "client/tunnel/tunnel.h"

#include <arpa/inet.h>
#include <string.h>

#define VERSION 5
#define AUTH_VERSION 1
#define METHOD_NONE 0
#define METHOD_PASSWORD 2
#define COMMAND_CONNECT 1
#define ADDRESS_IPV4 1
#define ADDRESS_NAME 3
#define ADDRESS_IPV6 4

enum { WANTS_METHOD, WANTS_AUTH, WANTS_REPLY };

/* ---- out ---- */

enum dx_err dx_tunnel_socks5_begin(struct dx_tunnel *tunnel)
{
    static const uint8_t with_password[] = {VERSION, 2, METHOD_NONE, METHOD_PASSWORD};
    static const uint8_t without[] = {VERSION, 1, METHOD_NONE};
    bool has_name = tunnel->target.name != NULL;

    tunnel->state = WANTS_METHOD;
    return dx_tunnel_put(tunnel, has_name ? with_password : without,
                         has_name ? sizeof(with_password) : sizeof(without))
               ? DX_OK
               : tunnel->err;
}

static enum dx_tunnel_status put(struct dx_tunnel *tunnel, const uint8_t *bytes, size_t len,
                                 uint8_t next_state)
{
    tunnel->state = next_state;
    return dx_tunnel_put(tunnel, bytes, len) ? DX_TUNNEL_MORE : DX_TUNNEL_FAILED;
}

static enum dx_tunnel_status put_auth(struct dx_tunnel *tunnel)
{
    const char *password = tunnel->target.password != NULL ? tunnel->target.password : "";
    size_t name_len = strlen(tunnel->target.name), password_len = strlen(password);
    uint8_t bytes[3 + 2 * DX_TUNNEL_CREDENTIAL_MAX];
    enum dx_tunnel_status status;

    bytes[0] = AUTH_VERSION;
    bytes[1] = (uint8_t)name_len;
    memcpy(bytes + 2, tunnel->target.name, name_len);
    bytes[2 + name_len] = (uint8_t)password_len;
    memcpy(bytes + 3 + name_len, password, password_len);
    status = put(tunnel, bytes, 3 + name_len + password_len, WANTS_AUTH);
    explicit_bzero(bytes, sizeof(bytes));
    return status;
}

static enum dx_tunnel_status put_request(struct dx_tunnel *tunnel)
{
    uint8_t bytes[7 + DX_TUNNEL_HOST_MAX] = {VERSION, COMMAND_CONNECT, 0};
    const char *host = tunnel->target.host;
    size_t len = 4;

    if (inet_pton(AF_INET, host, bytes + 4) == 1) {
        bytes[3] = ADDRESS_IPV4;
        len += 4;
    } else if (inet_pton(AF_INET6, host, bytes + 4) == 1) {
        bytes[3] = ADDRESS_IPV6;
        len += 16;
    } else {
        bytes[3] = ADDRESS_NAME;
        bytes[4] = (uint8_t)strlen(host);
        memcpy(bytes + 5, host, bytes[4]);
        len += 1 + (size_t)bytes[4];
    }
    bytes[len++] = (uint8_t)(tunnel->target.port >> 8);
    bytes[len++] = (uint8_t)tunnel->target.port;
    return put(tunnel, bytes, len, WANTS_REPLY);
}

/* ---- in ---- */

static enum dx_tunnel_status judge_method(struct dx_tunnel *tunnel, const uint8_t *in)
{
    if (in[0] != VERSION)
        return dx_tunnel_fail(tunnel, DX_ERR_PROTOCOL, "the proxy does not speak SOCKS5");
    if (in[1] == METHOD_NONE)
        return put_request(tunnel);
    if (in[1] == METHOD_PASSWORD && tunnel->target.name != NULL)
        return put_auth(tunnel);
    return dx_tunnel_fail(tunnel, DX_ERR_REFUSED,
                          "the proxy requires an authentication method that was not offered");
}

static enum dx_tunnel_status judge_auth(struct dx_tunnel *tunnel, const uint8_t *in)
{
    if (in[1] != 0)
        return dx_tunnel_fail(tunnel, DX_ERR_REFUSED, "the proxy requires valid credentials");
    return put_request(tunnel);
}

static const char *reply_text(uint8_t reply)
{
    static const char *const texts[] = {
        "the proxy's answer is not SOCKS5",
        "the proxy failed",
        "the proxy's rules do not allow the connection",
        "the proxy cannot reach the network",
        "the proxy cannot reach the host",
        "the target refused the proxy's connection",
        "the proxy's connection timed out",
        "the proxy does not support the command",
        "the proxy does not support this type of address",
    };

    return texts[reply < sizeof(texts) / sizeof(texts[0]) ? reply : 1];
}

/* The length of the reply, or of the part that tells it; 0 for an unknown type of address. */
static size_t reply_len(const uint8_t *in, size_t len)
{
    if (len < 5)
        return 5;
    switch (in[3]) {
    case ADDRESS_IPV4:
        return 10;
    case ADDRESS_IPV6:
        return 22;
    case ADDRESS_NAME:
        return 7 + (size_t)in[4];
    default:
        return 0;
    }
}

static enum dx_tunnel_status judge_reply(struct dx_tunnel *tunnel, const uint8_t *in, size_t len)
{
    size_t wanted = reply_len(in, len);

    if (in[0] != VERSION)
        return dx_tunnel_fail(tunnel, DX_ERR_PROTOCOL, reply_text(0));
    /* The address in a refusal is ignored; some proxies do not send it. */
    tunnel->is_target_dead = len > 1 && in[1] >= 3 && (in[1] <= 6 || in[1] == 8);
    if (len > 1 && in[1] != 0)
        return dx_tunnel_fail(tunnel, DX_ERR_REFUSED, reply_text(in[1]));
    if (wanted == 0)
        return dx_tunnel_fail(tunnel, DX_ERR_PROTOCOL, reply_text(0));
    if (len < wanted)
        return DX_TUNNEL_MORE;
    tunnel->in_start += wanted;
    return DX_TUNNEL_OPEN;
}

enum dx_tunnel_status dx_tunnel_socks5_step(struct dx_tunnel *tunnel)
{
    const uint8_t *in = tunnel->in + tunnel->in_start;
    size_t len = tunnel->in_len - tunnel->in_start;
    uint8_t state = tunnel->state;
    enum dx_tunnel_status status;

    if (state == WANTS_REPLY)
        return len == 0 ? DX_TUNNEL_MORE : judge_reply(tunnel, in, len);
    if (len < 2)
        return DX_TUNNEL_MORE;
    tunnel->in_start += 2;
    status = state == WANTS_METHOD ? judge_method(tunnel, in) : judge_auth(tunnel, in);
    if (status == DX_TUNNEL_MORE && len > 2) /* it cannot answer a request that we have not sent */
        return dx_tunnel_fail(tunnel, DX_ERR_PROTOCOL, "the proxy sent data before it was asked");
    return status;
}
