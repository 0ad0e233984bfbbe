/*
 * lines.h - keeping a partial line; also used for stderr that is logged.
 */
#ifndef DX_BRIDGE_LINES_H
#define DX_BRIDGE_LINES_H

#include "bridge/framing/framing.h"

/**
 * Keeps a partial line of at most DX_LINES_CARRY_MAX bytes in place of the one that was kept. With
 * `len` 0 the memory is freed, so that an idle program holds none. Returns DX_OK, DX_ERR_NOMEM.
 */
DX_MUST_CHECK enum dx_err dx_lines_keep(struct dx_framing_state *lines, const uint8_t *data,
                                        size_t len);

#endif
