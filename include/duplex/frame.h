/*
 * duplex/frame.h - frames of RFC 6455 section 5: headers as bytes, masking, and what else the protocol says of single values.
 *
 * No allocation, nothing kept: every function works on memory of the caller. Any thread.
 */
#ifndef DUPLEX_FRAME_H
#define DUPLEX_FRAME_H

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

/* A frame's header. */
struct dx_frame {
    enum dx_opcode opcode;
    bool is_final; /* FIN: the last frame of its message */
    bool rsv1, rsv2, rsv3;
    bool is_masked;
    uint8_t key[4]; /* when masked */
    uint64_t payload_len;
};

/**
 * Reads one header from the first bytes of `in`; its payload starts at `*header_len`. What no frame may look like is refused: an unknown
 * opcode, a control frame that is fragmented or longer than 125 bytes, a length with its top bit set or in a longer form than needed.
 * Reserved bits and masking are left to judge to the caller. On an error `frame` and `header_len` stay as they are.
 *
 * Returns DX_OK; DX_ERR_AGAIN (`in` ends inside the header); DX_ERR_PROTOCOL.
 */
DX_API DX_MUST_CHECK enum dx_err dx_frame_read(const uint8_t *in, size_t in_len,
                                               struct dx_frame *frame, size_t *header_len);

/** Writes a header in the shortest form; returns its length. Nothing is judged. */
DX_API size_t dx_frame_write(const struct dx_frame *frame, uint8_t header[DX_FRAME_HEADER_MAX]);

/** Masks or unmasks in place (5.3); `at` is the place of the first byte in its payload. */
DX_API void dx_frame_mask(uint8_t *payload, size_t len, const uint8_t key[4], uint64_t at);

/** Whether that code may be on the wire, in either direction: 1000-1003, 1007-1014, 3000-4999 (7.4, and the IANA registry). */
DX_API bool dx_close_code_is_valid(uint16_t code);

/** Whether the bytes are UTF-8 (RFC 3629), as text messages and close reasons must be. */
DX_API bool dx_utf8_is_valid(const void *text, size_t len);

#ifdef __cplusplus
}
#endif
#endif
