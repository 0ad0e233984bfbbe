/*
 * shim.h - what the driver tells the shim inside an example, and what it counts there: one page
 * that both have mapped.
 */
#ifndef TESTS_SURVIVAL_SHIM_H
#define TESTS_SURVIVAL_SHIM_H

#include <stdatomic.h>

#define SHIM_VARIABLE "DUPLEX_SURVIVAL_PAGE" /* the path of the page */

enum shim_kind { SHIM_ALLOCATIONS = 0, SHIM_CALLS, SHIM_KINDS };

struct shim_page {
    atomic_ulong nth[SHIM_KINDS];   /* this one fails; 0: none */
    atomic_ulong count[SHIM_KINDS]; /* so far */
    atomic_ulong hit_count;
    char hit[32]; /* the name of what failed */
};

#endif
