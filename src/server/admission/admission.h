/*
 * admission.h - who may come in: the Host that is asked for (DNS rebinding) and the Origin that asks (cross-site WebSocket
 * hijacking, RFC 6455 section 10.2).
 */
#ifndef DX_SERVER_ADMISSION_H
#define DX_SERVER_ADMISSION_H

#include "http/url/target.h"
#include "server/server.h"

/** Whether an entry of the options' origins, or of its hosts, is one. */
bool dx_admission_is_origin_rule(const char *text);
bool dx_admission_is_host_rule(const char *text);

/** Whether the Host may be asked for at the socket `fd` of that listener. False, with a refusal of 421. */
DX_MUST_CHECK bool dx_admission_judge_host(const struct dx_server_listener *listener, int fd,
                                           const struct dx_authority *authority,
                                           struct dx_refusal *refusal);

/** Whether the Origin may open a WebSocket there. False, with a refusal of 400 or 403. */
DX_MUST_CHECK bool dx_admission_judge_origin(const struct dx_server_listener *listener,
                                             const struct dx_head *head,
                                             const struct dx_authority *authority,
                                             struct dx_refusal *refusal);

#endif
