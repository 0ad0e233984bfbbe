/*
 * proxy.h - which proxy the environment names for a URL, by curl's rules.
 */
#ifndef CLI_PROXY_H
#define CLI_PROXY_H

#include "cli/text/url.h"

/**
 * The proxy for `url`, or NULL for none. `*variable` gets the name of the variable that counts.
 *
 * For ws that is the first of ws_proxy and http_proxy, for wss of wss_proxy, WSS_PROXY, https_proxy
 * and HTTPS_PROXY, and for both all_proxy or ALL_PROXY after these. HTTP_PROXY is not trusted: in a
 * CGI program it comes from the client. no_proxy or NO_PROXY lists the exceptions: "*", hosts,
 * domains with everything below them, addresses and networks (10.0.0.0/8), separated by commas or
 * blanks.
 */
const char *cli_proxy_of_environment(const struct cli_url *url, const char **variable);

/** Whether a list as no_proxy's names the host. */
bool cli_proxy_is_excluded(const char *list, const char *host);

#endif
