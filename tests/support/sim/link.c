/*
 * link.c - the oracle of one WebSocket.
 */
#include "support/sim/link.h"

#include "support/sim/memory.h"
#include "support/sim/sockets.h"
#include "support/sim/talker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_LEN (SIM_MESSAGE_MAX + 65536)

static uint8_t binary[TABLE_LEN];
static uint8_t text[TABLE_LEN];

/* Text of one, two, three and four bytes a character. */
static void fill_text(void)
{
    static const char *const characters[] = {
        "e", "n", " ", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x99\x82"};
    size_t at = 0;

    memset(text, 'x', sizeof(text));
    while (at + 4 <= sizeof(text)) {
        const char *character = characters[sim_below(SIM_SYSTEM, 6)];

        memcpy(text + at, character, strlen(character));
        at += strlen(character);
    }
}

void sim_tables_init(void)
{
    for (size_t i = 0; i < sizeof(binary); i++) {
        binary[i] = (uint8_t)sim_random(SIM_SYSTEM);
        if (binary[i] == SIM_PUBLISHED)
            binary[i] = 0;
    }
    fill_text();
}

static void init_side(struct sim_side *side, struct sim_link *link, struct sim_side *peer,
                      const char *name, enum sim_stream stream)
{
    *side = (struct sim_side){.link = link, .peer = peer, .name = name, .stream = stream};
}

void sim_link_init(struct sim_link *link, int number)
{
    *link = (struct sim_link){.number = number, .wire_number = -1};
    init_side(&link->client, link, &link->server, "client", SIM_CLIENT);
    init_side(&link->server, link, &link->client, "server", SIM_SERVER);
}

void sim_link_release(struct sim_link *link)
{
    free(link->client.out.sent);
    free(link->server.out.sent);
}

const uint8_t *sim_message_bytes(const struct sim_message *message)
{
    return (message->opcode == DX_OP_TEXT ? text : binary) + message->at;
}

static bool is_inside_character(uint32_t at)
{
    return (text[at] & 0xc0) == 0x80;
}

struct sim_message sim_message_draw(enum sim_stream stream, uint32_t max)
{
    struct sim_message message = {sim_below(stream, 65536), sim_magnitude(stream, 0, max),
                                  DX_OP_BINARY, true};

    if (sim_happens(stream, 500)) {
        uint32_t end;

        message.opcode = DX_OP_TEXT;
        while (is_inside_character(message.at))
            message.at--;
        for (end = message.at + message.len; is_inside_character(end);)
            end--;
        message.len = end - message.at;
    }
    return message;
}

void sim_note_sent(struct sim_side *side, struct sim_message message)
{
    struct sim_flow *flow = &side->out;

    /* One that failed, if another one can be sent behind it, has not begun to be sent. */
    if (flow->sent_count > 0 && !sim_last_sent(side)->is_whole && !side->is_fragmenting)
        flow->sent_count--;
    if (flow->sent_count == flow->room) {
        sim_memory_hold();
        flow->room = flow->room == 0 ? 64 : flow->room * 2;
        flow->sent = realloc(flow->sent, flow->room * sizeof(*flow->sent));
        sim_memory_let_go();
        if (flow->sent == NULL)
            sim_fail("the machine itself has no memory");
    }
    flow->sent[flow->sent_count++] = message;
}

struct sim_message *sim_last_sent(struct sim_side *side)
{
    return &side->out.sent[side->out.sent_count - 1];
}

__attribute__((format(printf, 2, 3), noreturn)) static void fail(const struct sim_side *side,
                                                                 const char *what, ...)
{
    char sentence[200];
    va_list args;

    va_start(args, what);
    (void)vsnprintf(sentence, sizeof(sentence), what, args);
    va_end(args);
    sim_fail("link %d, at the %s: %s", side->link->number, side->name, sentence);
}

/* What the peer has sent and has not arrived yet. */
static struct sim_message *next_of(const struct sim_side *side, enum dx_opcode opcode)
{
    struct sim_flow *flow = &side->peer->out;
    struct sim_message *message = &flow->sent[flow->got_count];

    if (side->close_count > 0)
        fail(side, "a message after on_close");
    if (flow->got_count == flow->sent_count)
        fail(side, "a message that was never sent");
    if (message->opcode != opcode)
        fail(side, "message %zu is of another type", flow->got_count);
    return message;
}

static void note_arrived(struct sim_flow *flow, const struct sim_message *message)
{
    flow->got_count++;
    sim_counts.messages++;
    sim_counts.bytes += message->len;
}

void sim_check_message(struct sim_side *side, enum dx_opcode opcode, const uint8_t *data,
                       size_t len)
{
    struct sim_flow *flow = &side->peer->out;
    const struct sim_message *message = next_of(side, opcode);

    if (!message->is_whole)
        fail(side, "message %zu is told before its end was sent", flow->got_count);
    if (message->len != len || memcmp(sim_message_bytes(message), data, len) != 0)
        fail(side, "message %zu of %zu bytes should be another one, of %u", flow->got_count, len,
             message->len);
    note_arrived(flow, message);
}

void sim_check_chunk(struct sim_side *side, enum dx_opcode opcode, const uint8_t *data, size_t len,
                     bool is_first, bool is_last)
{
    struct sim_flow *flow = &side->peer->out;
    const struct sim_message *message = next_of(side, opcode);

    if (is_first == flow->is_in_part)
        fail(side, "message %zu: a chunk is %sfirst", flow->got_count, is_first ? "" : "not ");
    flow->is_in_part = true;
    if (flow->part_len + len > message->len ||
        memcmp(sim_message_bytes(message) + flow->part_len, data, len) != 0)
        fail(side, "message %zu: a wrong chunk at %zu", flow->got_count, flow->part_len);
    flow->part_len += len;
    if (!is_last)
        return;
    if (flow->part_len != message->len || !message->is_whole)
        fail(side, "message %zu ends at %zu of %u", flow->got_count, flow->part_len, message->len);
    flow->part_len = 0;
    flow->is_in_part = false;
    note_arrived(flow, message);
}

static size_t whole_count(const struct sim_flow *flow)
{
    size_t count = flow->sent_count;

    return count > 0 && !flow->sent[count - 1].is_whole ? count - 1 : count;
}

/* Ends after which input that was there need not have been told. */
static bool is_excused(const struct dx_close_info *info)
{
    return info->err != DX_OK && info->err != DX_ERR_RESET && info->err != DX_ERR_CLOSED;
}

/*
 * Nothing has been heard since the wire fell silent: each deadline may have run once, and the write
 * deadline once more for each 16 KiB that the wire still took.
 */
static void check_deadlines(const struct sim_side *side)
{
    const struct dx_connection_options *options = side->options;
    uint64_t since_us = sim_silent_since(side->link->wire_number);
    uint64_t bound_ms;

    if (since_us == SIM_NEVER || side->patient_us == SIM_NEVER || sim_manners.is_scarce ||
        options->ping_interval_ms == 0)
        return;
    if (since_us < side->patient_us)
        since_us = side->patient_us;
    bound_ms = options->ping_interval_ms + options->pong_timeout_ms + options->message_timeout_ms +
               2 * options->close_timeout_ms +
               (uint64_t)options->write_timeout_ms * (3 + side->link->capacity / 16384) + 2000;
    if (sim_now_us() > since_us + bound_ms * 1000)
        fail(side, "its peer was silent for %llu ms, and its deadlines end after %llu",
             (unsigned long long)(sim_now_us() - since_us) / 1000, (unsigned long long)bound_ms);
}

static void check_counts(const struct sim_side *side, const struct dx_connection_metrics *counts)
{
    uint64_t came = side->peer->out.got_count + side->published_count;

    if (counts->messages_in != came)
        fail(side, "%llu messages are counted, %llu came", (unsigned long long)counts->messages_in,
             (unsigned long long)came);
    /* What is published or sent by id is not told to have been sent. */
    if (sim_manners.topics == NULL && !sim_manners.is_addressed &&
        counts->messages_out != whole_count(&side->out))
        fail(side, "%llu messages are counted, %zu were sent",
             (unsigned long long)counts->messages_out, whole_count(&side->out));
}

static void check_info(const struct sim_side *side, const struct dx_close_info *info)
{
    if (info->was_clean != (info->err == DX_OK))
        fail(side, "clean with an error, or unclean without");
    if (info->was_clean && (info->code == DX_CLOSE_ABNORMAL || info->sent_code == 0))
        fail(side, "clean without two Close frames");
}

void sim_check_close(struct sim_side *side, const struct dx_close_info *info,
                     const struct dx_connection_metrics *counts)
{
    const struct sim_flow *flow = &side->peer->out;

    if (++side->close_count > 1)
        fail(side, "on_close again");
    side->end = *info;
    side->connection = NULL;
    sim_trace("link %d, %s: closed, code %u, sent %u, %s%s%s", side->link->number, side->name,
              info->code, info->sent_code, info->was_clean ? "clean" : dx_err_name(info->err),
              info->detail != NULL ? ", " : "", info->detail != NULL ? info->detail : "");
    check_info(side, info);
    sim_counts.clean += info->was_clean;
    /* Who sends by id does not see whether the connection is congested. */
    if (info->err == DX_ERR_QUEUE_FULL && sim_manners.is_addressed)
        side->link->is_disturbed = true;
    if (side->link->is_hostile)
        return;
    if (info->code != DX_CLOSE_ABNORMAL && !is_excused(info) && !side->has_aborted &&
        flow->got_count != whole_count(flow))
        fail(side, "%zu of %zu messages came before the Close", flow->got_count, whole_count(flow));
    check_deadlines(side);
    check_counts(side, counts);
    if (side->sent_told != side->sent_with)
        fail(side, "%u of %u completions were told", side->sent_told, side->sent_with);
}

static void check_side(const struct sim_side *side, bool has_to_be_clean)
{
    if (side->was_open && side->close_count != 1)
        fail(side, "on_close came %u times", side->close_count);
    if (!side->was_open)
        return;
    if (side->link->is_hostile)
        return;
    if (side->end.code != DX_CLOSE_ABNORMAL && side->peer->was_open &&
        side->peer->end.sent_code != side->end.code)
        fail(side, "Close %u came, %u was sent", side->end.code, side->peer->end.sent_code);
    if (has_to_be_clean && !side->end.was_clean)
        fail(side, "an unclean end of an undisturbed connection: %s, %s",
             dx_err_name(side->end.err), side->end.detail);
}

void sim_check_link(const struct sim_link *link, bool has_to_be_clean)
{
    has_to_be_clean = has_to_be_clean && !link->is_disturbed;
    check_side(&link->client, has_to_be_clean);
    check_side(&link->server, has_to_be_clean);
}
