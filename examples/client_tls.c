/*
 * client_tls.c - connects by wss with your own authority and a client certificate, optionally
 * through a proxy; prints the TLS version and cipher, or who refused the connection and why.
 *
 *     cc client_tls.c $(pkg-config --cflags --libs duplex) -o client_tls
 *     ./client_tls wss://127.0.0.1:8443/ ca.pem client.pem client.key
 *     https_proxy=http://name:password@127.0.0.1:3128 ./client_tls wss://example.org/
 */
#include <duplex/client.h>
#include <duplex/tls_client.h>

#include <stdio.h>
#include <stdlib.h>

static void on_open(struct dx_websocket *websocket, void *user)
{
    struct dx_tls_facts facts = dx_tls_facts_init();

    (void)user;
    if (dx_websocket_tls(websocket, &facts))
        printf("%s, %s%s\n", facts.version, facts.cipher, facts.is_resumed ? ", resumed" : "");
    else
        printf("without TLS\n");
    dx_websocket_close(websocket, DX_CLOSE_NORMAL, NULL, 0);
}

static void on_error(struct dx_websocket *websocket, const struct dx_error_event *error, void *user)
{
    const char *who = error->step == DX_STEP_TLS       ? "TLS"
                      : error->step == DX_STEP_PROXY   ? "the proxy"
                      : error->step == DX_STEP_UPGRADE ? "the server"
                                                       : "the network";

    (void)user;
    fprintf(stderr, "%s: %s: %s\n", dx_websocket_url(websocket), who, error->detail);
    for (size_t i = 0; i < error->header_count; i++)
        fprintf(stderr, "  %s: %s\n", error->headers[i].name, error->headers[i].value);
    fprintf(stderr, "%.*s", (int)error->body_len, (const char *)error->body);
}

int main(int argc, char **argv)
{
    struct dx_websocket_options options = dx_websocket_options_init();
    struct dx_websocket_listener listener = dx_websocket_listener_init();
    struct dx_tls_client_options trust = dx_tls_client_options_init();
    struct dx_websocket *websocket;
    struct dx_loop *loop;
    char why[256];

    if (argc < 2)
        return fprintf(stderr, "usage: client_tls URL [CA [CERTIFICATE KEY]]\n"), 2;
    trust.ca_path = argc > 2 ? argv[2] : NULL; /* NULL: the system's authorities */
    trust.certificate_path = argc > 4 ? argv[3] : NULL;
    trust.key_path = argc > 4 ? argv[4] : NULL;
    if (dx_tls_client_new(&trust, &options.tls, why, sizeof(why)) != DX_OK)
        return fprintf(stderr, "client_tls: %s\n", why), 1;
    options.proxy = getenv("https_proxy");
    options.max_redirects = 5; /* the default is 0: no redirects */
    listener.on_open = on_open;
    listener.on_error = on_error;
    options.listener = &listener;
    if (dx_loop_new(&loop) || dx_websocket_new(loop, argv[1], &options, &websocket))
        return fprintf(stderr, "client_tls: the URL or the proxy is invalid\n"), 2;
    if (dx_loop_run(loop) != DX_OK || dx_websocket_last_error(websocket) != NULL)
        return 1;
    dx_websocket_free(websocket);
    dx_tls_client_free(options.tls); /* and its session, which the next connection could resume */
    dx_loop_free(loop);
    return 0;
}
