/*
 * proxy.h - parses the text of a proxy: scheme, credentials, host and port.
 *
 * Not responsible for choosing the proxy of a URL: the caller does.
 */
#ifndef DX_CLIENT_PROXY_H
#define DX_CLIENT_PROXY_H

#include "client/tunnel/tunnel.h"
#include "http/host.h"

struct dx_proxy {
    enum dx_tunnel_kind kind;
    bool is_secure;      /* https: TLS to the proxy itself */
    bool resolves_names; /* socks5h, http, https: the proxy looks up names */
    uint16_t port;
    struct dx_host host;
    bool has_name;
    char name[DX_TUNNEL_CREDENTIAL_MAX + 1]; /* percent-decoded */
    char password[DX_TUNNEL_CREDENTIAL_MAX + 1];
};

/**
 * Parses SCHEME://[NAME[:PASSWORD]@]HOST[:PORT][/].
 *
 * text     SCHEME is http (the default), https, socks5 or socks5h; PORT defaults to 80, 443, 1080;
 *          NAME and PASSWORD are percent-encoded
 * detail   on failure set to a static sentence
 *
 * Returns DX_OK or DX_ERR_USAGE.
 */
DX_MUST_CHECK enum dx_err dx_proxy_parse(const char *text, struct dx_proxy *proxy,
                                         const char **detail);

#endif
