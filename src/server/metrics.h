/*
 * metrics.h - the inside of <duplex/metrics.h>: metrics as text.
 */
#ifndef DX_SERVER_METRICS_H
#define DX_SERVER_METRICS_H

#include <duplex/metrics.h>

/** Writes the text with a NUL and returns its length, which is below the room for any numbers. */
size_t dx_metrics_write(const struct dx_server_metrics *metrics, char text[DX_METRICS_TEXT_MAX]);

#endif
