/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json_peer - the serialiser beside jansson on any bytes: who takes what, and what it means
 *
 * What the shim takes is what jansson takes, but for the rules of stricter(); what it takes beyond jansson is halves of
 * surrogate pairs in values and numbers that no double holds. Each rule is found from the input and from jansson's own
 * tree, never from what the shim says, so that a refusal too many is found like one too few.
 */
#include <jansson.h>
#include <string.h>
#include "base/buf.h"
#include "shim/fold.h"
#include "shim/json.h"
#include "tests/fuzz/fuzz.h"
#include "wire/shim_config.h"

enum { INPUT_MAX = 256 << 10, KEYS_TO_PAIR_MAX = 512, WRITTEN_MAX = 8 << 20 };

/* --- the documented rules by which the shim refuses what jansson takes (json.h) --- */

struct facts {
	size_t depth;	/* of the deepest value */
	size_t members; /* of the message and of the objects directly in it */
	size_t pairs;	/* keys that differ from one before them by case alone */
	bool too_many;	/* to be paired here */
};

static void pair_keys(json_t *object, struct facts *f)
{
	const char *a, *b;
	size_t before = 0;
	json_t *ignored;

	if (json_object_size(object) > KEYS_TO_PAIR_MAX) {
		f->too_many = true;
		return;
	}
	json_object_foreach(object, a, ignored)
	{
		size_t i = 0;
		bool found = false;
		for (void *it = json_object_iter(object); i < before; it = json_object_iter_next(object, it), i++) {
			b = json_object_iter_key(it);
			found = found || fold_equal(a, strlen(a), b, strlen(b));
		}
		f->pairs += found;
		before++;
	}
}

static void look(json_t *value, size_t depth, struct facts *f)
{
	const char *key;
	json_t *below;
	size_t i;

	if (!json_is_object(value) && !json_is_array(value))
		return;
	f->depth = depth > f->depth ? depth : f->depth;
	if (json_is_array(value)) {
		json_array_foreach(value, i, below) look(below, depth + 1, f);
		return;
	}
	f->members += depth <= 2 ? json_object_size(value) : 0;
	pair_keys(value, f);
	json_object_foreach(value, key, below) look(below, depth + 1, f);
}

static bool is_of_number(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Past a string that begins at p and that a parser has found whole. */
static const char *string_end(const char *p)
{
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p + 1;
}

static bool has_long_number(const char *p, const char *end)
{
	size_t run = 0;

	while (p < end) {
		if (*p == '"') {
			p = string_end(p);
			run = 0;
			continue;
		}
		run = is_of_number(*p) ? run + 1 : 0;
		if (run > JSON_NUMBER_MAX)
			return true;
		p++;
	}
	return false;
}

/* White space other than blanks: in what jansson takes no raw control is anything else. */
static bool has_raw_control(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < 0x20)
			return true;
	return false;
}

enum verdict { TAKEN, REFUSED, UNKNOWN };

static enum verdict stricter(json_t *theirs, const char *p, size_t n)
{
	struct facts f = { 0 };

	if (!json_is_object(theirs) || has_raw_control(p, n) || has_long_number(p, p + n))
		return REFUSED;
	look(theirs, 1, &f);
	if (f.depth > JSON_DEPTH_MAX || f.members > JSON_MEMBERS_MAX || f.pairs > JSON_COLLISIONS_MAX)
		return REFUSED;
	return f.too_many ? UNKNOWN : TAKEN;
}

/* --- what both take --- */

/* All that is outside of strings, without blanks; a string is its quotes. */
static void skeleton(const char *p, size_t n, struct buf *ret)
{
	const char *end = p + n;

	while (p < end) {
		if (*p == '"') {
			p = string_end(p);
			must(buf_puts(ret, "\"\"") == 0, "no memory");
		} else {
			must(*p == ' ' || buf_putc(ret, *p) == 0, "no memory");
			p++;
		}
	}
}

static void same_order_and_numbers(const struct json_doc *d, const char *p, size_t n)
{
	_cleanup_buf_ struct buf a = BUF_INIT(WRITTEN_MAX), b = BUF_INIT(WRITTEN_MAX);

	skeleton(p, n, &a);
	skeleton(d->out.data, d->out.len, &b);
	must(a.len == b.len && memcmp(a.data, b.data, a.len) == 0, "order, form or a number has changed");
}

static json_t *load(const char *p, size_t n, json_error_t *e)
{
	return json_loadb(p, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, e);
}

static void same_keys_in_order(json_t *a, json_t *b)
{
	void *i = json_object_iter(a), *j = json_object_iter(b);

	for (; i && j; i = json_object_iter_next(a, i), j = json_object_iter_next(b, j))
		must(strcmp(json_object_iter_key(i), json_object_iter_key(j)) == 0, "keys have changed places");
	must(!i && !j, "a key came or went");
}

static void same_value(json_t *theirs, const struct json_doc *d)
{
	json_error_t e;
	json_t *ours = load(d->out.data, d->out.len, &e);

	must(ours != NULL, "jansson does not read what the shim has written");
	must(json_equal(theirs, ours), "the value has changed");
	same_keys_in_order(theirs, ours);
	json_decref(ours);
}

/* A surrogate is escaped in the canonical form when it is half a pair, and never else. */
static bool has_half_a_pair(const struct json_doc *d)
{
	const char *p = d->out.data, *end = p + d->out.len;

	for (; p < end; p++) {
		if (*p != '\\')
			continue;
		if (p[1] == 'u' && p[2] == 'd' && strchr("89abcdef", p[3]))
			return true;
		p++;
	}
	return false;
}

static bool beyond_jansson(const struct json_doc *d, const json_error_t *e)
{
	return json_error_code(e) == json_error_numeric_overflow || has_half_a_pair(d);
}

static void compare(const char *p, size_t n)
{
	struct json_doc d;
	json_error_t e = { 0 };
	json_t *theirs = load(p, n, &e);
	enum verdict verdict = theirs ? stricter(theirs, p, n) : REFUSED;
	int r;

	json_doc_init(&d, SHIM_LINE_MAX, 7);
	r = json_parse(&d, p, n);
	must(r >= 0, "no memory");
	if (r == 0 && verdict == REFUSED)
		must(!theirs && beyond_jansson(&d, &e), "taken, but no parser of JSON or no rule of ours allows it");
	if (r > 0 && verdict == TAKEN)
		must(false, json_error_text(r));
	if (r == 0)
		same_order_and_numbers(&d, p, n);
	if (r == 0 && theirs)
		same_value(theirs, &d);
	json_decref(theirs);
	json_doc_done(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line;

	if (size > INPUT_MAX)
		return 0;
	line = malloc(size + 1);
	must(line != NULL, "no memory");
	/* A line never holds one, and ends in one. */
	for (size_t i = 0; i < size; i++)
		line[i] = data[i] == '\n' ? ' ' : (char)data[i];
	line[size] = '\n';
	compare(line, size);
	free(line);
	return 0;
}
