/* SPDX-License-Identifier: Apache-2.0 */
/* text - see text.h */
#include "sign/text.h"
#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>
#include "base/text.h"

/* BYTES_MAX: the most that one line of base64 holds here, a secret key. */
enum { SHOWN = 300, BYTES_MAX = 192, BASE64_MAX = (BYTES_MAX + 2) / 3 * 4 + 1 };

int sign_text_fail(const struct sign_text *t, const char *fmt, ...)
{
	char name[SHOWN], words[SHOWN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return diag_fail(
		t->d, -EINVAL, "%s, line %u: %s", text_escape_str(t->name, name, sizeof(name)), t->line, words);
}

/* The next line without its end. */
static int take_line(struct sign_text *t, const char *what, size_t max, const char **ret, size_t *ret_n)
{
	size_t left = (size_t)(t->end - t->p);
	const char *newline = left ? memchr(t->p, '\n', left) : NULL;
	size_t n = newline ? (size_t)(newline - t->p) : left;

	t->line++;
	if (left == 0)
		return sign_text_fail(t, "it ends where %s should stand: it was cut, or is another kind of file", what);
	if (memchr(t->p, '\0', n) || memchr(t->p, '\r', n))
		return sign_text_fail(t,
			"%s holds a carriage return or a zero byte: it was changed on its way; copy it as it is", what);
	if (n > max)
		return sign_text_fail(t, "longer than %zu bytes, the limit for %s", max, what);
	if (!newline)
		return sign_text_fail(t, "%s does not end with a line feed: the file was cut", what);
	*ret = t->p;
	*ret_n = n;
	t->p = newline + 1;
	return 0;
}

int sign_take_comment(struct sign_text *t, const char *prefix, size_t max, char **ret)
{
	size_t n = 0, prefix_n = strlen(prefix);
	const char *line = NULL;
	int r = take_line(t, "a comment", max, &line, &n);

	if (r < 0)
		return r;
	if (n < prefix_n || memcmp(line, prefix, prefix_n) != 0)
		return sign_text_fail(
			t, "does not begin with \"%s\": it is not what minisign or stockade writes", prefix);
	if (!ret)
		return 0;
	*ret = strndup(line + prefix_n, n - prefix_n);
	return *ret ? 0 : -ENOMEM;
}

/* sodium's reader takes more than one spelling (a byte of 0xaf for a slash), so what it read is written again and
 * compared. */
static bool decode(const char *line, size_t line_n, unsigned char *ret, size_t n)
{
	char again[BASE64_MAX];
	size_t got;
	bool same = sodium_base642bin(ret, n, line, line_n, NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
		    got == n;

	if (same) {
		sodium_bin2base64(again, sizeof(again), ret, n, sodium_base64_VARIANT_ORIGINAL);
		same = strlen(again) == line_n && sodium_memcmp(again, line, line_n) == 0;
	}
	sodium_memzero(again, sizeof(again));
	return same;
}

int sign_take_base64(struct sign_text *t, const char *what, void *ret, size_t n)
{
	size_t length = (n + 2) / 3 * 4, line_n = 0;
	unsigned char bytes[BYTES_MAX];
	const char *line = NULL;
	int r = take_line(t, what, length, &line, &line_n);

	if (r < 0)
		return r;
	if (line_n != length)
		return sign_text_fail(t, "%s has %zu characters, not %zu", what, line_n, length);
	if (n > sizeof(bytes) || !decode(line, line_n, bytes, n))
		return sign_text_fail(t, "%s is not base64 in its canonical form", what);
	memcpy(ret, bytes, n);
	sodium_memzero(bytes, sizeof(bytes));
	return 0;
}

int sign_take_end(const struct sign_text *t)
{
	struct sign_text next = *t;

	next.line++;
	return t->p == t->end ? 0 : sign_text_fail(&next, "nothing may follow what ends in the line before");
}

bool sign_comment_valid(const char *comment, size_t max)
{
	if (strlen(comment) > max)
		return false;
	for (const char *p = comment; *p; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return false;
	return true;
}

int sign_put_comment(struct buf *b, const char *prefix, size_t max, const char *comment)
{
	int r = sign_comment_valid(comment, max - strlen(prefix)) ? buf_puts(b, prefix) : -EINVAL;

	if (r == 0)
		r = buf_puts(b, comment);
	return r ? r : buf_putc(b, '\n');
}

int sign_put_base64(struct buf *b, const void *p, size_t n)
{
	char text[BASE64_MAX];
	int r = n <= BYTES_MAX ? 0 : -E2BIG;

	if (r == 0) {
		sodium_bin2base64(text, sizeof(text), p, n, sodium_base64_VARIANT_ORIGINAL);
		r = buf_puts(b, text);
	}
	sodium_memzero(text, sizeof(text));
	return r ? r : buf_putc(b, '\n');
}
