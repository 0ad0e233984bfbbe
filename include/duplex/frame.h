/*
 * duplex/frame.h - single frames and values of RFC 6455: frame headers, masking, close codes,
 * UTF-8.
 *
 * These functions allocate nothing and keep no state: they work on the caller's memory. Any thread.
 *
 *     err = dx_frame_read(in, in_len, &frame, &header_len);
 *     if (err == DX_OK && frame.is_masked)
 *         dx_frame_mask(in + header_len, payload_len, frame.key, 0);
 */
#ifndef DUPLEX_FRAME_H
#define DUPLEX_FRAME_H

#include <duplex/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Values of the protocol
 */

/* The longest frame header: 2 bytes, a 64-bit length, a masking key (RFC 6455 section 5.2). */
#define DX_FRAME_HEADER_MAX 14

/* The longest payload of a control frame, in bytes (RFC 6455 section 5.5). */
#define DX_CONTROL_MAX 125

/* The longest reason of a Close, in bytes: a control frame's payload without the code. */
#define DX_CLOSE_REASON_MAX 123

enum dx_role {
    DX_ROLE_SERVER = 0, /* receives masked frames, sends unmasked ones */
    DX_ROLE_CLIENT = 1, /* receives unmasked frames, sends masked ones */
};

enum dx_opcode {
    DX_OP_CONTINUATION = 0x0,
    DX_OP_TEXT = 0x1,
    DX_OP_BINARY = 0x2,
    DX_OP_CLOSE = 0x8,
    DX_OP_PING = 0x9,
    DX_OP_PONG = 0xa,
};

/* Close codes (RFC 6455 section 7.4.1 and the IANA registry). */
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
    DX_CLOSE_TLS = 1015, /* never on the wire: TLS failed */
};

/*
 * Frames
 */

/* A frame's header. */
struct dx_frame {
    enum dx_opcode opcode;

    /* FIN: this is the last frame of its message. */
    bool is_final;

    /* The reserved bits. */
    bool rsv1, rsv2, rsv3;

    /* Whether the payload is masked with `key`. */
    bool is_masked;

    /* The masking key if is_masked. */
    uint8_t key[4];

    /* Bytes of payload after the header. */
    uint64_t payload_len;
};

/**
 * Reads a frame header from the first bytes of `in`.
 *
 * A frame that is never valid is refused as soon as its first bytes show it. Reserved bits and
 * masking are not checked: that is the caller's decision.
 *
 * in, in_len   the bytes
 * frame        gets the header; not changed on an error
 * header_len   gets the header's length, where the payload begins; not changed on an error
 *
 * Returns DX_OK, or:
 *   DX_ERR_AGAIN      the bytes end inside the header
 *   DX_ERR_PROTOCOL   an unknown opcode, a control frame that is fragmented or longer than
 *                     DX_CONTROL_MAX, or a length with its highest bit set or not in its shortest
 *                     form
 */
DX_API DX_MUST_CHECK enum dx_err dx_frame_read(const uint8_t *in, size_t in_len,
                                               struct dx_frame *frame, size_t *header_len);

/**
 * Writes a frame header, with its length in the shortest form, and returns how many bytes it has.
 * The values are not checked.
 */
DX_API size_t dx_frame_write(const struct dx_frame *frame, uint8_t header[DX_FRAME_HEADER_MAX]);

/**
 * Masks or unmasks bytes in place (RFC 6455 section 5.3).
 *
 * payload, len   the bytes: a payload, or a part of one
 * key            the frame's masking key
 * at             the position of the first byte in its payload
 */
DX_API void dx_frame_mask(uint8_t *payload, size_t len, const uint8_t key[4], uint64_t at);

/*
 * Checks
 */

/**
 * Whether a close code may be on the wire, in either direction: 1000 to 1003, 1007 to 1014, 3000 to
 * 4999 (RFC 6455 section 7.4 and the IANA registry).
 */
DX_API bool dx_close_code_is_valid(uint16_t code);

/** Whether the bytes are UTF-8 (RFC 3629), as text messages and close reasons must be. */
DX_API bool dx_utf8_is_valid(const void *text, size_t len);

#ifdef __cplusplus
}
#endif
#endif
