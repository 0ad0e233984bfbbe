/*
 * date.c - HTTP dates by the Gregorian calendar, without the time zone of the system.
 */
#include "http/date.h"

#include "base/text.h"

#define DAY_SECONDS 86400

static const char day_names[] = "SunMonTueWedThuFriSat";
static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char *const long_day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                             "Thursday", "Friday", "Saturday"};

struct moment {
    int year;
    int month; /* 1 to 12 */
    int day;
    int hour;
    int minute;
    int second;
};

/* Days from 1970-01-01. Here years begin in March, so that a leap day is the last day of a year. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t shifted = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * shifted + 2) / 5 + day - 1 - 719468;
}

static void date_of(int64_t days, struct moment *moment)
{
    int64_t z = days + 719468;
    int64_t era = z / 146097;
    int64_t in_era = z % 146097;
    int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
    int64_t shifted = (5 * in_year + 2) / 153;

    moment->day = (int)(in_year - (153 * shifted + 2) / 5 + 1);
    moment->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    moment->year = (int)(year + era * 400 + (moment->month <= 2));
}

static char *write_digits(char *text, int value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        text[i] = (char)('0' + value % 10);
    return text + count;
}

static char *write_text(char *text, const char *from, size_t len)
{
    memcpy(text, from, len);
    return text + len;
}

void dx_date_write(int64_t unix_seconds, char text[DX_DATE_LEN + 1])
{
    struct moment moment;
    int64_t seconds = unix_seconds < 0             ? 0
                      : unix_seconds > DX_DATE_MAX ? DX_DATE_MAX
                                                   : unix_seconds;
    int64_t days = seconds / DAY_SECONDS;
    int rest = (int)(seconds % DAY_SECONDS);

    date_of(days, &moment);
    text = write_text(text, day_names + (days + 4) % 7 * 3, 3);
    text = write_text(text, ", ", 2);
    text = write_digits(text, moment.day, 2);
    text = write_text(text, " ", 1);
    text = write_text(text, month_names + (moment.month - 1) * 3, 3);
    text = write_text(text, " ", 1);
    text = write_digits(text, moment.year, 4);
    text = write_text(text, " ", 1);
    text = write_digits(text, rest / 3600, 2);
    text = write_text(text, ":", 1);
    text = write_digits(text, rest / 60 % 60, 2);
    text = write_text(text, ":", 1);
    text = write_digits(text, rest % 60, 2);
    memcpy(text, " GMT", 5);
}

/* ---- reading: each function takes its part from the front, or returns false ---- */

static bool take_text(struct dx_slice *rest, const char *text)
{
    size_t len = strlen(text);

    if (rest->len < len || memcmp(rest->data, text, len) != 0)
        return false;
    rest->data += len;
    rest->len -= len;
    return true;
}

static bool take_number(struct dx_slice *rest, size_t digit_count, int *value)
{
    int sum = 0;

    if (rest->len < digit_count)
        return false;
    for (size_t i = 0; i < digit_count; i++) {
        if (!dx_text_is_digit(rest->data[i]))
            return false;
        sum = sum * 10 + rest->data[i] - '0';
    }
    rest->data += digit_count;
    rest->len -= digit_count;
    *value = sum;
    return true;
}

/* Takes a name of three letters that is in the table; `*index` counts from 0. */
static bool take_name(struct dx_slice *rest, const char *names, int *index)
{
    for (int i = 0; rest->len >= 3 && names[i * 3]; i++) {
        if (memcmp(rest->data, names + i * 3, 3) != 0)
            continue;
        rest->data += 3;
        rest->len -= 3;
        *index = i;
        return true;
    }
    return false;
}

static bool take_month(struct dx_slice *rest, int *month)
{
    if (!take_name(rest, month_names, month))
        return false;
    *month += 1;
    return true;
}

static bool take_time(struct dx_slice *rest, struct moment *moment)
{
    return take_number(rest, 2, &moment->hour) && take_text(rest, ":") &&
           take_number(rest, 2, &moment->minute) && take_text(rest, ":") &&
           take_number(rest, 2, &moment->second);
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_fixdate(struct dx_slice rest, struct moment *moment)
{
    int day;

    return take_name(&rest, day_names, &day) && take_text(&rest, ", ") &&
           take_number(&rest, 2, &moment->day) && take_text(&rest, " ") &&
           take_month(&rest, &moment->month) && take_text(&rest, " ") &&
           take_number(&rest, 4, &moment->year) && take_text(&rest, " ") &&
           take_time(&rest, moment) && dx_slice_is(rest, " GMT");
}

static bool take_long_day(struct dx_slice *rest)
{
    for (size_t i = 0; i < 7; i++)
        if (take_text(rest, long_day_names[i]))
            return true;
    return false;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool read_rfc850(struct dx_slice rest, int64_t now, struct moment *moment)
{
    struct moment present;

    if (!take_long_day(&rest) || !take_text(&rest, ", ") || !take_number(&rest, 2, &moment->day) ||
        !take_text(&rest, "-") || !take_month(&rest, &moment->month) || !take_text(&rest, "-") ||
        !take_number(&rest, 2, &moment->year) || !take_text(&rest, " ") ||
        !take_time(&rest, moment) || !dx_slice_is(rest, " GMT"))
        return false;
    date_of((now < 0 ? 0 : now) / DAY_SECONDS, &present);
    moment->year += present.year / 100 * 100;
    if (moment->year > present.year + 50)
        moment->year -= 100;
    return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime(struct dx_slice rest, struct moment *moment)
{
    int day;

    if (!take_name(&rest, day_names, &day) || !take_text(&rest, " ") ||
        !take_month(&rest, &moment->month) || !take_text(&rest, " "))
        return false;
    if (!take_number(&rest, 2, &moment->day) &&
        !(take_text(&rest, " ") && take_number(&rest, 1, &moment->day)))
        return false;
    return take_text(&rest, " ") && take_time(&rest, moment) && take_text(&rest, " ") &&
           take_number(&rest, 4, &moment->year) && rest.len == 0;
}

static bool is_possible(const struct moment *moment)
{
    int next_month = moment->month == 12 ? 1 : moment->month + 1;
    int next_year = moment->month == 12 ? moment->year + 1 : moment->year;

    /* Second 60 is a leap second. */
    return moment->year >= 1900 && moment->day >= 1 &&
           days_of(moment->year, moment->month, moment->day) < days_of(next_year, next_month, 1) &&
           moment->hour <= 23 && moment->minute <= 59 && moment->second <= 60;
}

enum dx_err dx_date_read(struct dx_slice text, int64_t now, int64_t *unix_seconds)
{
    struct moment moment = {0};

    if (!read_fixdate(text, &moment) && !read_rfc850(text, now, &moment) &&
        !read_asctime(text, &moment))
        return DX_ERR_PROTOCOL;
    if (!is_possible(&moment))
        return DX_ERR_PROTOCOL;
    *unix_seconds = days_of(moment.year, moment.month, moment.day) * DAY_SECONDS +
                    moment.hour * 3600 + moment.minute * 60 + moment.second;
    return DX_OK;
}
