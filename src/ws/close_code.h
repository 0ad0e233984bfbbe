/*
 * close_code.h - which close codes may stand in a Close frame (RFC 6455 7.4 and the IANA registry).
 */
#ifndef DX_WS_CLOSE_CODE_H
#define DX_WS_CLOSE_CODE_H

#include <duplex/endpoint.h>

/** Whether `code` may be on the wire, in either direction: 1000-1003, 1007-1014, 3000-4999. */
bool dx_close_code_is_valid(uint16_t code);

#endif
