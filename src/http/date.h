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
 * Writes "Sun, 06 Nov 1994 08:49:37 GMT", DX_DATE_LEN characters and a NUL. A time outside 0 ..
 * DX_DATE_MAX is replaced by the nearer of the two.
 */
void dx_date_write(int64_t unix_seconds, char text[DX_DATE_LEN + 1]);

/**
 * Reads the three forms: IMF-fixdate, asctime, and RFC 850, whose year has two digits (RFC 9110: a
 * date that would be more than 50 years after `now` is in the previous century). The day of the
 * week is not compared with the date.
 *
 * Returns DX_OK, DX_ERR_PROTOCOL.
 */
DX_MUST_CHECK enum dx_err dx_date_read(struct dx_slice text, int64_t now, int64_t *unix_seconds);

#endif
