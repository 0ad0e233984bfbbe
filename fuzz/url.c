/*
 * url.c - fuzz target: URLs, hosts, origins, paths, dates and names of files, all from the same
 * bytes.
 *
 * Besides not crashing: a normal form is its own normal form, what is escaped has no control
 * character, and a date that is written reads as itself.
 */
#include "check.h"

#include "base/text.h"
#include "http/date.h"
#include "http/mime.h"
#include "http/origin.h"
#include "http/response.h"
#include "http/url/target.h"
#include "http/url/url.h"

static void read_url(struct dx_slice text)
{
    static char normal[DX_URL_MAX + 1];
    static char again[DX_URL_MAX + 1];
    struct dx_url url;
    struct dx_url url_again;
    const char *detail = NULL;

    if (dx_url_parse(text, &url, normal, &detail)) {
        CHECK(detail != NULL);
        return;
    }
    CHECK(strlen(normal) == url.len && normal[url.target_at] == '/');
    CHECK(dx_url_parse(dx_slice_of(normal), &url_again, again, &detail) == DX_OK);
    CHECK(strcmp(normal, again) == 0 && url.port == url_again.port);
    CHECK(dx_host_equal(&url.host, &url_again.host));
}

static void read_origin(struct dx_slice text)
{
    struct dx_origin origin;
    struct dx_authority authority;
    const char *detail = NULL;

    if (dx_authority_parse(text, &authority, &detail)) {
        CHECK(authority.host.len > 0 && strlen(authority.host.text) == authority.host.len);
        (void)dx_host_is_loopback(&authority.host);
    }
    (void)dx_origin_is_pattern(text);
    if (!dx_origin_parse(text, &origin, &detail)) {
        CHECK(detail != NULL);
        return;
    }
    if (dx_origin_is_pattern(text))
        CHECK(dx_origin_matches(&origin, text));
    (void)dx_origin_matches(&origin, dx_slice_of("https://*.example.org"));
}

static void read_path(struct dx_slice text)
{
    struct dx_refusal refusal;
    char *path = malloc(text.len + 1);
    size_t len;
    bool has_dots;

    CHECK(path != NULL);
    if (dx_path_decode(text, path, &len, &has_dots, &refusal))
        CHECK(strlen(path) == len && len <= text.len);
    free(path);
}

static void read_date(struct dx_slice text)
{
    char written[DX_DATE_LEN + 1];
    int64_t seconds;
    int64_t again;

    if (dx_date_read(text, 1800000000, &seconds))
        return;
    dx_date_write(seconds, written);
    CHECK(dx_date_read(dx_slice_of(written), 1800000000, &again) == DX_OK);
    CHECK(again == seconds || seconds < 0 || seconds > DX_DATE_MAX);
}

/* The bytes as a text of C: a name, a detail that an answer quotes. */
static void use_as_text(struct dx_slice bytes)
{
    char *text = malloc(bytes.len + 1);
    struct dx_error_answer answer = {.status = 404, .unix_seconds = bytes.len};
    struct dx_pool pool;
    struct dx_output output;
    uint64_t value;

    CHECK(text != NULL);
    if (bytes.len > 0)
        memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = 0;
    CHECK(dx_mime_type(text) != NULL);
    dx_pool_init(&pool, 0, 1 << 20);
    dx_output_init(&output, &pool);
    answer.detail = text;
    answer.header_name = "Upgrade";
    answer.header_value = "websocket";
    answer.is_head_request = bytes.len % 2;
    if (dx_response_error(&output, &answer) == DX_OK)
        CHECK(output.len > 0);
    dx_output_clear(&output);
    dx_pool_release(&pool);
    if (dx_text_parse_decimal(bytes, 999, &value) == DX_OK)
        CHECK(value <= 999);
    if (dx_text_parse_hex(bytes, UINT64_MAX, &value) == DX_OK)
        CHECK(bytes.len > 0);
    free(text);
}

static void escape(struct dx_slice bytes)
{
    size_t room = DX_TEXT_ESCAPED_MAX(bytes.len);
    char *text = malloc(room + 1);
    bool is_cut;
    size_t len;

    CHECK(text != NULL);
    len = dx_text_escape(bytes, text, room, &is_cut);
    CHECK(!is_cut && len >= bytes.len);
    CHECK(dx_text_is_utf8((struct dx_slice){(uint8_t *)text, len}));
    for (size_t i = 0; i < len; i++)
        CHECK((uint8_t)text[i] >= 0x20 && text[i] != 0x7f);
    len = dx_text_escape(bytes, text, room / 2, NULL);
    CHECK(len <= room / 2 && dx_text_is_utf8((struct dx_slice){(uint8_t *)text, len}));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct dx_slice text = {data, len};

    read_url(text);
    read_origin(text);
    read_path(text);
    read_date(text);
    use_as_text(text);
    escape(text);
    return 0;
}
