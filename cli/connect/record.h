/*
 * record.h - a conversation in a file: an object of JSON a line, {"ms":12,"from":"us","text":"..."}, or "base64" for binary messages;
 * written by --record, sent again by --replay.
 */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <duplex/endpoint.h>

struct cli_session;
struct cli_record;
struct cli_replay;

/** Opens what --record names; 0, or it has said what failed and returns the exit status. */
int cli_record_open(struct cli_session *session, struct cli_record **record);
/** Time counts from here, and goes on over lost connections. */
void cli_record_opened(struct cli_record *record);
void cli_record_message(struct cli_record *record, bool is_ours, enum dx_opcode opcode,
                        const void *data, size_t len);
/** False, and said, when not all of it could be written. NULL is fine. */
bool cli_record_close(struct cli_record *record);

/** Opens and reads the whole of what --replay names; as above. */
int cli_replay_open(struct cli_session *session, struct cli_replay **replay);
/** The connection is open, or takes something again: sends what is due. */
void cli_replay_resume(struct cli_replay *replay);
void cli_replay_free(struct cli_replay *replay);

#endif
