/*
 * foreign.c - see foreign.h.
 */
#include "cli/options/foreign.h"

#include <string.h>

/* An entry that ends in a colon is the kind of an address: ws-l:8080. */
static bool is_entry_for(const struct cli_foreign *foreign, const char *word, size_t len)
{
    size_t entry_len = strlen(foreign->word);
    bool is_kind = foreign->word[entry_len - 1] == ':';

    return (is_kind ? len >= entry_len : len == entry_len) &&
           strncmp(foreign->word, word, entry_len) == 0;
}

const struct cli_foreign *cli_foreign_find(const struct cli_command *command, const char *word,
                                           size_t len)
{
    for (const struct cli_foreign *const *list = command->foreign; list && *list; list++)
        for (const struct cli_foreign *foreign = *list; foreign->word; foreign++)
            if (is_entry_for(foreign, word, len))
                return foreign;
    return NULL;
}

bool cli_foreign_complain(const struct cli_foreign *foreign, const struct cli_command *command,
                          const char *word, const char *what, struct cli_complaint *complaint)
{
    if (foreign->note)
        return cli_complain(complaint, CLI_EXIT_USAGE, "%s: %s (%s)", word, what, foreign->note);
    return cli_complain(complaint, CLI_EXIT_USAGE, "%s: %s (write duplex %s %s)", word, what,
                        command->name, foreign->ours);
}
