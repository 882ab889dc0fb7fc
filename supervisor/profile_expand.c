/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_expand - parameters, ~, ${HOME}, ${workspace}, ${package} put in; '?' resolved (design.md, section 5)
 *
 * Process:  supervisor
 * Returns:  0, -errno with "FILE:LINE (KEY): ..."
 *
 * ${workspace} is where the client happened to start us, which GUI clients leave at / or the home. So it stands only
 * for a directory that could be granted by name (paths_check_grant) and is no directory of the system.
 */
#include <errno.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/profile_parse.h"

/* The directories themselves, and for those that end in '/' everything below them, too. */
static const char *const no_workspace[] = {
	"/",
	"/tmp",
	"/var",
	"/opt",
	"/srv",
	"/mnt",
	"/media",
	"/home",
	"/usr/",
	"/etc/",
	"/boot/",
	"/dev/",
	"/proc/",
	"/sys/",
	"/run/",
	"/bin/",
	"/sbin/",
	"/lib/",
	"/lib64/",
	"/root",
};

static const char *const builtins[] = { "HOME", "workspace", "package" };

static bool is_system(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(no_workspace); i++) {
		size_t n = strlen(no_workspace[i]);
		bool below = n > 1 && no_workspace[i][n - 1] == '/';

		if (!strcmp(path, no_workspace[i]))
			return true;
		if (below && (!strncmp(path, no_workspace[i], n) ||
				     (strlen(path) == n - 1 && !strncmp(path, no_workspace[i], n - 1))))
			return true;
	}
	return false;
}

static int workspace_value(const struct expand *x, const char **ret, struct diag *d)
{
	const struct paths *p = x->args->paths;
	const char *ws = x->args->workspace;
	char shown[PROFILE_SHOWN_MAX];
	int r;

	if (!ws || ws[0] != '/')
		return diag_fail(d, -ENOENT,
			"${workspace} is not known: the directory that stockade was started in cannot be named");
	text_escape_str(ws, shown, sizeof(shown));
	if (!strcmp(ws, p->home) || is_system(ws))
		return diag_fail(d, -EPERM,
			"${workspace} would be %s, where the client started stockade: %s is never granted that way; "
			"have the client "
			"start it in a project's directory (\"cwd\" in the client's entry)",
			shown, !strcmp(ws, p->home) ? "the whole home" : "a directory of the system");
	r = paths_check_grant(p, ws, d);
	if (r < 0) {
		diag_prefix(d, "${workspace} is where the client started stockade: ");
		return r;
	}
	*ret = ws;
	return 0;
}

static const char *home_value(const struct expand *x)
{
	return x->args->home ? x->args->home : x->args->paths->home;
}

static int package_value(const struct expand *x, const char **ret, struct diag *d)
{
	if (!x->args->package)
		return diag_fail(d, -ENOENT,
			"${package} is not known: this version does not look up where a package is installed; name the "
			"program, or its "
			"whole path, instead");
	*ret = x->args->package;
	return 0;
}

static int param_value(const struct expand *x, const char *name, size_t len, const char **ret, struct diag *d)
{
	const struct profile_param *param = profile_param_find(x->profile, name, len);

	if (x->no_params || !param)
		return diag_fail(d, -EINVAL,
			"${%.*s} cannot stand here; a parameter's default and bounds know only ~, ${HOME}, "
			"${workspace} and ${package}",
			(int)len, name);
	if (param->many)
		return diag_fail(d, -EINVAL, "${%s} takes many values, so it can only stand alone as an item of a list",
			param->name);
	if (!param->values.n)
		return diag_fail(d, -EINVAL, "${%s} has no value", param->name);
	*ret = param->values.v[0];
	return 0;
}

static int reference_value(const struct expand *x, const char *name, size_t len, const char **ret, struct diag *d)
{
	if (len == strlen("HOME") && !memcmp(name, "HOME", len)) {
		*ret = home_value(x);
		return 0;
	}
	if (len == strlen("workspace") && !memcmp(name, "workspace", len))
		return workspace_value(x, ret, d);
	if (len == strlen("package") && !memcmp(name, "package", len))
		return package_value(x, ret, d);
	return param_value(x, name, len, ret, d);
}

static int expand_into(const struct expand *x, const char *in, struct buf *out, struct diag *d)
{
	int r = 0;

	if (in[0] == '~' && (!in[1] || in[1] == '/')) {
		r = buf_puts(out, home_value(x));
		in++;
	}
	while (r == 0 && *in) {
		const char *close = strncmp(in, "${", 2) ? NULL : strchr(in, '}');
		const char *value = NULL;
		size_t n = 1 + strcspn(in + 1, "$");

		if (!close) {
			r = buf_append(out, in, n);
			in += n;
			continue;
		}
		r = reference_value(x, in + 2, (size_t)(close - in - 2), &value, d);
		if (r == 0)
			r = buf_puts(out, value);
		in = close + 1;
	}
	return r;
}

int profile_expand_string(const struct expand *x, const char *where, const char *in, char **ret, struct diag *d)
{
	_cleanup_buf_ struct buf out = BUF_INIT(PROFILE_EXPANDED_MAX);
	int r;

	diag_set(d, "%s", strerror(ENOMEM));
	r = expand_into(x, in, &out, d);
	if (r == -E2BIG)
		diag_set(d, "becomes longer than %d bytes", PROFILE_EXPANDED_MAX);
	if (r == 0) {
		*ret = out.data ? buf_steal(&out) : strdup("");
		r = *ret ? 0 : -ENOMEM;
	}
	if (r < 0)
		diag_prefix(d, "%s: ", where);
	return r;
}

static int items_append(struct profile_items *items, const struct profile_item *from, const char *value, struct diag *d)
{
	struct profile_item *more;
	struct profile_item *item;

	if (items->n >= PROFILE_EXPANDED_ITEMS_MAX)
		return diag_fail(d, -E2BIG, "%s: becomes more than %d items", from->where, PROFILE_EXPANDED_ITEMS_MAX);
	more = reallocarray(items->v, items->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	items->v = more;
	item = &items->v[items->n++];
	*item = (struct profile_item){
		.value = strdup(value), .where = strdup(from->where), .optional = from->optional
	};
	return item->value && item->where ? 0 : -ENOMEM;
}

static void items_free(struct profile_items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		free(items->v[i].value);
		free(items->v[i].where);
	}
	free(items->v);
	items->v = NULL;
	items->n = 0;
}

static int item_expand(const struct expand *x, const struct profile_item *in, struct profile_items *out, struct diag *d)
{
	const struct profile_param *param = profile_param_exact(x->profile, in->value);
	_cleanup_free_ char *value = NULL;
	int r = 0;

	if (param && param->many) {
		for (size_t i = 0; r == 0 && i < param->values.n; i++)
			r = items_append(out, in, param->values.v[i], d);
		return r;
	}
	r = profile_expand_string(x, in->where, in->value, &value, d);
	return r < 0 ? r : items_append(out, in, value, d);
}

static int items_expand(const struct expand *x, struct profile_items *items, struct diag *d)
{
	struct profile_items out = { .set = items->set };
	int r = 0;

	for (size_t i = 0; r == 0 && i < items->n; i++)
		r = item_expand(x, &items->v[i], &out, d);
	items_free(items);
	*items = out;
	return r;
}

/* The value of NAME=VALUE is expanded, so that a leading ~ is the value's. */
static int env_expand(const struct expand *x, struct profile_items *items, struct diag *d)
{
	for (size_t i = 0; i < items->n; i++) {
		struct profile_item *item = &items->v[i];
		char *equals = strchr(item->value, '=');
		_cleanup_free_ char *value = NULL;
		char *entry = NULL;
		int r = profile_expand_string(x, item->where, equals + 1, &value, d);

		if (r < 0)
			return r;
		if (asprintf(&entry, "%.*s=%s", (int)(equals - item->value), item->value, value) < 0)
			return -ENOMEM;
		free(item->value);
		item->value = entry;
	}
	return 0;
}

static int path_clean(struct profile_item *item, struct diag *d)
{
	char shown[PROFILE_SHOWN_MAX];
	char *clean = NULL;
	int r = fs_path_clean(item->value, &clean);

	text_escape_str(item->value, shown, sizeof(shown));
	if (r == -EINVAL)
		return diag_fail(d, r, "%s: \"%s\" is %s", item->where, shown,
			item->value[0] == '/' ? "a path with '..' in it; write the path that is meant"
					      : "a relative path; it must be absolute");
	if (r < 0)
		return r;
	free(item->value);
	item->value = clean;
	return 0;
}

/* What may be absent and is, goes; what may not and is, is refused. */
static int paths_settle(struct profile_items *items, struct diag *d)
{
	char shown[PROFILE_SHOWN_MAX];
	size_t kept = 0;

	for (size_t i = 0; i < items->n; i++) {
		struct profile_item item;
		int r = path_clean(&items->v[i], d);

		if (r < 0)
			return r;
		item = items->v[i];
		if (access(item.value, F_OK) == 0) {
			items->v[i] = items->v[kept];
			items->v[kept++] = item;
			continue;
		}
		r = -errno;
		text_escape_str(item.value, shown, sizeof(shown));
		if (!item.optional || (r != -ENOENT && r != -ENOTDIR))
			return diag_fail(d, r, "%s: %s: %s%s", item.where, shown, strerror(-r),
				r == -ENOENT ? "; make it, or put '?' before it if it may be absent" : "");
	}
	for (size_t i = kept; i < items->n; i++) {
		free(items->v[i].value);
		free(items->v[i].where);
	}
	items->n = kept;
	return 0;
}

/* A socket hands over whatever its owner does for who connects, so where links lead counts. */
static int sockets_check(const struct expand *x, const struct profile_items *items, struct diag *d)
{
	for (size_t i = 0; i < items->n; i++) {
		_cleanup_free_ char *real = realpath(items->v[i].value, NULL);
		int r = real ? paths_check_grant(x->args->paths, real, d) : diag_fail(d, -errno, "%s", strerror(errno));

		if (r < 0) {
			diag_prefix(d, "%s: ", items->v[i].where);
			return r;
		}
	}
	return 0;
}

/* A pattern is held against canonical paths, so one that goes through a link would hide nothing: what the part before
 * its first '*' leads to is hidden as well. */
static int pattern_real(const struct profile_item *item, char **ret)
{
	const char *star = strchrnul(item->value, '*');
	size_t n = (size_t)(star - item->value);
	_cleanup_free_ char *head = NULL;
	_cleanup_free_ char *real = NULL;

	*ret = NULL;
	while (*star && n > 0 && item->value[n - 1] != '/')
		n--;
	head = strndup(item->value, n);
	if (!head)
		return -ENOMEM;
	real = realpath(head, NULL);
	if (!real)
		return errno == ENOMEM ? -ENOMEM : 0;
	return asprintf(ret, "%s%s%s", strcmp(real, "/") ? real : "", *star ? "/" : "", item->value + n) < 0 ? -ENOMEM
													     : 0;
}

static int patterns_resolve(struct profile_items *items, struct diag *d)
{
	size_t n = items->n;

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *real = NULL;
		int r = items->v[i].value[0] == '/' ? pattern_real(&items->v[i], &real) : 0;

		if (r == 0 && real && strcmp(real, items->v[i].value)) {
			const struct profile_item from = items->v[i]; /* the list may move */
			r = items_append(items, &from, real, d);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int patterns_check(const struct profile_items *items, struct diag *d)
{
	char shown[PROFILE_SHOWN_MAX];

	for (size_t i = 0; i < items->n; i++)
		if (strstr(items->v[i].value, "/../"))
			return diag_fail(d, -EINVAL, "%s: \"%s\" has '..' in it", items->v[i].where,
				text_escape_str(items->v[i].value, shown, sizeof(shown)));
	return 0;
}

static int paths_expand(const struct expand *x, struct profile *p, struct diag *d)
{
	struct profile_items *const lists[] = { &p->fs_read, &p->fs_write, &p->unix_sockets, &p->roots };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(lists); i++) {
		r = items_expand(x, lists[i], d);
		if (r == 0)
			r = paths_settle(lists[i], d);
	}
	if (r == 0)
		r = sockets_check(x, &p->unix_sockets, d);
	if (r == 0)
		r = items_expand(x, &p->fs_deny, d);
	if (r == 0)
		r = patterns_check(&p->fs_deny, d);
	return r < 0 ? r : patterns_resolve(&p->fs_deny, d);
}

static int cwd_expand(const struct expand *x, struct profile_item *cwd, struct diag *d)
{
	char *value = NULL;
	int r;

	if (!cwd->value)
		return 0;
	r = profile_expand_string(x, cwd->where, cwd->value, &value, d);
	if (r < 0)
		return r;
	free(cwd->value);
	cwd->value = value;
	return path_clean(cwd, d);
}

static int command_check(const struct profile *p, struct diag *d)
{
	if (p->command.set && (!p->command.n || !p->command.v[0].value[0]))
		return diag_fail(d, -EINVAL, "%s: the command is empty once its parameters are put in",
			p->file ? p->file : "profile");
	return 0;
}

int profile_expand(struct profile *p, const struct profile_args *a, struct diag *d)
{
	const struct expand x = { .profile = p, .args = a };
	int r;

	diag_set(d, "%s", strerror(ENOMEM)); /* whatever else fails says so itself */
	r = profile_params_apply(&x, d);
	if (r == 0)
		r = items_expand(&x, &p->command, d);
	if (r == 0)
		r = command_check(p, d);
	if (r == 0)
		r = cwd_expand(&x, &p->cwd, d);
	if (r == 0)
		r = profile_code_expand(&x, p, d);
	if (r == 0)
		r = env_expand(&x, &p->env_set, d);
	if (r == 0)
		r = items_expand(&x, &p->net_hosts, d);
	if (r == 0)
		r = profile_hosts_add(p, d);
	items_free(&p->net_hosts);
	return r < 0 ? r : paths_expand(&x, p, d);
}

static int check_reference(const struct profile *p, const char *where, const char *name, size_t len, struct diag *d)
{
	_cleanup_free_ char *copy = strndup(name, len);
	const char *names[PROFILE_ITEMS_MAX + ARRAY_LEN(builtins)];
	char shown[PROFILE_SHOWN_MAX];
	const char *near;
	size_t n = 0;

	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		names[n++] = builtins[i];
	for (size_t i = 0; i < p->n_params; i++)
		names[n++] = p->params[i].name;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(copy, names[i]))
			return 0;
	near = text_nearest(copy, names, n);
	text_escape_str(copy, shown, sizeof(shown));
	if (near)
		return diag_fail(d, -EINVAL, "%s: ${%s} names nothing; did you mean ${%s}?", where, shown, near);
	return diag_fail(d, -EINVAL,
		"%s: ${%s} names nothing: it is no parameter of this profile, and variables of the environment are not "
		"put in",
		where, shown);
}

/* What a shell would put in, and people write by habit. Taken as it is written, a rule that hides "$HOME/.ssh" hides
 * nothing. */
static const char *const shell_variables[] = {
	"HOME",
	"USER",
	"LOGNAME",
	"PWD",
	"PATH",
	"TMPDIR",
	"UID",
	"HOSTNAME",
	"XDG_CONFIG_HOME",
	"XDG_DATA_HOME",
	"XDG_CACHE_HOME",
	"XDG_STATE_HOME",
	"XDG_RUNTIME_DIR",
};

static bool is_name(const char *name, const char *at, size_t n)
{
	return strlen(name) == n && !memcmp(name, at, n);
}

/* The name, when one that means something in braces, or to a shell, stands behind a '$' without them. */
static int check_bare(const struct profile *p, const char *where, const char *name, size_t n, struct diag *d)
{
	bool known = profile_param_find(p, name, n) != NULL;

	for (size_t i = 0; !known && i < ARRAY_LEN(builtins); i++)
		known = is_name(builtins[i], name, n);
	if (known)
		return diag_fail(d, -EINVAL, "%s: $%.*s is taken as it is written here; did you mean ${%.*s}?", where,
			(int)n, name, (int)n, name);
	for (size_t i = 0; i < ARRAY_LEN(shell_variables); i++)
		if (is_name(shell_variables[i], name, n))
			return diag_fail(d, -EINVAL,
				"%s: $%s is not put in: no shell reads this, and variables of the environment are "
				"never put in; write the value, or use "
				"~, ${HOME} or a parameter",
				where, shell_variables[i]);
	return 0;
}

/* Not of the command: there a shell or another interpreter may be meant to see it. */
static int check_no_shell(const struct profile *p, const char *where, const char *text, struct diag *d)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	int r = 0;

	for (const char *at = text; r == 0 && (at = strchr(at, '$')); at++) {
		size_t n = strspn(at + 1, letters);
		r = n > 0 ? check_bare(p, where, at + 1, n, d) : 0;
	}
	return r;
}

static int check_text(const struct profile *p, const char *where, const char *text, struct diag *d)
{
	const char *at = text;

	while ((at = strstr(at, "${"))) {
		const char *close = strchr(at, '}');
		int r;

		if (!close)
			return diag_fail(d, -EINVAL, "%s: a \"${\" has no \"}\"", where);
		r = check_reference(p, where, at + 2, (size_t)(close - at - 2), d);
		if (r < 0)
			return r;
		at = close;
	}
	return 0;
}

static int check_item(const struct profile *p, const struct profile_item *item, bool no_shell, struct diag *d)
{
	int r = check_text(p, item->where, item->value, d);

	return r < 0 || !no_shell ? r : check_no_shell(p, item->where, item->value, d);
}

/* Of no other type: what is a host is looked at when it is given, and in the words of its parameter. */
static int check_host_items(const struct profile *p, struct diag *d)
{
	for (size_t i = 0; i < p->net_hosts.n; i++) {
		const struct profile_param *param = profile_param_exact(p, p->net_hosts.v[i].value);
		if (!param || param->type != PARAM_HOST)
			return diag_fail(d, -EINVAL,
				"%s: %s is no parameter of type host, and only such a one can stand for a host",
				p->net_hosts.v[i].where, p->net_hosts.v[i].value);
	}
	return 0;
}

int profile_check_references(const struct profile *p, struct diag *d)
{
	const struct profile_items *const lists[] = { &p->command, &p->env_set, &p->fs_read, &p->fs_write, &p->fs_deny,
		&p->net_hosts, &p->unix_sockets, &p->roots };
	int r = p->cwd.value ? check_item(p, &p->cwd, true, d) : 0;

	for (size_t i = 0; r == 0 && i < p->n_code; i++)
		r = check_item(p, &p->code[i].path, true, d);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t j = 0; r == 0 && j < lists[i]->n; j++)
			r = check_item(p, &lists[i]->v[j], lists[i] != &p->command, d);
	if (r == 0)
		r = check_host_items(p, d);
	for (size_t i = 0; i < p->n_params; i++) {
		const struct profile_param *param = &p->params[i];

		for (size_t j = 0; r == 0 && j < param->within.n; j++)
			r = check_text(p, param->where, param->within.v[j], d);
		for (size_t j = 0; r == 0 && param->type != PARAM_STRING && j < param->fallback.n; j++)
			r = check_text(p, param->where, param->fallback.v[j], d);
	}
	return r;
}
