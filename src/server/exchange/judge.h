/*
 * judge.h - what is to become of a complete request: the order of all rules, in one place.
 */
#ifndef DX_SERVER_JUDGE_H
#define DX_SERVER_JUDGE_H

struct dx_request;

/**
 * Judges the request by the first of these that it breaks, and answers it, or hands it to its route:
 *
 *   the head's grammar (http/head.h, before this): 400, 414, 431, 505
 *   its target and Host, the path's encoding; for plain requests the body's length and Expect: 400, 417, 501
 *   Host names somebody else: 421
 *   no route: 404; a WebSocket where there is none: 404; a plain request with another method than its path's routes take: 405
 *   the opening handshake, also for plain requests on a path for WebSockets only: 405, 400, 426
 *   Origin, of a request for a WebSocket: 400, 403
 *   no place, memory nearly at its limit, or the server ends: 503
 *   a body that is longer than its route reads: 413
 *
 * A request whose route reads bodies is handed over when its body is whole; call again then. What breaks a rule inside the body is
 * answered by request_body.c: 400, 408, 413, 503.
 *
 * Refused requests for a WebSocket and broken ones end the connection; plain ones leave it open.
 */
void dx_judge_request(struct dx_request *request);

#endif
