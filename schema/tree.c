/* SPDX-License-Identifier: Apache-2.0 */
/* tree - see tree.h */
#include "schema/tree.h"
#include <errno.h>
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"
#include "schema/number.h"

enum { NODES_FIRST = 64, NODES_KEEP = 4096 };

/* Beside the errors: another value comes next. */
enum { MORE = 1 << 16 };

struct reader {
	struct tree *t;
	const char *p, *end;
	uint32_t open[TREE_DEPTH_MAX];
	int depth;
};

void tree_init(struct tree *t)
{
	*t = (struct tree){ .unescaped = BUF_INIT(TREE_BYTES_MAX) };
}

void tree_done(struct tree *t)
{
	free(STEAL_PTR(t->nodes));
	buf_done(&t->unescaped);
	t->n = t->cap = 0;
}

bool tree_trim(struct tree *t)
{
	bool large = t->cap > NODES_KEEP;

	buf_done(&t->unescaped);
	if (large)
		tree_done(t);
	return large;
}

const char *tree_error_text(int error)
{
	static const char *const texts[] = {
#define X(name, text) [TREE_##name] = text,
		TREE_ERRORS(X)
#undef X
	};
	_Static_assert(ARRAY_LEN(texts) == TREE_ERROR_COUNT, "words for every error");
	return error > 0 && error < TREE_ERROR_COUNT ? texts[error] : "it could not be read";
}

/* FNV-1a. Not keyed: whoever makes names collide pays for each comparison out of the budget of his own call. */
uint32_t tree_hash(const char *p, size_t n)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)p[i]) * 16777619u;
	return h;
}

static void skip_blanks(struct reader *r)
{
	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static bool next_is(const struct reader *r, char c)
{
	return r->p < r->end && *r->p == c;
}

static bool take(struct reader *r, char c)
{
	if (!next_is(r, c))
		return false;
	r->p++;
	return true;
}

static bool take_hex4(struct reader *r, uint32_t *ret)
{
	int32_t v = r->end - r->p < 4 ? -1 : ascii_hex4(r->p);

	*ret = (uint32_t)v;
	r->p += v < 0 ? 0 : 4;
	return v >= 0;
}

/* The bytes of a character; half of a pair in the same way, though it is none. */
static size_t encode(uint32_t cp, char out[4])
{
	if (cp < 0xd800 || cp > 0xdfff)
		return utf8_encode(cp, out);
	out[0] = (char)(0xe0 | cp >> 12);
	out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[2] = (char)(0x80 | (cp & 0x3f));
	return 3;
}

/* After \u. */
static bool unescape_unit(struct reader *r, uint32_t *ret)
{
	uint32_t low;

	if (!take_hex4(r, ret))
		return false;
	if (*ret < 0xd800 || *ret > 0xdbff || r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u')
		return true;
	struct reader ahead = { .p = r->p + 2, .end = r->end };
	if (take_hex4(&ahead, &low) && low >= 0xdc00 && low <= 0xdfff) {
		*ret = 0x10000 + ((*ret & 0x3ff) << 10) + (low & 0x3ff);
		r->p = ahead.p;
	}
	return true;
}

/* After a backslash. */
static int unescape(struct reader *r, struct buf *b)
{
	static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";
	const char *at;
	char out[4];
	uint32_t cp;

	if (r->p == r->end)
		return TREE_BAD_SYNTAX;
	char kind = *r->p++;
	if (kind == 'u')
		return unescape_unit(r, &cp) ? buf_append(b, out, encode(cp, out)) : TREE_BAD_SYNTAX;
	at = kind ? strchr(from, kind) : NULL;
	return at ? buf_putc(b, to[at - from]) : TREE_BAD_SYNTAX;
}

/* From the first backslash on. The block is as large as the whole text from the start, so that it never moves. */
static int unescaped_string(struct reader *r, const char *from, const char **ret, uint32_t *ret_len)
{
	struct buf *b = &r->t->unescaped;
	size_t at = b->len;
	int e = b->cap ? 0 : buf_reserve(b, (size_t)(r->end - from));

	if (e == 0)
		e = buf_append(b, from, (size_t)(r->p - from));
	while (e == 0 && r->p < r->end && *r->p != '"') {
		const char *plain = r->p;
		while (r->p < r->end && *r->p != '"' && *r->p != '\\')
			r->p++;
		e = buf_append(b, plain, (size_t)(r->p - plain));
		if (e == 0 && take(r, '\\'))
			e = unescape(r, b);
	}
	*ret = b->data + at;
	*ret_len = (uint32_t)(b->len - at);
	return e ? e : take(r, '"') ? 0 : TREE_BAD_SYNTAX;
}

/* From after the opening quote to after the closing one. */
static int string(struct reader *r, const char **ret, uint32_t *ret_len)
{
	const char *from = r->p, *quote = memchr(from, '"', (size_t)(r->end - from)), *end = quote ? quote : r->end;
	const char *back = memchr(from, '\\', (size_t)(end - from));

	r->p = back ? back : end;
	if (back)
		return unescaped_string(r, from, ret, ret_len);
	*ret = from;
	*ret_len = (uint32_t)(r->p - from);
	return take(r, '"') ? 0 : TREE_BAD_SYNTAX;
}

static int word(struct reader *r, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(r->end - r->p) < n || memcmp(r->p, text, n) != 0)
		return TREE_BAD_SYNTAX;
	r->p += n;
	return 0;
}

static int number(struct reader *r, struct tree_node *node)
{
	struct number value;

	node->text = r->p;
	while (r->p < r->end &&
		((*r->p >= '0' && *r->p <= '9') || *r->p == '-' || *r->p == '+' || *r->p == '.' || (*r->p | 32) == 'e'))
		r->p++;
	node->len = (uint32_t)(r->p - node->text);
	node->type = TREE_NUMBER;
	switch (number_read(node->text, node->len, &value)) {
	case NUMBER_OK:
		return 0;
	case NUMBER_EXPONENT:
		return TREE_BAD_NUMBER;
	default:
		return TREE_BAD_SYNTAX;
	}
}

static int scalar(struct reader *r, struct tree_node *node)
{
	switch (*r->p) {
	case '"':
		r->p++;
		node->type = TREE_STRING;
		return string(r, &node->text, &node->len);
	case 't':
		node->type = TREE_BOOLEAN;
		node->count = 1;
		return word(r, "true");
	case 'f':
		node->type = TREE_BOOLEAN;
		return word(r, "false");
	case 'n':
		node->type = TREE_NULL;
		return word(r, "null");
	default:
		return number(r, node);
	}
}

static int grow(struct tree *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : NODES_FIRST;
	struct tree_node *nodes;

	if (t->n >= TREE_NODES_MAX)
		return TREE_TOO_LARGE;
	nodes = realloc(t->nodes, cap * sizeof(*nodes));
	if (!nodes)
		return -ENOMEM;
	t->nodes = nodes;
	t->cap = cap;
	return 0;
}

/* A key and its colon, where the value to come is a member. */
static int key(struct reader *r, struct tree_node *node)
{
	int e;

	if (r->depth == 0 || r->t->nodes[r->open[r->depth - 1]].type != TREE_OBJECT)
		return 0;
	if (!take(r, '"'))
		return TREE_BAD_SYNTAX;
	e = string(r, &node->key, &node->key_len);
	if (e)
		return e;
	node->key_hash = tree_hash(node->key, node->key_len);
	skip_blanks(r);
	if (!take(r, ':'))
		return TREE_BAD_SYNTAX;
	skip_blanks(r);
	return 0;
}

/* The value has ended: closes what closes with it. MORE after a comma, 0 when all is closed. */
static int after_value(struct reader *r)
{
	struct tree *t = r->t;

	for (skip_blanks(r); r->depth > 0; skip_blanks(r)) {
		struct tree_node *parent = &t->nodes[r->open[r->depth - 1]];
		if (take(r, ',')) {
			skip_blanks(r);
			return MORE;
		}
		if (!take(r, parent->type == TREE_OBJECT ? '}' : ']'))
			return TREE_BAD_SYNTAX;
		parent->end = t->n;
		r->depth--;
	}
	return 0;
}

/* At an opening bracket. MORE when it holds something. */
static int container(struct reader *r, struct tree_node *node)
{
	if (r->depth == TREE_DEPTH_MAX)
		return TREE_TOO_DEEP;
	node->type = *r->p++ == '{' ? TREE_OBJECT : TREE_ARRAY;
	r->open[r->depth++] = (uint32_t)(node - r->t->nodes);
	skip_blanks(r);
	return next_is(r, node->type == TREE_OBJECT ? '}' : ']') ? after_value(r) : MORE;
}

static int value(struct reader *r)
{
	struct tree *t = r->t;
	int e = t->n < t->cap ? 0 : grow(t);

	if (e)
		return e;
	struct tree_node *node = &t->nodes[t->n];
	*node = (struct tree_node){ .end = t->n + 1 };
	e = key(r, node);
	if (e)
		return e;
	if (r->p == r->end)
		return TREE_BAD_SYNTAX;
	t->n++;
	if (r->depth > 0)
		t->nodes[r->open[r->depth - 1]].count++;
	if (*r->p == '{' || *r->p == '[')
		return container(r, node);
	e = scalar(r, node);
	return e ? e : after_value(r);
}

int tree_read(struct tree *t, const char *text, size_t n)
{
	struct reader r = { .t = t, .p = text, .end = text + n };
	int e;

	if (n > TREE_BYTES_MAX)
		return TREE_TOO_LARGE;
	buf_done(&t->unescaped);
	t->n = 0;
	skip_blanks(&r);
	do
		e = value(&r);
	while (e == MORE);
	if (e == 0 && r.p < r.end)
		e = TREE_BAD_SYNTAX;
	if (e == 0 && t->n == t->cap)
		e = grow(t);
	return e == -E2BIG ? TREE_TOO_LARGE : e;
}

uint32_t tree_find(const struct tree *t, uint32_t object, const char *name, size_t n, uint32_t hash)
{
	TREE_EACH (t, child, object) {
		const struct tree_node *c = &t->nodes[child];
		if (c->key_hash == hash && c->key && c->key_len == n && memcmp(c->key, name, n) == 0)
			return child;
	}
	return 0;
}

uint32_t tree_get(const struct tree *t, uint32_t object, const char *name)
{
	size_t n = strlen(name);

	return tree_find(t, object, name, n, tree_hash(name, n));
}

/* A name that needs no quotes. */
static bool is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool letter = (p[i] | 32) >= 'a' && (p[i] | 32) <= 'z';
		if (!letter && p[i] != '_' && p[i] != '$' && p[i] != '-' && !(i > 0 && p[i] >= '0' && p[i] <= '9'))
			return false;
	}
	return n > 0;
}

static int put_step(struct buf *b, const struct tree_node *step, uint32_t index)
{
	int r;

	if (!step->key)
		return buf_printf(b, "[%u]", index);
	if (is_plain(step->key, step->key_len)) {
		r = buf_putc(b, '.');
		return r ? r : buf_append(b, step->key, step->key_len);
	}
	r = buf_puts(b, "[\"");
	if (r == 0)
		r = buf_append(b, step->key, step->key_len);
	return r ? r : buf_puts(b, "\"]");
}

int tree_where(const struct tree *t, uint32_t node, const char *root, struct buf *b)
{
	int r = buf_puts(b, root);

	for (uint32_t at = 0; r == 0 && at < node;) {
		uint32_t index = 0, child = at + 1;
		for (; t->nodes[child].end <= node; child = t->nodes[child].end)
			index++;
		r = put_step(b, &t->nodes[child], index);
		at = child;
	}
	return r;
}
