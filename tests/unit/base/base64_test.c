/*
 * base64_test.c - the vectors of RFC 4648, every byte there and back, and what is not canonical.
 */
#include <stdlib.h>

#include "base/base64.h"

#include "support/test.h"

static void published_vectors(void **state)
{
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    char text[16];
    uint8_t bytes[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        dx_base64_encode(rows[i][0], strlen(rows[i][0]), text);
        assert_int_equal(DX_BASE64_LEN(strlen(rows[i][0])), strlen(rows[i][1]));
        assert_memory_equal(text, rows[i][1], strlen(rows[i][1]));
        assert_int_equal(dx_base64_decode(dx_slice_of(rows[i][1]), bytes, sizeof(bytes), &len),
                         DX_OK);
        assert_int_equal(len, strlen(rows[i][0]));
        assert_memory_equal(bytes, rows[i][0], len);
    }
}

static void every_byte_there_and_back(void **state)
{
    uint8_t bytes[256];
    uint8_t read[256];
    char text[DX_BASE64_LEN(256)];
    size_t read_len;

    (void)state;
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)(i * 167 + 13);
    for (size_t len = 0; len <= 256; len++) {
        dx_base64_encode(bytes, len, text);
        assert_int_equal(dx_base64_decode((struct dx_slice){(uint8_t *)text, DX_BASE64_LEN(len)},
                                          read, len, &read_len),
                         DX_OK);
        assert_int_equal(read_len, len);
        assert_memory_equal(read, bytes, len);
    }
}

static void what_is_not_canonical(void **state)
{
    static const char *const texts[] = {
        "Z",    "Zg",   "Zg=",      "=",        "==",      "===",        "====",
        "Zh==", "Zm9=", "Zg==Zg==", "Z===",     "Zm9v\n",  "Zm 9",       "Zm-_",
        "Zg=a", "=Zg=", "Zm9v=",    "Zm9vZ===", "Zm9\x80", "\xc3\xa9==", "Zg==\r\n\r\n"};
    uint8_t bytes[16];
    size_t len = 4711;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (dx_base64_decode(dx_slice_of(texts[i]), bytes, sizeof(bytes), &len) != DX_ERR_PROTOCOL)
            fail_msg("%s", texts[i]);
    assert_int_equal(dx_base64_decode(dx_slice_of("Zm9v"), bytes, 2, &len), DX_ERR_TOO_BIG);
    assert_int_equal(len, 4711);
    assert_int_equal(dx_base64_decode(dx_slice_of("Zm8="), bytes, 2, &len), DX_OK);
}

/* What people type, and what other programs print. */
static void loose_texts(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},      {"Zg==", "f"}, {"Zg", "f"},        {"Zh==", "f"},        {"Zm8=", "fo"},
        {"Zm8", "fo"}, {"Zm9", "fo"}, {"Zm9vYg", "foob"}, {"Zm9vYmE", "fooba"}, {"Zm9v", "foo"},
    };
    static const char *const wrong[] = {"Z",     "=",       "==",     "Zg=",    "Zm8==",
                                        "Zm9vY", "Z===",    "Zm 9",   "Zm9v\n", "Zm-_",
                                        "=Zg",   "Zg=Zg==", "Zm9\x80"};
    uint8_t bytes[16];
    size_t len = 4711;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (dx_base64_decode_loose(dx_slice_of(wrong[i]), bytes, sizeof(bytes), &len) !=
            DX_ERR_PROTOCOL)
            fail_msg("%s", wrong[i]);
    assert_int_equal(len, 4711);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(
            dx_base64_decode_loose(dx_slice_of(rows[i][0]), bytes, sizeof(bytes), &len), DX_OK);
        assert_int_equal(len, strlen(rows[i][1]));
        assert_memory_equal(bytes, rows[i][1], len);
    }
    assert_int_equal(dx_base64_decode_loose(dx_slice_of("Zm9"), bytes, 1, &len), DX_ERR_TOO_BIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(every_byte_there_and_back),
        cmocka_unit_test(what_is_not_canonical),
        cmocka_unit_test(loose_texts),
    };

    return run_group(tests, NULL, NULL);
}
