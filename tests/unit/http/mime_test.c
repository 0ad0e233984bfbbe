/*
 * mime_test.c - types by file name.
 */

#include "http/mime.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"

static void types(void **state)
{
    (void)state;
    assert_string_equal(dx_mime_type("index.html"), "text/html; charset=utf-8");
    assert_string_equal(dx_mime_type("/a.b/INDEX.HTM"), "text/html; charset=utf-8");
    assert_string_equal(dx_mime_type("a.min.js"), "text/javascript; charset=utf-8");
    assert_string_equal(dx_mime_type("a.json"), "application/json");
    assert_string_equal(dx_mime_type("a.png"), "image/png");
    assert_string_equal(dx_mime_type("a.html.gz"), "application/gzip");
    assert_string_equal(dx_mime_type("a.mjs"), "text/javascript; charset=utf-8");
    assert_string_equal(dx_mime_type("a.WASM"), "application/wasm");
    assert_string_equal(dx_mime_type("a.svg"), "image/svg+xml");
    assert_string_equal(dx_mime_type("a.webmanifest"), "application/manifest+json");
    assert_string_equal(dx_mime_type("a.html.br"), "application/octet-stream");
    assert_string_equal(dx_mime_type("a.sh"), "application/octet-stream");
    assert_string_equal(dx_mime_type("html"), "application/octet-stream");
    assert_string_equal(dx_mime_type("a."), "application/octet-stream");
    assert_string_equal(dx_mime_type("a.html/b"), "application/octet-stream");
    assert_string_equal(dx_mime_type(""), "application/octet-stream");
    assert_string_equal(dx_mime_type("a.htmlhtmlhtmlhtmlhtml"), "application/octet-stream");
}

/*
 * The table is searched by halves: each row must be found where it stands, the first and the last
 * too.
 */
static void rows_are_in_order(void **state)
{
    static const char *const extensions[] = {
        "7z",   "aac",  "apng", "atom", "avif",    "bmp",    "bz2",         "cjs",   "css",  "csv",
        "epub", "flac", "gif",  "gz",   "htm",     "html",   "ico",         "ics",   "jpeg", "jpg",
        "js",   "json", "jxl",  "log",  "m3u8",    "m4a",    "m4v",         "map",   "md",   "mjs",
        "mov",  "mp3",  "mp4",  "mpd",  "oga",     "ogg",    "ogv",         "opus",  "otf",  "pdf",
        "png",  "rss",  "svg",  "tar",  "tif",     "tiff",   "ttf",         "txt",   "vtt",  "wasm",
        "wav",  "weba", "webm", "webp", "woff",    "woff2",  "webmanifest", "xhtml", "xml",  "xz",
        "yaml", "yml",  "zip",  "zst",  "geojson", "jsonld",
    };
    char name[32];

    (void)state;
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        (void)snprintf(name, sizeof(name), "a.%s", extensions[i]);
        if (strcmp(dx_mime_type(name), "application/octet-stream") == 0)
            fail_msg("%s is not found", name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types),
        cmocka_unit_test(rows_are_in_order),
    };

    return run_group(tests, NULL, NULL);
}
