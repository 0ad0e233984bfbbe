/*
 * judge.h - what a complete request head is: the order of all rules, in one place. It decides and
 * does nothing.
 */
#ifndef DX_SERVER_JUDGE_H
#define DX_SERVER_JUDGE_H

#include <duplex/header.h>

#include "http/head.h"

struct dx_request;

/* The rule that a request breaks. */
struct dx_verdict {
    struct dx_refusal refusal;
    struct dx_header header; /* that the answer has; or its name is NULL */
    char *allow;             /* the header's value where the caller has to free it; or NULL */
    bool keeps_alive;        /* whether the connection may carry another request */
};

/**
 * Judges the request by the first of these rules that it breaks. What is learnt on the way (target,
 * route, handshake and so on) is written to the request. True: it breaks none.
 *
 *   the head's grammar (http/head.h, before this)                             400, 414, 431, 505
 *   target and Host, the path's encoding                                      400
 *   of plain requests the body's length and Expect                            400, 417, 501
 *   Host names another server                                                 421
 *   no route; a WebSocket where there is none                                 404
 *   a plain request with another method than its path's routes take           405
 *   the opening handshake, also of plain requests to a path for WebSockets    405, 400, 426
 *   Origin, of a request for a WebSocket                                      400, 403
 *   no place, memory nearly at its limit, or the server ends                  503
 *   a body that is announced longer than its route reads                      413
 *
 * What breaks a rule inside the body is found while that is read: 400, 408, 413, 503.
 *
 * Refused requests for a WebSocket and broken ones end the connection; plain ones leave it open.
 */
bool dx_judge_request(struct dx_request *request, struct dx_verdict *verdict);

#endif
