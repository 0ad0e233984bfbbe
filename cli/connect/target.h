/*
 * target.h - the short forms of a URL that `duplex connect` takes: localhost is meant where no host
 * is given.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Writes the URL that `text` stands for: itself when it has a scheme, else
 *
 *   8090, :8090, :8090/chat   ws://localhost:8090/…
 *   /chat                     ws://localhost:8080/chat (the port of duplex serve)
 *   localhost:8090/chat       ws://localhost:8090/chat; the same for 127.0.0.1 and [::1]
 *
 * False: it is none of these, or too long.
 */
bool cli_target_complete(const char *text, char *url, size_t url_room);

/** Whether the text is one of these, or has a scheme. */
bool cli_target_is_one(const char *text);

#endif
