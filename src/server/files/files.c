/*
 * files.c - makes a directory whose files are served, of its options. Finding a file is in
 * files_find.c, answering with it in files_answer.c.
 */
#include "server/files/files_parts.h"

#include "base/sized.h"
#include "server/exchange/request.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name in the directory itself: no path, no dotfile. */
static bool is_name(const char *text)
{
    return text[0] != '\0' && text[0] != '.' && strpbrk(text, "/\\") == NULL;
}

static bool is_value(const char *text)
{
    for (; *text != '\0'; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

static size_t len_of(const char *text)
{
    return text != NULL ? strlen(text) : 0;
}

static bool are_headers(const struct dx_files_options *options)
{
    for (size_t i = 0; i < options->header_count; i++)
        if (!dx_request_is_header(&options->headers[i]))
            return false;
    return true;
}

/* What the options' headers are as lines. */
static size_t lines_len(const struct dx_files_options *options)
{
    size_t len = 0;

    for (size_t i = 0; i < options->header_count; i++)
        len +=
            strlen(options->headers[i].name) + strlen(options->headers[i].value) + strlen(": \r\n");
    return len;
}

static char *write_lines(const struct dx_files_options *options, char *at)
{
    for (size_t i = 0; i < options->header_count; i++)
        at = stpcpy(
            stpcpy(stpcpy(stpcpy(at, options->headers[i].name), ": "), options->headers[i].value),
            "\r\n");
    return at;
}

static bool are_valid(const struct dx_files_options *options)
{
    return (options->index == NULL || is_name(options->index)) &&
           (options->not_found == NULL || options->not_found[0] != '\0') &&
           (options->cache_control == NULL || is_value(options->cache_control)) &&
           are_headers(options) &&
           len_of(options->cache_control) + lines_len(options) <= DX_FILES_LINES_MAX;
}

/* Copies the text with its NUL to `*at`, and moves `*at` after it. */
static const char *keep(char **at, const char *text)
{
    const char *kept = *at;

    if (text == NULL)
        return NULL;
    *at = stpcpy(*at, text) + 1;
    return kept;
}

static enum dx_err make(const struct dx_files_options *options, struct dx_files **made)
{
    static const char name[] = "Cache-Control: ", vary[] = "Vary: Accept-Encoding\r\n";
    size_t room = len_of(options->index) + len_of(options->not_found) + 2 * lines_len(options) +
                  sizeof(name) + len_of(options->cache_control) + sizeof("\r\n") + sizeof(vary) + 4;
    struct dx_files *files = malloc(sizeof(*files) + room);
    char *at;

    if (files == NULL)
        return DX_ERR_NOMEM;
    *files = (struct dx_files){.is_precompressed = options->is_precompressed};
    dx_buf_init(&files->hidden, DX_FILES_HIDDEN_MAX);
    at = files->text;
    files->index = keep(&at, options->index);
    files->not_found = keep(&at, options->not_found);
    files->headers = at;
    *at = '\0';
    at = write_lines(options, at) + 1;
    files->lines = at;
    if (options->cache_control != NULL)
        at = stpcpy(stpcpy(stpcpy(at, name), options->cache_control), "\r\n");
    if (options->is_precompressed)
        at = stpcpy(at, vary);
    *at = '\0';
    (void)write_lines(options, at);
    *made = files;
    return DX_OK;
}

enum dx_err dx_files_new(const char *directory, const struct dx_files_options *options,
                         struct dx_files **files)
{
    struct dx_files_options own = dx_files_options_init();
    struct dx_files *made;
    enum dx_err err;

    err = DX_SIZED_COPY(struct dx_files_options, hidden, &own, options);
    if (err != DX_OK)
        return err;
    if (directory == NULL || !are_valid(&own))
        return DX_ERR_USAGE;
    err = make(&own, &made);
    if (err != DX_OK)
        return err;
    err = dx_directory_open(directory, &made->directory_fd);
    if (err != DX_OK) {
        free(made);
        return err;
    }
    err = dx_files_hide(made, directory, own.hidden);
    if (err != DX_OK)
        dx_files_free(made);
    else
        *files = made;
    return err;
}

void dx_files_free(void *data)
{
    struct dx_files *files = data;

    if (files == NULL)
        return;
    (void)close(files->directory_fd);
    dx_buf_release(&files->hidden);
    free(files);
}
