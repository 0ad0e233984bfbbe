/*
 * duplex/header.h - one HTTP header. Functions take and return headers as an array with a count.
 */
#ifndef DUPLEX_HEADER_H
#define DUPLEX_HEADER_H

/* It carries no size and never grows, because arrays are made of it. */
struct dx_header {
    const char *name;
    const char *value;
};

#endif
