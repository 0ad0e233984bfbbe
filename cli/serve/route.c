/*
 * route.c - PATH=COMMAND and [PATH=]DIR. check.c finds out whether programs and directories exist.
 */
#include "cli/serve/route.h"

#include <stdlib.h>
#include <string.h>

#include "cli/serve/words.h"

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
static enum dx_err copy_path(const char *text, size_t len, char **path, const char **problem)
{
    char *copy;

    while (len > 1 && text[len - 1] == '/')
        len--;
    for (size_t at = 1; at < len;) {
        const char *slash = memchr(text + at, '/', len - at);
        size_t end = slash ? (size_t)(slash - text) : len;

        if (!segment_is_valid(text + at, end - at)) {
            *problem = bad_path;
            return DX_ERR_USAGE;
        }
        at = end + 1;
    }
    copy = malloc(len + 1);
    if (!copy)
        return DX_ERR_NOMEM;
    memcpy(copy, text, len);
    copy[len] = '\0';
    *path = copy;
    return DX_OK;
}

enum dx_err cli_route_parse(const char *text, struct cli_route *route, const char **problem)
{
    const char *equals = strchr(text, '=');
    struct cli_route parsed = {.text = text};
    enum dx_err err;

    if (*text != '/' || !equals) {
        *problem = *text != '/' ? no_slash : "no command (write PATH=COMMAND)";
        return DX_ERR_USAGE;
    }
    err = copy_path(text, (size_t)(equals - text), &parsed.path, problem);
    if (err == DX_OK)
        err = cli_words_split(equals + 1, &parsed.argv, problem);
    if (err == DX_OK)
        *route = parsed;
    else
        free(parsed.path);
    return err;
}

enum dx_err cli_static_parse(const char *text, struct cli_static *files, const char **problem)
{
    const char *equals = strchr(text, '=');
    bool has_path = *text == '/' && equals;
    struct cli_static parsed = {.text = text, .directory = has_path ? equals + 1 : text};
    enum dx_err err;

    *problem = NULL;
    /* A directory with = in its name can be given as ./a=b or /=/srv/a=b. */
    if (equals && *text != '/' && *text != '.')
        *problem = "the path has no leading / (write /PATH=DIR, or ./DIR for a name with an =)";
    else if (*parsed.directory == '\0')
        *problem = "no directory (write DIR or PATH=DIR)";
    if (*problem)
        return DX_ERR_USAGE;
    err = has_path ? copy_path(text, (size_t)(equals - text), &parsed.path, problem)
                   : copy_path("/", 1, &parsed.path, problem);
    if (err == DX_OK)
        *files = parsed;
    return err;
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
