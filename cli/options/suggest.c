/*
 * suggest.c - edit distance in which two swapped neighbours count as one edit (optimal string
 * alignment), in three rows.
 */
#include "cli/options/suggest.h"

#include <string.h>

#define NAME_MAX_LEN 40

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance_between(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][NAME_MAX_LEN + 1];

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] =
                smaller(above[j - 1] + (a[i - 1] != b[j - 1]), smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = smaller(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

void cli_suggestion_offer(struct cli_suggestion *suggestion, const char *name)
{
    size_t name_len = strlen(name);
    size_t typed_len = suggestion->typed_len;
    size_t distance;

    if (typed_len == 0 || typed_len > NAME_MAX_LEN || name_len > NAME_MAX_LEN)
        return;
    if (typed_len >= 3 && strncmp(suggestion->typed, name, typed_len) == 0)
        distance = 1; /* an abbreviation is closer than two typing errors */
    else
        distance = distance_between(suggestion->typed, typed_len, name, name_len);
    if (distance > (name_len < 6 ? 2 : 3) || distance * 2 > name_len)
        return;
    if (suggestion->best && distance >= suggestion->distance)
        return;
    suggestion->best = name;
    suggestion->distance = distance;
}
