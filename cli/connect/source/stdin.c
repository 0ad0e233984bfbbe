/*
 * stdin.c - stdin as a source (source.h): the reading and cutting is input.c's.
 */
#include "cli/connect/source/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "cli/connect/source/input.h"
#include "cli/options/complaint.h"

struct from_stdin {
    struct cli_source source;
    struct cli_source_setup setup;
    struct cli_input input;
};

static struct from_stdin *from_stdin_of(struct cli_source *source)
{
    return dx_container_of(source, struct from_stdin, source);
}

static void fail(struct from_stdin *from, const char *what, const char *why)
{
    const struct cli_source_calls *calls = from->setup.calls;

    calls->finish(calls->user,
                  cli_screen_complain(from->setup.screen, CLI_EXIT_RESOURCE, what, "%s", why));
}

static void name_it(const struct cli_source *source, char name[CLI_SOURCE_NAME_MAX])
{
    const struct from_stdin *from = from_stdin_of((struct cli_source *)source);

    if (from->setup.config->form == CLI_FORM_BINARY)
        snprintf(name, CLI_SOURCE_NAME_MAX, "stdin");
    else
        snprintf(name, CLI_SOURCE_NAME_MAX, "stdin, message %llu",
                 (unsigned long long)from->input.number + 1);
}

static bool on_message(void *user, const char *data, size_t len)
{
    const struct cli_source_calls *calls = ((struct from_stdin *)user)->setup.calls;

    return calls->give(calls->user, data, len);
}

static void on_end(void *user, enum cli_input_end how)
{
    struct from_stdin *from = user;
    char name[CLI_SOURCE_NAME_MAX];

    name_it(&from->source, name);
    if (how == CLI_INPUT_TOO_LONG)
        fail(from, name, "longer than --max-message");
    else if (how == CLI_INPUT_FAILED)
        fail(from, name, strerror(from->input.error));
    else
        from->setup.calls->end(from->setup.calls->user);
}

static void resume(struct cli_source *source)
{
    struct from_stdin *from = from_stdin_of(source);

    if (cli_input_resume(&from->input) != DX_OK)
        fail(from, "stdin", "it cannot be read");
}

static void stop(struct cli_source *source)
{
    cli_input_stop(&from_stdin_of(source)->input);
}

static void free_it(struct cli_source *source)
{
    cli_input_release(&from_stdin_of(source)->input);
    free(from_stdin_of(source));
}

int cli_source_stdin(const struct cli_source_setup *setup, struct cli_source **source)
{
    struct from_stdin *from = calloc(1, sizeof(*from));

    if (!from)
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "stdin", "out of memory");
    from->source =
        (struct cli_source){.resume = resume, .stop = stop, .name = name_it, .free = free_it};
    from->setup = *setup;
    from->input = (struct cli_input){
        .loop = setup->loop,
        .cuts = setup->config->form != CLI_FORM_BINARY,
        .mark = setup->config->ends_with_null ? '\0' : '\n',
        .max_len = (size_t)setup->config->max_message,
        .on_message = on_message,
        .on_end = on_end,
        .user = from,
    };
    *source = &from->source;
    return 0;
}
