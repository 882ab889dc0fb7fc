/* SPDX-License-Identifier: Apache-2.0 */
/* parse - see parse.h */
#include "base/parse.h"
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

/* Digits at the start of s into *ret; *end after them. A leading zero is allowed only alone: 010 is 8 to some readers.
 */
static int digits(const char *s, uint64_t *ret, const char **end)
{
	uint64_t v = 0;
	const char *p = s;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	*ret = v;
	*end = p;
	return 0;
}

static int in_range(uint64_t v, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (v < min || v > max)
		return -ERANGE;
	*ret = v;
	return 0;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	int r = digits(s, &v, &end);

	if (r < 0)
		return r;
	return *end ? -EINVAL : in_range(v, min, max, ret);
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse_with_unit(const char *s, const struct unit *units, size_t n, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *end;
	uint64_t v;
	int r = digits(s, &v, &end);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		if (__builtin_mul_overflow(v, units[i].factor, &v))
			return -ERANGE;
		return in_range(v, min, max, ret);
	}
	return -EINVAL;
}

int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "KiB", (uint64_t)1 << 10 },
		{ "MiB", (uint64_t)1 << 20 },
		{ "GiB", (uint64_t)1 << 30 },
		{ "TiB", (uint64_t)1 << 40 },
	};
	return parse_with_unit(s, units, ARRAY_LEN(units), min, max, ret);
}

int parse_duration(const char *s, uint64_t min, uint64_t max, uint64_t *ret)
{
	static const struct unit units[] = {
		{ "s", 1 },
		{ "min", 60 },
		{ "h", 3600 },
		{ "d", 86400 },
	};
	return parse_with_unit(s, units, ARRAY_LEN(units), min, max, ret);
}

int parse_rate(const char *s, uint64_t max, uint64_t *ret, uint64_t *ret_seconds)
{
	static const struct unit units[] = {
		{ "/s", 1 },
		{ "/min", 60 },
		{ "/h", 3600 },
		{ "/d", 86400 },
	};
	const char *end;
	uint64_t v;
	int r = digits(s, &v, &end);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strcmp(end, units[i].name) != 0)
			continue;
		*ret_seconds = units[i].factor;
		return in_range(v, 1, max, ret);
	}
	return -EINVAL;
}

/* Exactly n digits at s; -1 when there is anything else. */
static int fixed(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

/* "dddd-dd-dd" with optional "Tdd:dd:ddZ": the form, before any field is believed. */
static int time_form(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	size_t len = strlen(s);

	if (len != 10 && len != sizeof(form) - 1)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != form[i])
			return -EINVAL;
	return 0;
}

int parse_time(const char *s, int64_t *ret)
{
	struct tm tm = { 0 }, back;
	time_t t;

	if (time_form(s) < 0)
		return -EINVAL;
	tm.tm_year = fixed(s, 4) - 1900;
	tm.tm_mon = fixed(s + 5, 2) - 1;
	tm.tm_mday = fixed(s + 8, 2);
	if (s[10]) {
		tm.tm_hour = fixed(s + 11, 2);
		tm.tm_min = fixed(s + 14, 2);
		tm.tm_sec = fixed(s + 17, 2);
	}
	back = tm;
	t = timegm(&back);
	/* timegm normalises the 31st of February; a date that changes is no date. */
	if (back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour ||
		back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
		return -EINVAL;
	*ret = t;
	return 0;
}
