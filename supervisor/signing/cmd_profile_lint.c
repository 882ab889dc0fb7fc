/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_profile_lint - `stockade profile lint`: what whoever writes or signs a profile should know of it
 *
 * Theory of operation: the file is read and parsed as a launch would; what is wrong there is the one finding. Then each
 * rule of the table looks at the profile, and, where its plan can be drawn on this machine, at what it comes to here.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/check_matrix.h"
#include "supervisor/commands.h"
#include "supervisor/consent.h"
#include "supervisor/danger.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/profile_parse.h"
#include "supervisor/question_words.h"
#include "supervisor/signing/code_bound.h"
#include "supervisor/signing/vouch.h"

enum { REVIEWED_S = 365 * FRESHNESS_DAY_S };

struct lint_options {
	bool json;
};

static const struct option_row lint_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct lint_options, json), NULL, "one JSON object instead of text" },
	{ 0 },
};

enum lint_severity { LINT_ERROR, LINT_WARNING, LINT_NOTE, LINT_COUNT };
static const char *const severity_words[] = { "error", "warning", "note" };
_Static_assert(ARRAY_LEN(severity_words) == LINT_COUNT, "a word for each severity");

struct lint {
	const struct command_ctx *ctx;
	const struct paths *paths;
	const struct profile *f; /* as it is written */
	const struct moments *moments;
	struct effective *e; /* what it comes to here */
	bool drawn;	     /* e is whole */
	struct diag why;     /* it is not, in words */
	bool by_name;	     /* looked for where run would, the bundle of this machine with it */
	const char *rule;    /* that looks now */
	json_t *found;
	bool bad; /* worse than a note was found */
};

static int find(struct lint *l, enum lint_severity s, const char *where, const char *fmt, ...) _printf_(4, 5);
static int find(struct lint *l, enum lint_severity s, const char *where, const char *fmt, ...)
{
	_cleanup_free_ char *shown = NULL;
	char words[DIAG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	shown = question_shown(words);
	l->bad = l->bad || s != LINT_NOTE;
	if (!shown || json_array_append_new(l->found,
			      json_pack("{s:s, s:s, s:o, s:s}", "rule", l->rule, "severity", severity_words[s], "where",
				      question_shown_json(where), "words", shown)) < 0)
		return -ENOMEM;
	return 0;
}

/* --- the rules --- */

static int look_expiry(struct lint *l)
{
	int64_t t = 0;

	if (!l->f->expires)
		return find(l, LINT_NOTE, NULL, "it never expires: \"expires\" makes somebody look at it again");
	if (parse_time(l->f->expires, &t) == 0 && t <= l->moments->now)
		return find(l, LINT_ERROR, NULL, "it has expired on %s and starts nothing", l->f->expires);
	return t - l->moments->now <= FRESHNESS_AHEAD_S
		       ? find(l, LINT_WARNING, NULL, "it expires on %s, in less than 30 days", l->f->expires)
		       : 0;
}

static int look_version(struct lint *l)
{
	return l->f->version ? 0
			     : find(l, LINT_WARNING, NULL,
				       "it has no \"version\": an older file in its place could not be told from it");
}

static int look_owner(struct lint *l)
{
	return l->f->owner ? 0 : find(l, LINT_WARNING, NULL, "it has no \"owner\": nobody knows whom to ask");
}

static int look_review(struct lint *l)
{
	int64_t t = 0;

	if (!l->f->reviewed || parse_time(l->f->reviewed, &t) < 0)
		return find(l, LINT_NOTE, NULL, "\"reviewed\" does not say when somebody last read it");
	return l->moments->now - t > REVIEWED_S
		       ? find(l, LINT_WARNING, NULL, "it was last reviewed on %s, more than a year ago", l->f->reviewed)
		       : 0;
}

static int look_signed(struct lint *l)
{
	return l->f->vouched.n ? 0
			       : find(l, LINT_NOTE, NULL,
					 "nobody signed it; where a policy has \"signatures\" it starts nothing");
}

/* What "code" would have to say: each tree that others than root can change. */
static int propose(struct lint *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->e->cmd.n_trees; i++) {
		const struct code_tree *t = &l->e->cmd.trees[i];
		const json_t *entry = json_array_get(json_object_get(l->e->canonical, "code"), i);
		if (!t->root_only && !t->bound)
			r = find(l, LINT_NOTE, NULL, "\"code\": { \"%s\": \"blake2b:%s\" } is what lies there now (%s)",
				t->path, json_string_value(json_object_get(entry, "digest")), t->role);
	}
	return r;
}

static int look_code(struct lint *l)
{
	struct diag d = { "" };
	int r;

	if (!l->drawn)
		return find(l, LINT_NOTE, NULL,
			"what its code is here cannot be seen, and so not whether it is bound: %.1500s", l->why.text);
	r = code_bound(l->e, &d);
	if (r == 0)
		return 0;
	r = r == -EPERM ? find(l, LINT_WARNING, NULL, "%s", d.text) : r;
	return r < 0 ? r : propose(l);
}

static bool is_home(const char *path)
{
	return strcmp(path, "~") == 0 || strcmp(path, "~/") == 0 || strcmp(path, "${HOME}") == 0 ||
	       strcmp(path, "/") == 0;
}

static int look_home(struct lint *l)
{
	const struct profile_items *const lists[] = { &l->f->fs_read, &l->f->fs_write };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t j = 0; r == 0 && j < lists[i]->n; j++)
			if (is_home(lists[i]->v[j].value))
				r = find(l, LINT_WARNING, lists[i]->v[j].where, "it grants the whole of %s",
					lists[i]->v[j].value);
	return r;
}

/* Of the plan's own words: the whole question marks the same. */
static int look_danger(struct lint *l)
{
	int r = 0;

	for (size_t i = 0; l->drawn && i < l->e->n_lines; i++)
		for (size_t j = 0; r == 0 && j < question_dangers_n; j++)
			if (l->e->lines[i].danger & question_dangers[j].bit && !question_dangers[j].informational)
				r = find(l, LINT_WARNING, l->e->lines[i].where, "%s: %s", question_dangers[j].words,
					l->e->lines[i].text);
	return r;
}

static int look_tools(struct lint *l)
{
	return l->f->tools.restricted || l->f->pins
		       ? 0
		       : find(l, LINT_WARNING, NULL,
				 "every tool may be called: \"tools.allow\" or \"pins\" says which");
}

static int look_scopes(struct lint *l)
{
	json_t *list = check_overlaps(&l->f->scopes);
	int r = list ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++)
		r = find(l, LINT_NOTE, l->f->scopes.where, "%s", json_string_value(json_array_get(list, i)));
	json_decref(list);
	return r;
}

static int look_secrets(struct lint *l)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->f->env_set.n; i++) {
		_cleanup_free_ char *name = strndup(l->f->env_set.v[i].value, strcspn(l->f->env_set.v[i].value, "="));
		if (!name)
			return -ENOMEM;
		if (danger_of_variable(name) & DANGER_SECRET)
			r = find(l, LINT_WARNING, l->f->env_set.v[i].where,
				"%s looks like a secret, and what a profile sets everybody can read: \"env.pass\" "
				"takes it from the client",
				name);
	}
	return r;
}

static int look_walls(struct lint *l)
{
	int r = l->f->protect
			? 0
			: find(l, LINT_WARNING, NULL, "\"protect\" is off: what it writes, other tools may execute");

	if (r == 0 && strcmp(l->f->seccomp, "default") != 0)
		r = find(l, LINT_NOTE, NULL, "its set of system calls is \"%s\" and not the default", l->f->seccomp);
	if (r == 0 && l->f->audit_args == SHIM_ARGS_FULL)
		r = find(l, LINT_NOTE, NULL, "whole arguments of calls go into the log");
	return r;
}

static const struct lint_rule {
	const char *name;
	int (*look)(struct lint *l);
} rules[] = {
	{ "expiry", look_expiry },
	{ "version", look_version },
	{ "owner", look_owner },
	{ "review", look_review },
	{ "signed", look_signed },
	{ "code", look_code },
	{ "home", look_home },
	{ "danger", look_danger },
	{ "tools", look_tools },
	{ "scopes", look_scopes },
	{ "secrets", look_secrets },
	{ "walls", look_walls },
};

/* --- the command --- */

/* As run would draw it, without a parameter: what cannot be drawn is said by the rule that wanted it. */
static void draw(struct lint *l, const char *path)
{
	char *borrowed = (char *)(uintptr_t)path;
	const struct grants g = { .profile_file = l->by_name ? NULL : borrowed, .name = l->by_name ? borrowed : NULL };
	int r = command_build_plan(l->ctx, l->paths, &g, l->e, &l->why);

	if (r == 0)
		r = effective_look(l->e, &l->why);
	if (r == 0)
		r = effective_digest(l->paths, &(struct approvals){ 0 }, l->e, &l->why);
	l->drawn = r == 0;
}

static int print(const struct lint *l, const char *path, bool json)
{
	const json_t *o;
	size_t i;

	if (json)
		return output_json(stdout,
			json_pack("{s:o, s:b, s:O}", "file", question_shown_json(path), "bad", l->bad, "findings",
				l->found),
			"what was found");
	json_array_foreach(l->found, i, o)
	{
		const char *where = json_string_value(json_object_get(o, "where"));
		printf("%s [%s] %s%s%s%s\n", json_string_value(json_object_get(o, "severity")),
			json_string_value(json_object_get(o, "rule")), json_string_value(json_object_get(o, "words")),
			where ? " (" : "", where ? where : "", where ? ")" : "");
	}
	return EXIT_OK;
}

static int look_all(struct lint *l, struct vouching *v, const char *path, struct profile *f, struct diag *d)
{
	int r = profile_load(v, path, f, d);

	l->rule = "format";
	if (r == -ENOMEM || (l->by_name && r == -ENOENT))
		return r;
	if (r < 0)
		return find(l, LINT_ERROR, NULL, "%s", d->text);
	l->f = f;
	l->moments = &v->moments;
	draw(l, path);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(rules); i++) {
		l->rule = rules[i].name;
		r = rules[i].look(l);
	}
	return r;
}

/* Whoever writes a profile may do so elsewhere than where it is used: for a file no policy of this machine is asked. */
static int gather(const struct lint *l, struct vouching *v, struct diag *d)
{
	static const struct policy none;

	return l->by_name ? vouching_load(l->paths, v, d) : vouching_init(l->paths, &none, v, d);
}

/* A directory is no profile: "notes" in a home with ~/notes is the name. */
static bool is_name(const char *word)
{
	struct stat st;

	return profile_name_valid(word) && (stat(word, &st) < 0 || S_ISDIR(st.st_mode));
}

static int run_profile_lint(const struct command_ctx *ctx)
{
	const struct lint_options *o = ctx->options;
	const char *word = ctx->args.v[0];
	_cleanup_effective_ struct effective e = { 0 };
	_cleanup_vouching_ struct vouching v = { 0 };
	_cleanup_profile_ struct profile f = { 0 };
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_free_ char *path = is_name(word) ? strdup(word) : realpath(word, NULL);
	struct diag d = { "out of memory" };
	struct lint l = { .ctx = ctx, .paths = &p, .e = &e, .found = json_array(), .by_name = is_name(word) };
	int r = path ? 0 : diag_fail(&d, -errno, "%s: %s", word, strerror(errno));

	r = r < 0 ? r : paths_init(&p, &d);
	r = r < 0 ? r : gather(&l, &v, &d);
	r = r < 0 ? r : look_all(&l, &v, path, &f, &d);
	if (r == 0)
		r = print(&l, l.by_name && f.file ? f.file : path, o->json);
	json_decref(l.found);
	if (r >= 0)
		return r == EXIT_OK && l.bad ? EXIT_FINDINGS : r;
	return command_refuse(&d, r);
}

const struct command_row cmd_profile_lint = {
	.name = "profile lint",
	.synopsis = "[--json] FILE|NAME",
	.summary = "say what is wrong with a profile, wide or open in it",
	.details = "A NAME is looked for where run looks, the bundle of this machine with it. Each finding has a "
		   "severity and a rule: errors start nothing, warnings are what a review should "
		   "ask about, "
		   "notes are worth knowing. Prints the digests that bind the code where it is not bound.",
	.options = lint_rows,
	.options_size = sizeof(struct lint_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_profile_lint,
};
