/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_params - declared in the profile, given with --set: typed, and bounded by `within` and `choices`
 *
 * Process:  supervisor
 *
 * A directory or file is taken by its canonical path, so that a symbolic link cannot lead out of `within`.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/network.h"
#include "supervisor/profile_parse.h"

static const char *const type_names[] = {
	[PARAM_STRING] = "string",
	[PARAM_DIRECTORY] = "directory",
	[PARAM_FILE] = "file",
	[PARAM_INTEGER] = "integer",
	[PARAM_BOOLEAN] = "boolean",
	[PARAM_HOST] = "host",
};

struct profile_param *profile_param_find(const struct profile *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->n_params; i++)
		if (strlen(p->params[i].name) == len && !memcmp(p->params[i].name, name, len))
			return &p->params[i];
	return NULL;
}

struct profile_param *profile_param_exact(const struct profile *p, const char *text)
{
	size_t n = strlen(text);

	if (n < 4 || strncmp(text, "${", 2) || strchr(text, '}') != text + n - 1)
		return NULL;
	return profile_param_find(p, text + 2, n - 3);
}

static bool is_path_type(enum profile_param_type t)
{
	return t == PARAM_DIRECTORY || t == PARAM_FILE;
}

int key_set_param_type(const struct key *k)
{
	struct profile_param *param = k->target;
	size_t i = 0;
	int r = key_word(k, type_names, PARAM_TYPE_COUNT, &i);

	if (r == 0)
		param->type = (enum profile_param_type)i;
	return r;
}

static bool has_controls(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static int check_choices(const struct profile_param *param, const char *value, struct diag *d)
{
	char shown[PROFILE_SHOWN_MAX], choice[PROFILE_SHOWN_MAX];
	const char *near;

	if (!param->choices.n || strv_contains(&param->choices, value))
		return 0;
	near = text_nearest(value, (const char *const *)param->choices.v, param->choices.n);
	text_escape_str(near ? near : param->choices.v[0], choice, sizeof(choice));
	return diag_fail(d, -EINVAL, "parameter '%s' cannot be \"%s\"; %s \"%s\"", param->name,
		text_escape_str(value, shown, sizeof(shown)), near ? "did you mean" : "the first of its choices is",
		choice);
}

static int check_host(const struct profile_param *param, const char *value, struct diag *d)
{
	struct net_grant g;
	char where[PROFILE_SHOWN_MAX];
	int r;

	snprintf(where, sizeof(where), "parameter '%s'", param->name);
	r = network_grant_parse(value, where, &g, d);
	if (r == 0)
		network_grant_done(&g);
	return r;
}

int profile_param_check(const struct profile_param *param, const char *value, struct diag *d)
{
	char shown[PROFILE_SHOWN_MAX];
	uint64_t n;

	text_escape_str(value, shown, sizeof(shown));
	if (strlen(value) > PROFILE_STRING_MAX)
		return diag_fail(d, -EINVAL, "parameter '%s' is longer than %d bytes", param->name, PROFILE_STRING_MAX);
	if (has_controls(value) || !utf8_valid(value, strlen(value)))
		return diag_fail(d, -EINVAL, "parameter '%s' holds control characters or invalid UTF-8: \"%s\"",
			param->name, shown);
	if (param->type == PARAM_INTEGER && parse_u64(value, 0, INT64_MAX, &n) < 0)
		return diag_fail(
			d, -EINVAL, "parameter '%s' must be an integer from 0, not \"%s\"", param->name, shown);
	if (param->type == PARAM_BOOLEAN && strcmp(value, "true") && strcmp(value, "false"))
		return diag_fail(d, -EINVAL, "parameter '%s' must be true or false, not \"%s\"", param->name, shown);
	if (is_path_type(param->type) && !*value)
		return diag_fail(d, -EINVAL, "parameter '%s' is empty; it is the path of a %s", param->name,
			type_names[param->type]);
	if (param->type == PARAM_HOST)
		return check_host(param, value, d);
	return check_choices(param, value, d);
}

/* A JSON value of the parameter's own type as --set would give it. */
static int default_text(const struct profile_param *param, const json_t *v, char **ret)
{
	int n = -1;

	if (param->type == PARAM_INTEGER && json_is_integer(v))
		n = asprintf(ret, "%lld", (long long)json_integer_value(v));
	else if (param->type == PARAM_BOOLEAN && json_is_boolean(v))
		n = asprintf(ret, "%s", json_is_true(v) ? "true" : "false");
	else if (param->type != PARAM_INTEGER && param->type != PARAM_BOOLEAN && json_is_string(v))
		n = asprintf(ret, "%s", json_string_value(v));
	else
		return -EINVAL;
	if (n < 0)
		*ret = NULL;
	return n < 0 ? -ENOMEM : 0;
}

static int default_add(const struct key *k, struct profile_param *param, const json_t *v, unsigned line)
{
	_cleanup_free_ char *text = NULL;
	struct diag d;
	int r = default_text(param, v, &text);

	if (r == -EINVAL)
		return key_fail_at(k, line, "has a default that is %s, for a parameter of type %s", json_file_type(v),
			type_names[param->type]);
	if (r < 0)
		return r;
	r = profile_param_check(param, text, &d);
	if (r == -EINVAL)
		return key_fail_at(k, line, "has a default that does not fit: %s", d.text);
	return r < 0 ? r : strv_add_take(&param->fallback, STEAL_PTR(text));
}

static int defaults_take(const struct key *k, struct profile_param *param)
{
	const json_t *v = json_object_get(k->v, "default"), *item;
	unsigned line = json_file_key_line(&k->parse->file, k->v, "default");
	size_t i;
	int r = 0;

	param->required = !v;
	if (!v)
		return 0;
	if (!param->many)
		return default_add(k, param, v, line);
	if (!json_is_array(v))
		return key_fail_at(k, line, "takes many values, so its default is a list");
	if (json_array_size(v) > PROFILE_ITEMS_MAX)
		return key_fail_at(k, line, "has more than %d defaults", PROFILE_ITEMS_MAX);
	json_array_foreach((json_t *)(uintptr_t)v, i, item) r =
		r < 0 ? r : default_add(k, param, item, json_file_line(&k->parse->file, v, i));
	return r;
}

static int param_finish(const struct key *k, struct profile_param *param)
{
	if (!json_object_get(k->v, "type"))
		return key_fail(k, "has no \"type\"; it is one of string, directory, file, integer, boolean, host");
	if (param->within.n && !is_path_type(param->type))
		return key_fail(k, "has \"within\", which only a directory or a file can have");
	if (param->choices.n && param->type != PARAM_STRING)
		return key_fail(k, "has \"choices\", which only a string can have");
	return defaults_take(k, param);
}

static bool param_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n <= 64 && !name[n] && name[0] >= 'a' && name[0] <= 'z' && strcmp(name, "workspace") &&
	       strcmp(name, "package");
}

static int param_take(const struct key *k, const char *name, const json_t *v, unsigned line)
{
	struct profile *p = k->parse->profile;
	struct profile_param *param = &p->params[p->n_params];
	char shown[PROFILE_SHOWN_MAX];
	struct key inner = { .parse = k->parse, .row = k->row, .shown = shown, .v = v, .line = line, .target = param };
	int r;

	text_escape_str(name, shown, sizeof(shown));
	if (!param_name_valid(name))
		return key_fail_at(k, line,
			"has the name '%s'; a parameter's name is made of a-z, 0-9 and '_', begins with a letter, and "
			"is not "
			"workspace or package",
			shown);
	snprintf(shown, sizeof(shown), "parameters.%s", name);
	p->n_params++;
	param->name = strdup(name);
	if (!param->name)
		return -ENOMEM;
	r = key_where(&inner, line, NULL, &param->where);
	if (r < 0)
		return r;
	if (!json_is_object(v))
		return key_fail(&inner, "must be an object with a \"type\", not %s", json_file_type(v));
	r = key_walk(k->parse, "parameters.*", shown, v, param);
	return r < 0 ? r : param_finish(&inner, param);
}

int key_set_parameters(const struct key *k)
{
	json_t *o = (json_t *)(uintptr_t)k->v;
	struct profile *p = k->parse->profile;
	size_t index = 0;

	p->params = calloc(json_object_size(o) + 1, sizeof(*p->params));
	if (!p->params)
		return -ENOMEM;
	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i), index++) {
		int r = param_take(k, json_object_iter_key(i), json_object_iter_value(i), key_item_line(k, index));

		if (r < 0)
			return r;
	}
	return 0;
}

static int refuse_unknown(const struct profile *p, const char *name, struct diag *d)
{
	const char *names[PROFILE_ITEMS_MAX];
	char shown[PROFILE_SHOWN_MAX];
	const char *near;

	for (size_t i = 0; i < p->n_params; i++)
		names[i] = p->params[i].name;
	near = text_nearest(name, names, p->n_params);
	text_escape_str(name, shown, sizeof(shown));
	if (near)
		return diag_fail(d, -EINVAL, "--set %s: the profile %s has no parameter '%s'; did you mean '%s'?",
			shown, p->name, shown, near);
	if (!p->name)
		return diag_fail(d, -EINVAL,
			"--set %s: parameters are a profile's, and none is named here; write the value into the "
			"command, or "
			"name a profile",
			shown);
	if (!p->n_params)
		return diag_fail(d, -EINVAL, "--set %s: the profile %s takes no parameters", shown, p->name);
	return diag_fail(d, -EINVAL, "--set %s: the profile %s has no parameter '%s'; it has '%s'%s", shown, p->name,
		shown, names[0], p->n_params > 1 ? " and others (stockade check lists them)" : "");
}

static int set_take(const struct expand *x, const char *given, struct diag *d)
{
	const char *equals = strchr(given, '=');
	struct profile_param *param;
	char shown[PROFILE_SHOWN_MAX];
	_cleanup_free_ char *name = strndup(given, equals ? (size_t)(equals - given) : strlen(given));
	int r;

	if (!name)
		return -ENOMEM;
	param = profile_param_find(x->profile, name, strlen(name));
	if (!param)
		return refuse_unknown(x->profile, name, d);
	if (!equals)
		return diag_fail(d, -EINVAL, "--set %s gives no value; write --set %s=VALUE",
			text_escape_str(given, shown, sizeof(shown)), param->name);
	if (param->values.n && !param->many)
		return diag_fail(
			d, -EINVAL, "--set %s is given twice, and %s takes one value", param->name, param->where);
	if (param->values.n >= PROFILE_ITEMS_MAX)
		return diag_fail(d, -E2BIG, "--set %s is given more than %d times", param->name, PROFILE_ITEMS_MAX);
	r = profile_param_check(param, equals + 1, d);
	if (r < 0) {
		diag_prefix(d, "--set: ");
		return r;
	}
	return strv_add(&param->values, equals + 1);
}

/* Where `within` leads today; a directory that is not there holds nothing. */
static int check_within(const struct expand *x, const struct profile_param *param, const char *path, struct diag *d)
{
	char shown[PROFILE_SHOWN_MAX], bound[PROFILE_SHOWN_MAX];

	for (size_t i = 0; i < param->within.n; i++) {
		_cleanup_free_ char *dir = NULL;
		_cleanup_free_ char *real = NULL;
		int r = profile_expand_string(x, param->where, param->within.v[i], &dir, d);

		if (r < 0)
			return r;
		real = realpath(dir, NULL);
		if (dir[0] == '/' && real && fs_path_within(path, real))
			return 0;
	}
	if (!param->within.n)
		return 0;
	return diag_fail(d, -EPERM, "parameter '%s': %s does not lie within %s%s, as %s demands", param->name,
		text_escape_str(path, shown, sizeof(shown)), text_escape_str(param->within.v[0], bound, sizeof(bound)),
		param->within.n > 1 ? " or the other directories of `within`" : "", param->where);
}

static int resolve_path(const struct expand *x, const struct profile_param *param, char **value, struct diag *d)
{
	_cleanup_free_ char *expanded = NULL;
	char shown[PROFILE_SHOWN_MAX];
	struct stat st;
	char *real;
	int r = profile_expand_string(x, param->where, *value, &expanded, d);

	if (r < 0)
		return r;
	text_escape_str(expanded, shown, sizeof(shown));
	if (expanded[0] != '/')
		return diag_fail(d, -EINVAL,
			"parameter '%s': \"%s\" is a relative path; give the whole path, such as ~/src or /srv/data",
			param->name, shown);
	real = realpath(expanded, NULL);
	if (!real || stat(real, &st) < 0) {
		r = -errno;
		free(real);
		return diag_fail(d, r, "parameter '%s': %s: %s", param->name, shown,
			r == -ENOENT ? "there is no such file or directory" : strerror(-r));
	}
	free(*value);
	*value = real;
	if (param->type == PARAM_DIRECTORY ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return diag_fail(d, -EINVAL, "parameter '%s': %s is not a %s", param->name, shown,
			param->type == PARAM_DIRECTORY ? "directory" : "regular file");
	return check_within(x, param, real, d);
}

static int param_complete(const struct expand *x, struct profile_param *param, struct diag *d)
{
	int r = 0;

	if (!param->values.n && param->required)
		return diag_fail(d, -EINVAL, "the profile %s needs its parameter '%s' (%s): give it with --set %s=%s%s",
			x->profile->name, param->name, type_names[param->type], param->name,
			param->type == PARAM_DIRECTORY ? "/path/of/a/directory" : "VALUE",
			param->many ? ", as often as there are values" : "");
	if (!param->values.n)
		r = strv_extend(&param->values, param->fallback.v, param->fallback.n);
	if (is_path_type(param->type))
		for (size_t i = 0; r == 0 && i < param->values.n; i++)
			r = resolve_path(x, param, &param->values.v[i], d);
	return r;
}

int profile_params_apply(const struct expand *x, struct diag *d)
{
	const struct strv *sets = x->args->sets;
	struct expand alone = *x;
	int r = 0;

	alone.no_params = true;
	for (size_t i = 0; r == 0 && sets && i < sets->n; i++)
		r = set_take(x, sets->v[i], d);
	for (size_t i = 0; r == 0 && i < x->profile->n_params; i++)
		r = param_complete(&alone, &x->profile->params[i], d);
	return r;
}
