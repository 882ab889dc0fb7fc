/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_profile - any bytes as a profile: parsed and expanded, or refused in one line that is fit for a terminal
 *
 * Promises: no input crashes; a refusal has words without control characters; what parses names where each item stands.
 */
#include <string.h>
#include "supervisor/profile_parse.h"
#include "tests/fuzz/fuzz.h"

static void check_items(const struct profile_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		if (!items->v[i].value || !items->v[i].where || !strstr(items->v[i].where, "fuzz.json:"))
			abort();
}

static void check_paths(const struct profile_items *items)
{
	for (size_t i = 0; i < items->n; i++)
		if (items->v[i].value[0] != '/' || strstr(items->v[i].value, "/../"))
			abort();
}

static void check_parsed(struct profile *p)
{
	const struct profile_items *const lists[] = { &p->command, &p->env_set, &p->env_pass, &p->fs_read, &p->fs_write,
		&p->fs_deny, &p->unix_sockets, &p->roots };
	struct paths paths = { .home = (char[]){ "/home/user" } };
	const struct profile_args a = { .paths = &paths, .workspace = "/srv/space" };
	struct diag d = { 0 };

	if (!profile_name_valid(p->name) || !p->command.n)
		abort();
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		check_items(lists[i]);
	if (profile_expand(p, &a, &d) < 0) {
		check_words(d.text);
		return;
	}
	check_paths(&p->fs_read);
	check_paths(&p->fs_write);
	check_paths(&p->roots);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_profile_ struct profile p = { 0 };
	_cleanup_free_ char *text = malloc(size + 1);
	struct diag d = { 0 };

	if (!text || size > PROFILE_BYTES_MAX)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (profile_parse("fuzz.json", text, size, NULL, &p, &d) < 0)
		check_words(d.text);
	else
		check_parsed(&p);
	return 0;
}
