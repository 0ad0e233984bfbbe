/*
 * main.c - the load generator's command line.
 *
 *     load MODE --port N [option...]
 *
 * Not responsible for what a mode measures (one file a mode), nor for starting servers (bench/run).
 */
#include "load.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
    const char *name;
    int (*run)(const struct dx_load_options *options);
} modes[] = {
    {"echo", dx_load_echo}, {"rate", dx_load_rate}, {"lines", dx_load_lines},
    {"ping", dx_load_ping}, {"idle", dx_load_idle}, {"attack", dx_load_attack},
    {"fan", dx_load_fan},   {"get", dx_load_get},
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"connections", required_argument, NULL, 'c'},
    {"window", required_argument, NULL, 'w'},
    {"size", required_argument, NULL, 's'},
    {"count", required_argument, NULL, 'n'},
    {"warmup", required_argument, NULL, 'u'},
    {"seconds", required_argument, NULL, 'd'},
    {"path", required_argument, NULL, 'a'},
    {"pid", required_argument, NULL, 'P'},
    {"raw", no_argument, NULL, 'r'},
    {"tls", no_argument, NULL, 't'},
    {"kind", required_argument, NULL, 'k'},
    {NULL, 0, NULL, 0},
};

static uint64_t number(const char *text, uint64_t most)
{
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value > most)
        dx_load_fail(text, 0);
    return value;
}

static void add_pid(struct dx_load_options *options, const char *text)
{
    if (options->pid_count == DX_LOAD_PIDS_MAX)
        dx_load_fail("too many --pid", 0);
    options->pids[options->pid_count++] = (int)number(text, INT32_MAX);
}

static void take(struct dx_load_options *options, int option)
{
    switch (option) {
    case 'p':
        options->port = (uint16_t)number(optarg, UINT16_MAX);
        break;
    case 'c':
        options->connections = (unsigned)number(optarg, DX_LOAD_CONNECTIONS_MAX);
        break;
    case 'w':
        options->window = (unsigned)number(optarg, 1024);
        break;
    case 's':
        options->size = (size_t)number(optarg, 64 << 20);
        break;
    case 'n':
        options->count = number(optarg, UINT64_MAX);
        break;
    case 'u':
        options->warmup = strtod(optarg, NULL);
        break;
    case 'd':
        options->seconds = strtod(optarg, NULL);
        break;
    case 'a':
        options->path = optarg;
        break;
    case 'k':
        options->kind = optarg;
        break;
    case 'P':
        add_pid(options, optarg);
        break;
    case 'r':
        options->raw = true;
        break;
    case 't':
        options->tls = true;
        break;
    default:
        exit(2);
    }
}

/* As many descriptors as the system allows: a connection needs one. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct dx_load_options options = {
        .connections = 1,
        .window = 1,
        .size = 20,
        .warmup = 0.5,
        .seconds = 2,
        .path = "/",
        .kind = "",
    };
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        take(&options, option);
    if (optind != argc - 1 || options.port == 0) {
        fprintf(stderr, "usage: load MODE --port N [option...]\n");
        return 2;
    }
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(argv[optind], modes[i].name) == 0)
            return modes[i].run(&options);
    dx_load_fail("no such mode", 0);
}
