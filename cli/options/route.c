/*
 * route.c - PATH=COMMAND and [PATH=]DIR. Whether the program and the directory exist is asked in
 * check.c.
 */
#include "cli/options/route.h"

#include <stdlib.h>
#include <string.h>

#include "cli/options/words.h"

static const char no_slash[] = "the path has no leading / (write /PATH=COMMAND)";
static const char bad_path[] = "not a path (no blank, control, ?, #, //, . or .. in it)";

/* One segment between slashes. */
static bool segment_is_valid(const char *segment, size_t len)
{
    if (len == 0 || (len == 1 && segment[0] == '.') ||
        (len == 2 && segment[0] == '.' && segment[1] == '.'))
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)segment[i];

        if (byte <= ' ' || byte == 0x7f || byte == '?' || byte == '#')
            return false;
    }
    return true;
}

/* Copies a path that begins with /, without slashes at its end. */
static const char *copy_path(const char *text, size_t len, char **path)
{
    while (len > 1 && text[len - 1] == '/')
        len--;
    for (size_t at = 1; at < len;) {
        const char *slash = memchr(text + at, '/', len - at);
        size_t end = slash ? (size_t)(slash - text) : len;

        if (!segment_is_valid(text + at, end - at))
            return bad_path;
        at = end + 1;
    }

    char *copy = malloc(len + 1);

    if (!copy)
        return cli_out_of_memory;
    memcpy(copy, text, len);
    copy[len] = '\0';
    *path = copy;
    return NULL;
}

const char *cli_route_parse(const char *text, struct cli_route *route)
{
    const char *equals = strchr(text, '=');
    struct cli_route parsed = {.text = text};

    if (*text != '/')
        return no_slash;
    if (!equals)
        return "no command (write PATH=COMMAND)";

    const char *problem = copy_path(text, (size_t)(equals - text), &parsed.path);

    if (problem)
        return problem;
    problem = cli_words_split(equals + 1, &parsed.argv);
    if (problem) {
        free(parsed.path);
        return problem;
    }
    *route = parsed;
    return NULL;
}

const char *cli_static_parse(const char *text, struct cli_static *files)
{
    const char *equals = strchr(text, '=');
    bool has_path = *text == '/' && equals;
    struct cli_static parsed = {.text = text, .directory = has_path ? equals + 1 : text};

    /* A directory whose name has an = is still to be had: ./a=b, or /=/srv/a=b. */
    if (equals && *text != '/' && *text != '.')
        return "the path has no leading / (write /PATH=DIR, or ./DIR for a name with an =)";
    if (*parsed.directory == '\0')
        return "no directory (write DIR or PATH=DIR)";

    const char *problem = has_path ? copy_path(text, (size_t)(equals - text), &parsed.path)
                                   : copy_path("/", 1, &parsed.path);

    if (problem)
        return problem;
    *files = parsed;
    return NULL;
}

void cli_route_release(struct cli_route *route)
{
    free(route->path);
    free(route->argv);
    *route = (struct cli_route){0};
}

void cli_static_release(struct cli_static *files)
{
    free(files->path);
    *files = (struct cli_static){0};
}
