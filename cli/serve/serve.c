/*
 * serve.c - the command `duplex serve`: its options, and the routes made from them.
 */
#include "cli/serve/serve.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <duplex/files.h>

#include "cli/options/items.h"
#include "cli/serve/check.h"
#include "cli/serve/variable.h"
#include "cli/server/page.h"
#include "cli/server/service.h"

/* ---- options ---- */

#define FIELD(name) offsetof(struct cli_serve_config, name)
#define READ_LARGEST 65536 /* of output; framed it must be less than four queues */

static const char *const framings[] = {"lines", "binary", "length", NULL};
static const char *const newlines[] = {"keep", "escape", "reject", NULL};
static const char *const stderrs[] = {"log", "client", "stdout", NULL};
static const char *const invalid_utf8s[] = {"replace", "close", NULL};

/* The order of the words is the order of the library's values. */
static_assert(DX_FRAMING_LINES == 0 && DX_FRAMING_BINARY == 1 && DX_FRAMING_LENGTH == 2, "");
static_assert(DX_NEWLINES_KEEP == 0 && DX_NEWLINES_ESCAPE == 1 && DX_NEWLINES_REJECT == 2, "");
static_assert(DX_STDERR_LOG == 0 && DX_STDERR_CLIENT == 1 && DX_STDERR_STDOUT == 2, "");
static_assert(DX_INVALID_UTF8_REPLACE == 0 && DX_INVALID_UTF8_CLOSE == 1, "");

static enum dx_err parse_variable(const char *text, void *object, const char **problem)
{
    *problem = cli_variable_parse(text, object);
    return *problem ? DX_ERR_USAGE : DX_OK;
}

static enum dx_err parse_ladder(const char *text, void *object, const char **problem)
{
    *problem = cli_ladder_parse(text, object);
    return *problem ? DX_ERR_USAGE : DX_OK;
}

static enum dx_err parse_route(const char *text, void *object, const char **problem)
{
    return cli_route_parse(text, object, problem);
}

static enum dx_err parse_static(const char *text, void *object, const char **problem)
{
    return cli_static_parse(text, object, problem);
}

static void release_route(void *object)
{
    cli_route_release(object);
}

static void release_static(void *object)
{
    cli_static_release(object);
}

static const struct cli_item item_variable = {sizeof(const char *), parse_variable, NULL};
static const struct cli_item item_ladder = {sizeof(struct cli_ladder), parse_ladder, NULL};
static const struct cli_item item_route = {sizeof(struct cli_route), parse_route, release_route};
static const struct cli_item item_static = {sizeof(struct cli_static), parse_static,
                                            release_static};

static const struct cli_option program_options[] = {
    {.name = "framing",
     .kind = CLI_CHOICE,
     .field = FIELD(framing),
     .choices = framings,
     .placeholder = "MODE",
     .preset = "lines",
     .help = "how bytes become messages: lines, binary (as read) or length (records)",
     .more = "See *FRAMING*."},
    {.name = "binary",
     .kind = CLI_SET,
     .set = DX_FRAMING_BINARY,
     .field = FIELD(framing),
     .help = "the same as --framing=binary"},
    {.name = "newlines",
     .kind = CLI_CHOICE,
     .field = FIELD(newlines),
     .choices = newlines,
     .placeholder = "MODE",
     .preset = "keep",
     .help = "a newline inside a client's message: keep, escape or reject (close 1003)",
     .more = "Only for *--framing=lines*. *keep*: the program gets several lines. *escape*: "
             "it gets one line, in which \\\\n, \\\\r and \\\\\\\\ stand for newline, "
             "carriage return and backslash. *reject*: the connection is closed with code "
             "1003."},
    {.name = "flush-after",
     .kind = CLI_DURATION,
     .field = FIELD(flush_after_ms),
     .placeholder = "TIME",
     .preset_note = "never",
     .help = "send an unfinished line after this silence",
     .more = "For prompts, which end without a newline. When the program ends, the rest of "
             "its output is always sent. 0 means never."},
    {.name = "invalid-utf8",
     .kind = CLI_CHOICE,
     .field = FIELD(invalid_utf8),
     .choices = invalid_utf8s,
     .placeholder = "MODE",
     .preset = "replace",
     .help = "output that is not UTF-8: replace (by U+FFFD) or close (1011)",
     .more = "Text messages must be UTF-8. *replace* logs one line per connection. Use "
             "*--framing=binary* for a program that prints other bytes."},
    {.name = "stderr",
     .kind = CLI_CHOICE,
     .field = FIELD(stderr_to),
     .choices = stderrs,
     .placeholder = "TO",
     .preset = "log",
     .help = "where the programs' stderr goes: log, client or stdout",
     .more = "*client* sends it as messages, as if it were stdout. *stdout* writes it to the "
             "stdout of *duplex*."},
    {.name = "chdir",
     .kind = CLI_TEXT,
     .field = FIELD(directory),
     .placeholder = "DIR",
     .help = "run the programs in DIR",
     .more = "COMMAND is looked up first, from where *duplex* was started."},
    {.name = "env",
     .kind = CLI_LIST,
     .field = FIELD(env),
     .item = &item_variable,
     .placeholder = "NAME[=VALUE]",
     .help = "an environment variable for the programs; repeatable",
     .more = "_NAME_ alone passes on the variable of *duplex* itself; it is an error if that "
             "is not set. See *ENVIRONMENT*."},
    {.name = "ladder",
     .kind = CLI_ITEM,
     .field = FIELD(ladder),
     .item = &item_ladder,
     .placeholder = "TIME,TIME,TIME",
     .preset = "1s,1s,1s",
     .help = "how a program is ended: time from end of file to INT, to TERM, to KILL",
     .more = "The signals go to the program's session, and so to every process that it "
             "started. 0 continues with the next step at once."},
    {.name = "text-pong",
     .kind = CLI_FLAG,
     .field = FIELD(answers_text_ping),
     .preset_note = "off",
     .help = "answer the text message ping with pong",
     .more = "The program sees neither message. Pages use this as a heartbeat, because they "
             "cannot send WebSocket pings."},
    {.name = NULL},
};

static const struct cli_option path_options[] = {
    {.name = "route",
     .kind = CLI_LIST,
     .field = FIELD(routes),
     .item = &item_route,
     .placeholder = "PATH=COMMAND",
     .help = "another program at PATH and below; repeatable",
     .more = "The longest matching _PATH_ wins. _PATH_ ends at the first =. _COMMAND_ is "
             "split at blanks; '...', \"...\" and \\\\ quote as in a shell. Nothing is "
             "expanded and no shell runs: for a pipe write _sh -c '...'_. COMMAND after the "
             "options is the route /."},
    {.name = "static",
     .kind = CLI_LIST,
     .field = FIELD(statics),
     .item = &item_static,
     .placeholder = "[PATH=]DIR",
     .help = "serve the files in DIR at PATH, or at /; repeatable",
     .more = "Only GET and HEAD; index.html for a directory; no dotfiles, no listings, no "
             "symbolic links that leave _DIR_. A program may have the same path: it gets the "
             "WebSockets, the directory gets all other requests. If _DIR_ begins with / and "
             "contains an =, write a path before it: /=/srv/a=b."},
    {.name = NULL},
};

static const struct cli_option admission_options[] = {
    {.name = "origin",
     .kind = CLI_LIST,
     .field = FIELD(server.admission.origins),
     .item = &cli_item_origin,
     .choices = cli_origin_words,
     .placeholder = "ORIGIN",
     .preset_note = "same, and loopback on loopback",
     .help = "origins: same, any, null, https://*.example.org; repeatable",
     .more = CLI_ORIGIN_MORE
     "On a loopback address any loopback page is accepted, too: a development server "
     "has another port."},
    {.name = NULL},
};

static const struct cli_option limit_options[] = {
    {.name = "max-message",
     .kind = CLI_SIZE,
     .field = FIELD(server.limits.max_message),
     .placeholder = "SIZE",
     .preset = "1M",
     .smallest = 1,
     .help = "maximum length of a message from a client",
     .more = "All fragments together. A longer message closes the connection with code 1009. "
             "A program may print messages of any length."},
    {.name = "max-queue",
     .kind = CLI_SIZE,
     .field = FIELD(server.limits.max_queue),
     .placeholder = "SIZE",
     .preset = "1M",
     .smallest = READ_LARGEST,
     .largest = CLI_QUEUE_LARGEST,
     .help = "output that waits for a client before its program has to wait",
     .more = "At four times this size the connection is aborted."},
    {.name = "max-programs",
     .kind = CLI_COUNT,
     .field = FIELD(max_programs),
     .placeholder = "N",
     .preset = "256",
     .smallest = 1,
     .help = "maximum number of programs at the same time",
     .more = "Further connections get status 503 with _Retry-After_."},
    {.name = NULL},
};

static const struct cli_group groups[] = {
    {CLI_LISTENING_TITLE, cli_listening_options, FIELD(server)},
    {"Programs and messages", program_options, 0},
    {"Paths", path_options, 0},
    {CLI_ADMISSION_TITLE, admission_options, 0},
    {CLI_ADMISSION_TITLE, cli_admission_options, FIELD(server)},
    {CLI_LIMITS_TITLE, limit_options, 0},
    {CLI_LIMITS_TITLE, cli_limits_options, FIELD(server)},
    {CLI_TIMES_TITLE, cli_times_options, FIELD(server)},
    {CLI_RUNNING_TITLE, cli_running_options, FIELD(server)},
    {CLI_LOG_TITLE, cli_log_options, FIELD(server.log)},
    CLI_GENERAL_GROUP,
    {.options = NULL},
};

/* websocketd's and websocat's. */
static const struct cli_foreign foreign[] = {
    {.word = "websocketd", .ours = "COMMAND"},
    {.word = "--maxforks", .ours = "--max-programs=N"},
    {.word = "--passenv", .ours = "--env=NAME, once for each"},
    {.word = "--passstderr", .ours = "--stderr=client"},
    {.word = "--closems", .ours = "--ladder=TIME,TIME,TIME"},
    {.word = "--dir", .ours = "--route=/NAME=COMMAND, once for each program"},
    {.word = "--cgidir", .note = "Duplex runs no CGI programs; use a web server in front"},
    {.word = "--devconsole", .note = "open its URL in a browser: a page shows the program live"},
    {.word = "-b", .ours = "--binary"},
    {.word = "-t", .note = "a line is a text message, unless there is --binary"},
    {.word = "--text", .note = "a line is a text message, unless there is --binary"},
    {.word = "-s", .ours = "--port=PORT COMMAND"},
    {.word = "-E", .note = "the end of the program closes the connection, and vice versa"},
    {.word = NULL},
};

static const struct cli_foreign *const foreign_words[] = {foreign, cli_server_foreign, NULL};

/* ---- programs ---- */

static struct dx_program_options options_of_programs(const struct cli_serve_config *config)
{
    struct dx_program_options options = dx_program_options_init();

    options.env = config->env.items;
    options.directory = config->directory;
    options.framing = config->framing;
    options.newlines = config->newlines;
    options.stderr_to = config->stderr_to;
    options.invalid_utf8 = config->invalid_utf8;
    options.flush_after_ms = config->flush_after_ms;
    for (size_t i = 0; i < sizeof(options.ladder_ms) / sizeof(options.ladder_ms[0]); i++)
        options.ladder_ms[i] = config->ladder.step_ms[i];
    options.answers_text_ping = config->answers_text_ping;
    options.page = cli_program_page.html;
    options.page_len = cli_program_page.len;
    options.page_headers = &cli_program_page.header;
    options.page_header_count = 1;
    return options;
}

static bool has_files(const struct cli_serve_config *config, const char *path)
{
    const struct cli_static *statics = config->statics.items;

    for (size_t i = 0; i < config->statics.count; i++)
        if (strcmp(statics[i].path, path) == 0)
            return true;
    return false;
}

static int add_program(struct cli_service *service, const struct cli_serve_config *config,
                       const char *path, char **argv)
{
    struct dx_program_options options = options_of_programs(config);
    enum dx_err err;

    options.argv = (const char *const *)argv;
    if (has_files(config, path))
        options.page = NULL; /* a plain GET gets the files */
    err = dx_programs_route(service->programs, path, &options);
    if (err == DX_OK)
        return 0;
    (void)cli_fail(service->name, argv[0], dx_err_text(err));
    return err == DX_ERR_NOT_FOUND || err == DX_ERR_ACCESS ? CLI_EXIT_USAGE : CLI_EXIT_RESOURCE;
}

static int add_programs(struct cli_service *service, const struct cli_serve_config *config)
{
    const struct cli_route *routes = config->routes.items;
    struct dx_programs_options options = dx_programs_options_init();
    int exit_status = 0;
    enum dx_err err;

    options.max_programs = config->max_programs;
    options.owns_children = true;
    options.inherited = environ;
    options.descriptor_limit = service->descriptor_limit;
    err = dx_programs_new(service->server, &options, &service->programs);
    if (err != DX_OK)
        return cli_fail(
            service->name, "duplex-spawner",
            err == DX_ERR_NOT_FOUND
                ? "not beside duplex nor in ../libexec/duplex (install both, or keep them together)"
                : dx_err_text(err));
    if (config->program)
        exit_status = add_program(service, config, "/", config->program);
    for (size_t i = 0; i < config->routes.count && exit_status == 0; i++)
        exit_status = add_program(service, config, routes[i].path, routes[i].argv);
    return exit_status;
}

/* ---- files ---- */

static size_t count_words(char **words)
{
    size_t count = 0;

    while (words && words[count])
        count++;
    return count;
}

/* Each word of a command might be a path, from here or from where the program runs. */
static bool hide_words(const struct cli_serve_config *config, char **words, char **paths,
                       size_t *count)
{
    for (; words && *words; words++) {
        paths[*count] = strdup(*words);
        if (!paths[*count])
            return false;
        ++*count;
        if (!config->directory || **words == '/')
            continue;
        if (asprintf(&paths[*count], "%s/%s", config->directory, *words) < 0) {
            paths[*count] = NULL;
            return false;
        }
        ++*count;
    }
    return true;
}

static void free_paths(char **paths)
{
    for (size_t i = 0; paths[i]; i++)
        free(paths[i]);
    free(paths);
}

/*
 * What --static must not serve even if it is in the directory: programs and the TLS key. Ends with
 * NULL. Returns NULL without memory.
 */
static char **hidden_paths(const struct cli_serve_config *config)
{
    const struct cli_route *routes = config->routes.items;
    size_t room = 2 + 2 * count_words(config->program), count = 0;
    bool is_whole;
    char **paths;

    for (size_t i = 0; i < config->routes.count; i++)
        room += 2 * count_words(routes[i].argv);
    paths = calloc(room, sizeof(*paths));
    if (!paths)
        return NULL;
    is_whole = hide_words(config, config->program, paths, &count);
    for (size_t i = 0; i < config->routes.count && is_whole; i++)
        is_whole = hide_words(config, routes[i].argv, paths, &count);
    if (is_whole && config->server.tls.key) {
        paths[count] = strdup(config->server.tls.key);
        is_whole = paths[count];
    }
    if (is_whole)
        return paths;
    free_paths(paths);
    return NULL;
}

static int add_directories(struct cli_service *service, const struct cli_serve_config *config,
                           const char *const *hidden)
{
    const struct cli_static *statics = config->statics.items;
    struct dx_files_options options = dx_files_options_init();

    options.not_found = "404.html";
    options.hidden = hidden;
    for (size_t i = 0; i < config->statics.count; i++) {
        enum dx_err err =
            dx_server_route_files(service->server, statics[i].path, statics[i].directory, &options);

        if (err != DX_OK)
            return cli_fail(service->name, statics[i].directory, dx_err_text(err));
    }
    return 0;
}

static int add_routes(struct cli_service *service, const void *user)
{
    const struct cli_serve_config *config = user;
    char **hidden = hidden_paths(config);
    int exit_status;

    if (!hidden)
        return cli_fail(service->name, "--static", dx_err_text(DX_ERR_NOMEM));
    exit_status = add_directories(service, config, (const char *const *)hidden);
    free_paths(hidden);
    return exit_status != 0 ? exit_status : add_programs(service, config);
}

/* ---- the command ---- */

static bool check(const struct cli_config *config, struct cli_complaint *complaint)
{
    return cli_serve_check((const struct cli_serve_config *)config, complaint);
}

static int run(const struct cli_config *general)
{
    const struct cli_serve_config *config = (const struct cli_serve_config *)general;

    return cli_service_run("serve", &config->server, add_routes, config);
}

const struct cli_command cli_serve = {
    .name = "serve",
    .synopsis = "duplex serve [options] COMMAND [ARG...]\n"
                "       duplex serve [options] --route=PATH=COMMAND...\n",
    .summary = "turn any program into a WebSocket server",
    .about = "Starts COMMAND once for each WebSocket connection. Messages from the client are\n"
             "lines on its stdin; each line that it prints is a message to the client. Options\n"
             "end at COMMAND.\n",
    .examples = "  duplex serve ./counter.sh\n"
                "  duplex serve --port=9000 vmstat 1\n"
                "  duplex serve --static=web --route='/log=tail -f \"my log\"' ./chat.sh\n",
    .operands = CLI_OPERANDS_REST,
    .operand_field = FIELD(program),
    .groups = groups,
    .config_len = sizeof(struct cli_serve_config),
    .foreign = foreign_words,
    .check = check,
    .run = run,
};
