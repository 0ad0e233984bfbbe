/*
 * http_transport.h - the transport that speaks HTTP/1.1 (RFC 9112): all that the rest of server/
 * knows of it.
 */
#ifndef DX_SERVER_HTTP_TRANSPORT_H
#define DX_SERVER_HTTP_TRANSPORT_H

#include "net/socket/address.h"
#include "server/core/shard.h"

/**
 * Takes over an accepted descriptor, or closes it on failure. On the shard's loop.
 *
 * Returns DX_OK, or:
 *   DX_ERR_TOO_MANY                        there are too many connections even to refuse this one
 *   DX_ERR_NOMEM, DX_ERR_SYSTEM, DX_ERR_TLS
 */
DX_MUST_CHECK enum dx_err dx_http_transport_new(struct dx_shard *shard, int fd,
                                                const struct dx_address *peer,
                                                struct dx_server_listener *listener);

#endif
