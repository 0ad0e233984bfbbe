/*
 * corpus_test.c - the fuzzer's corpus, each input whole, byte by byte, cut at each position, and
 * with each allocation failing: the same events and the same bytes out. The seeds among it are the
 * hostile table's and Autobahn's inputs.
 *
 *   unit_ws_corpus FOLDER
 */
#include "support/test.h"
#include "support/ws/scenario.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 4096

static const char *folder;

static size_t read_input(const char *name, uint8_t *bytes)
{
    char path[1024];
    FILE *file;
    size_t len;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot read %s", path);
    len = fread(bytes, 1, INPUT_MAX, file);
    fclose(file);
    return len;
}

static void every_input(void **state)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        uint8_t bytes[INPUT_MAX];
        size_t len = entry->d_name[0] == '.' ? 0 : read_input(entry->d_name, bytes);
        /* The first two bytes are for fuzz/endpoint.c: the role, small limits; where it cuts. */
        struct scenario scenario = {
            .name = entry->d_name,
            .role = len > 0 && (bytes[0] & 1) != 0 ? DX_ROLE_CLIENT : DX_ROLE_SERVER,
            .max_message = len > 0 && (bytes[0] & 2) != 0 ? 40 : 0,
            .max_fragments = len > 0 && (bytes[0] & 2) != 0 ? 3 : 0,
            .in = bytes + 2,
            .in_len = len - 2,
        };

        if (len >= 2)
            scenario_check(&scenario, NULL, NULL);
    }
    closedir(dir);
    scenario_print_counts("corpus");
    assert_true(scenario_counts.input_count >= 500);
    assert_true(scenario_counts.run_count >= 200000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input),
    };

    if (argc != 2)
        return 2;
    folder = argv[1];
    return run_group(tests, NULL, NULL);
}
