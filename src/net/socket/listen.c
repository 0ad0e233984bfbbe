/*
 * listen.c - turns an address text into listening sockets. listener.c accepts on them.
 */
#include "net/socket/listener.h"
#include "net/loop/system.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_ADDRESSES 8  /* of one name */
#define PORT_ATTEMPTS 32 /* to find a port that is free on all addresses */

struct listening {
    struct dx_loop *loop;
    const struct dx_listener_handlers *handlers;
    void *user;
    struct dx_listener *first;
    const char *text;
    char *why;
    size_t why_len;
};

/* The addresses to bind that a name or a wildcard expands to. */
struct places {
    struct sockaddr_storage at[MAX_ADDRESSES];
    size_t count;
    bool is_dual; /* one IPv6 socket for both protocols */
    /* Skip addresses that this machine does not have, as long as one remains. */
    bool may_lack_some;
};

__attribute__((format(printf, 3, 4))) static enum dx_err
fail(struct listening *listening, enum dx_err err, const char *format, ...)
{
    va_list args;

    if (listening->why && listening->why_len > 0) {
        va_start(args, format);
        (void)vsnprintf(listening->why, listening->why_len, format, args);
        va_end(args);
    }
    return err;
}

static enum dx_err fail_with_errno(struct listening *listening, int code)
{
    return fail(listening, dx_err_of_errno(code), "cannot listen on %s: %s", listening->text,
                strerror(code));
}

static bool parse_number(const char *text, unsigned max, unsigned *number)
{
    unsigned value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (unsigned)(*text - '0');
        if (value > max)
            return false;
    }
    *number = value;
    return true;
}

static void set_port(struct sockaddr_storage *at, uint16_t port)
{
    if (at->ss_family == AF_INET)
        ((struct sockaddr_in *)at)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)at)->sin6_port = htons(port);
}

static socklen_t len_of(const struct sockaddr_storage *at)
{
    return at->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static void add_place(struct places *places, const struct sockaddr *from, socklen_t len)
{
    struct sockaddr_storage at = {.ss_family = AF_UNSPEC};

    memcpy(&at, from, len);
    for (size_t i = 0; i < places->count; i++)
        if (memcmp(&places->at[i], &at, sizeof(at)) == 0)
            return;
    if (places->count < MAX_ADDRESSES)
        places->at[places->count++] = at;
}

static void add_ipv4(struct places *places, uint32_t address, uint16_t port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

    in.sin_addr.s_addr = htonl(address);
    add_place(places, (struct sockaddr *)&in, sizeof(in));
}

static void add_ipv6(struct places *places, struct in6_addr address, uint16_t port)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    in6.sin6_addr = address;
    add_place(places, (struct sockaddr *)&in6, sizeof(in6));
}

static enum dx_err make_listener(struct listening *listening, int fd, struct dx_listener **made)
{
    enum dx_err err =
        dx_listener_new(listening->loop, fd, listening->handlers, listening->user, made);

    if (err)
        return fail(listening, err, "cannot listen on %s: %s", listening->text, dx_err_text(err));
    (*made)->next = listening->first;
    listening->first = *made;
    return DX_OK;
}

static void drop_all(struct listening *listening)
{
    while (listening->first) {
        struct dx_listener *listener = listening->first;

        listening->first = listener->next;
        dx_listener_free(listener);
    }
}

/* Binds one address and listens on it; returns 0 or an errno. */
static int bind_place(const struct sockaddr_storage *at, bool is_dual, int *fd)
{
    const int on = 1;
    const int only = !is_dual;
    int code;

    *fd = socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (*fd < 0)
        return errno;
    (void)setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ss_family == AF_INET6 &&
        setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) != 0)
        code = errno;
    else if (bind(*fd, (const struct sockaddr *)at, len_of(at)) == 0 && listen(*fd, SOMAXCONN) == 0)
        return 0;
    else
        code = errno;
    close(*fd);
    return code;
}

static bool is_lacking(int code)
{
    return code == EADDRNOTAVAIL || code == EAFNOSUPPORT;
}

/*
 * Binds all addresses to one port; when it is 0, to the port that the first one was given. Sets
 * `*code` to the errno of the last bind.
 */
static enum dx_err bind_places(struct listening *listening, const struct places *places, int *code)
{
    uint16_t port = 0;

    *code = 0;
    for (size_t i = 0; i < places->count; i++) {
        struct sockaddr_storage at = places->at[i];
        struct dx_listener *made;
        enum dx_err err;
        int fd;

        if (port)
            set_port(&at, port);
        *code = bind_place(&at, places->is_dual, &fd);
        if (is_lacking(*code) && places->may_lack_some &&
            (listening->first || i + 1 < places->count))
            continue;
        if (*code)
            return fail_with_errno(listening, *code);
        err = make_listener(listening, fd, &made);
        if (err) {
            close(fd);
            return err;
        }
        port = made->address.port;
    }
    return DX_OK;
}

static bool wants_any_port(const struct places *places)
{
    struct dx_address address;

    dx_address_init(&address, &places->at[0]);
    return address.port == 0;
}

static enum dx_err listen_places(struct listening *listening, const struct places *places)
{
    int attempts = wants_any_port(places) ? PORT_ATTEMPTS : 1;
    enum dx_err err;
    int code;

    do {
        drop_all(listening);
        err = bind_places(listening, places, &code);
    } while (err == DX_ERR_ADDRESS_IN_USE && --attempts > 0);
    return err;
}

static enum dx_err listen_name(struct listening *listening, const char *host, uint16_t port,
                               struct places *places)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    int rc = getaddrinfo(host, NULL, &hints, &found);

    if (rc == EAI_MEMORY)
        return fail(listening, DX_ERR_NOMEM, "out of memory");
    if (rc)
        return fail(listening, DX_ERR_RESOLVE, "cannot find the address of %s: %s", host,
                    gai_strerror(rc));
    for (const struct addrinfo *info = found; info; info = info->ai_next) {
        struct sockaddr_storage at = {.ss_family = AF_UNSPEC};

        if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
            continue;
        memcpy(&at, info->ai_addr, info->ai_addrlen);
        set_port(&at, port);
        add_place(places, (struct sockaddr *)&at, info->ai_addrlen);
    }
    freeaddrinfo(found);
    if (places->count == 0)
        return fail(listening, DX_ERR_RESOLVE, "%s has no address", host);
    places->may_lack_some = true;
    return listen_places(listening, places);
}

static enum dx_err listen_loopback(struct listening *listening, uint16_t port,
                                   struct places *places)
{
    add_ipv4(places, INADDR_LOOPBACK, port);
    add_ipv6(places, in6addr_loopback, port);
    places->may_lack_some = true;
    return listen_places(listening, places);
}

static enum dx_err listen_all(struct listening *listening, uint16_t port, struct places *places)
{
    int probe = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (probe >= 0) {
        close(probe);
        places->is_dual = true;
        add_ipv6(places, in6addr_any, port);
    } else {
        add_ipv4(places, INADDR_ANY, port);
    }
    return listen_places(listening, places);
}

static enum dx_err listen_tcp(struct listening *listening)
{
    const char *text = listening->text;
    const char *colon = strrchr(text, ':');
    struct places places = {.count = 0};
    char host[256];
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    struct in6_addr ipv6;
    unsigned number;

    if (!parse_number(colon ? colon + 1 : text, 65535, &number) || host_len >= sizeof(host) ||
        (colon && host_len == 0))
        return fail(listening, DX_ERR_USAGE,
                    "%s is not an address: PORT, HOST:PORT, [IPv6]:PORT, *:PORT, unix:PATH or fd:N",
                    text);
    memcpy(host, text, host_len);
    host[host_len] = '\0';
    /* localhost is loopback whatever the resolver says (RFC 6761 section 6.3). */
    if (!colon || strcasecmp(host, "localhost") == 0)
        return listen_loopback(listening, (uint16_t)number, &places);
    if (strcmp(host, "*") == 0)
        return listen_all(listening, (uint16_t)number, &places);
    if (host[0] == '[' && host[host_len - 1] == ']') {
        host[host_len - 1] = '\0';
        /* inet_pton does not parse a zone ("%eth0"); getaddrinfo does. */
        if (strchr(host, '%'))
            return listen_name(listening, host + 1, (uint16_t)number, &places);
        if (inet_pton(AF_INET6, host + 1, &ipv6) != 1)
            return fail(listening, DX_ERR_USAGE, "%s is not an IPv6 address in brackets", text);
        add_ipv6(&places, ipv6, (uint16_t)number);
        return listen_places(listening, &places);
    }
    if (strchr(host, ':'))
        return fail(listening, DX_ERR_USAGE, "%s: write an IPv6 address in brackets: [%s]:%u", text,
                    host, number);
    return listen_name(listening, host, (uint16_t)number, &places);
}

/* True when the path is a socket that no process listens on. */
static bool is_stale(const struct sockaddr_un *at)
{
    struct stat there;
    bool is_refused;
    int fd;

    if (lstat(at->sun_path, &there) != 0 || !S_ISSOCK(there.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    is_refused =
        connect(fd, (const struct sockaddr *)at, sizeof(*at)) != 0 && errno == ECONNREFUSED;
    close(fd);
    return is_refused;
}

/*
 * Binds and listens; returns 0 or an errno. The mode is set before bind creates the path, so the
 * path never has another mode.
 */
static int bind_unix(int fd, const struct sockaddr_un *at)
{
    int code;

    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0)
        return errno;
    if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) != 0) {
        code = errno;
        if (code != EADDRINUSE || !is_stale(at))
            return code;
        if (unlink(at->sun_path) != 0 || bind(fd, (const struct sockaddr *)at, sizeof(*at)) != 0)
            return errno;
    }
    if (listen(fd, SOMAXCONN) == 0)
        return 0;
    code = errno;
    (void)unlink(at->sun_path);
    return code;
}

static enum dx_err listen_unix(struct listening *listening, const char *path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct dx_listener *made = NULL;
    struct stat there;
    enum dx_err err = DX_OK;
    char *copy;
    int code;
    int fd;

    if (!*path || strlen(path) >= sizeof(at.sun_path))
        return fail(listening, DX_ERR_USAGE, "%s: the path must have 1 to %zu bytes",
                    listening->text, sizeof(at.sun_path) - 1);
    strcpy(at.sun_path, path);
    copy = strdup(path);
    fd = copy ? socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) : -1;
    if (fd < 0) {
        code = copy ? errno : ENOMEM;
        free(copy);
        return fail_with_errno(listening, code);
    }
    code = bind_unix(fd, &at);
    if (code)
        err = fail_with_errno(listening, code);
    else if (lstat(path, &there) != 0)
        err = fail_with_errno(listening, errno);
    else
        err = make_listener(listening, fd, &made);
    if (err) {
        if (!code)
            (void)unlink(path);
        close(fd);
        free(copy);
        return err;
    }
    made->path = copy;
    made->device = there.st_dev;
    made->inode = there.st_ino;
    return DX_OK;
}

static enum dx_err listen_inherited(struct listening *listening, const char *number_text)
{
    struct dx_listener *made;
    unsigned number;
    int is_listening = 0;
    socklen_t len = sizeof(is_listening);
    int fd;

    if (!parse_number(number_text, 1 << 20, &number))
        return fail(listening, DX_ERR_USAGE, "%s: fd: must be followed by a descriptor number",
                    listening->text);
    fd = (int)number;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &len) != 0 || !is_listening)
        return fail(listening, DX_ERR_USAGE, "%s is not a listening socket", listening->text);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return fail_with_errno(listening, errno);
    return make_listener(listening, fd, &made);
}

static void reverse(struct dx_listener **list)
{
    struct dx_listener *reversed = NULL;

    while (*list) {
        struct dx_listener *listener = *list;

        *list = listener->next;
        listener->next = reversed;
        reversed = listener;
    }
    *list = reversed;
}

enum dx_err dx_listener_open(struct dx_loop *loop, const char *text,
                             const struct dx_listener_handlers *handlers, void *user,
                             struct dx_listener **listeners, char *why, size_t why_len)
{
    struct listening listening = {loop, handlers, user, NULL, text, why, why_len};
    enum dx_err err;

    if (strncmp(text, "unix:", 5) == 0)
        err = listen_unix(&listening, text + 5);
    else if (strncmp(text, "fd:", 3) == 0)
        err = listen_inherited(&listening, text + 3);
    else
        err = listen_tcp(&listening);
    if (err) {
        drop_all(&listening);
        return err;
    }
    reverse(&listening.first);
    *listeners = listening.first;
    return DX_OK;
}
