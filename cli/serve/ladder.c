/*
 * ladder.c - three durations between commas.
 */
#include "cli/serve/ladder.h"

#include <string.h>

#include "cli/options/number.h"

static const char not_a_ladder[] =
    "not a ladder (write three durations, to INT, to TERM and to KILL: 1s,1s,1s)";

const char *cli_ladder_parse(const char *text, struct cli_ladder *ladder)
{
    struct cli_ladder parsed;

    for (size_t i = 0; i < CLI_LADDER_STEPS; i++) {
        char step[CLI_NUMBER_TEXT_MAX];
        uint64_t duration_ms;
        size_t len = strcspn(text, ",");
        bool is_last = i == CLI_LADDER_STEPS - 1;

        if (len >= sizeof(step) || (text[len] == '\0') != is_last)
            return not_a_ladder;
        memcpy(step, text, len);
        step[len] = '\0';
        if (cli_duration_parse(step, &duration_ms))
            return not_a_ladder;
        parsed.step_ms[i] = (uint32_t)duration_ms;
        text += len + 1;
    }
    *ladder = parsed;
    return NULL;
}
