/*
 * suggest.h - which known name was probably meant.
 */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

/* The best of the names offered so far. Set `typed` and zero the rest. */
struct cli_suggestion {
    const char *typed; /* borrowed; ends at typed_len */
    size_t typed_len;
    const char *best; /* NULL while no name is close enough */
    size_t distance;
};

/** Offers one known name. The first of equally close ones stays. */
void cli_suggestion_offer(struct cli_suggestion *suggestion, const char *name);

#endif
