/*
 * record.c - a conversation in a file (sink.h): a JSON object a line,
 * {"ms":12,"from":"us","text":"..."}, or "base64" for a binary message. source/replay.c reads it.
 */
#include "cli/connect/sink/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "cli/options/complaint.h"
#include "cli/text/codec.h"
#include "cli/text/json.h"

struct record {
    struct cli_sink sink;
    struct cli_sink_setup setup;
    FILE *file;
    uint64_t began_ms; /* 0: not open yet; a reconnect does not change it */
    struct cli_buffer line;
    bool has_failed; /* and has said so */
};

static struct record *record_of(struct cli_sink *sink)
{
    return dx_container_of(sink, struct record, sink);
}

static bool fail(struct record *record, int error)
{
    record->has_failed = true;
    (void)cli_screen_complain(record->setup.screen, CLI_EXIT_RESOURCE, record->setup.config->record,
                              "%s", strerror(error));
    return false;
}

static void on_open(struct cli_sink *sink, const struct cli_opening *opening)
{
    struct record *record = record_of(sink);

    (void)opening;
    if (record->began_ms == 0)
        record->began_ms = dx_loop_now_ms(record->setup.loop);
}

static bool on_message(struct cli_sink *sink, bool is_ours, enum dx_opcode opcode, const void *data,
                       size_t len)
{
    struct record *record = record_of(sink);
    struct cli_buffer *line = &record->line;
    uint64_t now_ms = dx_loop_now_ms(record->setup.loop);

    cli_buffer_clear(line);
    cli_buffer_printf(line, "{\"ms\":%llu,\"from\":\"%s\",",
                      (unsigned long long)(record->began_ms > 0 ? now_ms - record->began_ms : 0),
                      is_ours ? "us" : "peer");
    if (opcode == DX_OP_TEXT) {
        cli_buffer_put_text(line, "\"text\":");
        cli_json_put_string(line, data, len);
    } else {
        cli_buffer_put_text(line, "\"base64\":\"");
        cli_base64_encode(line, data, len);
        cli_buffer_put(line, "\"", 1);
    }
    cli_buffer_put(line, "}\n", 2);
    if (line->has_failed)
        return fail(record, ENOMEM);
    if (fwrite(cli_buffer_text(line), 1, cli_buffer_len(line), record->file) !=
        cli_buffer_len(line))
        return fail(record, errno);
    return true;
}

static bool finish(struct cli_sink *sink)
{
    struct record *record = record_of(sink);
    FILE *file = record->file;

    record->file = NULL;
    if (file && fclose(file) != 0 && !record->has_failed)
        return fail(record, errno);
    return !record->has_failed;
}

static void free_it(struct cli_sink *sink)
{
    struct record *record = record_of(sink);

    if (record->file)
        fclose(record->file);
    cli_buffer_release(&record->line);
    free(record);
}

int cli_sink_record(const struct cli_sink_setup *setup, struct cli_sink **sink)
{
    const char *path = setup->config->record;
    struct record *record = calloc(1, sizeof(*record));

    if (record)
        record->file = fopen(path, "we");
    if (!record || !record->file) {
        int error = record ? errno : ENOMEM;

        free(record);
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, path, "%s (check the path)",
                                   strerror(error));
    }
    record->sink = (struct cli_sink){
        .open = on_open, .message = on_message, .finish = finish, .free = free_it};
    record->setup = *setup;
    *sink = &record->sink;
    return 0;
}
