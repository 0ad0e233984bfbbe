/*
 * admission.h - the rules for the Host a request names (against DNS rebinding) and for the Origin
 * it comes from (against cross-site WebSocket hijacking, RFC 6455 section 10.2).
 */
#ifndef DX_SERVER_ADMISSION_H
#define DX_SERVER_ADMISSION_H

#include <duplex/server.h>

#include "http/url/target.h"

/** Whether an entry of the options' origins, or of its hosts, is valid. */
bool dx_admission_is_origin_rule(const char *text);
bool dx_admission_is_host_rule(const char *text);

/* Where a request came in. */
struct dx_admission_context {
    const struct dx_server_options *options;
    bool is_loopback; /* the listener is reached from this machine only */
    int fd;           /* the connected socket */
};

/** Whether the request may name that Host. If not, `refusal` is a 421. */
DX_MUST_CHECK bool dx_admission_judge_host(const struct dx_admission_context *context,
                                           const struct dx_authority *authority,
                                           struct dx_refusal *refusal);

/** Whether the request's Origin may open a WebSocket. If not, `refusal` is a 400 or 403. */
DX_MUST_CHECK bool dx_admission_judge_origin(const struct dx_admission_context *context,
                                             const struct dx_head *head,
                                             const struct dx_authority *authority,
                                             struct dx_refusal *refusal);

#endif
