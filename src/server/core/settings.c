/*
 * settings.c - copies and checks a server's options. Not responsible for what they mean.
 */
#include "server/core/settings.h"

#include "base/sized.h"
#include "server/admission/admission.h"

#include <stdlib.h>
#include <string.h>

/* One of the options' lists of strings; its copy replaces it. */
struct list {
    const char *const **values;
    size_t *count;
};

static void lists_of(struct dx_server_options *options, struct list lists[3])
{
    lists[0] = (struct list){&options->origins, &options->origin_count};
    lists[1] = (struct list){&options->hosts, &options->host_count};
    lists[2] = (struct list){&options->subprotocols, &options->subprotocol_count};
}

static enum dx_err copy_lists(struct dx_server_settings *settings)
{
    struct list lists[3];
    size_t count = 0, len = 0;
    const char **at;
    char *text;

    lists_of(&settings->options, lists);
    for (size_t list = 0; list < 3; list++) {
        for (size_t index = 0; index < *lists[list].count; index++)
            len += strlen((*lists[list].values)[index]) + 1;
        count += *lists[list].count;
    }
    settings->lists = calloc(count + 1, sizeof(char *));
    settings->text = malloc(len + 1);
    if (settings->lists == NULL || settings->text == NULL)
        return DX_ERR_NOMEM;
    at = settings->lists;
    text = settings->text;
    for (size_t list = 0; list < 3; list++) {
        const char *const *values = *lists[list].values;

        *lists[list].values = *lists[list].count == 0 ? NULL : at;
        for (size_t index = 0; index < *lists[list].count; index++) {
            *at++ = text;
            text = stpcpy(text, values[index]) + 1;
        }
    }
    return DX_OK;
}

static bool are_valid(const struct dx_server_options *options)
{
    for (size_t index = 0; index < options->origin_count; index++)
        if (!dx_admission_is_origin_rule(options->origins[index]))
            return false;
    for (size_t index = 0; index < options->host_count; index++)
        if (!dx_admission_is_host_rule(options->hosts[index]))
            return false;
    return options->threads >= 1 && options->threads <= DX_SERVER_THREADS_MAX &&
           options->handshake_timeout_ms > 0;
}

enum dx_err dx_server_settings_init(struct dx_server_settings *settings,
                                    const struct dx_server_options *options)
{
    struct dx_server_settings own = {.options = dx_server_options_init(),
                                     .connection = dx_connection_options_init(),
                                     .log = dx_log_sink_init()};
    enum dx_err err;

    err = DX_SIZED_COPY(struct dx_server_options, log, &own.options, options);
    if (err == DX_OK)
        err = DX_SIZED_COPY(struct dx_connection_options, max_queue, &own.connection,
                            own.options.connection);
    if (err == DX_OK)
        err = DX_SIZED_COPY(struct dx_log_sink, level, &own.log, own.options.log);
    if (err != DX_OK)
        return err;
    if (!are_valid(&own.options))
        return DX_ERR_USAGE;
    *settings = own;
    settings->options.connection = &settings->connection;
    settings->options.log = &settings->log;
    err = copy_lists(settings);
    if (err != DX_OK)
        dx_server_settings_release(settings);
    return err;
}

void dx_server_settings_release(struct dx_server_settings *settings)
{
    free(settings->text);
    free(settings->lists);
    settings->text = NULL;
    settings->lists = NULL;
}
