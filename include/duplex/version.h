/*
 * duplex/version.h - the version of Duplex.
 */
#ifndef DUPLEX_VERSION_H
#define DUPLEX_VERSION_H

/* MAJOR.MINOR.PATCH, the same as in meson.build. */
#define DX_VERSION "0.2.0"

#endif
