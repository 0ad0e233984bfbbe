/*
 * check.c - what can be known to fail before `duplex connect` begins.
 */
#include "cli/connect/connect.h"

#include <regex.h>
#include <string.h>
#include <strings.h>

#include "cli/connect/target.h"
#include "cli/options/check.h"
#include "cli/text/escape.h"
#include "cli/options/header.h"
#include "cli/text/url.h"

static bool check_target(const struct cli_connect_config *config, struct cli_complaint *complaint)
{
    const char *url = config->url;
    const char *const *addresses = config->listen.items;
    char completed[DX_URL_MAX + 1];

    if (config->listen.count > 0 && url)
        return cli_complain_of(complaint, "listen", addresses[0],
                               "there is a URL, too (leave out one of the two)");
    if (config->listen.count > 0)
        return true;
    if (!url)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "no URL given (write duplex connect ws://HOST[:PORT]/PATH)");
    if (strstr(url, "://") || cli_target_complete(url, completed, sizeof(completed)))
        return true;
    return cli_complain(complaint, CLI_EXIT_USAGE, "%s: not the URL of a WebSocket (write ws://%s)",
                        cli_shown(url).text, cli_shown(url).text);
}

static bool check_pattern(const char *match, struct cli_complaint *complaint)
{
    char why[128];
    regex_t pattern;
    int error;

    if (!match)
        return true;
    error = regcomp(&pattern, match, REG_EXTENDED | REG_NOSUB);
    if (error == 0) {
        regfree(&pattern);
        return true;
    }
    strcpy(why, "not a pattern: ");
    regerror(error, NULL, why + strlen(why), sizeof(why) - strlen(why));
    return cli_complain_of(complaint, "match", match, "%s", why);
}

static bool check_input(const struct cli_connect_config *config, struct cli_complaint *complaint)
{
    if (config->replay && config->sends.count > 0)
        return cli_complain_of(complaint, "replay", config->replay,
                               "there is --send, too (leave out one of the two)");
    if (config->ends_with_null && config->form == CLI_FORM_BINARY)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--null: --binary ends messages nowhere (leave out one of the two)");
    if (config->prints_json && config->form == CLI_FORM_BINARY)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--json: --binary adds nothing to bytes (leave out one of the two)");
    return true;
}

static bool has_header(const struct cli_connect_config *config, const char *name)
{
    const struct cli_header *headers = config->headers.items;

    for (size_t i = 0; i < config->headers.count; i++)
        if (strcasecmp(headers[i].name, name) == 0)
            return true;
    return false;
}

static bool check_values(const struct cli_connect_config *config, struct cli_complaint *complaint)
{
    if ((config->user && !cli_header_value_is_valid(config->user)) ||
        (config->bearer && !cli_header_value_is_valid(config->bearer)))
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--user, --bearer: a control character in it (leave it out)");
    if (config->origin && !cli_header_value_is_valid(config->origin))
        return cli_complain_of(complaint, "origin", config->origin,
                               "a control character in it (leave it out)");
    return true;
}

static bool check_login(const struct cli_connect_config *config, struct cli_complaint *complaint)
{
    bool has_login = config->user || config->bearer;

    if (config->user && !strchr(config->user, ':'))
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--user: no password in it (write NAME:PASSWORD)");
    if (config->user && config->bearer)
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--bearer: there is --user, too (leave out one of the two)");
    if (has_login && has_header(config, "Authorization"))
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--header=Authorization: there is --user or --bearer, too (leave out "
                            "one of the two)");
    if (config->cookies.count > 0 && has_header(config, "Cookie"))
        return cli_complain(complaint, CLI_EXIT_USAGE,
                            "--cookie: there is --header=Cookie, too (leave out one of the two)");
    return true;
}

static bool check_way(const struct cli_connect_config *config, struct cli_complaint *complaint)
{
    const char *slash = config->heartbeat_text ? strchr(config->heartbeat_text, '/') : NULL;

    if (!cli_check_key_pair("cert", config->cert, "key", config->key, complaint))
        return false;
    if (config->heartbeat_text && (!slash || slash == config->heartbeat_text || !slash[1]))
        return cli_complain_of(complaint, "heartbeat-text", config->heartbeat_text,
                               "not two texts (write PING/PONG)");
    return true;
}

/* What a client's options mean nothing for. */
static bool check_listening(const struct cli_connect_config *config,
                            struct cli_complaint *complaint)
{
    const char *foreign = NULL;

    if (config->listen.count == 0)
        return true;
    if (config->reconnects)
        foreign = "reconnect";
    else if (config->heartbeat_text)
        foreign = "heartbeat-text";
    else if (config->headers.count > 0)
        foreign = "header";
    else if (config->unix_path)
        foreign = "unix";
    else if (config->proxy)
        foreign = "proxy";
    if (!foreign)
        return true;
    return cli_complain(complaint, CLI_EXIT_USAGE,
                        "--%s: a client's, and --listen waits for one (leave it out)", foreign);
}

bool cli_connect_check(const struct cli_connect_config *config, struct cli_complaint *complaint)
{

    return cli_check_addresses(&config->listen, complaint) && check_target(config, complaint) &&
           check_pattern(config->match, complaint) && check_input(config, complaint) &&
           check_login(config, complaint) && check_values(config, complaint) &&
           check_way(config, complaint) && check_listening(config, complaint) &&
           cli_check_file("cert", config->cert, complaint) &&
           cli_check_file("key", config->key, complaint) &&
           cli_check_file("replay", config->replay, complaint);
}
