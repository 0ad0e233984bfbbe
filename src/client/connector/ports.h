/*
 * ports.h - ports that browsers do not connect to (Fetch, "port blocking").
 */
#ifndef DX_CLIENT_PORTS_H
#define DX_CLIENT_PORTS_H

#include <stdbool.h>
#include <stdint.h>

bool dx_port_is_blocked(uint16_t port);

#endif
