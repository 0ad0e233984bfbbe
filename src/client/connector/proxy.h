/*
 * proxy.h - what the text of a proxy says: scheme, credentials, host and port. Not which proxy a URL gets: who reads the environment knows.
 */
#ifndef DX_CLIENT_PROXY_H
#define DX_CLIENT_PROXY_H

#include "client/tunnel/tunnel.h"
#include "http/host.h"

struct dx_proxy {
    enum dx_tunnel_kind kind;
    bool is_secure;      /* https: TLS on the way to the proxy itself */
    bool resolves_names; /* socks5h, http, https: names are the proxy's to look up */
    uint16_t port;
    struct dx_host host;
    bool has_name;
    char name[DX_TUNNEL_CREDENTIAL_MAX + 1]; /* percent-decoded */
    char password[DX_TUNNEL_CREDENTIAL_MAX + 1];
};

/**
 * Reads "http://", "https://", "socks5://" or "socks5h://" [NAME[:PASSWORD]@]HOST[:PORT][/]; without a scheme it is http. Ports default to 80,
 * 443 and 1080; names and passwords are percent-encoded.
 *
 * Returns DX_OK; or DX_ERR_USAGE, with a static sentence in `*detail`.
 */
DX_MUST_CHECK enum dx_err dx_proxy_parse(const char *text, struct dx_proxy *proxy,
                                         const char **detail);

#endif
