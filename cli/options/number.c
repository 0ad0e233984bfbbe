/*
 * number.c - reads durations, sizes, counts and ports. parse.c checks an option's own range.
 */
#include "cli/options/number.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const char not_a_duration[] = "not a duration (write 250ms, 5s or 2m; 5 is 5 seconds)";
static const char long_duration[] = "too long (at most 168h)";
static const char not_a_size[] = "not a size (write bytes, or 64K, 1M, 1G)";
static const char not_a_count[] = "not a number (write a whole number such as 100)";
static const char not_a_port[] = "not a port (write a number from 0 to 65535)";

#define LONGEST_MS 604800000u

/*
 * Reads digits up to UINT64_MAX; false when there is none or the number is larger. `end` gets what
 * follows.
 */
static bool read_digits(const char *text, uint64_t *number, const char **end)
{
    uint64_t value = 0;

    if (!dx_text_is_digit((uint8_t)*text))
        return false;
    for (; dx_text_is_digit((uint8_t)*text); text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    *end = text;
    return true;
}

/* Reads one to three decimals as thousandths; false for none or more. */
static bool read_thousandths(const char *text, uint64_t *thousandths, const char **end)
{
    uint64_t weight = 100;

    *thousandths = 0;
    if (!dx_text_is_digit((uint8_t)*text))
        return false;
    for (; dx_text_is_digit((uint8_t)*text); text++, weight /= 10) {
        if (weight == 0)
            return false;
        *thousandths += (uint64_t)(*text - '0') * weight;
    }
    *end = text;
    return true;
}

/* Milliseconds in a unit; 0 for an unknown one. */
static uint64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"", 1000}, {"m", 60000}, {"h", 3600000}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(unit, units[i].name) == 0)
            return units[i].ms;
    return 0;
}

const char *cli_duration_parse(const char *text, uint64_t *duration_ms)
{
    uint64_t whole;
    uint64_t thousandths = 0;
    const char *rest;

    if (!read_digits(text, &whole, &rest))
        return not_a_duration;
    if (*rest == '.' && !read_thousandths(rest + 1, &thousandths, &rest))
        return not_a_duration;

    uint64_t unit = unit_ms(rest);

    if (unit == 0 || thousandths * unit % 1000 != 0)
        return not_a_duration;
    if (whole > LONGEST_MS / unit)
        return long_duration;

    uint64_t total = whole * unit + thousandths * unit / 1000;

    if (total > LONGEST_MS)
        return long_duration;
    *duration_ms = total;
    return NULL;
}

const char *cli_size_parse(const char *text, uint64_t *size)
{
    uint64_t whole;
    const char *rest;
    uint64_t factor = 1;

    if (!read_digits(text, &whole, &rest))
        return not_a_size;
    if (*rest) {
        static const char suffixes[] = "KkMmGg";
        const char *suffix = strchr(suffixes, *rest);

        if (!suffix || rest[1] != '\0')
            return not_a_size;
        factor = (uint64_t)1 << (10 * ((suffix - suffixes) / 2 + 1));
    }
    if (whole > UINT64_MAX / factor)
        return "too large (at most 17179869183G)";
    *size = whole * factor;
    return NULL;
}

const char *cli_count_parse(const char *text, uint64_t *count)
{
    switch (dx_text_parse_decimal(dx_slice_of(text), UINT32_MAX, count)) {
    case DX_OK:
        return NULL;
    case DX_ERR_TOO_BIG:
        return "too large (at most 4294967295)";
    default:
        return not_a_count;
    }
}

const char *cli_port_parse(const char *text, uint16_t *port)
{
    uint64_t whole;

    if (dx_text_parse_decimal(dx_slice_of(text), UINT16_MAX, &whole) != DX_OK)
        return not_a_port;
    *port = (uint16_t)whole;
    return NULL;
}

void cli_duration_print(uint64_t duration_ms, char text[static CLI_NUMBER_TEXT_MAX])
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    size_t at = 0;

    while (duration_ms % units[at].ms != 0)
        at++;
    if (duration_ms == 0)
        at = 2;
    snprintf(text, CLI_NUMBER_TEXT_MAX, "%" PRIu64 "%s", duration_ms / units[at].ms,
             units[at].name);
}

void cli_size_print(uint64_t size, char text[static CLI_NUMBER_TEXT_MAX])
{
    static const char *const suffixes[] = {"", "K", "M", "G"};
    size_t at = 0;

    while (size != 0 && size % 1024 == 0 && at < 3) {
        size /= 1024;
        at++;
    }
    snprintf(text, CLI_NUMBER_TEXT_MAX, "%" PRIu64 "%s", size, suffixes[at]);
}
