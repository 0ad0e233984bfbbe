/*
 * tunnel.c - the common part of CONNECT and SOCKS5: checks the target, buffers bytes in and out.
 */
#include "client/tunnel/tunnel.h"

#include <stdlib.h>
#include <string.h>

enum dx_tunnel_status dx_tunnel_fail(struct dx_tunnel *tunnel, enum dx_err err, const char *detail)
{
    tunnel->err = err;
    tunnel->detail = detail;
    return DX_TUNNEL_FAILED;
}

bool dx_tunnel_put(struct dx_tunnel *tunnel, const void *bytes, size_t len)
{
    char *grown = realloc(tunnel->out, tunnel->out_len + len);

    if (grown == NULL) {
        (void)dx_tunnel_fail(tunnel, DX_ERR_NOMEM, "out of memory");
        return false;
    }
    memcpy(grown + tunnel->out_len, bytes, len);
    tunnel->out = grown;
    tunnel->out_len += len;
    return true;
}

/* Not empty, not too long for the protocols, no control characters, which could add a header. */
static bool is_text(const char *text, size_t max_len)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return len > 0 && len <= max_len;
}

static bool is_target(const struct dx_tunnel_target *target)
{
    bool is_connect = target->kind == DX_TUNNEL_CONNECT;

    if (!is_text(target->host, DX_TUNNEL_HOST_MAX) || strchr(target->host, ' ') != NULL)
        return false;
    if (target->name == NULL)
        return true;
    if (!is_text(target->name, DX_TUNNEL_CREDENTIAL_MAX) ||
        (is_connect && strchr(target->name, ':') != NULL))
        return false;
    return target->password == NULL || target->password[0] == '\0' ||
           is_text(target->password, DX_TUNNEL_CREDENTIAL_MAX);
}

enum dx_err dx_tunnel_init(struct dx_tunnel *tunnel, const struct dx_tunnel_target *target)
{
    enum dx_err err;

    *tunnel = (struct dx_tunnel){.target = *target};
    if (!is_target(target))
        return DX_ERR_USAGE;
    err = target->kind == DX_TUNNEL_CONNECT ? dx_tunnel_connect_begin(tunnel)
                                            : dx_tunnel_socks5_begin(tunnel);
    if (err != DX_OK)
        dx_tunnel_release(tunnel);
    return err;
}

void dx_tunnel_release(struct dx_tunnel *tunnel)
{
    /* It may contain a password. */
    if (tunnel->out != NULL)
        explicit_bzero(tunnel->out, tunnel->out_len);
    free(tunnel->out);
    free(tunnel->in);
    tunnel->out = NULL;
    tunnel->in = NULL;
    tunnel->out_len = 0;
    tunnel->in_len = 0;
    tunnel->in_room = 0;
}

struct dx_slice dx_tunnel_output(const struct dx_tunnel *tunnel)
{
    return (struct dx_slice){(const uint8_t *)tunnel->out, tunnel->out_len};
}

void dx_tunnel_sent(struct dx_tunnel *tunnel, size_t len)
{
    tunnel->out_len -= len;
    if (tunnel->out_len > 0)
        memmove(tunnel->out, tunnel->out + len, tunnel->out_len);
}

/* Makes room for `len` more bytes; doubling keeps the number of steps small. */
static bool make_room(struct dx_tunnel *tunnel, size_t len)
{
    size_t room = tunnel->in_room > 0 ? tunnel->in_room : 512;
    uint8_t *grown;

    while (room < tunnel->in_len + len)
        room *= 2;
    if (room == tunnel->in_room)
        return true;
    grown = realloc(tunnel->in, room);
    if (grown == NULL)
        return false;
    tunnel->in = grown;
    tunnel->in_room = room;
    return true;
}

enum dx_tunnel_status dx_tunnel_feed(struct dx_tunnel *tunnel, const uint8_t *bytes, size_t len,
                                     size_t *used)
{
    size_t before = tunnel->in_len;
    size_t room = DX_TUNNEL_HEAD_MAX - before;
    enum dx_tunnel_status status;

    if (tunnel->err != DX_OK)
        return DX_TUNNEL_FAILED;
    if (len > 0 && tunnel->out_len > 0) {
        *used = 0;
        return dx_tunnel_fail(tunnel, DX_ERR_PROTOCOL, "the proxy sent data before it was asked");
    }
    if (len > room)
        len = room;
    *used = 0;
    if (!make_room(tunnel, len))
        return dx_tunnel_fail(tunnel, DX_ERR_NOMEM, "out of memory");
    if (len > 0)
        memcpy(tunnel->in + before, bytes, len);
    tunnel->in_len += len;
    status = tunnel->target.kind == DX_TUNNEL_CONNECT ? dx_tunnel_connect_step(tunnel)
                                                      : dx_tunnel_socks5_step(tunnel);
    if (status == DX_TUNNEL_MORE && tunnel->in_len == DX_TUNNEL_HEAD_MAX)
        status = dx_tunnel_fail(tunnel, DX_ERR_PROTOCOL, "the proxy's answer is too long");
    /* The answer ends in these bytes: before them it was incomplete. */
    *used = status == DX_TUNNEL_OPEN ? tunnel->in_start - before : len;
    return status;
}
