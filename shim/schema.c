/* SPDX-License-Identifier: Apache-2.0 */
/* schema - see schema.h */
#include "shim/schema.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "shim/fold.h"

void schemas_init(struct schemas *s, uint64_t secret)
{
	*s = (struct schemas){ .secret = secret };
}

static void schema_done(struct schemas *s, struct schema *x)
{
	s->bytes -= x->text.len + x->n * sizeof(*x->names);
	buf_done(&x->text);
	free(x->names);
	*x = (struct schema){ 0 };
}

void schemas_done(struct schemas *s)
{
	for (size_t i = 0; i < s->n; i++) {
		schema_done(s, &s->tools[i].input);
		schema_done(s, &s->tools[i].output);
		free(s->tools[i].name);
	}
	free(s->tools);
	*s = (struct schemas){ 0 };
}

static uint64_t hash_fold(uint64_t secret, struct slice key)
{
	const unsigned char *p = (const unsigned char *)key.p;
	uint64_t h = secret;

	for (size_t i = 0; i < key.n;) {
		uint32_t cp = p[i];
		size_t len = cp < 0x80 ? 1 : utf8_decode(p + i, key.n - i, &cp);
		unsigned __int128 m = (unsigned __int128)(h ^ fold_char(cp)) * 0x9fb21c651e98df25ULL;
		h = (uint64_t)m ^ (uint64_t)(m >> 64) ^ secret;
		i += len ? len : 1;
	}
	return h;
}

static int add_name(struct schemas *s, struct schema *x, struct slice key)
{
	struct schema_name *names = x->names;
	int r;

	if (x->n >= SCHEMA_NAMES_MAX || s->bytes + key.n + sizeof(*names) > SCHEMA_BYTES_MAX)
		return 1;
	if ((x->n & (x->n - 1)) == 0) {
		names = realloc(x->names, (x->n ? 2 * x->n : 1) * sizeof(*names));
		if (!names)
			return -ENOMEM;
		x->names = names;
	}
	r = buf_append(&x->text, key.p, key.n);
	if (r < 0)
		return r;
	names[x->n++] = (struct schema_name){
		.hash = hash_fold(s->secret, key), .at = (uint32_t)(x->text.len - key.n), .len = (uint32_t)key.n
	};
	s->bytes += key.n + sizeof(*names);
	return 0;
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = ((const struct schema_name *)a)->hash, y = ((const struct schema_name *)b)->hash;

	return x < y ? -1 : x > y;
}

/* The next key of any object from p on: its inside, and what follows its colon; NULL at the end. */
static const char *next_key(const char *p, const char *end, struct slice *ret)
{
	while ((p = memchr(p, '"', (size_t)(end - p)))) {
		const char *after = walk_skip(p);
		*ret = (struct slice){ p + 1, (size_t)(after - p) - 2 };
		if (after < end && *after == ':')
			return after + 1;
		p = after;
	}
	return NULL;
}

/* Gathers every key under any "properties". */
static int gather(struct schemas *s, struct schema *x, struct slice doc)
{
	const char *p = doc.p, *end = doc.p + doc.n;
	struct slice key, value;
	int r = 0;

	x->text = BUF_INIT(SCHEMA_BYTES_MAX);
	while (r == 0 && (p = next_key(p, end, &key))) {
		if (!slice_is(key, "properties") || *p != '{')
			continue;
		struct walk w = { p + 1 };
		while (r == 0 && walk_member(&w, &key, &value))
			r = add_name(s, x, key);
	}
	if (x->n > 0)
		qsort(x->names, x->n, sizeof(*x->names), by_hash);
	x->known = r == 0;
	return r < 0 ? r : 0;
}

/* The slot of that name, or the empty one where it belongs. */
static size_t find_slot(const struct schemas *s, struct slice name, uint64_t hash)
{
	size_t slot = hash % SCHEMA_SLOTS;

	for (; s->slots[slot]; slot = (slot + 1) % SCHEMA_SLOTS) {
		const struct schema_tool *t = &s->tools[s->slots[slot] - 1];
		if (t->hash == hash && slice_equal((struct slice){ t->name, t->name_len }, name))
			break;
	}
	return slot;
}

static struct schema_tool *find_tool(const struct schemas *s, struct slice name)
{
	uint16_t at = s->slots[find_slot(s, name, hash_fold(s->secret, name))];

	return at ? &s->tools[at - 1] : NULL;
}

static int add_tool(struct schemas *s, struct slice name, struct schema_tool **ret)
{
	struct schema_tool *tools = s->tools;
	uint64_t hash = hash_fold(s->secret, name);

	*ret = NULL;
	if (s->n >= SCHEMA_TOOLS_MAX || s->bytes + name.n > SCHEMA_BYTES_MAX)
		return 0;
	if ((s->n & (s->n - 1)) == 0) {
		tools = realloc(s->tools, (s->n ? 2 * s->n : 1) * sizeof(*tools));
		if (!tools)
			return -ENOMEM;
		s->tools = tools;
	}
	tools[s->n] = (struct schema_tool){ .hash = hash, .name = strndup(name.p, name.n), .name_len = name.n };
	if (!tools[s->n].name)
		return -ENOMEM;
	s->bytes += name.n;
	*ret = &tools[s->n++];
	s->slots[find_slot(s, name, hash)] = (uint16_t)s->n;
	return 0;
}

int schemas_learn(struct schemas *s, struct slice name, struct slice input, struct slice output)
{
	struct schema_tool *t = find_tool(s, name);
	int r = 0;

	if (!t)
		r = add_tool(s, name, &t);
	if (r < 0 || !t)
		return r;
	schema_done(s, &t->input);
	schema_done(s, &t->output);
	if (walk_is_object(input))
		r = gather(s, &t->input, input);
	if (r == 0 && walk_is_object(output))
		r = gather(s, &t->output, output);
	return r;
}

const struct schema *schemas_input(const struct schemas *s, struct slice tool)
{
	const struct schema_tool *t = find_tool(s, tool);

	return t && t->input.known ? &t->input : NULL;
}

const struct schema *schemas_output(const struct schemas *s, struct slice tool)
{
	const struct schema_tool *t = find_tool(s, tool);

	return t && t->output.known ? &t->output : NULL;
}

/* Does the key fold to a name while being none of the names that it folds to? */
static bool imitates(const struct schemas *s, const struct schema *x, struct slice key)
{
	uint64_t hash = hash_fold(s->secret, key);
	size_t low = 0, high = x->n;
	bool folds = false;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (x->names[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	for (; low < x->n && x->names[low].hash == hash; low++) {
		struct slice name = { x->text.data + x->names[low].at, x->names[low].len };
		if (slice_equal(name, key))
			return false;
		folds = folds || fold_equal(name.p, name.n, key.p, key.n);
	}
	return folds;
}

bool schema_imitated(const struct schemas *s, const struct schema *schema, struct slice value, struct slice *ret_key)
{
	const char *p = value.p;

	if (value.n == 0 || schema->n == 0)
		return false;
	while ((p = next_key(p, value.p + value.n, ret_key)))
		if (imitates(s, schema, *ret_key))
			return true;
	return false;
}
