/*
 * outbox.h - what was sent and may have to be sent again: messages in their order, of which the
 * first ones were handed to a connection. Not responsible for connections, nor for proving
 * anything: its owner calls it.
 */
#ifndef DX_CLIENT_OUTBOX_H
#define DX_CLIENT_OUTBOX_H

#include <duplex/client.h>

struct dx_outbox_item {
    struct dx_outbox_item *next;
    uint64_t number; /* counts messages of this outbox, from 1 */
    enum dx_opcode opcode;
    size_t len;
    uint8_t bytes[];
};

struct dx_outbox {
    struct dx_outbox_options options;
    struct dx_outbox_item *first;
    struct dx_outbox_item *last;
    struct dx_outbox_item *next_unsent; /* NULL: all were handed to the connection */
    struct dx_outbox_item *last_sent;   /* the one before it; NULL: there is none */
    size_t len;
    size_t unsent_len;
    size_t count;
    size_t sent_count; /* of them, handed to the connection */
    uint64_t last_number;
    uint64_t dropped_count;
};

void dx_outbox_init(struct dx_outbox *outbox, const struct dx_outbox_options *options);
void dx_outbox_release(struct dx_outbox *outbox);

/**
 * Appends a copy of a message. When it does not fit: DROP_OLDEST forgets messages
 * that were not handed to the connection until it does, DROP_NEWEST forgets this one (DX_OK).
 *
 * Returns DX_OK; DX_ERR_QUEUE_FULL (REFUSE; or longer than everything may be; or nothing could be
 * dropped); DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_outbox_add(struct dx_outbox *outbox, enum dx_opcode opcode,
                                        const void *data, size_t len);

/**
 * Whether a message of that length would be taken or, by policy, dropped: false where only waiting
 * helps.
 */
bool dx_outbox_has_room(const struct dx_outbox *outbox, size_t len);

/** The first that was not handed to the connection, or NULL. dx_outbox_note_sent: it was now. */
const struct dx_outbox_item *dx_outbox_next(const struct dx_outbox *outbox);
void dx_outbox_note_sent(struct dx_outbox *outbox);

/** The number of the last one that was handed to the connection; 0: none that is still here. */
uint64_t dx_outbox_sent_number(const struct dx_outbox *outbox);

/** All up to that number are done with: forgotten. */
void dx_outbox_forget(struct dx_outbox *outbox, uint64_t number);

/** The connection is lost: what is still here was not sent, in the same order. */
void dx_outbox_rewind(struct dx_outbox *outbox);

#endif
