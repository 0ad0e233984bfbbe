/*
 * ladder.h - how long to wait for a program to end before each harder step.
 */
#ifndef CLI_LADDER_H
#define CLI_LADDER_H

#include <stdint.h>

#include <duplex/error.h>

#define CLI_LADDER_STEPS 3

/* Milliseconds from end of file to INT, from INT to TERM, from TERM to KILL. */
struct cli_ladder {
    uint32_t step_ms[CLI_LADDER_STEPS];
};

/** "1s,1s,1s". NULL, or what is wrong (see cli/options/number.h). */
DX_MUST_CHECK const char *cli_ladder_parse(const char *text, struct cli_ladder *ladder);

#endif
