/* SPDX-License-Identifier: BSD-2-Clause
 *
 * date: the three forms of RFC 9110 section 5.6.7, by fixed templates. The calendar is
 * the proleptic Gregorian one, in days counted from 1 March of year 0, so that the leap
 * day is the last of its year. No libc calendar: those know locales and time zones.
 */
#include "http/date.h"

#include "http/chars.h"

#define DAY 86400
#define FIRST_SECOND (-62167219200) /* 0000-01-01 00:00:00 */
#define LAST_SECOND 253402300799    /* 9999-12-31 23:59:59 */

struct civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
};

static const char day_names[7][10] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
				       "Thursday", "Friday", "Saturday" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

/* Days from 1970-01-01; years from 0. */
static int64_t
days_from_civil(int year, int month, int day)
{
	int y = month <= 2 ? year + 399 : year + 400; /* of March; never negative */
	int month_days = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;

	return 365 * (int64_t)y + y / 4 - y / 100 + y / 400 + month_days + day - 1 -
	       719468 - 146097;
}

static struct civil
civil_from_days(int64_t days)
{
	struct civil c = { 0 };
	int64_t d = days + 719468 + 146097; /* from 1 March of year -400 */
	int era = (int)(d / 146097), doe = (int)(d % 146097);
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int mp = (5 * doy + 2) / 153;

	c.day = doy - (153 * mp + 2) / 5 + 1;
	c.month = mp < 10 ? mp + 3 : mp - 9;
	c.year = yoe + era * 400 - 400 + (c.month <= 2 ? 1 : 0);
	return c;
}

static void
put_digits(char *out, int width, int value)
{
	while (width-- > 0) {
		out[width] = (char)('0' + value % 10);
		value /= 10;
	}
}

void
http_date_format(int64_t unix_seconds, char out[HTTP_DATE_LEN])
{
	int64_t t = unix_seconds < FIRST_SECOND ? FIRST_SECOND : unix_seconds;
	int64_t days, second;
	struct civil c;

	if (t > LAST_SECOND)
		t = LAST_SECOND;
	days = (t - FIRST_SECOND) / DAY; /* 0000-01-01 was a Saturday */
	second = (t - FIRST_SECOND) % DAY;
	c = civil_from_days(days + FIRST_SECOND / DAY);
	memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", HTTP_DATE_LEN);
	memcpy(out, day_names[(days + 6) % 7], 3);
	put_digits(out + 5, 2, c.day);
	memcpy(out + 8, month_names[c.month - 1], 3);
	put_digits(out + 12, 4, c.year);
	put_digits(out + 17, 2, (int)(second / 3600));
	put_digits(out + 20, 2, (int)(second / 60 % 60));
	put_digits(out + 23, 2, (int)(second % 60));
}

static int
find_name(struct slice s, const char *names, size_t stride, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(s.ptr, names + i * stride, s.len) == 0)
			return (int)i;
	}
	return -1;
}

static int
get_digits(const char *s, size_t width)
{
	int v = 0;

	for (size_t i = 0; i < width; i++)
		v = v * 10 + (s[i] - '0');
	return v;
}

/* In the form, '0' stands for a digit, 'd' for a digit or SP, 'a' for any byte (names
 * are looked up later); everything else for itself. `form` is s.len bytes long. */
static bool
has_form(struct slice s, const char *form)
{
	for (size_t i = 0; i < s.len; i++) {
		if (form[i] == '0' || form[i] == 'd') {
			if (!char_is_digit(s.ptr[i]) &&
			    !(form[i] == 'd' && s.ptr[i] == ' '))
				return false;
		} else if (form[i] != 'a' && s.ptr[i] != form[i]) {
			return false;
		}
	}
	return true;
}

static int
month_from(const char *s)
{
	return 1 +
	       find_name(slice_make(s, 3), month_names[0], sizeof(month_names[0]), 12);
}

static bool
is_short_day(const char *s)
{
	return find_name(slice_make(s, 3), day_names[0], sizeof(day_names[0]), 7) >= 0;
}

static bool
is_long_day(struct slice s)
{
	for (size_t i = 0; i < 7; i++) {
		if (slice_eq(s, slice_from_str(day_names[i])))
			return true;
	}
	return false;
}

static void
get_time(struct civil *c, const char *s)
{
	c->hour = get_digits(s, 2);
	c->minute = get_digits(s + 3, 2);
	c->second = get_digits(s + 6, 2);
}

/* 0, or -1 when there is no such day or time. A leap second is the next minute's first. */
static int
to_seconds(const struct civil *c, int64_t *out)
{
	static const int lengths[12] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);

	if (c->month < 1 || c->day < 1 || c->day > lengths[c->month - 1] ||
	    (c->month == 2 && c->day == 29 && !leap))
		return -1;
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return -1;
	*out = days_from_civil(c->year, c->month, c->day) * DAY + c->hour * 3600 +
	       c->minute * 60 + c->second;
	return 0;
}

static int
parse_imf(struct slice s, int64_t *out)
{
	struct civil c = { 0 };

	if (!has_form(s, "aaa, 00 aaa 0000 00:00:00 GMT") || !is_short_day(s.ptr))
		return -1;
	c.day = get_digits(s.ptr + 5, 2);
	c.month = month_from(s.ptr + 8);
	c.year = get_digits(s.ptr + 12, 4);
	get_time(&c, s.ptr + 17);
	return to_seconds(&c, out);
}

static int
parse_asctime(struct slice s, int64_t *out)
{
	struct civil c = { 0 };

	if (!has_form(s, "aaa aaa d0 00:00:00 0000") || !is_short_day(s.ptr))
		return -1;
	c.day = s.ptr[8] == ' ' ? get_digits(s.ptr + 9, 1) : get_digits(s.ptr + 8, 2);
	c.month = month_from(s.ptr + 4);
	c.year = get_digits(s.ptr + 20, 4);
	get_time(&c, s.ptr + 11);
	return to_seconds(&c, out);
}

/* The latest year with those two digits that is at most 50 years ahead of `now`. */
static int
whole_year(int two_digits, int64_t now)
{
	int this_year, year;

	if (now < FIRST_SECOND)
		now = FIRST_SECOND;
	if (now > LAST_SECOND)
		now = LAST_SECOND;
	this_year = civil_from_days((now - FIRST_SECOND) / DAY + FIRST_SECOND / DAY).year;
	year = this_year - this_year % 100 + 100 + two_digits;
	while (year > this_year + 50 || year > 9999)
		year -= 100;
	return year;
}

static int
parse_rfc850(struct slice s, int64_t now, int64_t *out)
{
	size_t name_len = slice_find(s, ',');
	struct civil c = { 0 };
	const char *p;

	if (s.len != name_len + 24 || !is_long_day(slice_make(s.ptr, name_len)) ||
	    !has_form(slice_from(s, name_len), ", 00-aaa-00 00:00:00 GMT"))
		return -1;
	p = s.ptr + name_len;
	c.day = get_digits(p + 2, 2);
	c.month = month_from(p + 5);
	c.year = whole_year(get_digits(p + 9, 2), now);
	get_time(&c, p + 12);
	return to_seconds(&c, out);
}

int
http_date_parse(struct slice s, int64_t now, int64_t *unix_seconds)
{
	if (s.len == HTTP_DATE_LEN && s.ptr[3] == ',')
		return parse_imf(s, unix_seconds);
	if (s.len == 24 && s.ptr[3] == ' ')
		return parse_asctime(s, unix_seconds);
	return parse_rfc850(s, now, unix_seconds);
}
