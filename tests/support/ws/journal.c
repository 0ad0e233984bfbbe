/*
 * journal.c - what happened, as one line of text that a test can compare.
 */
#include "support/ws/journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_MAX 64

static void reserve(struct journal *journal, size_t len)
{
    if (journal->len + len + 1 > journal->room) {
        journal->room = (journal->len + len + 1) * 2;
        journal->text = realloc(journal->text, journal->room);
        if (journal->text == NULL)
            abort();
    }
}

__attribute__((format(printf, 2, 3))) static void put(struct journal *journal, const char *format,
                                                      ...)
{
    va_list args;
    int len;

    reserve(journal, 256);
    va_start(args, format);
    len = vsnprintf(journal->text + journal->len, 256, format, args);
    va_end(args);
    journal->len += (size_t)len;
}

static void put_bytes(struct journal *journal, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] < 0x20 || bytes[i] > 0x7e || bytes[i] == '\\')
            put(journal, "\\x%02x", bytes[i]);
        else
            put(journal, "%c", bytes[i]);
    }
}

static uint32_t add_to_sum(uint32_t sum, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 16777619u;
    return sum;
}

static void begin_run(struct journal *journal)
{
    journal->run = 0;
    journal->sum = 2166136261u;
    journal->run_at = journal->len;
}

/* Pieces of a run are joined: where it was cut must not show. */
static void put_run(struct journal *journal, const uint8_t *bytes, size_t len)
{
    if (len == 0)
        return;
    if (journal->needs_gap) {
        put(journal, " ");
        journal->needs_gap = false;
        begin_run(journal);
    }
    journal->sum = add_to_sum(journal->sum, bytes, len);
    journal->run += len;
    if (journal->run <= RUN_MAX) {
        put_bytes(journal, bytes, len);
    } else {
        journal->len = journal->run_at;
        put(journal, "<%llu bytes %08x>", (unsigned long long)journal->run, journal->sum);
    }
}

void journal_release(struct journal *journal)
{
    free(journal->text);
    *journal = (struct journal){0};
}

const char *journal_text(const struct journal *journal)
{
    return journal->text == NULL ? "" : journal->text;
}

static void separate(struct journal *journal)
{
    if (journal->len > 0)
        put(journal, " ");
}

void journal_note(struct journal *journal, const char *text)
{
    separate(journal);
    put(journal, "%s", text);
    journal->needs_gap = journal->is_inside;
}

static void note_data(struct journal *journal, const struct dx_event *event)
{
    if (event->is_first) {
        separate(journal);
        put(journal, "[%d:", (int)event->opcode);
        journal->is_inside = true;
        journal->needs_gap = false;
        begin_run(journal);
    }
    if (!journal->is_inside)
        put(journal, "!");
    put_run(journal, event->data, event->len);
    if (event->is_last) {
        put(journal, "]");
        journal->is_inside = false;
        journal->needs_gap = false;
    }
}

static void note_control(struct journal *journal, const char *name, const struct dx_event *event)
{
    separate(journal);
    put(journal, "%s(", name);
    put_bytes(journal, event->data, event->len);
    put(journal, ")");
}

void journal_event(struct journal *journal, const struct dx_event *event)
{
    switch (event->type) {
    case DX_EVENT_NONE:
        return;
    case DX_EVENT_DATA:
        note_data(journal, event);
        return;
    case DX_EVENT_PING:
        note_control(journal, "ping", event);
        break;
    case DX_EVENT_PONG:
        note_control(journal, "pong", event);
        break;
    case DX_EVENT_CLOSE:
        separate(journal);
        if (event->code == DX_CLOSE_NO_STATUS) {
            put(journal, "close(");
        } else {
            put(journal, "close(%d%s", event->code, event->len > 0 ? " " : "");
        }
        put_bytes(journal, event->data, event->len);
        put(journal, ")");
        break;
    case DX_EVENT_FAIL:
        separate(journal);
        put(journal, "fail(%d %s)", event->code, event->detail);
        break;
    }
    journal->needs_gap = journal->is_inside;
}

/* One frame of the wire; `mask_len` 4 for a client's. */
struct wire {
    uint8_t opcode;
    bool is_final;
    uint8_t *payload;
    size_t len;
};

static void note_frame(struct journal *journal, const struct wire *frame)
{
    static const char *const names[16] = {"cont",  "text", "binary", "?3", "?4", "?5", "?6", "?7",
                                          "close", "ping", "pong",   "?b", "?c", "?d", "?e", "?f"};
    const uint8_t *payload = frame->payload;
    size_t len = frame->len;

    separate(journal);
    put(journal, "%s%s(", names[frame->opcode], frame->is_final ? "" : "+");
    if (frame->opcode == DX_OP_CLOSE && len >= 2) {
        put(journal, "%d%s", payload[0] << 8 | payload[1], len > 2 ? " " : "");
        payload += 2;
        len -= 2;
    }
    begin_run(journal);
    put_run(journal, payload, len);
    put(journal, ")");
}

/* The length field at `at`; how long the field is goes to *field_len; false when it is cut. */
static bool read_length(const uint8_t *at, size_t left, uint64_t *len, size_t *field_len)
{
    uint8_t small = at[0] & 0x7f;

    *field_len = small == 127 ? 9 : small == 126 ? 3 : 1;
    if (left < *field_len)
        return false;
    *len = small;
    if (small >= 126) {
        *len = 0;
        for (size_t i = 1; i < *field_len; i++)
            *len = *len << 8 | at[i];
    }
    return true;
}

void journal_frames(struct journal *journal, enum dx_role role, const uint8_t *bytes, size_t len)
{
    size_t mask_len = role == DX_ROLE_CLIENT ? 4 : 0;

    while (len > 0) {
        struct wire frame = {.opcode = bytes[0] & 0x0f, .is_final = (bytes[0] & 0x80) != 0};
        uint64_t payload_len;
        size_t field_len;

        if (len < 2 || !read_length(bytes + 1, len - 1, &payload_len, &field_len) ||
            len - 1 - field_len < mask_len || len - 1 - field_len - mask_len < payload_len) {
            journal_note(journal, "CUT");
            return;
        }
        if ((bytes[0] & 0x70) != 0)
            journal_note(journal, "RSV");
        if (((bytes[1] & 0x80) != 0) != (mask_len > 0))
            journal_note(journal, "MASK");
        if (payload_len < 126 ? field_len != 1 : payload_len < 65536 ? field_len != 3 : false)
            journal_note(journal, "LENGTH");
        frame.len = (size_t)payload_len;
        frame.payload = malloc(frame.len + 1);
        if (frame.payload == NULL)
            abort();
        bytes += 1 + field_len;
        len -= 1 + field_len;
        for (size_t i = 0; i < frame.len; i++)
            frame.payload[i] = mask_len ? bytes[4 + i] ^ bytes[i % 4] : bytes[i];
        note_frame(journal, &frame);
        free(frame.payload);
        bytes += mask_len + frame.len;
        len -= mask_len + frame.len;
    }
}
