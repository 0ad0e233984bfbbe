/*
 * lines.h - what else may be kept as a line is: stderr that goes to the log.
 */
#ifndef DX_BRIDGE_LINES_H
#define DX_BRIDGE_LINES_H

#include "bridge/framing/framing.h"

/**
 * Keeps the first bytes of a line, at most DX_LINES_CARRY_MAX, in place of what was kept. The memory
 * is freed as soon as nothing is kept: an idle program holds none. Returns DX_OK, DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_lines_keep(struct dx_framing_state *lines, const uint8_t *data,
                                        size_t len);

#endif
