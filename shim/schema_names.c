/* SPDX-License-Identifier: Apache-2.0 */
/* schema_names - see schema_names.h */
#include "shim/schema_names.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "shim/fold.h"

void schema_names_done(struct schema_names *x, size_t *bytes)
{
	*bytes -= x->text.len + x->n * sizeof(*x->names);
	buf_done(&x->text);
	free(x->names);
	*x = (struct schema_names){ 0 };
}

uint64_t schema_names_hash(uint64_t secret, struct slice key)
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

static int add_name(struct schema_names *x, uint64_t secret, size_t *bytes, struct slice key)
{
	struct schema_name *names = x->names;
	int r;

	if (x->n >= SCHEMA_NAMES_MAX || *bytes + key.n + sizeof(*names) > SCHEMA_NAMES_BYTES_MAX)
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
		.hash = schema_names_hash(secret, key), .at = (uint32_t)(x->text.len - key.n), .len = (uint32_t)key.n
	};
	*bytes += key.n + sizeof(*names);
	return 0;
}

static int compare(uint64_t hash, struct slice name, uint64_t other_hash, struct slice other)
{
	size_t n = name.n < other.n ? name.n : other.n;
	int r;

	if (hash != other_hash)
		return hash < other_hash ? -1 : 1;
	r = n ? memcmp(name.p, other.p, n) : 0;
	return r ? r : (name.n > other.n) - (name.n < other.n);
}

static struct slice name_of(const struct schema_names *x, const struct schema_name *name)
{
	return (struct slice){ x->text.data + name->at, name->len };
}

/* By their hashes, which say what they fold to, and then by their bytes. */
static int by_hash(const void *a, const void *b, void *names)
{
	const struct schema_name *x = a, *y = b;

	return compare(x->hash, name_of(names, x), y->hash, name_of(names, y));
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

/* "^name$": what may be there and may be left out. */
static struct slice spelt_out(struct slice pattern)
{
	if (pattern.n < 3 || pattern.p[0] != '^' || pattern.p[pattern.n - 1] != '$')
		return (struct slice){ NULL, 0 };
	for (size_t i = 1; i + 1 < pattern.n; i++)
		if (strchr(".*+?()[]{}|\\^$", pattern.p[i]))
			return (struct slice){ NULL, 0 };
	return (struct slice){ pattern.p + 1, pattern.n - 2 };
}

static int add_names(struct schema_names *x, uint64_t secret, size_t *bytes, struct walk w, bool patterns)
{
	struct slice key, value;
	int r = 0;

	while (r == 0 && walk_member(&w, &key, &value)) {
		key = patterns ? spelt_out(key) : key;
		if (key.p)
			r = add_name(x, secret, bytes, key);
	}
	return r;
}

int schema_names_gather(struct schema_names *x, uint64_t secret, size_t *bytes, struct slice schema)
{
	const char *p = schema.p, *end = schema.p + schema.n;
	struct slice key;
	int r = 0;

	schema_names_done(x, bytes);
	x->text = BUF_INIT(SCHEMA_NAMES_BYTES_MAX);
	while (r == 0 && (p = next_key(p, end, &key))) {
		bool patterns = slice_is(key, "patternProperties");
		if (*p == '{' && (patterns || slice_is(key, "properties")))
			r = add_names(x, secret, bytes, (struct walk){ p + 1 }, patterns);
	}
	if (x->n > 0)
		qsort_r(x->names, x->n, sizeof(*x->names), by_hash, x);
	x->known = r == 0;
	return r < 0 ? r : 0;
}

/* Where the key stands among the names, or would stand. */
static size_t find(const struct schema_names *x, uint64_t hash, struct slice key)
{
	size_t low = 0, high = x->n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (compare(x->names[mid].hash, name_of(x, &x->names[mid]), hash, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* So few names are compared sooner than a key is hashed. */
enum { FEW = 24 };

static bool imitates_few(const struct schema_names *x, struct slice key)
{
	bool folds = false;

	for (size_t i = 0; i < x->n; i++) {
		struct slice name = name_of(x, &x->names[i]);
		if (slice_equal(name, key))
			return false;
		folds = folds || fold_equal(name.p, name.n, key.p, key.n);
	}
	return folds;
}

/* Does the key fold to a name while being none of the names that it folds to? Names of one hash fold alike, as good as
 * always: however many there are, one of them says it. */
static bool imitates(const struct schema_names *x, uint64_t secret, struct slice key)
{
	if (x->n <= FEW)
		return imitates_few(x, key);
	uint64_t hash = schema_names_hash(secret, key);
	size_t at = find(x, hash, key);

	if (at < x->n && slice_equal(name_of(x, &x->names[at]), key))
		return false;
	for (size_t i = find(x, hash, (struct slice){ NULL, 0 }); i < x->n && x->names[i].hash == hash; i++) {
		struct slice name = name_of(x, &x->names[i]);
		if (fold_equal(name.p, name.n, key.p, key.n))
			return true;
	}
	return false;
}

bool schema_names_imitated(const struct schema_names *x, uint64_t secret, struct slice value, struct slice *ret_key)
{
	const char *p = value.p;

	if (value.n == 0 || x->n == 0)
		return false;
	while ((p = next_key(p, value.p + value.n, ret_key)))
		if (imitates(x, secret, *ret_key))
			return true;
	return false;
}
