/*
 * replay_main.c - runs a fuzz target over files without a fuzzer: the corpus as a regression test
 * in every build.
 *
 *   replay_TARGET FILE|FOLDER...
 *
 * Prints how many inputs ran; ends with 1 when there was none.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static unsigned input_count;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data;
    long len;

    if (!file || fseek(file, 0, SEEK_END) != 0 || (len = ftell(file)) < 0) {
        perror(path);
        exit(1);
    }
    rewind(file);
    /* Exactly as long as the input, so that one byte too far is seen by the sanitizer. */
    data = malloc((size_t)len + (len == 0));
    if (!data || fread(data, 1, (size_t)len, file) != (size_t)len) {
        perror(path);
        exit(1);
    }
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)len);
    free(data);
    input_count++;
}

static void replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;

    if (!folder) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(folder))) {
        char name[4096];
        int len = snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);

        if (entry->d_name[0] == '.')
            continue;
        if (len < 0 || (size_t)len >= sizeof(name)) {
            fprintf(stderr, "%s: name too long\n", entry->d_name);
            exit(1);
        }
        replay_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct stat status = {0};

        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode))
            replay_folder(argv[i]);
        else
            replay_file(argv[i]);
    }
    printf("replayed %u inputs\n", input_count);
    return input_count == 0;
}
