/*
 * scenario.c - one input to one endpoint, run in every way that must not matter.
 */
#include "support/failing/allocator.h"
#include "support/test.h"
#include "support/ws/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL_PAIRS_MAX 72  /* inputs up to here are cut at each pair of positions */
#define ALL_CUTS_MAX 3000 /* up to here at each position, above at the ends and at random ones */
#define SEED_MAX 512
#define RANDOM_RUNS 24
#define RANDOM_CUTS 9

struct scenario_counts scenario_counts;

/* What the owner keeps of a message that comes in. */
struct owner {
    struct dx_endpoint endpoint;
    struct dx_output output;
    struct dx_pool pool;
    const struct scenario *scenario;
    struct outcome *outcome;
    uint8_t *message;
    size_t message_len;
    size_t message_room;
    uint8_t *sent;
    size_t sent_len;
    size_t sent_room;
};

static void grow(uint8_t **bytes, size_t *room, size_t wanted)
{
    if (wanted <= *room)
        return;
    *room = wanted * 2;
    *bytes = realloc(*bytes, *room);
    if (*bytes == NULL)
        abort();
}

static void append(uint8_t **bytes, size_t *len, size_t *room, const uint8_t *data, size_t data_len)
{
    grow(bytes, room, *len + data_len + 1);
    if (data_len > 0)
        memcpy(*bytes + *len, data, data_len);
    *len += data_len;
}

static bool fill_key(uint8_t *bytes, size_t len, void *context)
{
    (void)context;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(0xa5 + 31 * i);
    return true;
}

static void note_error(struct owner *owner, enum dx_err err)
{
    if (err != DX_OK && err != DX_ERR_CLOSED) {
        failing_allocator_pause(true);
        journal_note(&owner->outcome->events, dx_err_name(err));
        failing_allocator_pause(false);
    }
}

static void echo(struct owner *owner, const struct dx_event *event)
{
    failing_allocator_pause(true);
    if (event->is_first)
        owner->message_len = 0;
    append(&owner->message, &owner->message_len, &owner->message_room, event->data, event->len);
    failing_allocator_pause(false);
    if (event->is_last)
        note_error(owner, dx_endpoint_send(&owner->endpoint, event->opcode, owner->message,
                                           owner->message_len));
}

static void drain(struct owner *owner)
{
    struct dx_slice slice;

    failing_allocator_pause(true);
    while (dx_output_peek(&owner->output, &slice, 1) > 0) {
        append(&owner->sent, &owner->sent_len, &owner->sent_room, slice.data, slice.len);
        dx_output_consume(&owner->output, slice.len);
    }
    failing_allocator_pause(false);
}

static void pull(struct owner *owner)
{
    struct dx_event event;

    while (dx_endpoint_next(&owner->endpoint, &event) != DX_EVENT_NONE) {
        failing_allocator_pause(true);
        journal_event(&owner->outcome->events, &event);
        failing_allocator_pause(false);
        if (event.type == DX_EVENT_DATA && !owner->scenario->is_quiet)
            echo(owner, &event);
        if (event.type == DX_EVENT_CLOSE)
            note_error(owner, dx_endpoint_close(&owner->endpoint, event.code, NULL, 0));
    }
    drain(owner);
}

/*
 * A block of its own for each piece, so that a sanitizer sees every byte that is touched beside it.
 */
static void feed(struct owner *owner, const uint8_t *data, size_t len)
{
    uint8_t *piece;

    failing_allocator_pause(true);
    piece = malloc(len == 0 ? 1 : len);
    if (piece == NULL)
        abort();
    if (len > 0)
        memcpy(piece, data, len);
    failing_allocator_pause(false);
    dx_endpoint_feed(&owner->endpoint, piece, len);
    pull(owner);
    failing_allocator_pause(true);
    free(piece);
    failing_allocator_pause(false);
}

static struct dx_endpoint_config config_of(const struct scenario *scenario)
{
    return (struct dx_endpoint_config){
        .role = scenario->role,
        .max_message = scenario->max_message == 0 ? 1 << 20 : scenario->max_message,
        .max_fragments = scenario->max_fragments == 0 ? 16384 : scenario->max_fragments,
        .fill_random = fill_key,
        .transform = scenario->transform,
    };
}

/* With the allocator on: the `nth` allocation fails, none for 0. Returns whether one was failed. */
static bool run(const struct scenario *scenario, const size_t *cuts, size_t cut_count, size_t nth,
                struct outcome *outcome)
{
    struct dx_endpoint_config config = config_of(scenario);
    struct owner owner = {.scenario = scenario, .outcome = outcome};
    struct dx_transform_state transform_state = {.own = scenario->transform_state};
    size_t at = 0;
    bool has_failed;

    if (scenario->reset_transform != NULL)
        scenario->reset_transform(scenario->transform_state);
    failing_allocator_start(nth);
    dx_pool_init(&owner.pool, 0, 64 << 20);
    dx_output_init(&owner.output, &owner.pool);
    dx_endpoint_init(&owner.endpoint, &config, &owner.output);
    dx_endpoint_set_transform_state(&owner.endpoint, &transform_state);
    for (size_t i = 0; i < cut_count; i++) {
        feed(&owner, scenario->in + at, cuts[i] - at);
        at = cuts[i];
    }
    feed(&owner, scenario->in + at, scenario->in_len - at);
    dx_endpoint_release(&owner.endpoint);
    dx_output_clear(&owner.output);
    dx_pool_release(&owner.pool);
    has_failed = failing_allocator_stop();
    assert_int_equal(failing_allocator_live(), 0);
    journal_frames(&outcome->out, scenario->role, owner.sent, owner.sent_len);
    free(owner.message);
    free(owner.sent);
    return has_failed;
}

void scenario_run(const struct scenario *scenario, const size_t *cuts, size_t cut_count,
                  struct outcome *outcome)
{
    *outcome = (struct outcome){0};
    (void)run(scenario, cuts, cut_count, 0, outcome);
}

void outcome_release(struct outcome *outcome)
{
    journal_release(&outcome->events);
    journal_release(&outcome->out);
}

/* Strings are compared before cmocka sees them: it is slow and cannot say which row it was. */
static void compare(const struct scenario *scenario, const char *what, const char *got,
                    const char *wanted)
{
    if (strcmp(got, wanted) != 0)
        fail_msg("%s (%s), %s\n  got:    %s\n  wanted: %s", scenario->name,
                 scenario->role == DX_ROLE_SERVER ? "server" : "client", what, got, wanted);
}

static void check_cut(const struct scenario *scenario, const size_t *cuts, size_t cut_count,
                      const char *events, const char *out)
{
    struct outcome outcome;

    scenario_run(scenario, cuts, cut_count, &outcome);
    compare(scenario, cut_count == 0 ? "whole" : "cut", journal_text(&outcome.events), events);
    compare(scenario, cut_count == 0 ? "whole, out" : "cut, out", journal_text(&outcome.out), out);
    outcome_release(&outcome);
    scenario_counts.run_count++;
}

static void check_each_cut(const struct scenario *scenario, const char *events, const char *out)
{
    size_t cuts[2];

    for (cuts[0] = 0; cuts[0] <= scenario->in_len; cuts[0]++) {
        if (scenario->in_len > ALL_CUTS_MAX && cuts[0] > 40 && cuts[0] + 40 < scenario->in_len)
            cuts[0] += scenario->in_len / 64;
        if (cuts[0] > scenario->in_len)
            break;
        check_cut(scenario, cuts, 1, events, out);
        for (cuts[1] = cuts[0] + 1; scenario->in_len <= ALL_PAIRS_MAX && cuts[1] < scenario->in_len;
             cuts[1]++)
            check_cut(scenario, cuts, 2, events, out);
    }
}

static void check_each_byte(const struct scenario *scenario, const char *events, const char *out)
{
    size_t *cuts = malloc((scenario->in_len + 1) * sizeof(*cuts));

    if (cuts == NULL)
        abort();
    for (size_t i = 0; i + 1 < scenario->in_len; i++)
        cuts[i] = i + 1;
    check_cut(scenario, cuts, scenario->in_len > 0 ? scenario->in_len - 1 : 0, events, out);
    free(cuts);
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static int compare_sizes(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;

    return (left > right) - (left < right);
}

static void check_random_cuts(const struct scenario *scenario, const char *events, const char *out)
{
    uint64_t seed = scenario->in_len + 1;

    for (int round = 0; round < RANDOM_RUNS; round++) {
        size_t cuts[RANDOM_CUTS];

        for (size_t i = 0; i < RANDOM_CUTS; i++)
            cuts[i] = next_random(&seed) % (scenario->in_len + 1);
        qsort(cuts, RANDOM_CUTS, sizeof(cuts[0]), compare_sizes);
        check_cut(scenario, cuts, RANDOM_CUTS, events, out);
    }
}

static bool names_the_failure(const char *events)
{
    return strstr(events, "DX_ERR_NOMEM") != NULL || strstr(events, "out of memory") != NULL ||
           strstr(events, "fail(1006 ") != NULL; /* not even the Close could be queued */
}

/*
 * A failed allocation gives the same, or stops with a word about it; a frame goes out whole or not
 * at all.
 */
static void check_failing(const struct scenario *scenario, const size_t *cuts, size_t cut_count,
                          const char *events)
{
    for (size_t nth = 1;; nth++) {
        struct outcome outcome = {0};
        bool has_failed = run(scenario, cuts, cut_count, nth, &outcome);
        const char *got = journal_text(&outcome.events);

        if (has_failed && strcmp(got, events) != 0 && !names_the_failure(got))
            fail_msg("%s: allocation %zu failed silently\n  got:    %s\n  wanted: %s",
                     scenario->name, nth, got, events);
        if (strstr(journal_text(&outcome.out), "CUT") != NULL)
            fail_msg("%s: allocation %zu left half a frame", scenario->name, nth);
        outcome_release(&outcome);
        if (!has_failed)
            return;
        scenario_counts.failure_count++;
    }
}

static void check_failures(const struct scenario *scenario, const char *events)
{
    size_t len = scenario->in_len;
    size_t cuts[] = {len / 8, len / 4, len / 2, len / 4 + len / 2, len - (len > 0)};
    size_t count = sizeof(cuts) / sizeof(cuts[0]);

    check_failing(scenario, NULL, 0, events);
    for (size_t i = 0; i < count; i++)
        check_failing(scenario, &cuts[i], 1, events);
    check_failing(scenario, cuts, count, events);
}

static const char *seed_folder;

void scenario_write_seeds(const char *folder)
{
    seed_folder = folder;
}

bool scenario_is_writing_seeds(void)
{
    return seed_folder != NULL;
}

/* The two bytes in front are those of fuzz/endpoint.c: which endpoint, and where to cut. */
static void write_seed(const struct scenario *scenario)
{
    uint8_t front[2] = {scenario->role == DX_ROLE_CLIENT, 2};
    char path[512];
    size_t at;
    FILE *file;

    at = (size_t)snprintf(path, sizeof(path), "%s/", seed_folder);
    snprintf(path + at, sizeof(path) - at, "%s-%s", scenario->name,
             scenario->role == DX_ROLE_SERVER ? "server" : "client");
    for (char *letter = path + at; *letter != '\0'; letter++)
        if (strchr(" ,^/", *letter) != NULL)
            *letter = '_';
    file = fopen(path, "wb");
    if (file == NULL || fwrite(front, 1, 2, file) != 2 ||
        fwrite(scenario->in, 1, scenario->in_len, file) != scenario->in_len || fclose(file) != 0)
        fail_msg("cannot write %s", path);
}

void scenario_check(const struct scenario *scenario, const char *events, const char *out)
{
    struct outcome whole;

    if (seed_folder != NULL) {
        if (scenario->in_len <= SEED_MAX)
            write_seed(scenario);
        return;
    }
    scenario_run(scenario, NULL, 0, &whole);
    if (events == NULL)
        events = journal_text(&whole.events);
    if (out == NULL)
        out = journal_text(&whole.out);
    check_cut(scenario, NULL, 0, events, out);
    check_each_byte(scenario, events, out);
    check_each_cut(scenario, events, out);
    check_random_cuts(scenario, events, out);
    check_failures(scenario, events);
    outcome_release(&whole);
    scenario_counts.input_count++;
}

void scenario_print_counts(const char *name)
{
    print_message("%s: %lu inputs, %lu inputs x cuts, %lu allocations failed\n", name,
                  scenario_counts.input_count, scenario_counts.run_count,
                  scenario_counts.failure_count);
    print_message("injected %lu failures\n", scenario_counts.failure_count);
}

static size_t write_length(const struct frame_text *frame, uint8_t *bytes)
{
    uint64_t len = frame->announced > 0 ? frame->announced : frame->len;
    size_t field = frame->length_form == 64 || (frame->length_form == 0 && len > 65535) ? 8
                   : frame->length_form == 16 || len > 125                              ? 2
                                                                                        : 0;

    bytes[0] = (uint8_t)(field == 8 ? 127 : field == 2 ? 126 : len);
    for (size_t i = field; i > 0; i--) {
        bytes[i] = (uint8_t)len;
        len >>= 8;
    }
    return 1 + field;
}

size_t frame_text_write(const struct frame_text *frame, enum dx_role role, uint8_t *bytes)
{
    static const uint8_t key[4] = {0x37, 0xfa, 0x21, 0x3d};
    bool is_masked = (role == DX_ROLE_SERVER) != frame->has_wrong_mask;
    size_t at = 1;

    bytes[0] = frame->first;
    at += write_length(frame, bytes + 1);
    if (is_masked) {
        bytes[1] |= 0x80;
        memcpy(bytes + at, key, 4);
        at += 4;
    }
    for (size_t i = 0; i < frame->len; i++)
        bytes[at + i] = (uint8_t)frame->payload[i] ^ (is_masked ? key[i % 4] : 0);
    return at + frame->len;
}
