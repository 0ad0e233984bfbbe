/*
 * chunked.c - see chunked.h. Each state is a small function that takes one byte; data is taken in
 * one piece.
 */
#include "http/chunked.h"

#include "base/text.h"

enum {
    STATE_SIZE = 0,
    STATE_BLANK,     /* after the size: only an extension may follow */
    STATE_EXTENSION, /* anything up to the end of the line */
    STATE_SIZE_END,  /* LF */
    STATE_DATA,
    STATE_DATA_CR,
    STATE_DATA_LF,
    STATE_TRAILER, /* start of a line */
    STATE_TRAILER_NAME,
    STATE_TRAILER_VALUE,
    STATE_TRAILER_LF,
    STATE_END_LF,
    STATE_DONE,
    STATE_BAD,
};

static void fail(struct dx_chunked *chunked, const char *detail)
{
    chunked->detail = detail;
    chunked->state = STATE_BAD;
}

static bool is_control(uint8_t byte)
{
    return (byte < 0x20 && byte != '\t') || byte == 0x7f;
}

static void on_size(struct dx_chunked *chunked, uint8_t byte)
{
    int value = dx_text_hex_value(byte);

    if (value >= 0) {
        if (++chunked->digit_count > DX_CHUNKED_DIGITS_MAX || chunked->left > INT64_MAX >> 4)
            fail(chunked, "the size of a chunk is too large");
        else
            chunked->left = chunked->left << 4 | (uint64_t)value;
    } else if (chunked->digit_count == 0) {
        fail(chunked, "a chunk without a size");
    } else if (byte == '\r') {
        chunked->state = STATE_SIZE_END;
    } else if (byte == ';') {
        chunked->state = STATE_EXTENSION;
    } else if (byte == ' ' || byte == '\t') {
        chunked->state = STATE_BLANK;
    } else {
        fail(chunked, "malformed size of a chunk");
    }
}

static bool count_extension(struct dx_chunked *chunked)
{
    if (++chunked->extensions_len <= DX_CHUNKED_EXTENSIONS_MAX)
        return true;
    fail(chunked, "too many chunk extensions");
    return false;
}

static void on_blank(struct dx_chunked *chunked, uint8_t byte)
{
    if (!count_extension(chunked))
        return;
    if (byte == ';')
        chunked->state = STATE_EXTENSION;
    else if (byte != ' ' && byte != '\t')
        fail(chunked, "malformed size of a chunk");
}

static void on_extension(struct dx_chunked *chunked, uint8_t byte)
{
    if (byte == '\r')
        chunked->state = STATE_SIZE_END;
    else if (is_control(byte))
        fail(chunked, "a control character in a chunk extension");
    else
        (void)count_extension(chunked);
}

/*
 * The end of a line. If CR or LF alone were accepted, another reader could end the line elsewhere.
 */
static void expect(struct dx_chunked *chunked, uint8_t byte, uint8_t expected, uint8_t next)
{
    if (byte == expected)
        chunked->state = next;
    else
        fail(chunked, "a line of the chunked body does not end in CRLF");
}

static void on_data_lf(struct dx_chunked *chunked, uint8_t byte)
{
    expect(chunked, byte, '\n', STATE_SIZE);
    chunked->digit_count = 0;
}

static void on_trailer(struct dx_chunked *chunked, uint8_t byte)
{
    if (byte == '\r')
        chunked->state = STATE_END_LF;
    else if (dx_text_is_token_byte(byte))
        chunked->state = STATE_TRAILER_NAME;
    else
        fail(chunked, "malformed trailer");
}

static void on_trailer_name(struct dx_chunked *chunked, uint8_t byte)
{
    if (byte == ':')
        chunked->state = STATE_TRAILER_VALUE;
    else if (!dx_text_is_token_byte(byte))
        fail(chunked, "malformed trailer");
}

static void on_trailer_value(struct dx_chunked *chunked, uint8_t byte)
{
    if (byte == '\r')
        chunked->state = STATE_TRAILER_LF;
    else if (is_control(byte))
        fail(chunked, "a control character in a trailer");
}

static void take_trailer_byte(struct dx_chunked *chunked, uint8_t byte)
{
    if (++chunked->trailers_len > DX_CHUNKED_TRAILERS_MAX)
        fail(chunked, "too many trailers");
    else if (chunked->state == STATE_TRAILER)
        on_trailer(chunked, byte);
    else if (chunked->state == STATE_TRAILER_NAME)
        on_trailer_name(chunked, byte);
    else if (chunked->state == STATE_TRAILER_VALUE)
        on_trailer_value(chunked, byte);
    else if (chunked->state == STATE_TRAILER_LF)
        expect(chunked, byte, '\n', STATE_TRAILER);
    else
        expect(chunked, byte, '\n', STATE_DONE);
}

static void take_byte(struct dx_chunked *chunked, uint8_t byte)
{
    switch (chunked->state) {
    case STATE_SIZE:
        on_size(chunked, byte);
        break;
    case STATE_BLANK:
        on_blank(chunked, byte);
        break;
    case STATE_EXTENSION:
        on_extension(chunked, byte);
        break;
    case STATE_SIZE_END:
        expect(chunked, byte, '\n', chunked->left > 0 ? STATE_DATA : STATE_TRAILER);
        break;
    case STATE_DATA_CR:
        expect(chunked, byte, '\r', STATE_DATA_LF);
        break;
    case STATE_DATA_LF:
        on_data_lf(chunked, byte);
        break;
    default:
        take_trailer_byte(chunked, byte);
        break;
    }
}

static void skip(struct dx_slice *input, size_t len)
{
    input->data += len;
    input->len -= len;
}

static void take_data(struct dx_chunked *chunked, struct dx_slice *input, struct dx_slice *data)
{
    size_t len = chunked->left < input->len ? (size_t)chunked->left : input->len;

    *data = (struct dx_slice){input->data, len};
    chunked->left -= len;
    if (chunked->left == 0)
        chunked->state = STATE_DATA_CR;
    skip(input, len);
}

enum dx_chunked_step dx_chunked_next(struct dx_chunked *chunked, struct dx_slice *input,
                                     struct dx_slice *data)
{
    while (input->len > 0 && chunked->state < STATE_DONE) {
        if (chunked->state == STATE_DATA) {
            take_data(chunked, input, data);
            return DX_CHUNKED_DATA;
        }
        take_byte(chunked, input->data[0]);
        skip(input, 1);
    }
    if (chunked->state == STATE_DONE)
        return DX_CHUNKED_DONE;
    return chunked->state == STATE_BAD ? DX_CHUNKED_BAD : DX_CHUNKED_MORE;
}

uint64_t dx_chunked_announced(const struct dx_chunked *chunked)
{
    return chunked->state == STATE_DATA ? chunked->left : 0;
}

size_t dx_chunked_write_head(char head[DX_CHUNKED_HEAD_ROOM], uint64_t len)
{
    size_t digit_count = 1, at = 0;

    while (digit_count < 16 && len >> (4 * digit_count) != 0)
        digit_count++;
    while (digit_count-- > 0)
        head[at++] = "0123456789abcdef"[len >> (4 * digit_count) & 15];
    head[at++] = '\r';
    head[at++] = '\n';
    return at;
}
