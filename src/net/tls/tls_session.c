/*
 * tls_session.c - reads and writes TLS on a non-blocking descriptor. The handshake's callbacks are
 * in tls_hello.c.
 *
 * OpenSSL's error queue is per thread and shared with the host program: it is cleared before and
 * after each call.
 */
#include "net/loop/loop.h"
#include "net/loop/system.h"
#include "net/tls/tls_session_parts.h"
#include "net/loop/watch.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_LEN 16384 /* most payload bytes in one TLS record (RFC 8446 section 5.1) */

enum dx_err dx_tls_session_new(struct dx_tls *tls, int fd, struct dx_tls_session **session)
{
    struct dx_tls_session *made = calloc(1, sizeof(*made));
    struct dx_tls_set *set = dx_tls_take_set(tls);
    SSL *ssl = made ? SSL_new(set->context) : NULL;
    BIO *bio = ssl ? BIO_new(dx_tls_shared_of(tls)->bio_method) : NULL;

    if (!bio) {
        SSL_free(ssl);
        dx_tls_set_drop(set);
        free(made);
        ERR_clear_error();
        return DX_ERR_NOMEM;
    }
    made->wire.fd = fd;
    made->ssl = ssl;
    made->tls = tls;
    made->set = set;
    dx_tls_keep(tls);
    BIO_set_data(bio, made);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    *session = made;
    return DX_OK;
}

enum dx_err dx_tls_session_new_client(struct dx_tls_client *client, int fd, const char *host,
                                      struct dx_tls_session *outer, struct dx_tls_session **session)
{
    size_t outer_len = outer ? sizeof(struct dx_tls_outer) : 0;
    struct dx_tls_session *made = calloc(1, sizeof(*made) + outer_len);
    SSL *ssl = made ? dx_tls_client_ssl(client, host, &made->server_name) : NULL;
    BIO *bio = ssl ? BIO_new(dx_tls_client_bio_method(client)) : NULL;

    if (!bio) {
        if (ssl)
            free(made->server_name);
        SSL_free(ssl);
        free(made);
        ERR_clear_error();
        return DX_ERR_NOMEM;
    }
    made->wire.fd = fd;
    if (outer) {
        made->wire.outer = (struct dx_tls_outer *)(void *)(made + 1);
        *made->wire.outer = (struct dx_tls_outer){
            .session = outer, .read = dx_tls_session_read, .write = dx_tls_session_write};
    }
    made->ssl = ssl;
    made->client = client;
    dx_tls_client_keep(client);
    BIO_set_data(bio, made);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    *session = made;
    return DX_OK;
}

static struct dx_tls_session *outer_of(const struct dx_tls_session *session)
{
    return session->wire.outer ? session->wire.outer->session : NULL;
}

bool dx_tls_session_is_established(const struct dx_tls_session *session)
{
    return SSL_is_init_finished(session->ssl) == 1;
}

void dx_tls_session_free(struct dx_tls_session *session)
{
    if (!session)
        return;
    /*
     * A session stays resumable when the connection ends without close_notify (RFC 5246 section
     * 7.2.1); OpenSSL would drop it.
     */
    if (session->client && session->broken != DX_ERR_TLS)
        SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(session->ssl);
    dx_tls_session_free(outer_of(session));
    dx_tls_set_drop(session->set);
    dx_tls_free(session->tls);
    dx_tls_client_free(session->client);
    free(session->server_name);
    free(session);
}

/* A failed peer gets an alert or one HTTP answer; draining makes sure that it arrives. */
static void note_broken(struct dx_tls_session *session, unsigned long error)
{
    session->reason = ERR_GET_REASON(error);
    dx_tls_wire_send_late(&session->wire);
    if (session->broken != DX_ERR_TLS || session->client)
        return;
    if (dx_tls_wire_is_http(&session->wire))
        dx_tls_wire_answer_http(&session->wire);
    dx_tls_wire_drain(&session->wire);
}

/* Inside another session, the outer one knows which readiness of the descriptor is needed. */
static unsigned wants_of(const struct dx_tls_session *session, unsigned wants)
{
    const struct dx_tls_session *outer = outer_of(session);

    return outer && outer->wants ? outer->wants : wants;
}

/* Maps a failed OpenSSL call to an error. `code` is errno after the call. */
static enum dx_err judge(struct dx_tls_session *session, int result, int code)
{
    unsigned long error = ERR_peek_error();

    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        session->wants = wants_of(session, DX_WATCH_READ);
        return DX_ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        session->wants = wants_of(session, DX_WATCH_WRITE);
        return DX_ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return DX_ERR_CLOSED;
    case SSL_ERROR_SYSCALL:
        session->broken = code ? dx_err_of_errno(code) : DX_ERR_RESET;
        break;
    default:
        if (ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
            session->broken = DX_ERR_RESET;
        else
            session->broken =
                ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? DX_ERR_NOMEM : DX_ERR_TLS;
    }
    note_broken(session, error);
    return session->broken;
}

/*
 * The budget counts received bytes, not payload: a record costs about the same with 16 KiB as with
 * one byte. A call receives as much as one without TLS.
 */
static void begin_call(struct dx_tls_session *session)
{
    ERR_clear_error();
    session->wants = 0;
    session->wire.budget = DX_READ_SIZE;
}

static void end_call(struct dx_tls_session *session)
{
    /* They take 16 KiB and would stay until the owner sends something. */
    if (session->has_idle_buffers && SSL_free_buffers(session->ssl) == 1)
        session->has_idle_buffers = false;
    ERR_clear_error();
    if (session->set && SSL_is_init_finished(session->ssl)) {
        dx_tls_set_drop(session->set);
        session->set = NULL;
    }
}

/* The outer session is read only when the owner reads this one, so its pending bytes count. */
static bool has_pending(const struct dx_tls_session *session)
{
    const struct dx_tls_session *outer = outer_of(session);

    return SSL_has_pending(session->ssl) == 1 || (outer && outer->has_more);
}

enum dx_err dx_tls_session_read(struct dx_tls_session *session, void *bytes, size_t len,
                                size_t *got)
{
    size_t total = 0;
    enum dx_err err = DX_OK;

    session->has_more = false;
    if (session->broken)
        return session->broken;
    begin_call(session);
    /* Read as many records as fit, so that the owner's turn handles as much as without TLS. */
    while (total < len) {
        int room = len - total > INT32_MAX ? INT32_MAX : (int)(len - total);
        int count;

        errno = 0;
        count = SSL_read(session->ssl, (uint8_t *)bytes + total, room);
        if (count <= 0) {
            err = judge(session, count, errno);
            break;
        }
        total += (size_t)count;
        /* Saves a recv that would return EAGAIN: a tenth of the cost of a short message. */
        if (session->wire.is_empty && SSL_has_pending(session->ssl) == 0)
            break;
    }
    end_call(session);
    if (total > 0) {
        /*
         * After DX_ERR_AGAIN at most a partial record is left, and the descriptor becomes readable
         * for its rest. Another error or the end is returned by the next call.
         */
        session->has_more = err ? err != DX_ERR_AGAIN : has_pending(session);
        *got = total;
        return DX_OK;
    }
    return err;
}

bool dx_tls_session_has_pending(const struct dx_tls_session *session)
{
    return session->has_more;
}

/*
 * Up to RECORD_LEN bytes of the slices as one block. OpenSSL requires that a refused write is
 * repeated with the same length or more; always taking as much as there is, up to RECORD_LEN,
 * ensures that, however the slices are cut.
 */
static size_t gather(const struct dx_slice *slices, size_t count, size_t skip, uint8_t *scratch,
                     const uint8_t **record)
{
    size_t len = 0;

    for (size_t i = 0; i < count && len < RECORD_LEN; i++) {
        size_t part;

        if (skip >= slices[i].len) {
            skip -= slices[i].len;
            continue;
        }
        part = slices[i].len - skip;
        if (len == 0 && (part >= RECORD_LEN || i + 1 == count)) {
            *record = slices[i].data + skip;
            return part < RECORD_LEN ? part : RECORD_LEN;
        }
        if (part > RECORD_LEN - len)
            part = RECORD_LEN - len;
        memcpy(scratch + len, slices[i].data + skip, part);
        len += part;
        skip = 0;
    }
    *record = scratch;
    return len;
}

enum dx_err dx_tls_session_write(struct dx_tls_session *session, const struct dx_slice *slices,
                                 size_t count, size_t *put)
{
    uint8_t scratch[RECORD_LEN];
    size_t total = 0;
    enum dx_err err = DX_OK;

    if (session->broken)
        return session->broken;
    begin_call(session);
    for (;;) {
        const uint8_t *record;
        size_t len = gather(slices, count, total, scratch, &record);
        int sent;

        if (len == 0)
            break;
        errno = 0;
        sent = SSL_write(session->ssl, record, (int)len);
        if (sent <= 0) {
            err = judge(session, sent, errno);
            break;
        }
        total += (size_t)sent;
    }
    end_call(session);
    if (err && !(err == DX_ERR_AGAIN && total > 0))
        return err == DX_ERR_CLOSED ? DX_ERR_RESET : err;
    *put = total;
    return DX_OK;
}

unsigned dx_tls_session_wants(const struct dx_tls_session *session)
{
    return session->wants;
}

void dx_tls_session_shutdown(struct dx_tls_session *session)
{
    if (session->broken || !SSL_is_init_finished(session->ssl))
        return;
    ERR_clear_error();
    if (!(SSL_get_shutdown(session->ssl) & SSL_SENT_SHUTDOWN))
        (void)SSL_shutdown(session->ssl);
    ERR_clear_error();
    if (session->wire.outer)
        dx_tls_session_shutdown(session->wire.outer->session);
}
