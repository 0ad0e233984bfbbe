/*
 * connector_tls_bench.c - see connector_tls_bench.h.
 */
#include "support/client/connector_tls_bench.h"
#include "support/test.h"

#include <stdio.h>

void bench_serve(struct connector_bench *bench, const char *name)
{
    char pem[64], key[64];
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    (void)snprintf(pem, sizeof(pem), "%s.pem", name);
    (void)snprintf(key, sizeof(key), "%s.key", name);
    assert_int_equal(SSL_CTX_use_certificate_chain_file(context, tls_file(pem)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(context, tls_file(key), SSL_FILETYPE_PEM), 1);
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_session_id_context(context, (const unsigned char *)"x", 1);
    SSL_CTX_free(bench->server.context);
    bench->server.context = context;
}

void bench_trust(struct connector_bench *bench, const struct dx_tls_client_options *options)
{
    char why[256] = "";

    dx_tls_client_free(bench->options.tls);
    if (dx_tls_client_new(options, &bench->options.tls, why, sizeof(why)) != DX_OK)
        fail_msg("%s", why);
}
