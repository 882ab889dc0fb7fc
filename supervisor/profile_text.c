/* SPDX-License-Identifier: Apache-2.0 */
/* profile_text - what is to be taken out of the text that passes (profile_parse.h, wire/shim_text.h) */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "schema/regex.h"
#include "supervisor/profile_parse.h"

int key_set_text_mode(const struct key *k)
{
	static const char *const words[] = { "neutralise", "pass" };
	size_t which = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &which);

	if (r == 0)
		KEY_FIELD(k, struct shim_text)->pass = which == 1;
	return r;
}

/* "national": every number of a person that a state gives out. */
static uint32_t sets_of(const char *word)
{
	const uint32_t all = (1u << SHIM_SET_COUNT) - 1;

	if (strcmp(word, "national") == 0)
		return all & ~(1u << SHIM_SET_MAIL | 1u << SHIM_SET_CARD | 1u << SHIM_SET_IBAN);
	for (unsigned i = 0; i < SHIM_SET_COUNT; i++)
		if (strcmp(word, shim_set_name(i)) == 0)
			return 1u << i;
	return 0;
}

static int unknown_set(const struct key *k, const char *word, unsigned line)
{
	const char *names[SHIM_SET_COUNT + 1] = { "national" }, *near;
	_cleanup_buf_ struct buf list = BUF_INIT(1024);
	char shown[PROFILE_SHOWN_MAX];
	int r = buf_puts(&list, "national");

	for (unsigned i = 0; r == 0 && i < SHIM_SET_COUNT; i++) {
		names[i + 1] = shim_set_name(i);
		r = buf_printf(&list, ", %s", names[i + 1]);
	}
	if (r < 0)
		return r;
	near = text_nearest(word, names, ARRAY_LEN(names));
	text_escape_str(word, shown, sizeof(shown));
	if (near)
		return key_fail_at(k, line, "has no set \"%s\"; did you mean \"%s\"?", shown, near);
	return key_fail_at(k, line, "has no set \"%s\"; there are %s", shown, list.data);
}

/* A name stands in the mark that is seen in place of what was found. */
static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_");

	return n > 0 && n <= 32 && !name[n];
}

/* {"name": "ticket", "pattern": "TICK-[0-9]+"} */
static int take_pattern(const struct key *k, const json_t *item, unsigned line)
{
	const char *name = json_string_value(json_object_get(item, "name")),
		   *pattern = json_string_value(json_object_get(item, "pattern"));
	struct regex *regex = NULL;
	struct diag d = { 0 };
	int r = key_walk(k->parse, "tools.redact[]", k->shown, item, k->target);

	if (r < 0)
		return r;
	if (!name || !pattern || !*pattern)
		return key_fail_at(k, line,
			name ? "has a rule without \"pattern\", which says what is replaced"
			     : "has a rule without \"name\", which stands in the mark");
	if (!is_name(name) || sets_of(name))
		return key_fail_at(k, line,
			"has a pattern whose name is not made of a-z, 0-9, '-' and '_' (32 at the most), or is that of "
			"a set");
	r = regex_compile(pattern, strlen(pattern), &regex, &d);
	regex_free(regex);
	if (r == -EINVAL)
		return key_fail_at(k, line, "%s", d.text);
	if (r == 0)
		r = shim_text_add_pattern(KEY_FIELD(k, struct shim_text), name, pattern);
	return r == -E2BIG ? key_fail(k, "has more than %d patterns", SHIM_PATTERNS_MAX) : r;
}

int key_set_redact(const struct key *k)
{
	struct shim_text *t = KEY_FIELD(k, struct shim_text);
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		unsigned line = key_item_line(k, i);
		const char *word = json_string_value(item);
		uint32_t sets = word ? sets_of(word) : 0;

		if (!word && !json_is_object(item))
			return key_fail_at(k, line,
				"must hold names of sets, or objects with \"name\" and \"pattern\"; there is %s",
				json_file_type(item));
		r = word ? (sets ? 0 : unknown_set(k, word, line)) : take_pattern(k, item, line);
		if (r < 0)
			return r;
		t->sets |= sets;
	}
	return r;
}
