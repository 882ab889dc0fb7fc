/* SPDX-License-Identifier: Apache-2.0 */
/*
 * toml - TOML 1.0 as far as a tree of texts needs it (node.h)
 *
 * Numbers and dates are words that are not looked into. What a table may not define twice is not refused: the last
 * counts.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "inventory/reader.h"

enum { STRING_MAX = 1 << 20 };

static int value(struct reader *r, struct node *parent, char *key);

static void blanks(struct reader *r)
{
	while (reader_peek(r) == ' ' || reader_peek(r) == '\t' || reader_peek(r) == '\r')
		(void)reader_next(r);
}

/* Blanks, comments and line ends. */
static void space(struct reader *r)
{
	for (;;) {
		blanks(r);
		if (reader_peek(r) == '#')
			while (reader_peek(r) && reader_peek(r) != '\n')
				(void)reader_next(r);
		if (reader_peek(r) != '\n')
			return;
		(void)reader_next(r);
	}
}

/* A backslash at the end of a line takes the break and the blanks after it away. */
static bool continues(struct reader *r)
{
	const char *at = r->at;

	while (at < r->end && (*at == ' ' || *at == '\t' || *at == '\r'))
		at++;
	if (at == r->end || *at != '\n')
		return false;
	while (reader_peek(r) && strchr(" \t\r\n", reader_peek(r)))
		(void)reader_next(r);
	return true;
}

static int escape(struct reader *r, bool multi, struct buf *b)
{
	return multi && continues(r) ? 0 : reader_escape(r, b);
}

static int string(struct reader *r, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STRING_MAX);
	bool literal = reader_peek(r) == '\'';
	bool multi = reader_take(r, literal ? "\'\'\'" : "\"\"\"");
	char quote = literal ? '\'' : '"';
	int x = buf_puts(&b, "");

	if (!multi)
		(void)reader_next(r);
	else if (!reader_take(r, "\n"))
		(void)reader_take(r, "\r\n");
	while (x == 0) {
		if (multi && reader_take(r, literal ? "\'\'\'" : "\"\"\"")) {
			/* Up to two more of the quotes belong to the text. */
			while (x == 0 && reader_peek(r) == quote)
				x = buf_putc(&b, reader_next(r));
			break;
		}
		char c = reader_next(r);
		if (c == quote && !multi)
			break;
		if (c == '\0' || (c == '\n' && !multi))
			return reader_fail(r, "a text does not end");
		x = c == '\\' && !literal ? escape(r, multi, &b) : buf_putc(&b, c);
	}
	if (x < 0)
		return x;
	*ret = buf_steal(&b);
	return *ret ? 0 : -ENOMEM;
}

static int key_part(struct reader *r, char **ret)
{
	const char *from;

	blanks(r);
	if (reader_peek(r) == '"' || reader_peek(r) == '\'')
		return string(r, ret);
	for (from = r->at; isalnum((unsigned char)reader_peek(r)) || (reader_peek(r) && strchr("-_", reader_peek(r)));)
		(void)reader_next(r);
	if (r->at == from)
		return reader_fail(r, "a key was expected");
	*ret = strndup(from, (size_t)(r->at - from));
	return *ret ? 0 : -ENOMEM;
}

/* The table called so in map, made when it is not there; of a list of tables the last. Takes key. */
static int step(struct reader *r, struct node *map, char *key, struct node **ret)
{
	struct node *found = (struct node *)(uintptr_t)node_get(map, key);

	if (found && found->type == NODE_LIST && found->n > 0)
		found = found->v[found->n - 1];
	if (found && found->type != NODE_MAP) {
		free(key);
		return reader_fail(r, "a key is used as a table and is none");
	}
	if (found)
		free(key);
	*ret = found ? found : node_add(&r->budget, map, NODE_MAP, key, r->line);
	return *ret ? 0 : reader_fail(r, "it holds too much");
}

/* a.b."c": the table that the last part is in, and that part. */
static int dotted(struct reader *r, struct node *map, struct node **ret_map, char **ret_key)
{
	unsigned steps = 0;
	char *key = NULL;
	int x = key_part(r, &key);

	for (blanks(r); x == 0 && reader_peek(r) == '.'; blanks(r)) {
		(void)reader_next(r);
		x = steps++ < NODE_DEPTH_MAX ? step(r, map, STEAL_PTR(key), &map)
					     : reader_fail(r, "it is nested too deeply");
		x = x < 0 ? x : key_part(r, &key);
	}
	if (x < 0) {
		free(key);
		return x;
	}
	*ret_map = map;
	*ret_key = key;
	return 0;
}

static int assignment(struct reader *r, struct node *map)
{
	struct node *in = NULL;
	char *key = NULL;
	int x = dotted(r, map, &in, &key);

	blanks(r);
	if (x == 0 && reader_next(r) != '=') {
		free(key);
		return reader_fail(r, "'=' was expected after a key");
	}
	blanks(r);
	return x < 0 ? x : value(r, in, key);
}

static int list(struct reader *r, struct node *n)
{
	int x = reader_enter(r);

	(void)reader_next(r);
	for (space(r); x == 0 && reader_peek(r) != ']'; space(r)) {
		x = value(r, n, NULL);
		space(r);
		if (x == 0 && reader_peek(r) != ']' && reader_next(r) != ',')
			x = reader_fail(r, "',' or ']' was expected");
	}
	(void)reader_next(r);
	r->depth--;
	return x;
}

static int inline_table(struct reader *r, struct node *n)
{
	int x = reader_enter(r);

	(void)reader_next(r);
	for (space(r); x == 0 && reader_peek(r) != '}'; space(r)) {
		x = assignment(r, n);
		space(r);
		if (x == 0 && reader_peek(r) != '}' && reader_next(r) != ',')
			x = reader_fail(r, "',' or '}' was expected");
	}
	(void)reader_next(r);
	r->depth--;
	return x;
}

/* Takes key. */
static int value(struct reader *r, struct node *parent, char *key)
{
	unsigned line = r->line;
	char c = reader_peek(r), *text = NULL;
	struct node *n;
	int x;

	if (c == '[' || c == '{') {
		n = node_add(&r->budget, parent, c == '[' ? NODE_LIST : NODE_MAP, key, line);
		if (!n)
			return reader_fail(r, "it holds too much");
		return c == '[' ? list(r, n) : inline_table(r, n);
	}
	x = c == '"' || c == '\'' ? string(r, &text) : reader_word(r, ",]}# \t\r\n", &text);
	/* A date and a time may have a blank between. */
	if (x == 0 && isdigit((unsigned char)c) && strlen(text) == 10 && text[4] == '-' && reader_peek(r) == ' ' &&
		r->end - r->at > 1 && isdigit((unsigned char)r->at[1])) {
		free(STEAL_PTR(text));
		(void)reader_next(r);
		x = reader_word(r, ",]}# \t\r\n", &text);
	}
	if (x == 0)
		return reader_add_text(r, parent, key, text, line, NULL);
	free(key);
	return x;
}

/* [a.b] or [[a.b]]: the table that what follows is in. */
static int header(struct reader *r, struct node *root, struct node **ret)
{
	bool many = reader_take(r, "[[");
	struct node *in = NULL, *found;
	char *key = NULL;
	int x;

	if (!many)
		(void)reader_next(r);
	x = dotted(r, root, &in, &key);
	if (x < 0)
		return x;
	if (!reader_take(r, many ? "]]" : "]")) {
		free(key);
		return reader_fail(r, "']' was expected");
	}
	if (!many)
		return step(r, in, key, ret);
	found = (struct node *)(uintptr_t)node_get(in, key);
	if (found)
		free(key);
	else
		found = node_add(&r->budget, in, NODE_LIST, key, r->line);
	*ret = found && found->type == NODE_LIST ? node_add(&r->budget, found, NODE_MAP, NULL, r->line) : NULL;
	return *ret ? 0 : reader_fail(r, "a key is used as a list of tables and is none");
}

int toml_parse(const char *text, size_t n, struct node **ret, struct diag *d)
{
	struct reader r = { .at = text, .end = text + n, .line = 1, .budget = { NODES_MAX }, .d = d };
	_cleanup_node_ struct node *root = node_add(&r.budget, NULL, NODE_MAP, NULL, 1);
	struct node *table = root;
	int x = root ? 0 : -ENOMEM;

	(void)reader_take(&r, "\xef\xbb\xbf");
	for (space(&r); x == 0 && r.at < r.end; space(&r)) {
		x = reader_peek(&r) == '[' ? header(&r, root, &table) : assignment(&r, table);
		blanks(&r);
		if (x == 0 && r.at < r.end && reader_peek(&r) != '\n' && reader_peek(&r) != '#')
			x = reader_fail(&r, "the end of the line was expected");
	}
	if (x < 0)
		return x;
	*ret = STEAL_PTR(root);
	return 0;
}
