/*
 * accept.c - Accept-Encoding with its weights (RFC 9110 sections 12.4.2 and 12.5.3). Which codings
 * a file has is decided elsewhere.
 */
#include "http/accept.h"

#include "base/text.h"
#include "http/list.h"

#define UNSAID UINT16_MAX
#define WEIGHT_MAX 1000

/* The weight of each coding, and of "*": all that are not named. */
struct said {
    uint16_t br;
    uint16_t gzip;
    uint16_t identity;
    uint16_t others;
};

/* Reads "0", "0.5" or "1.000": at most three decimals, at most 1. False: it is malformed. */
static bool read_weight(struct dx_slice text, uint16_t *weight)
{
    unsigned value, scale = WEIGHT_MAX;

    if (text.len == 0 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.len > 1 && text.data[1] != '.'))
        return false;
    value = (unsigned)(text.data[0] - '0') * scale;
    for (size_t at = 2; at < text.len; at++) {
        if (!dx_text_is_digit(text.data[at]))
            return false;
        scale /= 10;
        value += (unsigned)(text.data[at] - '0') * scale;
    }
    *weight = (uint16_t)value;
    return value <= WEIGHT_MAX;
}

/* Splits "gzip ; q=0.5". False: it is malformed. */
static bool read_member(struct dx_slice member, struct dx_slice *name, uint16_t *weight)
{
    const uint8_t *end = memchr(member.data, ';', member.len);
    struct dx_slice rest;

    *weight = WEIGHT_MAX;
    *name = member;
    if (end == NULL)
        return true;
    *name = dx_text_trim((struct dx_slice){member.data, (size_t)(end - member.data)});
    rest = dx_text_trim((struct dx_slice){end + 1, (size_t)(member.data + member.len - end) - 1});
    return rest.len > 2 && (rest.data[0] | 0x20) == 'q' && rest.data[1] == '=' &&
           read_weight((struct dx_slice){rest.data + 2, rest.len - 2}, weight);
}

static void note(struct said *said, struct dx_slice name, uint16_t weight)
{
    if (dx_text_is_nocase(name, "br"))
        said->br = weight;
    else if (dx_text_is_nocase(name, "gzip") || dx_text_is_nocase(name, "x-gzip"))
        said->gzip = weight;
    else if (dx_text_is_nocase(name, "identity"))
        said->identity = weight;
    else if (dx_slice_is(name, "*"))
        said->others = weight;
}

static uint16_t weight_of(const struct said *said, uint16_t weight)
{
    if (weight != UNSAID)
        return weight;
    return said->others != UNSAID ? said->others : 0;
}

void dx_codings_read(const struct dx_head *head, struct dx_codings *codings)
{
    struct said said = {UNSAID, UNSAID, UNSAID, UNSAID};
    struct dx_slice member, name;
    struct dx_list list;
    uint16_t weight;

    dx_list_init(&list, head, "Accept-Encoding");
    while (dx_list_next(&list, &member) == DX_LIST_MEMBER)
        if (read_member(member, &name, &weight))
            note(&said, name, weight);
    *codings = (struct dx_codings){
        .br = weight_of(&said, said.br),
        .gzip = weight_of(&said, said.gzip),
        .identity = weight_of(&said, said.identity),
        .refuses_identity = said.identity == 0 || (said.identity == UNSAID && said.others == 0),
    };
}

bool dx_codings_prefer(const struct dx_codings *codings, uint16_t weight)
{
    return weight > 0 && weight >= codings->identity;
}
