/*
 * response.h - the inside of an answer in pieces: between dx_request_respond_in_pieces and its
 * on_close. The transport calls these.
 */
#ifndef DX_SERVER_RESPONSE_H
#define DX_SERVER_RESPONSE_H

#include <duplex/request.h>

/**
 * Some of what waited has left, or the connection was closed meanwhile: calls on_drain if it is
 * due.
 */
void dx_response_on_sent(struct dx_response *response);

/** Notes why the connection is about to be closed, for on_close; the first reason stays. */
void dx_response_note(struct dx_response *response, enum dx_err err);

/**
 * The connection is closed: on_close comes at the turn's end. Until then the shard counts the
 * stream.
 */
void dx_response_lose(struct dx_response *response);

/** All of it is sent: calls on_close and frees it. */
void dx_response_finish(struct dx_response *response);

#endif
