/*
 * sends.c - the messages of --send as a source (source.h).
 */
#include "cli/connect/source/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/container.h"
#include "cli/options/complaint.h"

struct sends {
    struct cli_source source;
    const struct cli_list *texts;
    size_t sent_count;
    const struct cli_source_calls *calls;
};

static struct sends *sends_of(struct cli_source *source)
{
    return dx_container_of(source, struct sends, source);
}

static void name_it(const struct cli_source *source, char name[CLI_SOURCE_NAME_MAX])
{
    (void)source;
    strcpy(name, "--send");
}

static void resume(struct cli_source *source)
{
    struct sends *sends = sends_of(source);
    const struct cli_source_calls *calls = sends->calls;
    const char *const *texts = sends->texts->items;

    while (sends->sent_count < sends->texts->count) {
        const char *text = texts[sends->sent_count];

        if (!calls->give(calls->user, text, strlen(text)))
            return;
        sends->sent_count++;
    }
    calls->end(calls->user);
}

static void stop(struct cli_source *source)
{
    (void)source;
}

static void free_it(struct cli_source *source)
{
    free(sends_of(source));
}

int cli_source_sends(const struct cli_source_setup *setup, struct cli_source **source)
{
    struct sends *sends = calloc(1, sizeof(*sends));

    if (!sends)
        return cli_screen_complain(setup->screen, CLI_EXIT_RESOURCE, "--send", "out of memory");
    sends->source =
        (struct cli_source){.resume = resume, .stop = stop, .name = name_it, .free = free_it};
    sends->texts = &setup->config->sends;
    sends->calls = setup->calls;
    *source = &sends->source;
    return 0;
}
