/*
 * spawner_wire_test.c - what is not a proper message does the spawner no harm; and what it is
 * linked with.
 *
 * The messages are written to the channel by hand, past the client, and the answers read by hand.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <link.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/bridge/spawner_bench.h"
#include "support/test.h"

enum { ID = 77 };

static struct spawner_bench bench;

static int open_bench(void **state)
{
    (void)state;
    bench_open(&bench, false, 0);
    return 0;
}

static int close_bench(void **state)
{
    (void)state;
    bench_close(&bench);
    return 0;
}

/* Sends bytes with so many copies of stdin's descriptor. */
static void send_raw(const void *bytes, size_t len, size_t rights_count)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec vector = {(void *)(uintptr_t)bytes, len};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};

    if (rights_count > 0) {
        struct cmsghdr *rights;

        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(rights_count * sizeof(int));
        rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(rights_count * sizeof(int));
        memset(CMSG_DATA(rights), 0, rights_count * sizeof(int));
    }
    assert_int_equal(sendmsg(dx_spawner_channel_fd(bench.channel), &header, MSG_NOSIGNAL),
                     (ssize_t)len);
}

static struct dx_spawn_note receive(void)
{
    struct dx_spawn_note note = {0};
    struct pollfd readable = {.fd = dx_spawner_channel_fd(bench.channel), .events = POLLIN};

    assert_int_equal(poll(&readable, 1, PATIENCE_MS), 1);
    assert_int_equal(recv(readable.fd, &note, sizeof(note), 0), (ssize_t)sizeof(note));
    return note;
}

/* A START with these counts over these strings; `lie` is added to the length that it claims. */
static size_t write_start(char *bytes, uint32_t arguments, uint32_t variables, uint32_t flags,
                          const char *strings, size_t strings_len, int lie)
{
    const struct dx_spawn_start start = {.type = DX_SPAWN_START,
                                         .flags = flags,
                                         .id = ID,
                                         .argument_count = arguments,
                                         .variable_count = variables,
                                         .strings_len = (uint32_t)((int)strings_len + lie)};

    memcpy(bytes, &start, sizeof(start));
    memcpy(bytes + sizeof(start), strings, strings_len);
    return sizeof(start) + strings_len;
}

/* The spawner still does its work, and has no descriptor more than before. */
static void expect_sound(void)
{
    static const char strings[] = "/bin/true\0true";
    char bytes[256];
    const size_t len = write_start(bytes, 1, 0, 0, strings, sizeof(strings), 0);
    struct dx_spawn_note note;

    send_raw(bytes, len, 3);
    note = receive();
    assert_int_equal(note.type, DX_SPAWN_STARTED);
    assert_int_equal(note.id, ID);
    assert_true(note.value > 0);
    note = receive();
    assert_int_equal(note.type, DX_SPAWN_EXITED);
    assert_int_equal(note.id, ID);
    assert_int_equal(note.value, 0);
    descriptors_until(dx_spawner_pid(bench.spawner), 6);
}

static void expect_failed(int error, enum dx_spawn_step step)
{
    const struct dx_spawn_note note = receive();

    assert_int_equal(note.type, DX_SPAWN_FAILED);
    assert_int_equal(note.id, ID);
    assert_int_equal(note.value, error);
    assert_int_equal(note.step, step);
}

#define STRINGS(text) text, sizeof(text)

static void starts_that_are_malformed_fail(void **state)
{
    static const struct {
        uint32_t arguments;
        uint32_t variables;
        uint32_t flags;
        const char *strings;
        size_t strings_len;
        int lie;
    } rows[] = {
        {0, 0, 0, STRINGS("/bin/true"), 0},             /* no argument */
        {1, 0, 0, STRINGS("/bin/true"), 0},             /* one is missing */
        {1, 1, 0, STRINGS("/bin/true\0true"), 0},       /* a variable is missing */
        {1, 0, 0, STRINGS("/bin/true\0true\0more"), 0}, /* one too many */
        {1, 0, DX_SPAWN_IN_DIRECTORY, STRINGS("/bin/true\0/tmp"),
         0},                                               /* a directory, so none left */
        {1, 0, 0, STRINGS("bin/true\0true"), 0},           /* not absolute */
        {1, 0, 0, STRINGS("\0true"), 0},                   /* no path */
        {1, 0, 0, "/bin/true\0true", 14, 0},               /* the last zero is missing */
        {1, 0, 0, "/bin/true", 9, 0},                      /* the first as well */
        {1, 0, 0, "", 0, 0},                               /* no string at all */
        {1, 0, 0, STRINGS("/bin/true\0true"), 1},          /* claims more */
        {1, 0, 0, STRINGS("/bin/true\0true"), -1},         /* claims less */
        {UINT32_MAX, 1, 0, STRINGS("/bin/true\0true"), 0}, /* sums that overflow */
        {1, UINT32_MAX, 0, STRINGS("/bin/true\0true"), 0},
        {DX_SPAWN_STRINGS_MAX, 1, 0, STRINGS("/bin/true\0true"), 0}, /* one over the limit */
        {DX_SPAWN_STRINGS_MAX + 1, 0, 0, STRINGS("/bin/true\0true"), 0},
    };
    char bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const size_t len = write_start(bytes, rows[i].arguments, rows[i].variables, rows[i].flags,
                                       rows[i].strings, rows[i].strings_len, rows[i].lie);

        send_raw(bytes, len, 3);
        expect_failed(EINVAL, DX_SPAWN_STEP_MESSAGE);
    }
    expect_sound();
}

static void wrong_number_of_descriptors_fails(void **state)
{
    static const size_t counts[] = {0, 1, 2, 4, 5, 16};
    char bytes[256];
    const size_t len = write_start(bytes, 1, 0, 0, STRINGS("/bin/true\0true"), 0);

    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        send_raw(bytes, len, counts[i]);
        expect_failed(EMFILE, DX_SPAWN_STEP_DESCRIPTORS);
        expect_sound();
    }
}

static void everything_else_is_dropped(void **state)
{
    static char huge[DX_SPAWN_MESSAGE_MAX + 1];
    static const int signals[] = {0, -1, -9, NSIG, 9999, INT32_MAX, INT32_MIN};
    struct dx_spawn_note note = {.type = DX_SPAWN_KILL, .id = ID, .value = SIGKILL};
    char bytes[256] = {0};
    size_t len;

    (void)state;
    for (len = 1; len < sizeof(struct dx_spawn_start); len++)
        send_raw(bytes, len, len % 5);
    for (uint32_t type = 0; type < 16; type++) {
        memcpy(bytes, &type, sizeof(type));
        /* A START so short that it has no id. */
        send_raw(bytes, type == DX_SPAWN_START ? 20 : sizeof(bytes), 3);
    }
    write_start(huge, 1, 0, 0, "", 0, 0);
    send_raw(huge, sizeof(huge), 3);
    expect_sound();
    send_raw(&note, sizeof(note), 3);
    send_raw(&note, sizeof(note) - 1, 0);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        note.value = signals[i];
        send_raw(&note, sizeof(note), 0);
    }
    expect_sound();
}

/* Bytes from a generator with a fixed seed: the same on each run. */
static void random_messages(void **state)
{
    enum { COUNT = 20000 };
    static const char strings[] = "/bin/true\0true";
    static char bytes[512];
    struct dx_spawn_start start = {.type = DX_SPAWN_START, .id = UINT64_MAX, .argument_count = 1};
    uint32_t seed = 1;

    (void)state;
    for (int i = 0; i < COUNT; i++) {
        struct pollfd room = {.fd = dx_spawner_channel_fd(bench.channel), .events = POLLOUT};
        struct dx_spawn_note note;
        size_t len;

        for (size_t j = 0; j < sizeof(bytes); j++) {
            seed = seed * 1664525 + 1013904223;
            bytes[j] = (char)(seed >> 24);
        }
        /* Half of them pretend to be a START of small counts, but have no absolute path. */
        if (i % 2 == 0)
            write_start(bytes, seed >> 30, (seed >> 28) & 3, (seed >> 27) & 1, "x", 1,
                        (int)(seed >> 23) & 511);
        len = 1 + (seed >> 8) % sizeof(bytes);
        assert_int_equal(poll(&room, 1, PATIENCE_MS), 1);
        send_raw(bytes, len, seed % 5);
        while (recv(room.fd, &note, sizeof(note), MSG_DONTWAIT) > 0)
            assert_int_equal(note.type, DX_SPAWN_FAILED);
    }
    /* A START of an id that nobody has used marks the end of the answers. */
    start.strings_len = sizeof(strings);
    memcpy(bytes, &start, sizeof(start));
    memcpy(bytes + sizeof(start), strings, sizeof(strings));
    send_raw(bytes, sizeof(start) + sizeof(strings), 3);
    while (receive().type != DX_SPAWN_EXITED)
        ;
    expect_sound();
    assert_int_equal(children_count(dx_spawner_pid(bench.spawner)), 0);
}

static void an_id_in_use_is_not_started_again(void **state)
{
    char bytes[256];
    const size_t len = write_start(bytes, 2, 0, 0,
                                   STRINGS("/bin/sleep\0sleep\0"
                                           "1000"),
                                   0);
    struct dx_spawn_note note = {.type = DX_SPAWN_KILL, .id = ID, .value = SIGKILL};

    (void)state;
    send_raw(bytes, len, 3);
    assert_int_equal(receive().type, DX_SPAWN_STARTED);
    send_raw(bytes, len, 3);
    send_raw(bytes, len, 3);
    send_raw(&note, sizeof(note), 0);
    assert_int_equal(receive().type, DX_SPAWN_EXITED);
    expect_sound();
}

static void wrong_arguments_end_at_once(void **state)
{
    static const char *const rows[][6] = {
        {"duplex-spawner", NULL},
        {"duplex-spawner", "0", "1", "0", NULL},
        {"duplex-spawner", "1", "0", "0", NULL},
        {"duplex-spawner", "1", "65", "0", NULL},
        {"duplex-spawner", "1", "1", "-1", NULL},
        {"duplex-spawner", "1", "1", "x", NULL},
        {"duplex-spawner", "1", "1", "99999999999999999999", NULL},
        {"duplex-spawner", "1", "1", "", NULL},
        {"duplex-spawner", "1", "60", "0", NULL}, /* there are no such descriptors */
        {"duplex-spawner", "1", "1", "0", "more", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int status;
        const pid_t pid = fork();

        if (pid == 0) {
            execv(DX_TEST_SPAWNER, (char *const *)(uintptr_t)rows[i]);
            _exit(99);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 2);
    }
}

/* Signals that end or stop others are no reason for it to leave its programs alone. */
static void signals_do_not_end_it(void **state)
{
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2,
                                  SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU, SIGCHLD, SIGXCPU, SIGXFSZ};

    (void)state;
    expect_sound();
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        assert_int_equal(kill(dx_spawner_pid(bench.spawner), signals[i]), 0);
    expect_sound();
}

#ifdef DX_TEST_PLAIN
/* The file needs one library, and it is `only`. */
static void expect_needed(const char *file, size_t file_len, const char *only)
{
    const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)(uintptr_t)file;
    const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(uintptr_t)(file + head->e_shoff);
    size_t needed = 0;

    assert_memory_equal(head->e_ident, ELFMAG, SELFMAG);
    assert_int_equal(head->e_type, ET_DYN);
    assert_true(head->e_shoff + head->e_shnum * sizeof(*sections) <= file_len);
    for (size_t i = 0; i < head->e_shnum; i++) {
        const ElfW(Dyn) *entry = (const ElfW(Dyn) *)(uintptr_t)(file + sections[i].sh_offset);
        const char *names = file + sections[sections[i].sh_link].sh_offset;

        if (sections[i].sh_type != SHT_DYNAMIC)
            continue;
        for (; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_NEEDED) {
                assert_string_equal(names + entry->d_un.d_val, only);
                needed++;
            }
        }
    }
    assert_int_equal(needed, 1);
}

static void links_libc_only(void **state)
{
    const int fd = open(DX_TEST_SPAWNER, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *file;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &status), 0);
    file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(file, MAP_FAILED);
    close(fd);
    expect_needed(file, (size_t)status.st_size, "libc.so.6");
    munmap(file, (size_t)status.st_size);
}

static long resident_kib(pid_t pid)
{
    char path[64];
    char line[256];
    long kib = -1;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    fclose(file);
    return kib;
}

static void is_small(void **state)
{
    long kib;

    (void)state;
    expect_sound();
    kib = resident_kib(dx_spawner_pid(bench.spawner));
    print_message("resident: %ld KiB\n", kib);
    assert_true(kib > 0 && kib <= 1536);
}
#endif

#define BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH(starts_that_are_malformed_fail),
        BENCH(wrong_number_of_descriptors_fails),
        BENCH(everything_else_is_dropped),
        BENCH(random_messages),
        BENCH(an_id_in_use_is_not_started_again),
        cmocka_unit_test(wrong_arguments_end_at_once),
        BENCH(signals_do_not_end_it),
#ifdef DX_TEST_PLAIN
        cmocka_unit_test(links_libc_only),
        BENCH(is_small),
#endif
    };

    return run_group(tests, NULL, NULL);
}
