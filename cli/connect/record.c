/*
 * record.c - see record.h: the writing half.
 */
#include "cli/connect/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/text/codec.h"
#include "cli/text/json.h"
#include "cli/options/complaint.h"
#include "cli/connect/session.h"

struct cli_record {
    struct cli_session *session;
    FILE *file;
    uint64_t began_ms; /* 0: not open yet */
    struct cli_buffer line;
};

int cli_record_open(struct cli_session *session, struct cli_record **record)
{
    const char *path = session->config->record;
    struct cli_record *made = calloc(1, sizeof(*made));

    if (made)
        made->file = fopen(path, "we");
    if (!made || !made->file) {
        int error = made ? errno : ENOMEM;

        free(made);
        return cli_session_complain(session, CLI_EXIT_RESOURCE, path, "%s (check the path)",
                                    strerror(error));
    }
    made->session = session;
    *record = made;
    return 0;
}

void cli_record_opened(struct cli_record *record)
{
    if (record->began_ms == 0)
        record->began_ms = dx_loop_now_ms(record->session->loop);
}

static void fail(struct cli_record *record, int error)
{
    struct cli_session *session = record->session;

    session->record = NULL; /* said once */
    cli_session_finish(session,
                       cli_session_complain(session, CLI_EXIT_RESOURCE, session->config->record,
                                            "%s", strerror(error)));
    (void)cli_record_close(record);
}

void cli_record_message(struct cli_record *record, bool is_ours, enum dx_opcode opcode,
                        const void *data, size_t len)
{
    struct cli_buffer *line = &record->line;
    uint64_t now_ms = dx_loop_now_ms(record->session->loop);

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
        fail(record, ENOMEM);
    else if (fwrite(cli_buffer_text(line), 1, cli_buffer_len(line), record->file) !=
             cli_buffer_len(line))
        fail(record, errno);
}

bool cli_record_close(struct cli_record *record)
{
    bool is_written;

    if (!record)
        return true;
    is_written = fclose(record->file) == 0;
    if (!is_written && record->session->record == record)
        (void)cli_session_complain(record->session, CLI_EXIT_RESOURCE,
                                   record->session->config->record, "%s", strerror(errno));
    cli_buffer_release(&record->line);
    free(record);
    return is_written;
}
