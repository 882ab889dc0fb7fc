/* SPDX-License-Identifier: Apache-2.0 */
/* reader - see reader.h */
#include "inventory/reader.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"

int reader_fail(const struct reader *r, const char *words)
{
	return diag_fail(r->d, -EINVAL, "line %u: %s", r->line, words);
}

int reader_enter(struct reader *r)
{
	return r->depth++ < NODE_DEPTH_MAX ? 0 : reader_fail(r, "it is nested too deeply");
}

char reader_next(struct reader *r)
{
	char c = reader_peek(r);

	if (r->at < r->end)
		r->at++;
	if (c == '\n')
		r->line++;
	return c;
}

bool reader_take(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(r->end - r->at) < n || memcmp(r->at, word, n) != 0)
		return false;
	for (size_t i = 0; i < n; i++)
		(void)reader_next(r);
	return true;
}

int reader_add_text(struct reader *r, struct node *parent, char *key, char *text, unsigned line, struct node **ret)
{
	struct node *n = node_add(&r->budget, parent, NODE_TEXT, key, line);

	if (!n) {
		free(text);
		return r->budget.left ? -ENOMEM : reader_fail(r, "it holds too much");
	}
	n->text = text;
	if (ret)
		*ret = n;
	return text ? 0 : -ENOMEM;
}

static int hex(struct reader *r, unsigned digits, uint32_t *ret)
{
	static const char all[] = "0123456789abcdef0123456789ABCDEF";

	*ret = 0;
	while (digits-- > 0) {
		char c = reader_next(r);
		const char *at = c ? strchr(all, c) : NULL;
		if (!at)
			return reader_fail(r, "an escape lacks its digits");
		*ret = *ret << 4 | (uint32_t)((at - all) & 15);
	}
	return 0;
}

/* Halves of a pair are read one by one and come out as U+FFFD: nothing of ours hangs on such a name. */
static int code_point(struct reader *r, unsigned digits, struct buf *b)
{
	char bytes[4];
	uint32_t cp;
	int x = hex(r, digits, &cp);

	if (x < 0)
		return x;
	if (cp == 0 || cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
		cp = 0xfffd;
	return buf_append(b, bytes, utf8_encode(cp, bytes));
}

int reader_escape(struct reader *r, struct buf *b)
{
	static const char from[] = "\"\\/bfnrte", to[] = "\"\\/\b\f\n\r\t\033";
	char c = reader_next(r);
	const char *at = c ? strchr(from, c) : NULL;

	if (c == 'u' || c == 'U')
		return code_point(r, c == 'u' ? 4 : 8, b);
	return at ? buf_putc(b, to[at - from]) : reader_fail(r, "an unknown escape");
}

int reader_word(struct reader *r, const char *ends, char **ret)
{
	const char *from = r->at;

	while (r->at < r->end && *r->at && !strchr(ends, *r->at))
		r->at++;
	if (r->at == from)
		return reader_fail(r, "a value is missing");
	*ret = strndup(from, (size_t)(r->at - from));
	return *ret ? 0 : -ENOMEM;
}
