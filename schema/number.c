/* SPDX-License-Identifier: Apache-2.0 */
/* number - see number.h */
#include "schema/number.h"

static bool is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

/* The exponent at p, which is after the e: false when it is none, or has too many digits. */
static enum number_error read_exponent(const char *p, const char *end, int64_t *ret)
{
	bool negative = p < end && *p == '-';
	int digits = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (!is_digit(p, end))
		return NUMBER_SYNTAX;
	for (*ret = 0; is_digit(p, end); p++) {
		*ret = *ret * 10 + (*p - '0');
		if (*ret > 0 && ++digits > NUMBER_EXPONENT_DIGITS)
			return NUMBER_EXPONENT;
	}
	if (negative)
		*ret = -*ret;
	return p == end ? NUMBER_OK : NUMBER_SYNTAX;
}

/* Where the digits are: before the point, after it, and whether they have the form that JSON wants. */
static enum number_error split(
	const char *p, const char *end, const char **ret_point, const char **ret_end, int64_t *exponent)
{
	const char *from = p;

	while (is_digit(p, end))
		p++;
	if (p == from || (*from == '0' && p > from + 1))
		return NUMBER_SYNTAX;
	*ret_point = p;
	if (p < end && *p == '.') {
		p++;
		if (!is_digit(p, end))
			return NUMBER_SYNTAX;
		while (is_digit(p, end))
			p++;
	}
	*ret_end = p;
	*exponent = 0;
	if (p == end)
		return NUMBER_OK;
	return (*p | 32) == 'e' ? read_exponent(p + 1, end, exponent) : NUMBER_SYNTAX;
}

/* What a digit at p counts, the point being at point. */
static int64_t power_at(const char *p, const char *point)
{
	return p < point ? point - p - 1 : point - p;
}

enum number_error number_read(const char *text, size_t n, struct number *ret)
{
	const char *p = text, *end = text + n, *point, *stop;
	int64_t exponent;
	enum number_error e;

	*ret = (struct number){ .negative = n > 0 && *p == '-' };
	p += ret->negative;
	e = split(p, end, &point, &stop, &exponent);
	if (e)
		return e;
	while (p < stop && (*p == '0' || *p == '.'))
		p++;
	if (p == stop) {
		ret->negative = false;
		return NUMBER_OK;
	}
	do
		stop--;
	while (*stop == '0' || *stop == '.');
	ret->first = p;
	ret->last = stop;
	ret->high = power_at(p, point) + exponent;
	ret->low = power_at(stop, point) + exponent;
	return NUMBER_OK;
}

/* The next digit from *p on, 0 after the last one. */
static int next_digit(const char **p, const char *last)
{
	if (*p > last)
		return 0;
	*p += **p == '.';
	return *(*p)++ - '0';
}

static int compare_size(const struct number *a, const struct number *b)
{
	const char *x = a->first, *y = b->first;

	if (a->high != b->high)
		return a->high < b->high ? -1 : 1;
	while (x <= a->last || y <= b->last) {
		int d = next_digit(&x, a->last) - next_digit(&y, b->last);
		if (d)
			return d;
	}
	return 0;
}

static int sign(const struct number *a)
{
	return !a->first ? 0 : a->negative ? -1 : 1;
}

int number_compare(const struct number *a, const struct number *b)
{
	if (sign(a) != sign(b))
		return sign(a) - sign(b);
	if (sign(a) == 0)
		return 0;
	return sign(a) * compare_size(a, b);
}

uint32_t number_hash(const struct number *a)
{
	uint64_t h = (uint64_t)a->high * 2 + a->negative;

	if (!a->first)
		return 0;
	for (const char *p = a->first; p <= a->last;)
		h = (h ^ (unsigned)next_digit(&p, a->last)) * 0x100000001b3ULL;
	return (uint32_t)(h ^ h >> 32);
}

static uint64_t digits_modulo(const struct number *a, uint64_t m)
{
	unsigned __int128 r = 0;

	for (const char *p = a->first; p <= a->last;)
		r = (r * 10 + (unsigned)next_digit(&p, a->last)) % m;
	return (uint64_t)r;
}

static uint64_t power_of_ten_modulo(uint64_t exponent, uint64_t m)
{
	unsigned __int128 r = 1 % m, base = 10 % m;

	for (; exponent; exponent >>= 1) {
		if (exponent & 1)
			r = r * base % m;
		base = base * base % m;
	}
	return (uint64_t)r;
}

bool number_to_divisor(const struct number *a, struct number_divisor *ret)
{
	int count = 0;

	if (sign(a) <= 0)
		return false;
	*ret = (struct number_divisor){ .low = a->low };
	for (const char *p = a->first; p <= a->last; count++) {
		if (count == NUMBER_DIVISOR_DIGITS)
			return false;
		ret->digits = ret->digits * 10 + (unsigned)next_digit(&p, a->last);
	}
	return true;
}

/* Digits without a zero at their end are no multiple of ten, so that a divisor with a higher power never fits. */
bool number_is_multiple(const struct number *a, const struct number_divisor *d)
{
	unsigned __int128 r;

	if (!a->first)
		return true;
	if (a->low < d->low)
		return false;
	r = digits_modulo(a, d->digits);
	return r * power_of_ten_modulo((uint64_t)(a->low - d->low), d->digits) % d->digits == 0;
}

bool number_to_count(const struct number *a, uint64_t *ret)
{
	unsigned __int128 v = 0;

	if (sign(a) < 0 || !number_is_whole(a))
		return false;
	*ret = a->first && a->high > 19 ? UINT64_MAX : 0;
	if (!a->first || *ret)
		return true;
	for (const char *p = a->first; p <= a->last;)
		v = v * 10 + (unsigned)next_digit(&p, a->last);
	for (int64_t i = 0; i < a->low; i++)
		v *= 10;
	*ret = v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
	return true;
}
