/*
 * message.h - a received message: a view of the read buffer, until somebody keeps it.
 */
#ifndef DX_CLIENT_MESSAGE_H
#define DX_CLIENT_MESSAGE_H

#include <duplex/client.h>

#include <stdatomic.h>

struct dx_message {
    enum dx_opcode opcode;
    const uint8_t *data;
    size_t len;
    struct dx_message *kept; /* a view's: the copy, once somebody has kept it */
    atomic_uint references;  /* a copy's */
};

/** Makes a view. dx_message_view_end gives the view's own reference to its copy back. */
void dx_message_view_init(struct dx_message *message, enum dx_opcode opcode, const uint8_t *data,
                          size_t len);
void dx_message_view_end(struct dx_message *message);

#endif
