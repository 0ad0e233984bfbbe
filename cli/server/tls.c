/*
 * tls.c - certificates for the listeners, from files or self-signed.
 */
#include "cli/server/tls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/log/log.h"

#define WHY_MAX 256
#define OWN_DAYS 365
#define NAMES_MAX 100

/* ---- a self-signed certificate ---- */

/* The names in it: loopback, those of --host, and the listening addresses. */
struct names {
    const char *items[NAMES_MAX];
    char hosts[NAMES_MAX][INET6_ADDRSTRLEN + 256];
    size_t count;
};

static void add(struct names *names, const char *text, size_t len)
{
    char *host = names->hosts[names->count];

    if (names->count == NAMES_MAX || len == 0 || len >= sizeof(names->hosts[0]))
        return;
    memcpy(host, text, len);
    host[len] = '\0';
    /* A zone has a meaning on this machine only. */
    host[strcspn(host, "%")] = '\0';
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], host) == 0)
            return;
    names->items[names->count++] = host;
}

/* `address` was checked: HOST:PORT or [IPv6]:PORT, or one without a host. */
static void add_address(struct names *names, const char *address)
{
    const char *end = strrchr(address, ':');

    if (strncmp(address, "unix:", 5) == 0 || strncmp(address, "fd:", 3) == 0 || !end ||
        *address == '*')
        return;
    if (*address == '[')
        add(names, address + 1, strcspn(address, "]") - 1);
    else
        add(names, address, (size_t)(end - address));
}

static void find_names(const struct cli_server_config *config, struct names *names)
{
    const char *const *hosts = config->admission.hosts.items;
    const char *const *addresses = config->listen.items;

    names->count = 0;
    add(names, "localhost", 9);
    add(names, "127.0.0.1", 9);
    add(names, "::1", 3);
    for (size_t i = 0; i < config->admission.hosts.count; i++)
        if (hosts[i][0] == '[')
            add(names, hosts[i] + 1, strcspn(hosts[i], "]") - 1);
        else
            add(names, hosts[i], strcspn(hosts[i], ":"));
    for (size_t i = 0; i < config->listen.count; i++)
        add_address(names, addresses[i]);
}

static int make_own(const struct cli_service *service, struct dx_tls **tls)
{
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];
    struct names names;
    enum dx_err err;

    find_names(service->config, &names);
    err = dx_tls_new_self_signed(names.items, names.count, OWN_DAYS, tls, fingerprint);
    if (err == DX_OK)
        return 0;
    return cli_fail(service->name, "--tls-self-signed",
                    err == DX_ERR_USAGE ? "a host of --host or --listen cannot be in a certificate"
                                        : dx_err_text(err));
}

/* ---- from files ---- */

static int load(const struct cli_service *service, struct dx_tls **tls)
{
    struct dx_tls_options options = dx_tls_options_init();
    const struct cli_server_config *config = service->config;
    char why[WHY_MAX] = "";

    options.certificate_path = config->tls.cert;
    options.key_path = config->tls.key;
    options.client_ca_path = config->tls.client_ca;
    if (config->tls.client_ca)
        options.client_certificates = DX_TLS_CLIENT_REQUIRED;
    if (dx_tls_new_with(&options, tls, why, sizeof(why)) == DX_OK)
        return 0;
    return cli_fail(service->name,
                    config->tls.client_ca ? "--tls-cert, --tls-key, --tls-client-ca"
                                          : "--tls-cert, --tls-key",
                    why);
}

int cli_tls_make(const struct cli_service *service, struct dx_tls **tls)
{
    if (service->config->tls.is_self_signed)
        return make_own(service, tls);
    return service->config->tls.cert ? load(service, tls) : 0;
}

void cli_tls_warn(const struct cli_service *service)
{
    const char *key = service->config->tls.key;
    struct stat status;

    if (key && stat(key, &status) == 0 && (status.st_mode & S_IROTH))
        cli_log_say(service->log, DX_LOG_WARN, "other users can read the private key (chmod o-r)",
                    "file", key, NULL);
}

void cli_tls_announce(const struct cli_service *service)
{
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];

    if (!service->config->tls.is_self_signed)
        return;
    dx_tls_fingerprint(service->tls, fingerprint);
    fprintf(stderr, "duplex: self-signed certificate, SHA-256 %s\n", fingerprint);
}

/* On the loop's thread: a few milliseconds, and rare. */
void cli_tls_reload(const struct cli_service *service)
{
    char fingerprint[DX_TLS_FINGERPRINT_ROOM];
    char why[WHY_MAX] = "";

    if (dx_tls_reload(service->tls, why, sizeof(why)) != DX_OK) {
        cli_log_say(service->log, DX_LOG_ERROR,
                    "reloading the certificate on SIGHUP failed: the old one stays in use", "why",
                    why, NULL);
        return;
    }
    dx_tls_fingerprint(service->tls, fingerprint);
    cli_log_say(service->log, DX_LOG_INFO, "certificate reloaded on SIGHUP", "sha256", fingerprint,
                NULL);
}
