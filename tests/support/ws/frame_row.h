/*
 * frame_row.h - a row of a table of frames: what the peer sends, what the endpoint says of it, and
 * all that it puts on the wire. Run for a server and, mirrored, for a client, as scenario.h runs
 * its inputs.
 */
#ifndef TESTS_FRAME_ROW_H
#define TESTS_FRAME_ROW_H

#include "support/ws/scenario.h"

#define FRAME_ROW_FRAMES_MAX 14

enum frame_row_roles { SERVER = 1, CLIENT = 2, BOTH = 3 };

struct frame_row {
    const char *name;
    unsigned roles;
    struct frame_text frames[FRAME_ROW_FRAMES_MAX];
    unsigned repeat; /* the second frame comes that many times; 0: once */
    uint64_t max_message;
    uint32_t max_fragments;
    const char *events; /* before the failure, if there is one; NULL: whatever they are */
    const char *out;
    uint16_t code; /* of the failure; 0: there is none */
    const char *detail;
};

/* clang-format off */
#define FRAME(first_byte, text) {.first = (first_byte), .payload = (text), .len = sizeof(text) - 1}
#define WRONG_MASK(first_byte, text) {.first = (first_byte), .payload = (text), .len = sizeof(text) - 1, .has_wrong_mask = true}
#define LONG_FORM(first_byte, text, bits) {.first = (first_byte), .payload = (text), .len = sizeof(text) - 1, .length_form = (bits)}
#define HEADER(first_byte, length, bits) {.first = (first_byte), .payload = "", .announced = (length), .length_form = (bits)}
#define BEGUN(first_byte, text, length) {.first = (first_byte), .payload = (text), .len = sizeof(text) - 1, .announced = (length)}
/* clang-format on */

/** A cmocka test of the row that is its initial state. */
void frame_row_test(void **state);

#endif
