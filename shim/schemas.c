/* SPDX-License-Identifier: Apache-2.0 */
/* schemas - see schemas.h */
#include "shim/schemas.h"
#include <errno.h>
#include <string.h>
#include "shim/blake2s.h"
#include "shim/record.h"

/* It would fit if others gave way. */
enum { NO_ROOM = SCHEMAS_UNUSABLE + 1 };

static const char TOO_MANY[] = "the server lists more tools than stockade keeps the schemas of";
static const char TOO_LARGE[] = "the schemas of all tools take more memory than is allowed";

void schemas_init(struct schemas *s, uint64_t secret)
{
	*s = (struct schemas){ .secret = secret, .steps = SCHEMAS_STEPS };
}

static void forget(struct schemas *s, struct tool_schema *x)
{
	schema_names_done(&x->names, &s->name_bytes);
	schema_compiled_free(x->compiled);
	free(x->why);
	s->bytes -= x->bytes;
	*x = (struct tool_schema){ 0 };
}

static void tool_done(struct schemas *s, struct schema_tool *t)
{
	forget(s, &t->input);
	forget(s, &t->output);
	s->name_bytes -= t->name_len;
	free(t->name);
}

void schemas_done(struct schemas *s)
{
	for (size_t i = 0; i < s->n; i++)
		tool_done(s, &s->tools[i]);
	free(s->tools);
	schema_checker_free(s->checker);
	*s = (struct schemas){ 0 };
}

void schemas_begin(struct schemas *s, bool first, bool last)
{
	s->steps = SCHEMAS_STEPS;
	s->whole = last;
	if (!first)
		return;
	s->list++;
	s->full = false;
}

/* The slot of that name, or the empty one where it belongs. */
static size_t find_slot(const struct schemas *s, struct slice name, uint64_t hash)
{
	size_t slot = hash % SCHEMAS_SLOTS;

	for (; s->slots[slot]; slot = (slot + 1) % SCHEMAS_SLOTS) {
		const struct schema_tool *t = &s->tools[s->slots[slot] - 1];
		if (t->hash == hash && slice_equal((struct slice){ t->name, t->name_len }, name))
			break;
	}
	return slot;
}

static struct schema_tool *find_tool(const struct schemas *s, struct slice name)
{
	uint16_t at = s->slots[find_slot(s, name, schema_names_hash(s->secret, name))];

	return at ? &s->tools[at - 1] : NULL;
}

/* Lets go of the tools that the newest list has not named. Did any? */
static bool sweep(struct schemas *s)
{
	size_t kept = 0, before = s->n;

	for (size_t i = 0; i < before; i++) {
		if (s->tools[i].list == s->list)
			s->tools[kept++] = s->tools[i];
		else
			tool_done(s, &s->tools[i]);
	}
	memset(s->slots, 0, sizeof(s->slots));
	for (s->n = 0; s->n < kept; s->n++) {
		const struct schema_tool *t = &s->tools[s->n];
		s->slots[find_slot(s, (struct slice){ t->name, t->name_len }, t->hash)] = (uint16_t)(s->n + 1);
	}
	s->lost = s->lost || kept < before;
	return kept < before;
}

static int add_tool(struct schemas *s, struct slice name, struct schema_tool **ret)
{
	bool fits = s->n < SCHEMAS_TOOLS_MAX && s->name_bytes + name.n <= SCHEMA_NAMES_BYTES_MAX;
	struct schema_tool *tools;
	uint64_t hash = schema_names_hash(s->secret, name);

	if (!fits)
		return NO_ROOM;
	tools = s->tools;
	if ((s->n & (s->n - 1)) == 0) {
		tools = realloc(s->tools, (s->n ? 2 * s->n : 1) * sizeof(*tools));
		if (!tools)
			return -ENOMEM;
		s->tools = tools;
	}
	tools[s->n] = (struct schema_tool){ .hash = hash, .name = strndup(name.p, name.n), .name_len = name.n };
	if (!tools[s->n].name)
		return -ENOMEM;
	s->name_bytes += name.n;
	*ret = &tools[s->n++];
	s->slots[find_slot(s, name, hash)] = (uint16_t)s->n;
	return 0;
}

static void digest_of(const struct schemas *s, struct slice text, uint8_t ret[SCHEMAS_DIGEST_BYTES])
{
	uint8_t whole[BLAKE2S_BYTES];

	blake2s(&s->secret, sizeof(s->secret), text.p, text.n, whole);
	memcpy(ret, whole, SCHEMAS_DIGEST_BYTES);
}

static bool is_known(const struct schemas *s, const struct tool_schema *x, struct slice text)
{
	uint8_t digest[SCHEMAS_DIGEST_BYTES];

	if (x->compiled)
		return schema_compiled_is(x->compiled, text.p, text.n);
	if (!x->why)
		return false;
	digest_of(s, text, digest);
	return memcmp(digest, x->digest, sizeof(digest)) == 0;
}

static int set_why(struct tool_schema *x, const char *why)
{
	char cut[SCHEMAS_WHY_MAX];

	record_words(cut, sizeof(cut), why);
	x->why = strdup(cut);
	return x->why ? 0 : -ENOMEM;
}

/* What the text itself is to blame for is not looked at twice; for want of steps it may have another try. */
static int refuse(struct schemas *s, struct tool_schema *x, struct slice text, bool its_own_fault, const char *why)
{
	if (its_own_fault)
		digest_of(s, text, x->digest);
	return set_why(x, why);
}

static int compile(struct schemas *s, struct tool_schema *x, struct slice text, const char *root, bool strict)
{
	uint64_t limit = s->steps < SCHEMA_COMPILE_STEPS ? s->steps : SCHEMA_COMPILE_STEPS, left = limit;
	struct schema_options o = { .root = root, .strict = strict, .steps = &left };
	struct diag d = { 0 };
	int r = schema_compile(text.p, text.n, &o, &x->compiled, &d);

	s->steps -= limit - left;
	if (r == -EINVAL)
		return refuse(s, x, text, limit == SCHEMA_COMPILE_STEPS, d.text);
	if (r < 0)
		return r;
	x->bytes = schema_compiled_size(x->compiled);
	s->bytes += x->bytes;
	if (s->bytes <= SCHEMAS_BYTES_MAX)
		return walk_is_object(text) ? schema_names_gather(&x->names, s->secret, &s->name_bytes, text) : 0;
	forget(s, x);
	return NO_ROOM;
}

static int learn(struct schemas *s, struct tool_schema *x, struct slice text, const char *root, bool strict)
{
	if (!walk_is_none(text) && is_known(s, x, text))
		return 0;
	forget(s, x);
	return walk_is_none(text) ? 0 : compile(s, x, text, root, strict);
}

static int learn_tool(struct schemas *s, struct slice name, struct slice input, struct slice output, bool strict,
	struct schema_tool **ret)
{
	int r = 0;

	*ret = find_tool(s, name);
	if (!*ret && walk_is_none(input) && walk_is_none(output))
		return 0;
	if (!*ret)
		r = add_tool(s, name, ret);
	if (r == 0) {
		(*ret)->list = s->list;
		r = learn(s, &(*ret)->input, input, "arguments", strict);
	}
	return r ? r : learn(s, &(*ret)->output, output, "structuredContent", false);
}

/* There is no room even when all others have given way. */
static int withhold(struct schemas *s, struct schema_tool *t, const char **ret_why)
{
	*ret_why = t ? TOO_LARGE : TOO_MANY;
	s->full = s->lost = true;
	if (!t)
		return SCHEMAS_UNUSABLE;
	forget(s, &t->input);
	forget(s, &t->output);
	int r = set_why(&t->input, TOO_LARGE);
	return r ? r : SCHEMAS_UNUSABLE;
}

int schemas_learn(struct schemas *s, struct slice name, struct slice input, struct slice output, bool strict,
	const char **ret_why)
{
	struct schema_tool *t;
	int r = learn_tool(s, name, input, output, strict, &t);

	*ret_why = NULL;
	if (r == NO_ROOM && !s->full && sweep(s))
		r = learn_tool(s, name, input, output, strict, &t);
	if (r == NO_ROOM)
		return withhold(s, t, ret_why);
	if (r < 0)
		return r;
	*ret_why = !t ? NULL : t->input.why ? t->input.why : t->output.why;
	return *ret_why ? SCHEMAS_UNUSABLE : 0;
}

const struct schema_tool *schemas_of_tool(const struct schemas *s, struct slice tool)
{
	return find_tool(s, tool);
}

const struct schema_names *schemas_input(const struct schemas *s, struct slice tool)
{
	const struct schema_tool *t = find_tool(s, tool);

	return t && t->input.names.known ? &t->input.names : NULL;
}

const struct schema_names *schemas_output(const struct schemas *s, struct slice tool)
{
	const struct schema_tool *t = find_tool(s, tool);

	return t && t->output.names.known ? &t->output.names : NULL;
}

int schemas_judge(
	struct schemas *s, const struct schema_compiled *schema, struct schemas_value *value, struct schema_error *ret)
{
	int r;

	if (!s->checker)
		s->checker = schema_checker_new();
	if (!s->checker)
		return -ENOMEM;
	r = value->read ? 0 : schema_read(s->checker, value->text.p, value->text.n);
	value->read = r == 0;
	return r < 0 ? r : schema_judge(schema, s->checker, ret);
}

void schemas_let_go(struct schemas *s, struct schemas_value *value)
{
	if (value->read)
		schema_let_go(s->checker);
	value->read = false;
}

int schemas_check(struct schemas *s, const struct schema_compiled *schema, struct slice value, struct schema_error *ret)
{
	struct schemas_value v = { .text = value };
	int r = schemas_judge(s, schema, &v, ret);

	schemas_let_go(s, &v);
	return r;
}
