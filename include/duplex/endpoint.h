/*
 * duplex/endpoint.h - the WebSocket protocol alone (RFC 6455), for those who have their own input and output.
 *
 * An endpoint is one connection after the opening handshake. It does no I/O: bytes come in, events and bytes go out.
 */
#ifndef DUPLEX_ENDPOINT_H
#define DUPLEX_ENDPOINT_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The longest frame header: 2 bytes, a 64-bit length, a masking key (RFC 6455 5.2). */
#define DX_FRAME_HEADER_MAX 14

/* The longest payload of a control frame, and of a close reason (RFC 6455 5.5). */
#define DX_CONTROL_MAX 125
#define DX_CLOSE_REASON_MAX 123

enum dx_role {
    DX_ROLE_SERVER = 0, /* expects masked frames, sends unmasked ones */
    DX_ROLE_CLIENT = 1,
};

enum dx_opcode {
    DX_OP_CONTINUATION = 0x0,
    DX_OP_TEXT = 0x1,
    DX_OP_BINARY = 0x2,
    DX_OP_CLOSE = 0x8,
    DX_OP_PING = 0x9,
    DX_OP_PONG = 0xa,
};

/* Close codes (RFC 6455 7.4.1 and the IANA registry). */
enum dx_close_code {
    DX_CLOSE_NORMAL = 1000,
    DX_CLOSE_GOING_AWAY = 1001,
    DX_CLOSE_PROTOCOL_ERROR = 1002,
    DX_CLOSE_UNSUPPORTED = 1003,
    DX_CLOSE_NO_STATUS = 1005, /* never on the wire: a Close without a code */
    DX_CLOSE_ABNORMAL = 1006,  /* never on the wire: no Close came */
    DX_CLOSE_INVALID_DATA = 1007,
    DX_CLOSE_POLICY = 1008,
    DX_CLOSE_TOO_BIG = 1009,
    DX_CLOSE_MISSING_EXTENSION = 1010,
    DX_CLOSE_INTERNAL_ERROR = 1011,
    DX_CLOSE_SERVICE_RESTART = 1012,
    DX_CLOSE_TRY_AGAIN = 1013,
    DX_CLOSE_BAD_GATEWAY = 1014,
    DX_CLOSE_TLS = 1015, /* never on the wire */
};

enum dx_event_type {
    DX_EVENT_NONE = 0, /* everything that was fed is consumed */
    DX_EVENT_DATA,     /* a piece of a message: opcode, is_first, is_last, data */
    DX_EVENT_PING,     /* data; already answered */
    DX_EVENT_PONG,     /* data */
    DX_EVENT_CLOSE, /* the peer's Close: code (DX_CLOSE_NO_STATUS when it had none), data is the reason */
    DX_EVENT_FAIL, /* the peer broke a rule or a limit: err, code of the Close that was queued, detail */
};

struct dx_event {
    enum dx_event_type type;
    enum dx_opcode opcode; /* DATA: DX_OP_TEXT or DX_OP_BINARY, of the whole message */
    bool is_first;         /* DATA: begins a message */
    bool is_last;          /* DATA: ends a message; a whole message in one piece has both */
    uint16_t code;
    enum dx_err err;
    const char *detail; /* FAIL: one static English sentence naming the rule */
    uint8_t *data;      /* may be changed by the owner while it is valid */
    size_t len;
};

#ifdef __cplusplus
}
#endif
#endif
