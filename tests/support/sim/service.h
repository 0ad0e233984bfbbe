/*
 * service.h - the server of a simulated world: the real one, with routes of every kind.
 *
 *   /ws/N/now      accepted at once, as the server's end of link N
 *   /ws/N/later    kept, and accepted after a while
 *   /ws/N/refused  refused, at once or after a while
 *   /ws/x/now      accepted, for clients that misbehave
 *   /pieces/LEN/AT the same, written in pieces; POST /body/LEN/AT the same, if that is the body of
 *   the request /plain/LEN/AT  LEN bytes of the binary table from AT on
 */
#ifndef TESTS_SIM_SERVICE_H
#define TESTS_SIM_SERVICE_H

#include "support/sim/link.h"

#include <duplex/server.h>

/** Makes and opens the server. NULL: memory failed. */
struct dx_server *sim_service_new(struct dx_loop *loop, const struct dx_server_options *options,
                                  struct sim_link *links, int link_count);

/** After the server: frees what is left of its requests, of which none may wait. */
void sim_service_end(void);

#endif
