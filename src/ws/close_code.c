/*
 * close_code.c - which close codes a Close frame may have (RFC 6455 7.4 and the IANA registry).
 */
#include <duplex/frame.h>

bool dx_close_code_is_valid(uint16_t code)
{
    if (code >= DX_CLOSE_NORMAL && code <= DX_CLOSE_UNSUPPORTED)
        return true;
    if (code >= DX_CLOSE_INVALID_DATA && code <= DX_CLOSE_BAD_GATEWAY)
        return true;
    return code >= 3000 && code <= 4999;
}
