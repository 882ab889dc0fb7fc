/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - JSON as editors take it: comments, trailing commas (node.h)
 *
 * Lenient where clients are: what they read must be seen. What no client reads is an error with its line.
 */
#include <errno.h>
#include <string.h>
#include "inventory/reader.h"

enum { STRING_MAX = 1 << 20 };

static int value(struct reader *r, struct node *parent, char *key, struct node **ret);

static int skip(struct reader *r)
{
	for (;;) {
		while (reader_peek(r) && strchr(" \t\r\n", reader_peek(r)))
			(void)reader_next(r);
		if (reader_take(r, "//")) {
			while (reader_peek(r) && reader_peek(r) != '\n')
				(void)reader_next(r);
		} else if (reader_take(r, "/*")) {
			while (!reader_take(r, "*/"))
				if (!reader_next(r))
					return reader_fail(r, "a comment does not end");
		} else {
			return 0;
		}
	}
}

static int string(struct reader *r, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STRING_MAX);
	int x = buf_puts(&b, "");

	if (reader_next(r) != '"')
		return reader_fail(r, "a text in double quotes was expected");
	while (x == 0) {
		char c = reader_next(r);
		if (c == '"')
			break;
		if (c == '\0' || c == '\n')
			return reader_fail(r, "a text does not end");
		x = c == '\\' ? reader_escape(r, &b) : buf_putc(&b, c);
	}
	if (x < 0)
		return x;
	*ret = buf_steal(&b);
	return *ret ? 0 : -ENOMEM;
}

static int member(struct reader *r, struct node *map)
{
	char *key = NULL;
	int x = string(r, &key);

	x = x < 0 ? x : skip(r);
	if (x == 0 && reader_next(r) != ':')
		x = reader_fail(r, "':' was expected after a key");
	x = x < 0 ? x : skip(r);
	if (x < 0) {
		free(key);
		return x;
	}
	return value(r, map, key, NULL);
}

/* Members or items up to the closing bracket. */
static int items(struct reader *r, struct node *n, char close)
{
	int x = reader_enter(r);

	(void)reader_next(r);
	for (;;) {
		x = x < 0 ? x : skip(r);
		if (x < 0)
			return x;
		if (reader_peek(r) == close)
			break;
		x = n->type == NODE_MAP ? member(r, n) : value(r, n, NULL, NULL);
		x = x < 0 ? x : skip(r);
		if (x == 0 && reader_peek(r) != ',' && reader_peek(r) != close)
			x = reader_fail(r, "',' or a closing bracket was expected");
		if (x == 0 && reader_peek(r) == ',')
			(void)reader_next(r);
	}
	(void)reader_next(r);
	r->depth--;
	return 0;
}

/* Takes key. */
static int value(struct reader *r, struct node *parent, char *key, struct node **ret)
{
	unsigned line = r->line;
	char c = reader_peek(r), *text = NULL;
	struct node *n;
	int x;

	if (c == '{' || c == '[') {
		n = node_add(&r->budget, parent, c == '{' ? NODE_MAP : NODE_LIST, key, line);
		if (!n)
			return reader_fail(r, "it holds too much");
		if (ret)
			*ret = n;
		return items(r, n, c == '{' ? '}' : ']');
	}
	x = c == '"' ? string(r, &text) : reader_word(r, ",]}:{[\"/ \t\r\n", &text);
	if (x == 0)
		return reader_add_text(r, parent, key, text, line, ret);
	free(key);
	return x;
}

int json_parse(const char *text, size_t n, struct node **ret, struct diag *d)
{
	struct reader r = { .at = text, .end = text + n, .line = 1, .budget = { NODES_MAX }, .d = d };
	_cleanup_node_ struct node *root = NULL;
	int x;

	(void)reader_take(&r, "\xef\xbb\xbf");
	x = skip(&r);
	x = x < 0 ? x : value(&r, NULL, NULL, &root);
	x = x < 0 ? x : skip(&r);
	if (x == 0 && r.at < r.end)
		x = reader_fail(&r, "something follows the end");
	if (x < 0)
		return x;
	*ret = STEAL_PTR(root);
	return 0;
}
