/* SPDX-License-Identifier: Apache-2.0 */
/*
 * question_diff - what changed between two canonical plans, in words (question_words.h)
 *
 * The plans are walked member by member. Lists are sets of things granted, so what is new is "+", what is gone "-"; the
 * command is one thing, shown whole. Values of passed variables are compared and never shown.
 */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/question_words.h"

enum { PATH_MAX_SHOWN = 256, DEPTH_MAX = 16 };

enum style {
	STYLE_PLAIN,
	STYLE_COMMAND, /* an array in which order counts: one shell-quoted line */
	STYLE_HIDDEN,  /* values are not for eyes */
};

static const struct diff_row {
	const char *path;
	const char *words; /* of a path that ends in a dot: the rest of it follows */
	enum style style;
	const char *rest; /* filled by row_for */
} rows[] = {
	{ "argv", "command", STYLE_COMMAND },
	{ "program", "program", STYLE_PLAIN },
	{ "subject", "what it runs", STYLE_PLAIN },
	{ "chain", "program that starts it", STYLE_PLAIN },
	{ "links", "link that the command goes through", STYLE_PLAIN },
	{ "code", "code", STYLE_PLAIN },
	{ "cwd", "starts in", STYLE_PLAIN },
	{ "filesystem.read", "may read", STYLE_PLAIN },
	{ "filesystem.write", "may write", STYLE_PLAIN },
	{ "filesystem.deny", "hidden", STYLE_PLAIN },
	{ "filesystem.home", "home", STYLE_PLAIN },
	{ "filesystem.protect", "protection of files that your own tools execute", STYLE_PLAIN },
	{ "filesystem.tmp", "bytes of /tmp", STYLE_PLAIN },
	{ "env.set", "variable set", STYLE_PLAIN },
	{ "env.pass", "variable passed", STYLE_PLAIN },
	{ "env.steering", "value of the passed variable", STYLE_HIDDEN },
	{ "network.allow", "network", STYLE_PLAIN },
	{ "network.publish", "port offered to this machine", STYLE_PLAIN },
	{ "network.addresses", "addresses that stand for names", STYLE_PLAIN },
	{ "network.proxy", "proxy", STYLE_PLAIN },
	{ "observe.until", "what its profile denies of tools and hosts is only recorded until", STYLE_PLAIN },
	{ "observe.hosts", "host let through and recorded until then", STYLE_PLAIN },
	{ "unix", "unix socket", STYLE_PLAIN },
	{ "af_unix", "may open unix sockets", STYLE_PLAIN },
	{ "seccomp", "system calls", STYLE_PLAIN },
	{ "protocol.tools.allow", "tools allowed", STYLE_PLAIN },
	{ "protocol.tools.deny", "tools denied", STYLE_PLAIN },
	{ "protocol.rules_on_arguments", "rule on arguments", STYLE_PLAIN },
	{ "protocol.calls.rate", "calls of each tool", STYLE_PLAIN },
	{ "protocol.calls.total", "calls of all tools together", STYLE_PLAIN },
	{ "protocol.calls.time", "seconds until an answer", STYLE_PLAIN },
	{ "protocol.calls.output", "bytes of an answer", STYLE_PLAIN },
	{ "protocol.calls.calls", "calls at once", STYLE_PLAIN },
	{ "protocol.calls.tools", "rules on calls", STYLE_PLAIN },
	{ "protocol.tools.restricted", "only the tools that are allowed", STYLE_PLAIN },
	{ "protocol.scopes.allowed", "scope of tools allowed", STYLE_PLAIN },
	{ "protocol.scopes.grants", "scope that a person may lift for a while", STYLE_PLAIN },
	{ "protocol.scopes.grant_time", "seconds that such a grant lasts at most", STYLE_PLAIN },
	{ "protocol.scopes.tools.", "tools of scope ", STYLE_PLAIN },
	{ "protocol.resources.allow", "resources allowed", STYLE_PLAIN },
	{ "protocol.resources.deny", "resources denied", STYLE_PLAIN },
	{ "protocol.resources.restricted", "only the resources that are allowed", STYLE_PLAIN },
	{ "protocol.prompts.allow", "prompts allowed", STYLE_PLAIN },
	{ "protocol.prompts.deny", "prompts denied", STYLE_PLAIN },
	{ "protocol.prompts.restricted", "only the prompts that are allowed", STYLE_PLAIN },
	{ "protocol.extensions.allow", "extensions allowed", STYLE_PLAIN },
	{ "protocol.extensions.deny", "extensions denied", STYLE_PLAIN },
	{ "protocol.extensions.restricted", "only the extensions that are allowed", STYLE_PLAIN },
	{ "protocol.roots", "directory that the client may name to it", STYLE_PLAIN },
	{ "protocol.redact", "taken out of text", STYLE_PLAIN },
	{ "protocol.text", "escape sequences and invisible characters", STYLE_PLAIN },
	{ "protocol.scan", "tools in which the scan finds something grave", STYLE_PLAIN },
	{ "protocol.sampling", "may ask the client's model", STYLE_PLAIN },
	{ "protocol.sampling.rate", "such questions to the model", STYLE_PLAIN },
	{ "protocol.sampling.max_tokens", "tokens of the model's answer at most", STYLE_PLAIN },
	{ "protocol.sampling.tools", "may hand the model tools of its own", STYLE_PLAIN },
	{ "protocol.sampling.context", "servers whose context the model is given", STYLE_PLAIN },
	{ "protocol.elicitation", "may ask the user", STYLE_PLAIN },
	{ "protocol.elicitation.rate", "such questions to the user", STYLE_PLAIN },
	{ "protocol.elicitation.form", "may show the user forms", STYLE_PLAIN },
	{ "protocol.elicitation.url", "may send the user to", STYLE_PLAIN },
	{ "protocol.logging", "may log to the client", STYLE_PLAIN },
	{ "protocol.logging.level", "level from which on it may log", STYLE_PLAIN },
	{ "protocol.logging.rate", "such log messages", STYLE_PLAIN },
	{ "pins", "file of pins that the profile brings", STYLE_PLAIN },
	{ "limits.processes", "processes and threads", STYLE_PLAIN },
	{ "limits.files", "open files", STYLE_PLAIN },
	{ "limits.message", "bytes of a message", STYLE_PLAIN },
	{ "limits.message_client", "bytes of a message of the client", STYLE_PLAIN },
	{ "limits.message_server", "bytes of a message of the server", STYLE_PLAIN },
};

struct walk {
	json_t *out;
	int depth;
};

static struct diff_row row_for(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].path);
		bool whole = rows[i].path[n - 1] != '.';
		if (whole ? strcmp(rows[i].path, path) == 0 : strncmp(rows[i].path, path, n) == 0) {
			struct diff_row row = rows[i];
			row.rest = path + n;
			return row;
		}
	}
	return (struct diff_row){ path, path, STYLE_PLAIN, "" };
}

static int add(struct walk *w, const char *sign, const struct diff_row *row, const char *value)
{
	_cleanup_free_ char *text = NULL;
	json_t *entry;

	if (asprintf(&text, "%s%s: %s", row->words, row->rest, value) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	entry = json_pack("{s:s, s:s}", "sign", sign, "text", text);
	return json_array_append_new(w->out, entry) < 0 ? -ENOMEM : 0;
}

static char *array_command(const json_t *array)
{
	_cleanup_strv_ struct strv words = { 0 };
	const json_t *v;
	size_t i;

	json_array_foreach(array, i, v)
	{
		const char *s = json_string_value(v);
		if (strv_add(&words, s ? s : "?") < 0)
			return NULL;
	}
	return question_command(&words);
}

/* A value as a person reads it; the digest of code says nothing to anyone. */
static char *value_shown(const json_t *v, enum style style)
{
	_cleanup_free_ char *text = NULL;

	if (json_is_array(v) && style == STYLE_COMMAND)
		return array_command(v);
	if (json_is_string(v))
		return question_shown(json_string_value(v));
	if (json_is_boolean(v))
		return strdup(json_is_true(v) ? "yes" : "no");
	if (json_is_string(json_object_get(v, "path")))
		return question_shown(json_string_value(json_object_get(v, "path")));
	text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	return text ? question_shown(text) : NULL;
}

static int add_value(struct walk *w, const char *sign, const struct diff_row *row, const json_t *v)
{
	_cleanup_free_ char *value = value_shown(v, row->style);

	return value ? add(w, sign, row, value) : -ENOMEM;
}

/* Two values, either may be NULL; they differ. */
static int diff_value(struct walk *w, const struct diff_row *row, const json_t *a, const json_t *b)
{
	_cleanup_free_ char *x = a ? value_shown(a, row->style) : NULL, *y = b ? value_shown(b, row->style) : NULL;
	int r = 0;

	if ((a && !x) || (b && !y))
		return -ENOMEM;
	if (x && y && strcmp(x, y) == 0)
		return add(w, "~", row, "changed in a part that is not shown");
	if (x)
		r = add(w, "-", row, x);
	return r == 0 && y ? add(w, "+", row, y) : r;
}

/* What makes two elements of a list the same thing: their path if they have one, else all of them. */
static bool same_thing(const json_t *a, const json_t *b)
{
	const json_t *x = json_object_get(a, "path"), *y = json_object_get(b, "path");

	return x && y ? json_equal(x, y) : json_equal(a, b);
}

static const json_t *find_thing(const json_t *array, const json_t *thing)
{
	const json_t *v;
	size_t i;

	json_array_foreach(array, i, v) if (same_thing(v, thing)) return v;
	return NULL;
}

static int diff_array(struct walk *w, const struct diff_row *row, const json_t *a, const json_t *b)
{
	size_t i, before = json_array_size(w->out);
	const json_t *v;
	int r;

	json_array_foreach(a, i, v)
	{
		const json_t *now = find_thing(b, v);
		r = now ? 0 : add_value(w, "-", row, v);
		if (now && !json_equal(now, v))
			r = add_value(w, "~", row, v);
		if (r < 0)
			return r;
	}
	json_array_foreach(b, i, v)
	{
		r = find_thing(a, v) ? 0 : add_value(w, "+", row, v);
		if (r < 0)
			return r;
	}
	if (json_array_size(w->out) == before)
		return add(w, "~", row, "another order, or another number of the same");
	return 0;
}

static int diff_any(struct walk *w, const char *path, const json_t *a, const json_t *b);

static int diff_hidden(struct walk *w, const struct diff_row *row, const char *key)
{
	_cleanup_free_ char *name = question_shown(key), *text = NULL;

	if (!name || asprintf(&text, "%s (changed; not shown)", name) < 0)
		return -ENOMEM;
	return add(w, "~", row, text);
}

static int diff_member(struct walk *w, const char *path, const char *key, const json_t *a, const json_t *b)
{
	struct diff_row row = row_for(path);
	char below[PATH_MAX_SHOWN], shown[PATH_MAX_SHOWN];

	if ((!a && !b) || (a && b && json_equal(a, b)))
		return 0;
	if (row.style == STYLE_HIDDEN)
		return diff_hidden(w, &row, key);
	text_escape_str(key, shown, sizeof(shown));
	if (snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", shown) >= (int)sizeof(below))
		return add(w, "~", &(struct diff_row){ path, path, STYLE_PLAIN, "" }, "changed");
	return diff_any(w, below, a, b);
}

static int diff_object(struct walk *w, const char *path, const json_t *a, const json_t *b)
{
	const json_t *v;
	const char *key;
	int r;

	json_object_foreach((json_t *)(uintptr_t)a, key, v)
	{
		r = diff_member(w, path, key, v, json_object_get(b, key));
		if (r < 0)
			return r;
	}
	json_object_foreach((json_t *)(uintptr_t)b, key, v)
	{
		r = json_object_get(a, key) ? 0 : diff_member(w, path, key, NULL, v);
		if (r < 0)
			return r;
	}
	return 0;
}

static int diff_any(struct walk *w, const char *path, const json_t *a, const json_t *b)
{
	struct diff_row row = row_for(path);
	int r;

	if (w->depth >= DEPTH_MAX)
		return add(w, "~", &row, "changed");
	w->depth++;
	if (row.style != STYLE_COMMAND && (!a || json_is_array(a)) && (!b || json_is_array(b)))
		r = diff_array(w, &row, a, b);
	else if ((!a || json_is_object(a)) && (!b || json_is_object(b)))
		r = diff_object(w, path, a, b);
	else
		r = diff_value(w, &row, a, b);
	w->depth--;
	return r;
}

json_t *question_changes(const json_t *earlier, const json_t *now)
{
	struct walk w = { .out = json_array() };

	if (w.out && !json_equal(earlier, now) && diff_any(&w, "", earlier, now) < 0) {
		json_decref(w.out);
		return NULL;
	}
	return w.out;
}
