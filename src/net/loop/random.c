/*
 * random.c - random bytes from the system, fetched in blocks because a client needs four per frame.
 */
#include "net/loop/loop_parts.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* Never blocks: fails while the kernel has not gathered enough entropy. */
static bool fetch(uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t got = getrandom(bytes, len, GRND_NONBLOCK);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

bool dx_loop_fill_random(uint8_t *bytes, size_t len, void *context)
{
    struct dx_loop *loop = context;
    struct dx_random *random = &loop->random;

    if (len > DX_RANDOM_KEPT)
        return fetch(bytes, len);
    if (DX_RANDOM_KEPT - random->used < len) {
        random->used = DX_RANDOM_KEPT;
        if (!fetch(random->bytes, DX_RANDOM_KEPT))
            return false;
        random->used = 0;
    }
    memcpy(bytes, random->bytes + random->used, len);
    /* Bytes that became a key must not stay in this buffer. */
    memset(random->bytes + random->used, 0, len);
    random->used += len;
    return true;
}
