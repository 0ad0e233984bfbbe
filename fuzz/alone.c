/*
 * alone.c - fuzz target: the protocol as those have it who have their own input and output -
 * frames, both sides of the handshake, an endpoint.
 *
 * Besides not crashing: a header that is read is written back as it was, masking twice changes
 * nothing, an answer fits its room, and an endpoint says the same of bytes however they are cut.
 */
#include "check.h"

#include <duplex/endpoint.h>
#include <duplex/handshake.h>

#include <string.h>

static void read_frame(const uint8_t *data, size_t len)
{
    uint8_t header[DX_FRAME_HEADER_MAX];
    struct dx_frame frame;
    size_t header_len;
    uint8_t *payload;

    if (dx_frame_read(data, len, &frame, &header_len) != DX_OK)
        return;
    CHECK(header_len <= len);
    CHECK(dx_frame_write(&frame, header) == header_len);
    CHECK(memcmp(header, data, header_len) == 0);
    payload = malloc(len + 1);
    CHECK(payload != NULL);
    memcpy(payload, data, len);
    dx_frame_mask(payload, len, frame.key, frame.payload_len);
    dx_frame_mask(payload, len, frame.key, frame.payload_len);
    CHECK(memcmp(payload, data, len) == 0);
    free(payload);
}

static void answer(const uint8_t *data, size_t len)
{
    static const char *const ours[] = {"chat", "echo"};
    char text[DX_HANDSHAKE_ANSWER_ROOM];
    struct dx_handshake_upgrade upgrade = dx_handshake_upgrade_init();
    size_t text_len = 0;
    enum dx_err err =
        dx_handshake_answer(data, len, ours, 2, &upgrade, text, sizeof(text), &text_len);

    CHECK(err == DX_OK || err == DX_ERR_AGAIN || err == DX_ERR_REFUSED);
    if (err == DX_ERR_AGAIN)
        return;
    CHECK(text_len > 0 && text_len <= sizeof(text));
    CHECK(err != DX_OK || upgrade.head_len <= len);
    if (text_len > 40)
        CHECK(dx_handshake_answer(data, len, ours, 2, &upgrade, text, text_len - 1, &text_len) ==
              DX_ERR_TOO_BIG);
}

static void read_response(const uint8_t *data, size_t len)
{
    struct dx_handshake_request request = dx_handshake_request_init("a.example", "/");
    static const char *const subprotocols[] = {"chat"};
    struct dx_handshake_response response = dx_handshake_response_init();
    enum dx_err err;

    request.subprotocols = subprotocols;
    request.subprotocol_count = 1;
    err = dx_handshake_response_read(&request, "dGhlIHNhbXBsZSBub25jZQ==", data, len, &response);
    if (err == DX_ERR_PROTOCOL)
        CHECK(response.detail != NULL);
    else if (err != DX_ERR_AGAIN)
        CHECK(response.head_len <= len);
}

static void write_request(const uint8_t *data, size_t len)
{
    static const uint8_t nonce[DX_HANDSHAKE_NONCE_LEN];
    char target[64], key[DX_HANDSHAKE_KEY_LEN + 1], text[512];
    struct dx_header header = {"X-Text", target};
    struct dx_handshake_request request = dx_handshake_request_init("a", target);
    size_t text_len = len < sizeof(target) ? len : sizeof(target) - 1;

    memcpy(target, data, text_len);
    target[text_len] = '\0';
    request.headers = &header;
    request.header_count = len % 2;
    if (dx_handshake_request_write(&request, nonce, key, text, sizeof(text), &text_len) == DX_OK)
        CHECK(text_len > 4 && memcmp(text + text_len - 4, "\r\n\r\n", 4) == 0);
}

/* A number for all events, in which the cuts of data do not show. */
static uint32_t sum_of(enum dx_role role, const uint8_t *data, size_t len, size_t step)
{
    struct dx_endpoint_options options = dx_endpoint_options_init(DX_ROLE_SERVER);
    struct dx_endpoint *endpoint;
    struct dx_slice waiting;
    struct dx_event event;
    uint32_t sum = 1;

    options.role = role;
    options.max_message = 1000;
    CHECK(dx_endpoint_new(&options, &endpoint) == DX_OK);
    for (size_t at = 0; at < len; at += step) {
        size_t piece = len - at < step ? len - at : step;
        uint8_t *bytes = malloc(piece);

        CHECK(bytes != NULL);
        memcpy(bytes, data + at, piece);
        dx_endpoint_feed(endpoint, bytes, piece);
        while (dx_endpoint_next(endpoint, &event) != DX_EVENT_NONE) {
            for (size_t i = 0; i < event.len; i++)
                sum = sum * 31 + event.data[i];
            if (event.type != DX_EVENT_DATA || event.is_last)
                sum = sum * 31 + (uint32_t)event.type + event.code;
        }
        free(bytes);
    }
    while (dx_endpoint_output(endpoint, &waiting, 1) > 0)
        dx_endpoint_output_sent(endpoint, waiting.len);
    CHECK(dx_endpoint_buffered_amount(endpoint) == 0);
    dx_endpoint_free(endpoint);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    read_frame(data, len);
    answer(data, len);
    read_response(data, len);
    if (len > 0)
        write_request(data, len);
    CHECK(sum_of(DX_ROLE_SERVER, data, len, len + 1) == sum_of(DX_ROLE_SERVER, data, len, 1));
    return 0;
}
