/*
 * check.c - see check.h.
 */
#include "cli/options/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/options/address.h"

static bool complain_of_file(struct cli_complaint *complaint, const char *option, const char *text)
{
    int error = errno;
    const char *remedy = error == ENOENT || error == ENOTDIR ? "check the path"
                         : error == EACCES                   ? "check its permissions"
                                                             : "name another one";

    cli_complain_of(complaint, option, text, "%s (%s)", strerror(error), remedy);
    complaint->exit_status = CLI_EXIT_RESOURCE;
    return false;
}

bool cli_check_directory(const char *option, const char *text, const char *directory,
                         struct cli_complaint *complaint)
{
    struct stat status;

    if (stat(directory, &status) == 0) {
        if (S_ISDIR(status.st_mode) && faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) == 0)
            return true;
        if (!S_ISDIR(status.st_mode))
            errno = ENOTDIR;
    }
    return complain_of_file(complaint, option, text);
}

bool cli_check_file(const char *option, const char *path, struct cli_complaint *complaint)
{
    struct stat status;

    if (!path)
        return true;
    if (stat(path, &status) == 0) {
        if (!S_ISDIR(status.st_mode) && faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) == 0)
            return true;
        if (S_ISDIR(status.st_mode))
            errno = EISDIR;
    }
    return complain_of_file(complaint, option, path);
}

bool cli_check_key_pair(const char *cert_option, const char *cert, const char *key_option,
                        const char *key, struct cli_complaint *complaint)
{
    if (cert && !key)
        return cli_complain_of(complaint, cert_option, cert, "its key is missing (add --%s=FILE)",
                               key_option);
    if (key && !cert)
        return cli_complain_of(complaint, key_option, key,
                               "its certificate is missing (add --%s=FILE)", cert_option);
    return true;
}

bool cli_check_addresses(const struct cli_list *addresses, struct cli_complaint *complaint)
{
    const char *const *texts = addresses->items;

    for (size_t i = 0; i < addresses->count; i++) {
        struct cli_address address;
        const char *problem = cli_address_parse(texts[i], &address);
        bool may_repeat = !problem && address.kind <= CLI_ADDRESS_ANY && address.port == 0;

        for (size_t j = 0; j < i && !may_repeat; j++)
            if (strcmp(texts[i], texts[j]) == 0)
                return cli_complain_of(complaint, "listen", texts[i],
                                       "given twice (give each address once)");
        if (!problem && address.kind == CLI_ADDRESS_FD && fcntl(address.fd, F_GETFD) < 0) {
            cli_complain_of(complaint, "listen", texts[i],
                            "no such descriptor (open it in the parent process)");
            complaint->exit_status = CLI_EXIT_RESOURCE;
            return false;
        }
    }
    return true;
}
