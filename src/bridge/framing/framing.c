/*
 * framing.c - the table of framings.
 */
#include "bridge/framing/framing.h"

const struct dx_framing_ops *dx_framing_ops(enum dx_program_framing framing)
{
    static const struct dx_framing_ops *const table[] = {
#define X(name, ops) [DX_FRAMING_##name] = &dx_framing_##ops,
        DX_FRAMINGS(X)
#undef X
    };

    return (size_t)framing < sizeof(table) / sizeof(table[0]) ? table[framing] : NULL;
}
