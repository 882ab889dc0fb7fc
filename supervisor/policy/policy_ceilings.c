/* SPDX-License-Identifier: Apache-2.0 */
/* policy_ceilings - see policy_ceilings.h */
#include "supervisor/policy/policy_ceilings.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/policy/policy_keys.h"
#include "supervisor/profile_parse.h"

enum { SHOWN = 256 };

const char *policy_ceiling(const struct policy_ceilings *c, const char *path)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->keys[i].path, path) == 0)
			return c->keys[i].where;
	return NULL;
}

static int note(const struct key *k)
{
	struct policy_ceilings *c = KEY_FIELD(k, struct policy_ceilings);
	struct policy_ceiling_key *v = reallocarray(c->keys, c->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	c->keys = v;
	v[c->n] = (struct policy_ceiling_key){ .path = k->row->path };
	return key_where(k, k->line, NULL, &v[c->n++].where);
}

static const struct key_row *profile_row(const char *path)
{
	for (size_t i = 0; i < profile_keys.n; i++)
		if (strcmp(profile_keys.rows[i].path, path) == 0)
			return &profile_keys.rows[i];
	return NULL;
}

/* As a profile's key of the same path. */
static int take_as_profile(const struct key *k)
{
	struct policy_ceilings *c = KEY_FIELD(k, struct policy_ceilings);
	struct parse inner = *k->parse;
	struct key as = *k;

	inner.table = &profile_keys;
	inner.profile = &c->bounds;
	as.parse = &inner;
	as.row = profile_row(k->row->path);
	as.target = &c->bounds;
	return as.row ? as.row->set(&as) : -EINVAL;
}

int policy_set_ceiling(const struct key *k)
{
	int r = take_as_profile(k);

	return r < 0 ? r : note(k);
}

/* A place is the same for every launch: what a client or a user chooses bounds nothing. */
int policy_set_ceiling_paths(const struct key *k)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		const char *path = json_string_value(item), *reference = strstr(path, "${");
		bool home = reference == path && strncmp(path, "${HOME}", 7) == 0 && !strstr(path + 7, "${");
		if (*path == '?')
			return key_fail_at(k, key_item_line(k, i),
				"has a path with '?': what is not there bounds nothing, so leave it out");
		if (reference && !home)
			return key_fail_at(k, key_item_line(k, i),
				"has a path that each launch chooses for itself; write it out, or begin it with ~/");
	}
	return policy_set_ceiling(k);
}

/* The rules are about names alone: rates and arguments are the profile's. */
int policy_set_ceiling_names(const struct key *k)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item) if (!json_is_string(item)) return key_fail_at(
		k, key_item_line(k, i), "must hold names (strings), and there is %s", json_file_type(item));
	return policy_set_ceiling(k);
}

int policy_set_ceiling_hosts(const struct key *k)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i,
		item) if (!json_is_string(item) || strstr(json_string_value(item), "${")) return key_fail_at(k,
		key_item_line(k, i), "must hold hosts with their ports, such as \"*.example.com:443\"");
	return policy_set_ceiling(k);
}

static int add_pattern(struct profile_items *l, const struct key *k, const char *text, unsigned line)
{
	struct profile_item *v = reallocarray(l->v, l->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	l->v = v;
	v[l->n] = (struct profile_item){ .value = strdup(text) };
	return v[l->n++].value ? key_where(k, line, text, &v[l->n - 1].where) : -ENOMEM;
}

static int take_words(const struct key *k, struct profile_items *l, const char *allowed, const char *what)
{
	const json_t *item;
	char shown[SHOWN];
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		const char *text = json_string_value(item);
		int r;
		if (!*text || text[strspn(text, allowed)])
			return key_fail_at(k, key_item_line(k, i), "has \"%s\", which is no %s",
				text_escape_str(text, shown, sizeof(shown)), what);
		r = add_pattern(l, k, text, key_item_line(k, i));
		if (r < 0)
			return r;
	}
	return note(k);
}

#define NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

int policy_set_env_pass(const struct key *k)
{
	return take_words(k, &KEY_FIELD(k, struct policy_ceilings)->env_pass, NAME_CHARS "*",
		"name of a variable, nor a pattern of such");
}

int policy_set_env_set(const struct key *k)
{
	return take_words(k, &KEY_FIELD(k, struct policy_ceilings)->env_set, NAME_CHARS "*",
		"name of a variable, nor a pattern of such");
}

int policy_set_seccomp(const struct key *k)
{
	static const char *const sets[] = { "default", "browser" };
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		const char *text = json_string_value(item);
		if (strcmp(text, sets[0]) != 0 && strcmp(text, sets[1]) != 0)
			return key_fail_at(k, key_item_line(k, i), "must hold \"default\" and \"browser\" alone");
	}
	return take_words(k, &KEY_FIELD(k, struct policy_ceilings)->seccomp, NAME_CHARS, "set of system calls");
}

static int take_switch(const struct key *k, bool *ret)
{
	*ret = json_is_true(k->v);
	return note(k);
}

int policy_set_publish(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct policy_ceilings)->publish);
}

int policy_set_private(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct policy_ceilings)->private_networks);
}

int policy_set_sni(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct policy_ceilings)->sni);
}

int policy_set_sampling(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct policy_ceilings)->sampling);
}

int policy_set_elicitation(const struct key *k)
{
	return take_switch(k, &KEY_FIELD(k, struct policy_ceilings)->elicitation);
}

static void items_done(struct profile_items *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].value);
		free(l->v[i].where);
	}
	free(l->v);
}

void policy_ceilings_done(struct policy_ceilings *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->keys[i].where);
	free(c->keys);
	items_done(&c->env_pass);
	items_done(&c->env_set);
	items_done(&c->seccomp);
	profile_done(&c->bounds);
	*c = (struct policy_ceilings){ 0 };
}
