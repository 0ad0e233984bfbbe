/*
 * date.h - HTTP dates (RFC 9110 section 5.6.7). Time is passed in: seconds since 1970-01-01 00:00
 * UTC.
 */
#ifndef DX_HTTP_DATE_H
#define DX_HTTP_DATE_H

#include <duplex/error.h>

#include "base/slice.h"

#define DX_DATE_LEN 29
#define DX_DATE_MAX INT64_C(253402300799) /* 9999-12-31 23:59:59 */

/**
 * Writes "Sun, 06 Nov 1994 08:49:37 GMT", DX_DATE_LEN characters and a NUL. Times outside 0 ..
 * DX_DATE_MAX become the nearer end.
 */
void dx_date_write(int64_t unix_seconds, char text[DX_DATE_LEN + 1]);

/**
 * Reads the three forms: IMF-fixdate, RFC 850 with a two-digit year (RFC 9110: what would lie more
 * than 50 years after `now` is in the century before), asctime. The day of the week is read, not
 * believed.
 *
 * Returns DX_OK, DX_ERR_PROTOCOL.
 */
DX_MUST_CHECK enum dx_err dx_date_read(struct dx_slice text, int64_t now, int64_t *unix_seconds);

#endif
