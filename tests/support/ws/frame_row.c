/*
 * frame_row.c - runs a row of a table of frames.
 */
#include "support/test.h"
#include "support/ws/frame_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t frames_len(const struct frame_row *row)
{
    size_t len = 0;

    for (size_t i = 0; i < FRAME_ROW_FRAMES_MAX && row->frames[i].payload != NULL; i++)
        len += (DX_FRAME_HEADER_MAX + row->frames[i].len) *
               (i == 1 && row->repeat > 0 ? row->repeat : 1);
    return len;
}

static size_t write_frames(const struct frame_row *row, enum dx_role role, uint8_t *bytes)
{
    size_t at = 0;

    for (size_t i = 0; i < FRAME_ROW_FRAMES_MAX && row->frames[i].payload != NULL; i++)
        for (size_t n = 0; n < (i == 1 && row->repeat > 0 ? row->repeat : 1); n++)
            at += frame_text_write(&row->frames[i], role, bytes + at);
    return at;
}

static void run_row(const struct frame_row *row, enum dx_role role)
{
    uint8_t *bytes = malloc(frames_len(row));
    char events[2048], out[2048];
    struct scenario scenario = {
        .name = row->name,
        .role = role,
        .max_message = row->max_message,
        .max_fragments = row->max_fragments,
        .in = bytes,
    };

    assert_non_null(bytes);
    scenario.in_len = write_frames(row, role, bytes);
    snprintf(events, sizeof(events), "%s", row->events);
    snprintf(out, sizeof(out), "%s", row->out);
    if (row->code != 0) {
        snprintf(events + strlen(events), sizeof(events) - strlen(events), "%sfail(%d %s)",
                 row->events[0] == '\0' ? "" : " ", row->code, row->detail);
        snprintf(out + strlen(out), sizeof(out) - strlen(out), "%sclose(%d %s)",
                 row->out[0] == '\0' ? "" : " ", row->code, row->detail);
    }
    scenario_check(&scenario, events, out);
    free(bytes);
}

void frame_row_test(void **state)
{
    const struct frame_row *row = *state;

    if ((row->roles & SERVER) != 0)
        run_row(row, DX_ROLE_SERVER);
    if ((row->roles & CLIENT) != 0)
        run_row(row, DX_ROLE_CLIENT);
}
