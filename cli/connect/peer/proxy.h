/*
 * proxy.h - which proxy the environment names for a URL, by curl's rules.
 */
#ifndef CLI_PROXY_H
#define CLI_PROXY_H

#include "cli/text/url.h"

/**
 * The proxy for `url`, or NULL: none. ws asks for ws_proxy, then http_proxy; wss for wss_proxy, WSS_PROXY, https_proxy, HTTPS_PROXY; then
 * all_proxy, ALL_PROXY. (HTTP_PROXY is no variable to trust: a CGI program has it from its client.) no_proxy or NO_PROXY name what
 * goes straight: "*", or hosts, domains with all below them, addresses and networks (10.0.0.0/8), with commas or blanks between.
 * `*variable` gets the name of the one that counts.
 */
const char *cli_proxy_of_environment(const struct cli_url *url, const char **variable);

/** Whether a list as no_proxy's names the host. */
bool cli_proxy_is_excluded(const char *list, const char *host);

#endif
