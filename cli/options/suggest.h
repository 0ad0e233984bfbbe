/*
 * suggest.h - which known name somebody probably meant.
 */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

/* The best of the names offered so far. Begin with the text that was typed and zeros. */
struct cli_suggestion {
    const char *typed; /* borrowed; ends at typed_len */
    size_t typed_len;
    const char *best; /* NULL while nothing is near enough */
    size_t distance;
};

/** Offers one known name; the first of equally near ones stays. */
void cli_suggestion_offer(struct cli_suggestion *suggestion, const char *name);

#endif
