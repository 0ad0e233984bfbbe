/*
 * peer.h - the addresses of a connection's two ends: as text for logs, and for the Host rule.
 */
#ifndef DX_SERVER_PEER_H
#define DX_SERVER_PEER_H

#include "http/host.h"
#include "net/socket/address.h"

/* "[" address "]:" port and a NUL. */
#define DX_PEER_TEXT_ROOM (DX_ADDRESS_TEXT_MAX + 8)

/** "127.0.0.1:1234", "[::1]:1234", "unix". */
void dx_peer_text(const struct dx_address *peer, char text[DX_PEER_TEXT_ROOM]);

/** Whether `host` is the address at which this connected socket was reached. */
bool dx_peer_is_own_address(int fd, const struct dx_host *host);

#endif
