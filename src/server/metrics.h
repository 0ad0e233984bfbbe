/*
 * metrics.h - the inside of <duplex/metrics.h>: numbers as text.
 */
#ifndef DX_SERVER_METRICS_H
#define DX_SERVER_METRICS_H

#include <duplex/metrics.h>

/** Writes the text, NUL-terminated; returns its length, which for any numbers is below the room. */
size_t dx_metrics_write(const struct dx_server_metrics *metrics, char text[DX_METRICS_TEXT_MAX]);

#endif
