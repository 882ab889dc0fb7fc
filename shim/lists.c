/* SPDX-License-Identifier: Apache-2.0 */
/* lists - see lists.h */
#include "shim/lists.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "shim/arguments.h"
#include "shim/fold.h"
#include "shim/keyed.h"
#include "shim/kills.h"
#include "shim/pins.h"
#include "shim/policy.h"
#include "shim/record.h"
#include "shim/roots.h"
#include "shim/scans.h"
#include "shim/scopes.h"

/* Which array, which member of its elements, by which rules. */
static const struct list_row {
	enum method_result kind;
	const char *array, *name;
	enum shim_scope scope;
} lists[] = {
	{ RESULT_TOOLS, "tools", "name", SHIM_TOOLS },
	{ RESULT_RESOURCES, "resources", "uri", SHIM_RESOURCES },
	{ RESULT_TEMPLATES, "resourceTemplates", "uriTemplate", SHIM_RESOURCES },
	{ RESULT_PROMPTS, "prompts", "name", SHIM_PROMPTS },
};

/* Copies what is in the message from there on, up to that place. */
static int put_between(struct buf *out, const char *from, const char *to)
{
	return buf_append(out, from, (size_t)(to - from));
}

static const char *message_end(const struct shim *s)
{
	return s->doc.out.data + s->doc.out.len;
}

/* Says whether an element or a member stays. Elements have an empty key. */
typedef int (*keep_fn)(struct shim *s, const void *arg, struct slice key, struct slice value, bool *ret);

static bool next(struct walk *w, bool object, struct slice *key, struct slice *value)
{
	*key = (struct slice){ NULL, 0 };
	return object ? walk_member(w, key, value) : walk_element(w, value);
}

static int put_kept(struct buf *out, bool first, struct slice key, struct slice value)
{
	/* A member's key begins one byte before its inside. */
	const char *from = key.p ? key.p - 1 : value.p;
	int r = first ? 0 : buf_putc(out, ',');

	return r ? r : buf_append(out, from, (size_t)(value.p + value.n - from));
}

/* Appends the container without those elements or members that keep turns down; adds their number to *hidden. */
static int put_sifted(
	struct shim *s, struct slice container, keep_fn keep, const void *arg, struct buf *out, uint64_t *hidden)
{
	bool object = walk_is_object(container), stays;
	struct walk w = object ? walk_object(container) : walk_array(container);
	struct slice key, value;
	uint64_t kept = 0;
	int r = buf_putc(out, object ? '{' : '[');

	while (r == 0 && next(&w, object, &key, &value)) {
		r = keep(s, arg, key, value, &stays);
		if (r == 0 && stays)
			r = put_kept(out, kept++ == 0, key, value);
		else
			*hidden += 1;
	}
	return r ? r : buf_putc(out, object ? '}' : ']');
}

/* Does keep turn nothing down? Most messages lose nothing and need not be copied. */
static int stays_whole(struct shim *s, struct slice container, keep_fn keep, const void *arg, bool *ret)
{
	bool object = walk_is_object(container);
	struct walk w = object ? walk_object(container) : walk_array(container);
	struct slice key, value;
	int r = 0;

	*ret = true;
	while (r == 0 && *ret && next(&w, object, &key, &value))
		r = keep(s, arg, key, value, ret);
	return r;
}

/* Rewrites the message without what keep turns down in the container. */
static int sift(
	struct shim *s, struct slice container, keep_fn keep, const void *arg, struct buf *out, uint64_t *ret_hidden)
{
	bool whole;
	int r = stays_whole(s, container, keep, arg, &whole);

	*ret_hidden = 0;
	if (r || whole)
		return r;
	buf_clear(out);
	s->doubles = s->unusable = 0;
	buf_clear(&s->unusable_words);
	r = put_between(out, s->doc.out.data, container.p);
	if (r == 0)
		r = put_sifted(s, container, keep, arg, out, ret_hidden);
	return r ? r : put_between(out, container.p + container.n, message_end(s));
}

/* A client that reads page after page meanwhile has a list of its own. */
static struct listed *listed_of(struct shim *s, enum method_result kind)
{
	return s->pins.learning ? &s->own_listed : &s->listed[kind - RESULT_TOOLS];
}

static int note_unusable(struct shim *s, struct slice name, const char *why)
{
	char shown[EVENT_TEXT_MAX];
	int r;

	if (s->unusable++ >= SHIM_UNUSABLE_MAX)
		return 0;
	record_text(shown, sizeof(shown), name);
	r = buf_append(&s->unusable_words, shown, strlen(shown) + 1);
	return r ? r : buf_append(&s->unusable_words, why, strlen(why) + 1);
}

/* A tool whose schemas cannot be compiled does not stay: nobody could say what a call of it means. */
static int learn_schemas(struct shim *s, struct slice name, struct slice tool, bool *ret_keep)
{
	const char *why;
	bool strict;
	int r = arguments_strict(s, name, &strict);

	if (r == 0)
		r = schemas_learn(
			&s->schemas, name, walk_get(tool, "inputSchema"), walk_get(tool, "outputSchema"), strict, &why);
	*ret_keep = r == 0;
	if (r == SCHEMAS_UNUSABLE)
		r = note_unusable(s, name, why);
	return r;
}

/* The scopes first: they learn from what is said of it, whether it stays or not. */
static int keep_tool(struct shim *s, struct slice name, struct slice tool, bool *ret)
{
	const char *killed = NULL;
	int r = scopes_keep(s, name, tool, ret);

	if (r == 0)
		r = kills_find(s, name, &killed);
	*ret = *ret && !killed;
	return r;
}

bool lists_observe(const struct shim *s)
{
	return s->boot_us < s->config.observe_until_us;
}

int lists_observe_tick(struct shim *s)
{
	uint64_t until = s->config.observe_until_us, left;

	if (!until || s->observe_over)
		return 0;
	if (lists_observe(s)) {
		left = until - s->boot_us;
		shim_wake_at(s, s->now_us + (left < LISTS_LOOK_US ? left : LISTS_LOOK_US));
		return 0;
	}
	s->observe_over = true;
	return scopes_tell_client(s);
}

/* What passes while this machine only observes has to be listed, or no client would try. */
static const struct shim_rules *rules_of(const struct shim *s, const struct list_row *list)
{
	static const struct shim_rules all;
	const struct shim_rules *rules = &s->config.scope[list->scope];

	if (list->scope != SHIM_TOOLS || !lists_observe(s))
		return rules;
	return rules->ceiling ? rules->ceiling : &all;
}

/* What may hang on more than the list's own bytes is asked each time that it comes. */
static int keep_by_rules(struct shim *s, const void *arg, struct slice key, struct slice item, bool *ret)
{
	const struct list_row *list = arg;
	struct slice name = walk_string(walk_get(item, list->name));
	int r;

	*ret = false;
	if (!name.p || walk_is_broken(name))
		return 0;
	r = policy_allows(rules_of(s, list), name, &s->subject, ret);
	return r == 0 && *ret && list->kind == RESULT_TOOLS ? keep_tool(s, name, item, ret) : r;
}

static int keep_listed(struct shim *s, const void *arg, struct slice key, struct slice item, bool *ret)
{
	const struct list_row *list = arg;
	struct slice name = walk_string(walk_get(item, list->name));
	int r = keep_by_rules(s, arg, key, item, ret);

	*ret = r == 0 && *ret && !text_out_spoils(s, name, item);
	if (r == 0 && *ret && pins_kind_of(list->kind) >= 0)
		r = pins_keep(s, (enum definition_kind)pins_kind_of(list->kind), name, item, ret);
	if (r < 0 || !*ret)
		return r;
	r = listed_keep(
		listed_of(s, list->kind), s->schemas.secret, name, item, (uint32_t)(item.p - s->doc.out.data), ret);
	if (r == 0 && !*ret)
		s->doubles++;
	if (r == 0 && *ret && list->kind == RESULT_TOOLS)
		r = learn_schemas(s, name, item, ret);
	if (r == 0 && *ret)
		r = scans_keep(s, list->kind, name, item, ret);
	return r;
}

/* Did the very same list stay whole before, and do the rules let all of it stay now? What followed from its items
 * (schemas.h, pins.h, scans.h) still stands. */
static int find_known(struct shim *s, const struct list_row *list, struct slice array)
{
	struct listed_known *k = &s->known[list->kind - RESULT_TOOLS];
	uint8_t digest[LISTED_DIGEST_BYTES];
	int r = 0;

	keyed_digest(s->schemas.secret, KEYED_LIST + (uint64_t)list->kind, array, digest);
	if (k->is && k->forgotten == s->scans.forgotten && memcmp(k->digest, digest, sizeof(digest)) == 0)
		r = stays_whole(s, array, keep_by_rules, list, &k->here);
	if (k->here)
		return r;
	*k = (struct listed_known){ .is = false };
	memcpy(k->digest, digest, sizeof(digest));
	return r;
}

static void note_known(struct shim *s, const struct list_row *list)
{
	struct listed_known *k = &s->known[list->kind - RESULT_TOOLS];

	k->is = k->here = true;
	k->forgotten = s->scans.forgotten;
}

static int filter_page(struct shim *s, const struct list_row *list, bool further, struct buf *out, uint64_t *ret_hidden)
{
	struct slice array = message_get(&s->doc, list->array);
	struct listed *listed = listed_of(s, list->kind);
	struct listed_known *known = &s->known[list->kind - RESULT_TOOLS];
	bool more = message_get(&s->doc, "nextCursor").n > 0, whole = !further && !more;
	int r;

	known->here = false;
	if (!walk_is_array(array))
		return array.n ? LISTS_UNREADABLE : 0;
	if (list->kind == RESULT_TOOLS)
		scopes_list_page(s, !further, !more);
	r = whole ? find_known(s, list, array) : 0;
	if (r || known->here)
		return r;
	known->is = false;
	listed_begin(listed, !further, further || more);
	if (list->kind == RESULT_TOOLS)
		schemas_begin(&s->schemas, !further, !more);
	r = list->kind == RESULT_TOOLS ? scans_note_own(s, &s->scans.scan, array) : 0;
	if (r < 0)
		return r;
	r = sift(s, array, keep_listed, list, out, ret_hidden);
	if (!more)
		listed_done(listed);
	if (r == 0 && whole && *ret_hidden == 0)
		note_known(s, list);
	return r;
}

int lists_filter(struct shim *s, enum method_result kind, bool further, struct buf *out, uint64_t *ret_hidden)
{
	*ret_hidden = 0;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].kind == kind)
			return filter_page(s, &lists[i], further, out, ret_hidden);
	return 0;
}

static bool is_full_array(struct slice value)
{
	return walk_is_array(value) && value.n > 2;
}

/* In capabilities.tools only listChanged and its like belong; an object there is a tool under its own name. */
static int keep_capability(struct shim *s, const void *arg, struct slice key, struct slice value, bool *ret)
{
	*ret = true;
	if (is_full_array(value))
		return LISTS_NO_CAPABILITY;
	if (!walk_is_object(value))
		return 0;
	/* No list has it, so nothing was pinned under it. */
	*ret = !s->config.pins.on;
	int r = *ret ? policy_allows(&s->config.scope[SHIM_TOOLS], key, &s->subject, ret) : 0;
	return r == 0 && *ret ? keep_tool(s, key, value, ret) : r;
}

int lists_filter_capabilities(struct shim *s, struct buf *out, uint64_t *ret_hidden)
{
	struct slice tools = walk_get(message_get(&s->doc, "capabilities"), "tools");

	*ret_hidden = 0;
	if (is_full_array(tools))
		return LISTS_NO_CAPABILITY;
	return walk_is_object(tools) ? sift(s, tools, keep_capability, NULL, out, ret_hidden) : 0;
}

static int keep_instructions(struct shim *s, const void *arg, struct slice key, struct slice value, bool *ret)
{
	*ret = true;
	if (!slice_is(key, "instructions"))
		return 0;
	int r = pins_keep(s, DEFINITION_INSTRUCTIONS, (struct slice){ "", 0 }, value, ret);
	return r == 0 && *ret ? scans_instructions(s, value, ret) : r;
}

int lists_filter_instructions(struct shim *s, struct slice result, struct buf *out, uint64_t *ret_hidden)
{
	return sift(s, result, keep_instructions, NULL, out, ret_hidden);
}

static int keep_root(struct shim *s, const void *arg, struct slice key, struct slice root, bool *ret)
{
	struct slice uri = walk_string(walk_get(root, "uri"));

	*ret = uri.p && roots_within(&s->config.roots, uri);
	return 0;
}

int lists_filter_roots(struct shim *s, struct slice roots, struct buf *out, uint64_t *ret_hidden)
{
	*ret_hidden = 0;
	return walk_is_array(roots) ? sift(s, roots, keep_root, NULL, out, ret_hidden) : 0;
}

int lists_filter_responses(struct shim *s, struct slice responses, struct buf *out, uint64_t *ret_hidden)
{
	struct walk w = walk_object(responses);
	const char *from = s->doc.out.data;
	struct slice key, value;
	int r = 0;

	*ret_hidden = 0;
	while (r == 0 && walk_member(&w, &key, &value)) {
		struct slice roots = walk_get(value, "roots");
		bool whole = true;
		if (walk_is_array(roots))
			r = stays_whole(s, roots, keep_root, NULL, &whole);
		if (r || whole)
			continue;
		if (*ret_hidden == 0)
			buf_clear(out);
		r = put_between(out, from, roots.p);
		if (r == 0)
			r = put_sifted(s, roots, keep_root, NULL, out, ret_hidden);
		from = roots.p + roots.n;
	}
	return r || *ret_hidden == 0 ? r : put_between(out, from, message_end(s));
}
