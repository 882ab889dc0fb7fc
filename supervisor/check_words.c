/* SPDX-License-Identifier: Apache-2.0 */
/* check_words - see check_words.h */
#include "supervisor/check_words.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include "supervisor/base_view.h"
#include "supervisor/json_list.h"
#include "supervisor/question_words.h"
#include "supervisor/trust.h"

static const char *const kind_words[] = {
	[PLAN_BIND] = "of this machine, read-only",
	[PLAN_TMPFS] = "in memory, writable, gone at the end",
	[PLAN_PROC] = "processes of the sandbox only",
	[PLAN_DEV] = "harmless devices only",
	[PLAN_FILE] = "written by stockade, read-only",
	[PLAN_SYMLINK] = "a link",
	[PLAN_DIR] = "an empty directory, read-only",
	[PLAN_MASK] = "hidden",
	[PLAN_PIN] = "held in place, so that a rename cannot move what is protected",
};
static_assert(ARRAY_LEN(kind_words) == PLAN_MOUNT_KIND_COUNT, "each kind of mount has words");

/* The same for programs that read --json. */
static const char *const kind_names[] = {
	[PLAN_BIND] = "bind",
	[PLAN_TMPFS] = "tmpfs",
	[PLAN_PROC] = "proc",
	[PLAN_DEV] = "dev",
	[PLAN_FILE] = "file",
	[PLAN_SYMLINK] = "symlink",
	[PLAN_DIR] = "directory",
	[PLAN_MASK] = "mask",
	[PLAN_PIN] = "pin",
};
static_assert(ARRAY_LEN(kind_names) == PLAN_MOUNT_KIND_COUNT, "each kind of mount has a name");

/* Of the mounts that lie over a grant: not what is granted but what is kept from it. */
static const char *guard_why(const struct effective *e, const struct plan_mount *m)
{
	if (m->kind == PLAN_MASK)
		return "denied, though it lies in what is granted";
	if (m->kind == PLAN_PIN)
		return "a directory above what is protected or denied";
	if (m->kind == PLAN_BIND && !(m->flags & PLAN_WRITE) && strv_contains(&e->grants.protected_paths, m->target))
		return "protected: your own tools obey or execute what stands there";
	return NULL;
}

static bool is_elsewhere(const struct plan_mount *m)
{
	return m->kind == PLAN_BIND && m->source && strcmp(m->source, m->target) != 0;
}

static const char *mount_why(const struct effective *e, const struct plan_mount *m)
{
	const char *why = guard_why(e, m);

	if (!why)
		why = base_view_why(m->target);
	if (why)
		return why;
	if (trust_is_file(m))
		return "certificates, with the authority that this machine's policy provides";
	if (m->kind == PLAN_TMPFS)
		return "its home directory, empty";
	return is_elsewhere(m) ? "its home directory, kept for this server alone"
			       : "granted, or needed by what is granted";
}

/* What is there, and what it is outside where that differs; other in shown form. */
static int mount_what(const struct plan_mount *m, const char *other, char **ret)
{
	const char *what =
		m->kind == PLAN_BIND && (m->flags & PLAN_WRITE) ? "of this machine, WRITABLE" : kind_words[m->kind];
	int n = m->kind == PLAN_SYMLINK ? asprintf(ret, "%s to %s", what, other)
		: is_elsewhere(m)	? asprintf(ret, "%s; outside it is %s", what, other)
					: asprintf(ret, "%s", what);

	if (n >= 0)
		return 0;
	*ret = NULL; /* asprintf(3) leaves it undefined */
	return -ENOMEM;
}

static json_t *mount_json(const struct effective *e, const struct plan_mount *m)
{
	const char *other = m->kind == PLAN_BIND ? m->source : m->kind == PLAN_SYMLINK ? m->content : NULL;
	_cleanup_free_ char *target = question_shown(m->target), *shown = other ? question_shown(other) : NULL;
	_cleanup_free_ char *what = NULL;

	if (!target || (other && !shown) || mount_what(m, shown, &what) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:I, s:b}", "target", target, "what", what, "why",
		mount_why(e, m), "kind", kind_names[m->kind], "source", m->kind == PLAN_BIND ? shown : NULL, "content",
		m->kind == PLAN_SYMLINK ? shown : NULL, "size", (json_int_t)m->size, "write", m->flags & PLAN_WRITE);
}

json_t *check_mounts(const struct effective *e)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < e->plan.n_mounts; i++)
		array = json_list_add(array, mount_json(e, &e->plan.mounts[i]));
	return array;
}

static int add(json_t *array, const char *fmt, ...) _printf_(2, 3);
static int add(json_t *array, const char *fmt, ...)
{
	_cleanup_free_ char *text = NULL, *shown = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	shown = question_shown(text);
	return shown ? json_array_append_new(array, json_string(shown)) : -ENOMEM;
}

static int add_code(json_t *array, const struct effective *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->cmd.n_trees; i++) {
		const struct code_tree *t = &e->cmd.trees[i];
		r = t->root_only ? add(array, "code by its path, since only root can write it: %s", t->path)
				 : add(array, "code by its content, every file below%s: %s",
					   e->cmd.git_is_code ? "" : " but what git keeps in .git", t->path);
	}
	return r;
}

static int add_steering(json_t *array, const struct effective *e)
{
	json_t *steering = json_object_get(json_object_get(e->canonical, "env"), "steering");
	const json_t *v;
	const char *key;
	int r = 0;

	json_object_foreach(steering, key, v)
	{
		r = r == 0 ? add(array, "the value of the passed variable %s, which steers a loader or interpreter",
				     key)
			   : r;
	}
	return r;
}

/* "A, B": names alone, the values of those that are set stand in the list of grants. */
static int add_names(json_t *array, const char *words, const struct profile_items *items)
{
	_cleanup_buf_ struct buf b = BUF_INIT(QUESTION_TEXT_MAX);
	int r = 0;

	for (size_t i = 0; r == 0 && i < items->n; i++)
		r = buf_printf(&b, "%s%.*s", i ? ", " : "", (int)strcspn(items->v[i].value, "="), items->v[i].value);
	return r < 0 || items->n == 0 ? r : add(array, "%s: %s", words, b.data);
}

json_t *check_binds(const struct effective *e)
{
	json_t *array = json_array();
	int r = add(array, "the program and every word of its command line, and the working directory");

	r = r < 0 ? r : add_code(array, e);
	if (r == 0)
		r = add(array, "the paths that it may read or write, what is hidden from it, home, /tmp, protection");
	if (r == 0)
		r = add_names(array, "names and values of the variables that are set", &e->profile.env_set);
	if (r == 0)
		r = add_names(array, "names of the variables that are passed", &e->profile.env_pass);
	r = r < 0 ? r : add_steering(array, e);
	if (r == 0)
		r = add(array, "network and unix sockets, the set of system calls, limits");
	if (r == 0)
		r = add(array,
			"rules for tools, resources, prompts and extensions, rules on arguments, scopes and what of "
			"them may be lifted, rates and calls that a person has to look at, what is taken out of "
			"text, what it may ask of the client, what is recorded of arguments");
	if (r == 0)
		return array;
	json_decref(array);
	return NULL;
}

json_t *check_cannot_bind(const struct effective *e)
{
	json_t *array = json_array();
	int r = add(
		array, "what stands in the granted files: the server reads and writes them as they are at that moment");

	if (r == 0 && e->profile.env_pass.n > 0)
		r = add(array,
			"values of passed variables that steer no loader: they come from the client at each start");
	if (r == 0)
		r = add(array, "code that only root can write, everything below /usr included: a distribution upgrade "
			       "changes it without a question");
	if (r == 0 && !e->pinned)
		r = add(array, "what the server says of itself: tools, their names and descriptions");
	if (r == 0 && e->pinned)
		r = add(array, "what the server says of itself: the pins hold that, and are an approval of their own");
	if (r == 0 && e->never_remember)
		r = add(array, "its own code, which it can rewrite: so no answer is remembered");
	if (r == 0)
		return array;
	json_decref(array);
	return NULL;
}
