/* SPDX-License-Identifier: Apache-2.0 */
/* environment - see environment.h */
#include "supervisor/environment.h"
#include <errno.h>
#include <string.h>
#include "supervisor/trust.h"

const char *environment_get(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

/* Taken over when the caller has them; they name a locale or a zone and steer no code. */
static const char *const kept[] = { "TERM", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME",
	"LC_COLLATE", "LC_MONETARY", "LC_MESSAGES", "TZ" };

static int add_kept(const struct environment_args *a, struct strv *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		const char *value = environment_get(a->environ, kept[i]);
		/* A path in TZ (":/x" too, tzset(3)) or LANG would make libc open a file of the caller's choice. */
		if (!value || value[strspn(value, ":")] == '/' || strstr(value, ".."))
			continue;
		int r = strv_env_set(ret, kept[i], value);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_path(const struct strv *path, struct strv *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(ENVIRONMENT_PATH_MAX);

	for (size_t i = 0; i < path->n; i++) {
		int r = buf_printf(&b, "%s%s", i ? ":" : "", path->v[i]);
		if (r < 0)
			return r;
	}
	return strv_env_set(ret, "PATH", b.len ? b.data : "/usr/bin:/bin");
}

static int add_identity(const struct environment_args *a, struct strv *ret)
{
	const struct {
		const char *name, *value;
	} rows[] = { { "HOME", a->paths->home }, { "USER", a->login }, { "LOGNAME", a->login }, { "SHELL", "/bin/sh" },
		{ "TMPDIR", "/tmp" } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int r = strv_env_set(ret, rows[i].name, rows[i].value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Before the profile's, which may name files of their own. */
static int add_trust(const struct environment_args *a, struct strv *ret)
{
	size_t n;
	const struct trust_variable *v = trust_variables(&n);
	int r = 0;

	for (size_t i = 0; r == 0 && a->trusted && i < n; i++)
		r = strv_env_set(ret, v[i].name, v[i].path);
	return r;
}

static int add_granted(const struct environment_args *a, struct strv *ret)
{
	const struct profile_items *pass = &a->profile->env_pass, *set = &a->profile->env_set;

	for (size_t i = 0; i < pass->n; i++) {
		const char *value = environment_get(a->environ, pass->v[i].value);
		int r = value ? strv_env_set(ret, pass->v[i].value, value) : 0;
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < set->n; i++) {
		_cleanup_free_ char *name = strdup(set->v[i].value);
		char *eq = name ? strchr(name, '=') : NULL;
		if (!eq)
			return -ENOMEM;
		*eq = '\0';
		int r = strv_env_set(ret, name, eq + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

int environment_build(const struct environment_args *a, struct strv *ret)
{
	int r = add_identity(a, ret);

	if (r == 0)
		r = add_path(a->path, ret);
	if (r == 0)
		r = add_kept(a, ret);
	if (r == 0)
		r = add_trust(a, ret);
	if (r == 0 && a->no_user_site)
		r = strv_env_set(ret, "PYTHONNOUSERSITE", "1");
	return r < 0 ? r : add_granted(a, ret);
}
