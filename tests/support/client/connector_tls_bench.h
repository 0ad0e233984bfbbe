/*
 * connector_tls_bench.h - TLS for both sides of a connector_bench.h.
 */
#ifndef TESTS_CONNECTOR_TLS_BENCH_H
#define TESTS_CONNECTOR_TLS_BENCH_H

#include "support/client/connector_bench.h"
#include "support/net/tls_bench.h"

#include <duplex/tls_client.h>

/**
 * The servers show that certificate, with OpenSSL's own rules. Free bench->server.context at the
 * end.
 */
void bench_serve(struct connector_bench *bench, const char *name);

/** The client's rules from now on, or the test fails. Free bench->options.tls at the end. */
void bench_trust(struct connector_bench *bench, const struct dx_tls_client_options *options);

#endif
