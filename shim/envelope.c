/* SPDX-License-Identifier: Apache-2.0 */
/* envelope - see envelope.h */
#include "shim/envelope.h"
#include <string.h>

enum part { PART_JSONRPC = 1, PART_ID = 2, PART_METHOD = 4, PART_PARAMS = 8, PART_RESULT = 16, PART_ERROR = 32 };

static const struct {
	const char *key;
	enum part part;
} parts[] = {
	{ "jsonrpc", PART_JSONRPC },
	{ "id", PART_ID },
	{ "method", PART_METHOD },
	{ "params", PART_PARAMS },
	{ "result", PART_RESULT },
	{ "error", PART_ERROR },
};

/* Which keys, params aside, make which sort. */
static const struct {
	unsigned keys;
	enum envelope_kind kind;
} sorts[] = {
	{ PART_JSONRPC | PART_ID | PART_METHOD, ENVELOPE_REQUEST },
	{ PART_JSONRPC | PART_METHOD, ENVELOPE_NOTIFICATION },
	{ PART_JSONRPC | PART_ID | PART_RESULT, ENVELOPE_RESULT },
	{ PART_JSONRPC | PART_ID | PART_ERROR, ENVELOPE_ERROR },
};

const char *envelope_refusal_text(int refusal)
{
	static const char *const texts[] = {
#define X(name, text) [ENVELOPE_BAD_##name] = text,
		ENVELOPE_REFUSALS(X)
#undef X
	};
	_Static_assert(ARRAY_LEN(texts) == ENVELOPE_REFUSAL_COUNT, "words for every refusal");
	_Static_assert(ENVELOPE_METHOD_MAX == 256, "the words that say so");
	return refusal > 0 && refusal < ENVELOPE_REFUSAL_COUNT ? texts[refusal] : "it is not a JSON-RPC message";
}

static bool is_integer_id(struct slice s)
{
	static const char limit[] = "9007199254740992"; /* 2^53 */
	size_t sign = s.p[0] == '-';

	s.p += sign;
	s.n -= sign;
	if (s.n == 0 || s.n > sizeof(limit) - 1 || (sign && s.p[0] == '0'))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n < sizeof(limit) - 1 || memcmp(s.p, limit, s.n) < 0;
}

bool envelope_is_id(struct slice s)
{
	if (s.n == 0 || s.n > ENVELOPE_ID_MAX)
		return false;
	if (s.p[0] == '"')
		return !walk_is_broken(walk_string(s));
	return is_integer_id(s);
}

static unsigned find_part(struct slice key)
{
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (slice_is(key, parts[i].key))
			return parts[i].part;
	return 0;
}

/* Sorts the members; 0 when one is none of ours. */
static unsigned gather(const struct json_doc *d, struct slice *value)
{
	unsigned have = 0;

	for (uint32_t i = 0; i < d->n_members; i++) {
		const struct json_member *m = &d->members[i];
		if (m->parent >= 0)
			continue;
		unsigned part = find_part((struct slice){ json_at(d, m->key), m->key.len });
		if (part == 0)
			return 0;
		have |= part;
		value[__builtin_ctz(part)] = (struct slice){ json_at(d, m->value), m->value.len };
	}
	return have;
}

static int find_sort(unsigned have, enum envelope_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(sorts); i++) {
		if (sorts[i].keys != (have & ~(unsigned)PART_PARAMS))
			continue;
		if ((have & PART_PARAMS) && !(have & PART_METHOD))
			break;
		*ret = sorts[i].kind;
		return 0;
	}
	return ENVELOPE_BAD_KEYS;
}

int envelope_read(const struct json_doc *d, struct envelope *ret)
{
	struct slice v[6] = { 0 };
	unsigned have = gather(d, v);
	int r;

	*ret = (struct envelope){ .id = v[1], .params = v[3], .body = have & PART_RESULT ? v[4] : v[5] };
	if (have & PART_JSONRPC && !slice_is(v[0], "\"2.0\""))
		return ENVELOPE_BAD_VERSION;
	r = find_sort(have, &ret->kind);
	if (r)
		return r;
	if (have & PART_ID && !envelope_is_id(ret->id))
		return ENVELOPE_BAD_ID;
	if (have & PART_METHOD) {
		ret->method = walk_string(v[2]);
		if (ret->method.n == 0 || ret->method.n > ENVELOPE_METHOD_MAX || walk_is_broken(ret->method))
			return ENVELOPE_BAD_METHOD;
	}
	if (have & PART_PARAMS && !walk_is_object(ret->params))
		return ENVELOPE_BAD_PARAMS;
	if (ret->kind == ENVELOPE_ERROR && !walk_is_object(ret->body))
		return ENVELOPE_BAD_ERROR_FORM;
	return ENVELOPE_OK;
}
