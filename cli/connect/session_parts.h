/*
 * session_parts.h - what session.c and session_run.c have between them.
 */
#ifndef CLI_SESSION_PARTS_H
#define CLI_SESSION_PARTS_H

/** The timer of --linger: closes, or waits on. `user` is the session. */
void cli_session_on_linger(void *user);

#endif
