/* SPDX-License-Identifier: Apache-2.0 */
/* profile_set - what takes the value of a key, by its kind (profile_parse.h) */
#include <errno.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/profile_parse.h"

enum { FORMAT = 1, NAME_MAX_BYTES = 64, CENTURY_DAYS = 36500 };

static const char *text_of(const struct key *k)
{
	return json_string_value(k->v);
}

static int replace(char **field, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

int key_set_accepted(const struct key *k)
{
	(void)k;
	return 0;
}

int key_set_refused(const struct key *k)
{
	return key_fail(k,
		"cannot be kept: this version does not enforce %s yet; remove it or wait: nothing is started with a "
		"rule that "
		"is not kept",
		k->row->words);
}

int key_set_empty(const struct key *k)
{
	return json_array_size(k->v) ? key_set_refused(k) : 0;
}

int key_set_format(const struct key *k)
{
	json_int_t v = json_integer_value(k->v);

	if (v != FORMAT)
		return key_fail(k, "is %lld: this version reads profiles of format %d only", (long long)v, FORMAT);
	return 0;
}

bool profile_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return n > 0 && n <= NAME_MAX_BYTES && !name[n] && !strchr("._-", name[0]);
}

int key_set_name(const struct key *k)
{
	if (!profile_name_valid(text_of(k)))
		return key_fail(k,
			"must be made of a-z, 0-9, '.', '_' and '-', begin with a letter or digit, and be at most %d "
			"bytes",
			NAME_MAX_BYTES);
	return replace(KEY_FIELD(k, char *), text_of(k));
}

int key_set_text(const struct key *k)
{
	return replace(KEY_FIELD(k, char *), text_of(k));
}

int key_set_date(const struct key *k)
{
	int64_t t;

	if (parse_time(text_of(k), &t) < 0)
		return key_fail(k, "must be a date or a UTC time, such as \"2026-10-01\" or \"2027-04-01T00:00:00Z\"");
	return key_set_text(k);
}

/* "npm" or "pypi" is the key itself. */
int key_set_package(const struct key *k)
{
	struct profile *p = k->target;
	int r;

	if (p->package_name)
		return key_fail(k, "is the second package of this profile; it can have one");
	r = replace(&p->package_kind, strchr(k->row->path, '.') + 1);
	return r < 0 ? r : replace(&p->package_name, text_of(k));
}

int key_set_integer(const struct key *k)
{
	json_int_t v = json_integer_value(k->v);

	if (v < (json_int_t)k->row->min || v > (json_int_t)k->row->max)
		return key_fail(k, "is %lld; it must lie between %llu and %llu", (long long)v,
			(unsigned long long)k->row->min, (unsigned long long)k->row->max);
	*KEY_FIELD(k, uint64_t) = (uint64_t)v;
	return 0;
}

int key_set_size(const struct key *k)
{
	int r = parse_size(text_of(k), k->row->min, k->row->max, KEY_FIELD(k, uint64_t));

	if (r == -ERANGE)
		return key_fail(k, "must lie between %llu and %llu bytes", (unsigned long long)k->row->min,
			(unsigned long long)k->row->max);
	if (r < 0)
		return key_fail(k, "must be a size: digits and KiB, MiB or GiB, such as \"256MiB\"");
	return 0;
}

int key_set_duration(const struct key *k)
{
	uint64_t seconds;

	if (parse_duration(text_of(k), k->row->min, k->row->max, &seconds) < 0)
		return key_fail(k, "must be a time from \"1d\" to \"%dd\"", CENTURY_DAYS);
	return key_set_text(k);
}

int key_set_boolean(const struct key *k)
{
	*KEY_FIELD(k, bool) = json_is_true(k->v);
	return 0;
}

int key_set_strings(const struct key *k)
{
	const json_t *item;
	size_t i;
	int r = 0;

	if (!json_array_size(k->v))
		return key_fail(k, "is an empty list, which nothing fits; leave it out");
	json_array_foreach((json_t *)(uintptr_t)k->v, i, item) r =
		r < 0 ? r : strv_add(KEY_FIELD(k, struct strv), json_string_value(item));
	return r;
}

static int items_add(const struct key *k, const char *value, unsigned line, bool optional)
{
	struct profile_items *items = KEY_FIELD(k, struct profile_items);
	struct profile_item *more = reallocarray(items->v, items->n + 1, sizeof(*more));
	struct profile_item *item;

	if (!more)
		return -ENOMEM;
	items->v = more;
	item = &items->v[items->n++];
	*item = (struct profile_item){ .value = strdup(value), .optional = optional };
	return item->value ? key_where(k, line, NULL, &item->where) : -ENOMEM;
}

typedef int item_check_fn(const struct key *k, const char *text, unsigned line, bool *ret_optional);

static int items_take(const struct key *k, item_check_fn *check)
{
	const json_t *item;
	size_t i;

	KEY_FIELD(k, struct profile_items)->set = true;
	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		const char *text = json_string_value(item);
		unsigned line = key_item_line(k, i);
		bool optional = false;
		int r = check ? check(k, text, line, &optional) : 0;

		if (r == 0)
			r = items_add(k, text + optional, line, optional);
		if (r < 0)
			return r;
	}
	return 0;
}

int key_set_items(const struct key *k)
{
	return items_take(k, NULL);
}

static bool has_dotdot(const char *path)
{
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || !at[2]))
			return true;
	}
	return false;
}

/* The form that can become an absolute path; whether it is there is seen when it is expanded. */
static int check_path(const struct key *k, const char *text, unsigned line, bool *ret_optional)
{
	char shown[PROFILE_SHOWN_MAX];

	text_escape_str(text, shown, sizeof(shown));
	*ret_optional = text[0] == '?';
	text += *ret_optional;
	if (text[0] == '~' && text[1] && text[1] != '/')
		return key_fail_at(
			k, line, "has the path \"%s\": the home of another user is not looked up; write it out", shown);
	if (text[0] != '/' && text[0] != '~' && strncmp(text, "${", 2))
		return key_fail_at(k, line,
			"has the relative path \"%s\"; begin it with /, ~/, ${workspace} or a parameter", shown);
	if (has_dotdot(text))
		return key_fail_at(k, line, "has the path \"%s\" with '..' in it; write the path that is meant", shown);
	return 0;
}

int key_set_within(const struct key *k)
{
	const json_t *item;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		bool optional = false;
		int r = check_path(k, json_string_value(item), key_item_line(k, i), &optional);

		if (r == 0 && optional)
			r = key_fail_at(k, key_item_line(k, i), "cannot be optional: leave '?' out");
		if (r < 0)
			return r;
	}
	return key_set_strings(k);
}

int key_set_paths(const struct key *k)
{
	return items_take(k, check_path);
}

int key_set_path(const struct key *k)
{
	struct profile_item *item = KEY_FIELD(k, struct profile_item);
	bool optional = false;
	int r = check_path(k, text_of(k), k->line, &optional);

	if (r < 0)
		return r;
	if (optional)
		return key_fail(k, "cannot be optional: leave '?' out");
	r = replace(&item->value, text_of(k));
	return r < 0 ? r : key_where(k, k->line, NULL, &item->where);
}

/* A path, or a pattern relative to each grant: "**" is any depth, "*" any run within a name. */
static int check_pattern(const struct key *k, const char *text, unsigned line, bool *ret_optional)
{
	char shown[PROFILE_SHOWN_MAX];

	*ret_optional = false;
	text_escape_str(text, shown, sizeof(shown));
	if (text[0] == '?' || text[0] == '!' || !text[0])
		return key_fail_at(k, line, "has \"%s\", which is no pattern; write one such as \"**/.env\"", shown);
	if (strpbrk(text, "[]") || strchr(text, '?'))
		return key_fail_at(
			k, line, "has the pattern \"%s\"; only '*' and '**' stand for something else in it", shown);
	if (has_dotdot(text) || strstr(text, "//") || !strncmp(text, "./", 2) || text[strlen(text) - 1] == '/')
		return key_fail_at(k, line, "has the pattern \"%s\", which no file's path has the form of", shown);
	if (strchr("/~", text[0]) || !strncmp(text, "${", 2))
		return check_path(k, text, line, ret_optional);
	return 0;
}

int key_set_patterns(const struct key *k)
{
	return items_take(k, check_pattern);
}

/* POSIX, Base Definitions 8.1: what every shell and getenv(3) agree on. */
static bool env_name_valid(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && !name[n] && (name[0] < '0' || name[0] > '9');
}

static int check_env_name(const struct key *k, const char *text, unsigned line, bool *ret_optional)
{
	char shown[PROFILE_SHOWN_MAX];

	*ret_optional = false;
	text_escape_str(text, shown, sizeof(shown));
	if (strchr(text, '='))
		return key_fail_at(k, line,
			"takes names of variables, and \"%s\" gives a value: that belongs into env.set", shown);
	if (!env_name_valid(text))
		return key_fail_at(k, line, "has \"%s\", which is no name of an environment variable", shown);
	return 0;
}

int key_set_env_names(const struct key *k)
{
	return items_take(k, check_env_name);
}

int key_set_env(const struct key *k)
{
	json_t *o = (json_t *)(uintptr_t)k->v;
	size_t index = 0;

	KEY_FIELD(k, struct profile_items)->set = true;
	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i), index++) {
		const char *name = json_object_iter_key(i);
		const char *value = json_string_value(json_object_iter_value(i));
		unsigned line = key_item_line(k, index);
		_cleanup_free_ char *entry = NULL;
		bool optional;
		int r = check_env_name(k, name, line, &optional);

		if (r < 0)
			return r;
		if (!value)
			return key_fail_at(k, line, "gives %s to %s; a variable's value is a string",
				json_file_type(json_object_iter_value(i)), name);
		if (strlen(value) > PROFILE_STRING_MAX)
			return key_fail_at(k, line, "gives %s a value longer than %d bytes", name, PROFILE_STRING_MAX);
		if (asprintf(&entry, "%s=%s", name, value) < 0) {
			entry = NULL;
			return -ENOMEM;
		}
		r = items_add(k, entry, line, false);
		if (r < 0)
			return r;
	}
	return 0;
}

int key_set_protect(const struct key *k)
{
	static const char *const words[] = { "none", "default" };
	struct profile *p = k->target;
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	if (r == 0)
		p->protect = i == 1;
	return r;
}

int key_set_home(const struct key *k)
{
	static const char *const words[] = { [HOME_EMPTY] = "empty", [HOME_PRIVATE] = "private" };
	struct profile *p = k->target;
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	if (r == 0)
		p->home = (enum profile_home)i;
	return r;
}

/* The sets of profiles/seccomp that are for servers; which variant is taken follows from ipc.unix. */
int key_set_seccomp(const struct key *k)
{
	static const char *const words[] = { "default", "browser" };
	struct profile *p = k->target;
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	return r < 0 ? r : replace(&p->seccomp, words[i]);
}

/* What follows from what a scan finds in the definitions of a list. */
int key_set_scan(const struct key *k)
{
	static const char *const words[] = { "record", "withhold" };
	struct profile *p = k->target;
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	return r < 0 || i == 0 ? r : key_where(k, k->line, words[i], &p->scan_withhold);
}

/* One name, so that it is beside the profile and nowhere else; with an ending of its own, so that it is no profile. */
int key_set_pins(const struct key *k)
{
	static const char suffix[] = ".pins";
	const char *name = text_of(k);
	size_t n = strlen(name), end = sizeof(suffix) - 1;
	char shown[PROFILE_SHOWN_MAX];

	text_escape_str(name, shown, sizeof(shown));
	if (n <= end || n > PROFILE_PINS_MAX || strcmp(name + n - end, suffix) != 0 || name[0] == '.' ||
		name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-")])
		return key_fail(k,
			"is \"%s\"; it takes the name of a file in the profile's own directory, like \"github.pins\"",
			shown);
	return replace(KEY_FIELD(k, char *), name);
}

int key_set_audit_arguments(const struct key *k)
{
	static const char *const words[] = {
		[SHIM_ARGS_KEYS] = "keys", [SHIM_ARGS_HASH] = "hash", [SHIM_ARGS_FULL] = "full"
	};
	struct profile *p = k->target;
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	if (r == 0)
		p->audit_args = (enum shim_args)i;
	return r;
}
