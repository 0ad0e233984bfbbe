/*
 * ports.h - the ports that browsers refuse to connect to (Fetch, "port blocking").
 */
#ifndef DX_CLIENT_PORTS_H
#define DX_CLIENT_PORTS_H

#include <stdbool.h>
#include <stdint.h>

/** True for a blocked port. */
bool dx_port_is_blocked(uint16_t port);

#endif
