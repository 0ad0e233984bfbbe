/*
 * talker.h - what an application does on a connection, at either end: by chance, from a timer of
 * its own and inside of callbacks.
 */
#ifndef TESTS_SIM_TALKER_H
#define TESTS_SIM_TALKER_H

#include "support/sim/link.h"

#include <duplex/server.h>
#include <duplex/topics.h>

/* How the applications of a world behave. */
struct sim_manners {
    uint32_t message_max;
    uint16_t aborts; /* in a thousand actions */
    uint16_t closes;
    uint16_t pauses;
    uint16_t servers_close; /* at the end, by themselves */
    int pause_max_ms;
    bool heeds_congestion;
    bool is_scarce;              /* memory and system calls fail: any error is right */
    bool is_cramped;             /* so does the limit of the server's buffers */
    bool is_ending;              /* everybody resumes and closes */
    bool is_addressed;           /* connections are used by their ids, too */
    void (*end_now)(void *user); /* to be called from inside a callback of the server's, once */
    struct dx_server *server;    /* NULL: none, or not any more */
    struct dx_topics *topics;    /* NULL: none */
};
extern struct sim_manners sim_manners;

void sim_talkers_begin(void);

/** The handlers for a side: one of several sets. */
const struct dx_connection_handlers *sim_talker_handlers(enum sim_stream stream);

/** The connection of this side is open: it talks from here on. */
void sim_talker_open(struct sim_side *side, struct dx_connection *connection);

#endif
