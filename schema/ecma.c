/* SPDX-License-Identifier: Apache-2.0 */
/* ecma - see ecma.h */
#include "schema/ecma.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"

/* ECMA-262's WhiteSpace and LineTerminator, and all that is neither, as the inside of a class. */
#define SPACES                                                                                                         \
	"\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}\\x{9}-\\x{"  \
	"d}"
#define NO_SPACES                                                                                                      \
	"\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"            \
	"\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{d7ff}\\x{e000}-\\x{fefe}\\x{ff00}-"    \
	"\\x{10ffff}"

enum { PROPERTY_NAME_MAX = 48 };

struct reader {
	const char *start, *p, *end;
	struct buf *b;
	struct diag *d;
	bool atom; /* what comes before may be repeated */
	bool in_class;
};

/* What PCRE2 calls a general category, by the long name that ECMA-262 allows beside the short one. */
static const struct {
	const char *name, *pcre;
} categories[] = {
	{ "Other", "C" },
	{ "Control", "Cc" },
	{ "cntrl", "Cc" },
	{ "Format", "Cf" },
	{ "Unassigned", "Cn" },
	{ "Private_Use", "Co" },
	{ "Surrogate", "Cs" },
	{ "Letter", "L" },
	{ "Cased_Letter", "L&" },
	{ "LC", "L&" },
	{ "Lowercase_Letter", "Ll" },
	{ "Modifier_Letter", "Lm" },
	{ "Other_Letter", "Lo" },
	{ "Titlecase_Letter", "Lt" },
	{ "Uppercase_Letter", "Lu" },
	{ "Mark", "M" },
	{ "Combining_Mark", "M" },
	{ "Spacing_Mark", "Mc" },
	{ "Enclosing_Mark", "Me" },
	{ "Nonspacing_Mark", "Mn" },
	{ "Number", "N" },
	{ "Decimal_Number", "Nd" },
	{ "digit", "Nd" },
	{ "Letter_Number", "Nl" },
	{ "Other_Number", "No" },
	{ "Punctuation", "P" },
	{ "punct", "P" },
	{ "Connector_Punctuation", "Pc" },
	{ "Dash_Punctuation", "Pd" },
	{ "Close_Punctuation", "Pe" },
	{ "Final_Punctuation", "Pf" },
	{ "Initial_Punctuation", "Pi" },
	{ "Other_Punctuation", "Po" },
	{ "Open_Punctuation", "Ps" },
	{ "Symbol", "S" },
	{ "Currency_Symbol", "Sc" },
	{ "Modifier_Symbol", "Sk" },
	{ "Math_Symbol", "Sm" },
	{ "Other_Symbol", "So" },
	{ "Separator", "Z" },
	{ "Line_Separator", "Zl" },
	{ "Paragraph_Separator", "Zp" },
	{ "Space_Separator", "Zs" },
};

static int refuse(struct reader *r, const char *why)
{
	return diag_fail(r->d, -EINVAL, "%s, at byte %zu", why, (size_t)(r->p - r->start));
}

static bool ahead(const struct reader *r, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(r->end - r->p) >= n && memcmp(r->p, text, n) == 0;
}

static int put_code(struct reader *r, uint32_t cp)
{
	return buf_printf(r->b, "\\x{%x}", cp);
}

/* Exactly n hexadecimal digits at r->p. */
static bool take_hex(struct reader *r, int n, uint32_t *ret)
{
	*ret = 0;
	for (int i = 0; i < n; i++, r->p++) {
		int digit = r->p < r->end ? ascii_hex(*r->p) : -1;
		if (digit < 0)
			return false;
		*ret = *ret << 4 | (uint32_t)digit;
	}
	return true;
}

/* \u{...}, from after the brace. */
static bool take_braced(struct reader *r, uint32_t *ret)
{
	uint32_t digit;
	int n = 0;

	for (*ret = 0; r->p < r->end && *r->p != '}' && n < 8; n++) {
		if (!take_hex(r, 1, &digit))
			return false;
		*ret = *ret << 4 | digit;
	}
	return n > 0 && *ret <= 0x10ffff && r->p < r->end && *r->p++ == '}';
}

static int unicode_escape(struct reader *r)
{
	uint32_t cp, low;
	bool ok;

	if (ahead(r, "{")) {
		r->p++;
		ok = take_braced(r, &cp);
	} else {
		ok = take_hex(r, 4, &cp);
		if (ok && cp >= 0xd800 && cp < 0xdc00 && ahead(r, "\\u")) {
			r->p += 2;
			ok = take_hex(r, 4, &low) && low >= 0xdc00 && low <= 0xdfff;
			cp = 0x10000 + ((cp & 0x3ff) << 10) + (low & 0x3ff);
		}
	}
	if (!ok)
		return refuse(r, "\\u is not followed by a character's number");
	if (cp >= 0xd800 && cp <= 0xdfff)
		return refuse(r, "half of a surrogate pair matches nothing");
	return put_code(r, cp);
}

/* The name between the braces as PCRE2 knows it. */
static const char *property_name(const char *name)
{
	static const char *const prefixes[] = { "General_Category=", "gc=" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			name += strlen(prefixes[i]);
	for (size_t i = 0; i < ARRAY_LEN(categories); i++)
		if (strcmp(name, categories[i].name) == 0)
			return categories[i].pcre;
	return name;
}

/* From after \p or \P. PCRE2 itself refuses a name that it does not know. */
static int property(struct reader *r, char kind)
{
	char name[PROPERTY_NAME_MAX];
	const char *from = r->p + 1, *close = ahead(r, "{") ? memchr(from, '}', (size_t)(r->end - from)) : NULL;

	if (!close || close - from >= PROPERTY_NAME_MAX)
		return refuse(r, "\\p is not followed by the name of a property in braces");
	for (const char *p = from; p < close; p++)
		if (!ascii_is_letter(*p) && !ascii_is_digit(*p) && *p != '_' && *p != '=')
			return refuse(r, "the name of a property holds an odd character");
	memcpy(name, from, (size_t)(close - from));
	name[close - from] = '\0';
	r->p = close + 1;
	return buf_printf(r->b, "\\%c{%s}", kind, property_name(name));
}

static int back_reference(struct reader *r, char first)
{
	unsigned n = (unsigned)(first - '0');

	if (r->in_class)
		return refuse(r, "a class holds no reference to a group");
	while (r->p < r->end && ascii_is_digit(*r->p) && n < 1000)
		n = n * 10 + (unsigned)(*r->p++ - '0');
	return buf_printf(r->b, "\\g{%u}", n);
}

static int named_reference(struct reader *r)
{
	const char *close = ahead(r, "<") ? memchr(r->p, '>', (size_t)(r->end - r->p)) : NULL;
	int e;

	if (!close || r->in_class)
		return refuse(r, "\\k is not followed by the name of a group");
	e = buf_puts(r->b, "\\k");
	if (e == 0)
		e = buf_append(r->b, r->p, (size_t)(close + 1 - r->p));
	r->p = close + 1;
	return e;
}

/* Escapes with a meaning of their own; what comes after the letter has not been read. */
static int letter_escape(struct reader *r, char kind)
{
	uint32_t cp;

	switch (kind) {
	case 's':
		return buf_puts(r->b, r->in_class ? SPACES : "[" SPACES "]");
	case 'S':
		return buf_puts(r->b, r->in_class ? NO_SPACES : "[^" SPACES "]");
	case 'd':
	case 'D':
	case 'w':
	case 'W':
	case 't':
	case 'n':
	case 'r':
	case 'f':
		return buf_printf(r->b, "\\%c", kind);
	case 'b':
		return buf_puts(r->b, r->in_class ? "\\x{8}" : "\\b");
	case 'B':
		return r->in_class ? refuse(r, "a class holds no \\B") : buf_puts(r->b, "\\B");
	case 'v':
		return put_code(r, 0x0b);
	case 'x':
		return take_hex(r, 2, &cp) ? put_code(r, cp) : refuse(r, "\\x is not followed by two digits");
	case 'u':
		return unicode_escape(r);
	case 'p':
	case 'P':
		return property(r, kind);
	case 'k':
		return named_reference(r);
	case 'c':
		if (r->p == r->end || !ascii_is_letter(*r->p))
			return refuse(r, "\\c is not followed by a letter");
		return put_code(r, (uint32_t)*r->p++ & 31);
	default:
		return refuse(r, "a letter is escaped that has no meaning of its own in ECMA-262");
	}
}

static int escape(struct reader *r)
{
	uint32_t cp;

	if (++r->p == r->end)
		return refuse(r, "it ends in a backslash");
	char kind = *r->p++;
	/* Anchors: nothing of them can be repeated. */
	r->atom = r->in_class || (kind != 'b' && kind != 'B');
	if (ascii_is_letter(kind))
		return letter_escape(r, kind);
	if (kind == '0')
		return r->p < r->end && ascii_is_digit(*r->p) ? refuse(r, "\\0 is followed by a digit")
							      : put_code(r, 0);
	if (ascii_is_digit(kind))
		return back_reference(r, kind);
	if ((unsigned char)kind < 0x80)
		return put_code(r, (uint32_t)kind);
	r->p--;
	size_t len = utf8_decode((const unsigned char *)r->p, (size_t)(r->end - r->p), &cp);
	r->p += len;
	return len ? put_code(r, cp) : refuse(r, "it is not valid UTF-8");
}

static int plain(struct reader *r)
{
	r->atom = true;
	return buf_append(r->b, r->p++, 1);
}

static int literal(struct reader *r)
{
	r->atom = true;
	return put_code(r, (uint32_t)*r->p++);
}

/* In a class: a hyphen after what stands for many characters is no range, but stands for itself. */
static int class_escape(struct reader *r)
{
	bool many = r->end - r->p > 1 && strchr("dDwWsSpP", r->p[1]);
	int e = escape(r);

	return e == 0 && many && ahead(r, "-") && !ahead(r, "-]") ? literal(r) : e;
}

/* From the opening bracket to after the closing one. */
static int class(struct reader *r)
{
	int e;

	r->p++;
	e = buf_putc(r->b, '[');
	if (e == 0 && ahead(r, "^"))
		e = plain(r);
	r->in_class = true;
	while (e == 0 && r->p < r->end && *r->p != ']') {
		if (*r->p == '\\')
			e = class_escape(r);
		else
			e = *r->p == '[' ? literal(r) : plain(r);
	}
	r->in_class = false;
	r->atom = true;
	if (e)
		return e;
	return r->p < r->end ? buf_putc(r->b, *r->p++) : refuse(r, "a class is not closed");
}

static int group(struct reader *r)
{
	static const char *const heads[] = { "(?:", "(?=", "(?!", "(?<=", "(?<!" };
	const char *head = "(";

	r->atom = false;
	for (size_t i = 0; i < ARRAY_LEN(heads); i++)
		if (ahead(r, heads[i]))
			head = heads[i];
	r->p += strlen(head);
	if (!head[1] && ahead(r, "?") && !ahead(r, "?<"))
		return refuse(r, "a group opens in a way that ECMA-262 does not know");
	if (head[1] || !ahead(r, "?"))
		return buf_puts(r->b, head);
	r->p += 2;
	return buf_puts(r->b, "(?<");
}

/* The length of {n}, {n,} or {n,m} at r->p, or 0. */
static size_t braces(const struct reader *r)
{
	const char *p = r->p + 1;

	if (p >= r->end || !ascii_is_digit(*p))
		return 0;
	while (p < r->end && ascii_is_digit(*p))
		p++;
	if (p < r->end && *p == ',')
		for (p++; p < r->end && ascii_is_digit(*p);)
			p++;
	return p < r->end && *p == '}' ? (size_t)(p + 1 - r->p) : 0;
}

static int quantifier(struct reader *r, size_t n)
{
	int e;

	if (!r->atom)
		return refuse(r, "there is nothing that could be repeated");
	r->atom = false;
	e = buf_append(r->b, r->p, n);
	r->p += n;
	if (e == 0 && ahead(r, "?")) {
		e = buf_putc(r->b, '?');
		r->p++;
	}
	return e;
}

static int next(struct reader *r)
{
	switch (*r->p) {
	case '\\':
		return escape(r);
	case '[':
		return class(r);
	case '(':
		return group(r);
	case '.':
		r->p++;
		r->atom = true;
		return buf_puts(r->b, "[^\\n\\r\\x{2028}\\x{2029}]");
	case '^':
	case '$':
	case '|':
		r->atom = false;
		return buf_append(r->b, r->p++, 1);
	case '*':
	case '+':
	case '?':
		return quantifier(r, 1);
	case '{':
		return braces(r) ? quantifier(r, braces(r)) : literal(r);
	case '}':
	case ']':
		return literal(r);
	default:
		return plain(r);
	}
}

int ecma_translate(const char *pattern, size_t n, struct buf *b, struct diag *d)
{
	struct reader r = { .start = pattern, .p = pattern, .end = pattern + n, .b = b, .d = d };
	int e = buf_append(b, "", 0);

	while (e == 0 && r.p < r.end)
		e = next(&r);
	return e;
}
