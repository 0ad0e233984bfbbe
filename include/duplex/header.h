/*
 * duplex/header.h - a header of HTTP, as all functions here take and give them: in an array, with a count.
 */
#ifndef DUPLEX_HEADER_H
#define DUPLEX_HEADER_H

/* It never gets a member more: arrays are made of it. */
struct dx_header {
    const char *name;
    const char *value;
};

#endif
