/*
 * by_id.c - the functions of <duplex/server.h> about connections that any thread may call. Each
 * becomes a call in the queue of the connection's loop, also on the loop's own thread: so none of
 * them calls back from inside, and calls of one thread run in the order in which they are made.
 */
#include "server/core/shard.h"

#include "base/container.h"
#include "ws/simd/utf8.h"

#include <duplex/frame.h>

#include <stdlib.h>
#include <string.h>

/* The shard that has the connection with that id. */
static enum dx_err find_shard(struct dx_server *server, uint64_t id, struct dx_shard **shard)
{
    if (dx_server_is_freed(server))
        return DX_ERR_CLOSED;
    *shard = dx_registry_shard_of(server, id);
    return *shard != NULL ? DX_OK : DX_ERR_NOT_FOUND;
}

/* Adds a call, or frees it when that fails. */
static enum dx_err add(struct dx_shard *shard, struct dx_call *call)
{
    enum dx_err err = dx_calls_add(shard, call);

    if (err != DX_OK)
        free(call);
    return err;
}

/* ---- a message ---- */

struct message_call {
    struct dx_call call;
    enum dx_opcode opcode;
    size_t len;
    uint8_t bytes[];
};

static void run_message(struct dx_call *call, struct dx_shard *shard,
                        struct dx_connection *connection)
{
    struct message_call *message = dx_container_of(call, struct message_call, call);
    enum dx_err err = DX_OK;

    (void)shard;
    /* If the connection refuses it, there is no caller left to report that to. */
    if (connection != NULL)
        err = dx_connection_send(connection, message->opcode, message->bytes, message->len);
    (void)err;
    free(message);
}

enum dx_err dx_server_send(struct dx_server *server, uint64_t id, enum dx_opcode opcode,
                           const void *data, size_t len)
{
    struct message_call *message;
    struct dx_shard *shard;
    enum dx_err err;

    if (opcode != DX_OP_TEXT && opcode != DX_OP_BINARY)
        return DX_ERR_USAGE;
    if (len > UINT32_MAX)
        return DX_ERR_TOO_BIG;
    err = find_shard(server, id, &shard);
    if (err != DX_OK)
        return err;
    message = malloc(sizeof(*message) + len);
    if (message == NULL)
        return DX_ERR_NOMEM;
    message->call = (struct dx_call){.id = id, .len = sizeof(*message) + len, .run = run_message};
    message->opcode = opcode;
    message->len = len;
    if (len > 0)
        memcpy(message->bytes, data, len);
    return add(shard, &message->call);
}

/* ---- a Close ---- */

struct close_reason {
    uint16_t code;
    uint16_t len;
    char text[DX_CLOSE_REASON_MAX];
};

/* The checks of dx_connection_close, made now, while the caller can still get the error. */
static enum dx_err keep_reason(struct close_reason *kept, uint16_t code, const char *reason,
                               size_t len)
{
    if (code == DX_CLOSE_NO_STATUS ? len > 0 : !dx_close_code_is_valid(code))
        return DX_ERR_USAGE;
    if (!dx_utf8_is_valid((const uint8_t *)reason, len))
        return DX_ERR_USAGE;
    if (len > DX_CLOSE_REASON_MAX)
        len = dx_utf8_cut((const uint8_t *)reason, DX_CLOSE_REASON_MAX);
    kept->code = code;
    kept->len = (uint16_t)len;
    if (len > 0)
        memcpy(kept->text, reason, len);
    return DX_OK;
}

struct close_call {
    struct dx_call call;
    struct close_reason reason;
};

static void run_close(struct dx_call *call, struct dx_shard *shard,
                      struct dx_connection *connection)
{
    struct close_call *close = dx_container_of(call, struct close_call, call);

    (void)shard;
    if (connection != NULL)
        (void)dx_connection_close(connection, close->reason.code, close->reason.text,
                                  close->reason.len);
    free(close);
}

enum dx_err dx_server_close_connection(struct dx_server *server, uint64_t id, uint16_t code,
                                       const char *reason, size_t reason_len)
{
    struct close_reason kept;
    struct close_call *close;
    struct dx_shard *shard;
    enum dx_err err = keep_reason(&kept, code, reason, reason_len);

    if (err == DX_OK)
        err = find_shard(server, id, &shard);
    if (err != DX_OK)
        return err;
    close = malloc(sizeof(*close));
    if (close == NULL)
        return DX_ERR_NOMEM;
    close->call = (struct dx_call){.id = id, .len = sizeof(*close), .run = run_close};
    close->reason = kept;
    return add(shard, &close->call);
}

/* ---- a call ---- */

struct user_call {
    struct dx_call call;
    void (*function)(struct dx_connection *connection, void *user);
    void *user;
};

static void run_user(struct dx_call *call, struct dx_shard *shard, struct dx_connection *connection)
{
    struct user_call wanted = *dx_container_of(call, struct user_call, call);

    (void)shard;
    free(call);
    wanted.function(connection, wanted.user);
}

enum dx_err dx_server_call(struct dx_server *server, uint64_t id,
                           void (*call)(struct dx_connection *connection, void *user), void *user)
{
    struct user_call *wanted;
    struct dx_shard *shard;
    enum dx_err err = find_shard(server, id, &shard);

    if (err != DX_OK)
        return err;
    wanted = malloc(sizeof(*wanted));
    if (wanted == NULL)
        return DX_ERR_NOMEM;
    *wanted = (struct user_call){{.id = id, .len = sizeof(*wanted), .run = run_user}, call, user};
    return add(shard, &wanted->call);
}

/* ---- all of them ---- */

/* One for all shards; each of them runs a part of it. */
struct each {
    struct dx_server *server;
    void (*call)(struct dx_connection *connection, void *user); /* NULL: close them */
    void (*done)(void *user);
    void *user;
    struct close_reason reason;
    atomic_size_t left; /* parts that are still to run */
    bool is_cancelled;  /* a part could not be added; read under server->each_lock */
    struct each_part {
        struct dx_call call;
        struct each *each;
    } parts[];
};

/* `count` parts have run, or never will. The last one calls `done`. */
static void end_parts(struct each *each, size_t count)
{
    void (*done)(void *user) = each->done;
    void *user = each->user;
    bool is_cancelled;

    if (atomic_fetch_sub(&each->left, count) > count)
        return;
    is_cancelled = each->is_cancelled;
    free(each);
    if (!is_cancelled && done != NULL)
        done(user);
}

/* Waits while the parts are being added: only then it is known whether they may run. */
static bool may_run(struct each *each)
{
    bool may;

    (void)pthread_mutex_lock(&each->server->each_lock);
    may = !each->is_cancelled;
    (void)pthread_mutex_unlock(&each->server->each_lock);
    return may;
}

static void run_part(struct dx_call *call, struct dx_shard *shard, struct dx_connection *connection)
{
    struct each *each = dx_container_of(call, struct each_part, call)->each;
    bool may = may_run(each);
    uint32_t place = 0;

    /* A call may free the server, which cuts the shard: then none is open any more. */
    while (may && atomic_load(&shard->state) != DX_SHARD_CUT &&
           (connection = dx_registry_next(&shard->registry, &place)) != NULL) {
        if (each->call != NULL)
            each->call(connection, each->user);
        else
            (void)dx_connection_close(connection, each->reason.code, each->reason.text,
                                      each->reason.len);
    }
    end_parts(each, 1);
}

static enum dx_err add_parts(struct dx_server *server, struct each *each)
{
    enum dx_err err = DX_OK;
    size_t count = 0;

    (void)pthread_mutex_lock(&server->each_lock);
    while (err == DX_OK && count < server->shard_count) {
        err = dx_calls_add(server->shards[count], &each->parts[count].call);
        count += err == DX_OK;
    }
    each->is_cancelled = err != DX_OK;
    (void)pthread_mutex_unlock(&server->each_lock);
    if (err != DX_OK)
        end_parts(each, server->shard_count - count);
    return err;
}

/* Makes a copy of `wanted`, with a part for each shard, and adds the parts. */
static enum dx_err begin(struct dx_server *server, const struct each *wanted)
{
    size_t len = sizeof(*wanted) + server->shard_count * sizeof(wanted->parts[0]);
    struct each *each;

    if (dx_server_is_freed(server))
        return DX_ERR_CLOSED;
    each = malloc(len);
    if (each == NULL)
        return DX_ERR_NOMEM;
    memcpy(each, wanted, sizeof(*wanted));
    each->server = server;
    atomic_init(&each->left, server->shard_count);
    each->is_cancelled = false;
    for (size_t index = 0; index < server->shard_count; index++)
        each->parts[index] =
            (struct each_part){{.len = sizeof(struct each_part), .run = run_part}, each};
    return add_parts(server, each);
}

enum dx_err dx_server_each_connection(struct dx_server *server,
                                      void (*call)(struct dx_connection *connection, void *user),
                                      void (*done)(void *user), void *user)
{
    const struct each wanted = {.call = call, .done = done, .user = user};

    return call != NULL ? begin(server, &wanted) : DX_ERR_USAGE;
}

enum dx_err dx_server_close_all(struct dx_server *server, uint16_t code, const char *reason,
                                size_t reason_len)
{
    struct each wanted = {.call = NULL};
    enum dx_err err = keep_reason(&wanted.reason, code, reason, reason_len);

    return err == DX_OK ? begin(server, &wanted) : err;
}
