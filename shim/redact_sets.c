/* SPDX-License-Identifier: Apache-2.0 */
/*
 * redact_sets - what a mail address, a card number and the like look like, and whether their check digits are right
 *
 * Forms are given in a small language: d a digit, A a capital, x either, '-' a hyphen or blank that must be there, '_'
 * a hyphen, blank or point that may be.
 */
#include <string.h>
#include "base/ascii.h"
#include "shim/redact.h"

enum { DIGITS_MAX = 40, CARD_MIN = 13, CARD_MAX = 19, IBAN_MIN = 15, IBAN_MAX = 34, LOCAL_MAX = 64, DOMAIN_MAX = 253 };

/* Nothing of a word follows. */
static bool is_end(const char *p, const char *end)
{
	return p >= end || !(ascii_is_digit(*p) || ascii_is_letter(*p) || *p == '_');
}

static bool fits(char form, char c)
{
	switch (form) {
	case 'd':
		return ascii_is_digit(c);
	case 'A':
		return ascii_is_capital(c);
	case 'x':
		return ascii_is_digit(c) || ascii_is_capital(c);
	case '-':
		return c == '-' || c == ' ';
	default:
		return c == '-' || c == ' ' || c == '.';
	}
}

/* The length of what has the form at p; its digits and letters in ret, NUL-terminated. */
static size_t match_form(const char *form, const char *p, const char *end, char ret[DIGITS_MAX])
{
	const char *from = p;

	for (; *form; form++) {
		bool fit = p < end && fits(*form, *p);
		if (!fit && *form != '_')
			return 0;
		if (fit && *form != '_' && *form != '-')
			*ret++ = *p;
		p += fit;
	}
	*ret = '\0';
	return is_end(p, end) ? (size_t)(p - from) : 0;
}

static int value(const char *digits, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++)
		v = v * 10 + (digits[i] - '0');
	return v;
}

static int weighted(const char *digits, const char *weights)
{
	int sum = 0;

	for (size_t i = 0; weights[i]; i++)
		sum += (digits[i] - '0') * (weights[i] - '0');
	return sum;
}

/* The Social Security Administration gives out none of these. */
static bool is_us_ssn(const char *d)
{
	int area = value(d, 3);

	return area != 0 && area != 666 && area < 900 && value(d + 3, 2) != 0 && value(d + 5, 4) != 0;
}

/* HMRC, NIM39110: letters that are never given. */
static bool is_uk_nino(const char *d)
{
	static const char *const never[] = { "BG", "GB", "KN", "NK", "NT", "TN", "ZZ" };

	for (size_t i = 0; i < ARRAY_LEN(never); i++)
		if (strncmp(d, never[i], 2) == 0)
			return false;
	return !strchr("DFIQUV", d[0]) && !strchr("DFIQUVO", d[1]) && d[8] <= 'D';
}

/* ISO 7064, mod 11,10; of the first ten digits one comes twice or thrice, and no other twice. */
static bool is_de_steuerid(const char *d)
{
	int seen[10] = { 0 }, repeated = 0, product = 10;

	for (int i = 0; i < 10; i++) {
		int sum = (d[i] - '0' + product) % 10;
		product = 2 * (sum ? sum : 10) % 11;
		seen[d[i] - '0']++;
	}
	for (int i = 0; i < 10; i++)
		repeated += seen[i] > 1 ? (seen[i] > 3 ? 2 : 1) : 0;
	return d[0] != '0' && repeated == 1 && (11 - product) % 10 == d[10] - '0';
}

/* 97 less the number mod 97; Corsica's 2A and 2B count as 19 and 18. */
static bool is_fr_nir(const char *d)
{
	char number[14];
	uint64_t n = 0;
	int month = value(d + 3, 2);

	memcpy(number, d, 13);
	if (d[5] == '2' && (d[6] == 'A' || d[6] == 'B')) {
		number[5] = '1';
		number[6] = d[6] == 'A' ? '9' : '8';
	}
	for (int i = 0; i < 13; i++) {
		if (!ascii_is_digit(number[i]))
			return false;
		n = n * 10 + (uint64_t)(number[i] - '0');
	}
	return strchr("123478", d[0]) && (month >= 20 || (month >= 1 && month <= 12)) &&
	       97 - n % 97 == (uint64_t)value(d + 13, 2);
}

/* The letter is the number mod 23; a foreigner's first letter counts as 0, 1 or 2. */
static bool is_es_dni(const char *d)
{
	static const char letters[] = "TRWAGMYFPDXBNJZSQVHLCKE";
	const char *foreign = ascii_is_digit(d[0]) ? NULL : strchr("XYZ", d[0]);
	int n = value(d + 1, 7);

	if (!ascii_is_digit(d[0]) && !foreign)
		return false;
	n += (foreign ? (int)(*foreign - 'X') : d[0] - '0') * 10000000;
	return letters[n % 23] == d[8];
}

/* Decree of 23 December 1976: odd places count by a table, even ones by their order. */
static bool is_it_cf(const char *d)
{
	static const int odd[] = { 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25,
		24, 23 };
	int sum = 0;

	for (int i = 0; i < 15; i++) {
		int order = ascii_is_digit(d[i]) ? d[i] - '0' : d[i] - 'A';
		sum += i % 2 == 0 ? odd[order] : order;
	}
	return sum % 26 == d[15] - 'A';
}

static bool is_nl_bsn(const char *d)
{
	return value(d, 9) != 0 && (weighted(d, "98765432") - (d[8] - '0')) % 11 == 0;
}

static bool is_pl_pesel(const char *d)
{
	int month = value(d + 2, 2) % 20, day = value(d + 4, 2);

	return month >= 1 && month <= 12 && day >= 1 && day <= 31 && weighted(d, "13791379131") % 10 == 0;
}

static const struct {
	enum shim_set set;
	const char *form;
	bool (*check)(const char *digits);
} forms[] = {
	{ SHIM_SET_US_SSN, "ddd-dd-dddd", is_us_ssn },
	{ SHIM_SET_UK_NINO, "AA_dd_dd_dd_A", is_uk_nino },
	{ SHIM_SET_DE_STEUERID, "dd_ddd_ddd_ddd", is_de_steuerid },
	{ SHIM_SET_FR_NIR, "d_dd_dd_dx_ddd_ddd_dd", is_fr_nir },
	{ SHIM_SET_ES_DNI, "xddddddd_A", is_es_dni },
	{ SHIM_SET_ES_DNI, "dd_ddd_ddd_A", is_es_dni },
	{ SHIM_SET_IT_CF, "AAAAAAxxAxxAxxxA", is_it_cf },
	{ SHIM_SET_NL_BSN, "dddd_dd_ddd", is_nl_bsn },
	{ SHIM_SET_PL_PESEL, "ddddddddddd", is_pl_pesel },
};

/* ISO/IEC 7812-1, annex B. */
static bool is_luhn(const char *digits, size_t n)
{
	int sum = 0;

	for (size_t i = 0; i < n; i++) {
		int d = digits[n - 1 - i] - '0';
		sum += i % 2 == 0 ? d : d > 4 ? 2 * d - 9 : 2 * d;
	}
	return sum % 10 == 0;
}

/* Groups of digits with one sort of separator between; of the ends where a group ends the last that is right. */
static size_t match_card(const char *p, const char *end)
{
	char digits[CARD_MAX], separator = 0;
	size_t n = 0, found = 0;
	const char *from = p;

	if (!strchr("23456", *p))
		return 0;
	while (p < end && ascii_is_digit(*p) && n < CARD_MAX) {
		digits[n++] = *p++;
		if (is_end(p, end) && n >= CARD_MIN && is_luhn(digits, n))
			found = (size_t)(p - from);
		if (p + 1 < end && (*p == ' ' || *p == '-') && ascii_is_digit(p[1]) && (!separator || *p == separator))
			separator = *p++;
	}
	return found;
}

static int mod97(const char *text, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		char c = text[(i + 4) % n];
		v = ascii_is_digit(c) ? (v * 10 + (c - '0')) % 97 : (v * 100 + (c - 'A' + 10)) % 97;
	}
	return v;
}

static size_t match_iban(const char *p, const char *end)
{
	char text[IBAN_MAX];
	size_t n = 0, found = 0;
	const char *from = p;

	if (end - p < IBAN_MIN || !ascii_is_capital(p[0]) || !ascii_is_capital(p[1]) || !ascii_is_digit(p[2]) ||
		!ascii_is_digit(p[3]))
		return 0;
	while (p < end && (ascii_is_digit(*p) || ascii_is_capital(*p)) && n < IBAN_MAX) {
		text[n++] = *p++;
		if (is_end(p, end) && n >= IBAN_MIN && mod97(text, n) == 1)
			found = (size_t)(p - from);
		p += p < end && *p == ' ' && n % 4 == 0;
	}
	return found;
}

bool redact_is_local(char c)
{
	return ascii_is_digit(c) || ascii_is_letter(c) || (c && strchr(".!#$%&'*+/=?^_`{|}~-", c));
}

/* RFC 5321, 4.1.2, without quoted strings and literals; the domain has a point in it, and ends in letters. */
static size_t match_mail(const char *p, const char *end)
{
	const char *at = p, *label;

	while (at < end && at - p <= LOCAL_MAX && redact_is_local(*at))
		at++;
	if (at == p || at >= end || *at != '@' || at[-1] == '.')
		return 0;
	const char *domain = at + 1, *stop = domain, *found = NULL;
	for (label = domain; stop < end && stop - domain <= DOMAIN_MAX; label = stop + 1, stop++) {
		while (stop < end && (ascii_is_digit(*stop) || ascii_is_letter(*stop) || *stop == '-'))
			stop++;
		if (stop == label)
			break;
		if (label > domain && stop - label >= 2 && ascii_is_letter(*label) && ascii_is_letter(stop[-1]))
			found = stop;
		if (stop >= end || *stop != '.')
			break;
	}
	return found ? (size_t)(found - p) : 0;
}

size_t redact_match(enum shim_set set, const char *p, const char *end)
{
	char digits[DIGITS_MAX];

	if (set == SHIM_SET_MAIL)
		return match_mail(p, end);
	if (set == SHIM_SET_CARD)
		return match_card(p, end);
	if (set == SHIM_SET_IBAN)
		return match_iban(p, end);
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		size_t n = forms[i].set == set ? match_form(forms[i].form, p, end, digits) : 0;
		if (n && forms[i].check(digits))
			return n;
	}
	return 0;
}
