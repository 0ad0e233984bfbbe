/*
 * list.h - what an option given several times has collected.
 */
#ifndef CLI_LIST_H
#define CLI_LIST_H

#include <stddef.h>

/*
 * `items` points to `count` objects and a zeroed one after them, so that a list of strings ends
 * with NULL. NULL when the list is empty.
 */
struct cli_list {
    void *items;
    size_t count;
};

#endif
