/* SPDX-License-Identifier: Apache-2.0 */
/* code_bound - see code_bound.h */
#include "supervisor/signing/code_bound.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/code_digest.h"
#include "supervisor/danger.h"

enum { SHOWN = 400 };

/* --- the profile's own list --- */

/* That of the canonical JSON; root's own code has none there. */
static int digest_of(const struct effective *e, size_t tree, char ret[CODE_DIGEST_HEX], struct diag *d)
{
	const json_t *entry = json_array_get(json_object_get(e->canonical, "code"), tree);
	const char *known = json_string_value(json_object_get(entry, "digest"));

	if (!known)
		return code_digest_tree(NULL, e->cmd.trees[tree].path, e->cmd.git_is_code, ret, d);
	snprintf(ret, CODE_DIGEST_HEX, "%s", known);
	return 0;
}

static int tree_at(const struct effective *e, const char *path)
{
	for (size_t i = 0; i < e->cmd.n_trees; i++)
		if (strcmp(e->cmd.trees[i].path, path) == 0)
			return (int)i;
	return -ENOENT;
}

static int check_one(struct effective *e, const struct profile_code *c, struct diag *d)
{
	_cleanup_free_ char *real = realpath(c->path.value, NULL);
	char path[SHOWN], hex[CODE_DIGEST_HEX];
	int at = real ? tree_at(e, real) : -errno, r;

	text_escape_str(c->path.value, path, sizeof(path));
	if (!real)
		return diag_fail(d, -EPERM, "%s: the code %s that the profile binds is not there: %s", c->path.where,
			path, strerror(-at));
	if (at < 0)
		return diag_fail(d, -EPERM,
			"%s: %s is no code of this command, so its digest binds nothing; 'stockade check' lists the "
			"directories and files that are",
			c->path.where, path);
	r = digest_of(e, (size_t)at, hex, d);
	if (r < 0)
		return r;
	if (strcmp(hex, c->digest) != 0)
		return diag_fail(d, -EPERM,
			"the code %s is not what the profile binds (%s): its digest is blake2b:%s and not blake2b:%s, "
			"so "
			"nothing is started. Install the version that the profile is about, or ask its owner for one "
			"about this version",
			path, c->path.where, hex, c->digest);
	e->cmd.trees[at].bound = true;
	return 0;
}

int code_check(struct effective *e, struct diag *d)
{
	const struct profile *f = &e->profile;
	char path[SHOWN];
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->n_code; i++)
		r = check_one(e, &f->code[i], d);
	for (size_t i = 0; r == 0 && f->n_code && i < e->cmd.n_trees; i++)
		if (!e->cmd.trees[i].bound && !e->cmd.trees[i].root_only)
			return diag_fail(d, -EPERM,
				"the code %s (%s) can be changed by others than root, and the profile, which binds its "
				"code (%s), does not have it: nothing is started",
				text_escape_str(e->cmd.trees[i].path, path, sizeof(path)), e->cmd.trees[i].role,
				f->code[0].path.where);
	return r;
}

/* --- is all of it bound? --- */

static int refuse(const char *what, struct diag *d)
{
	return diag_fail(d, -EPERM,
		"%s: a signed path is not signed code. Install it where root alone can write, or have its digest in "
		"the "
		"profile (\"code\" of stockade-profile(5))",
		what);
}

/* A link that others can turn chooses what runs, also among files that are bound. rows: "LINK\tTARGET". */
static int check_links(const struct strv *rows, struct diag *d)
{
	char what[2 * SHOWN], shown[SHOWN];

	for (size_t i = 0; i < rows->n; i++) {
		_cleanup_free_ char *link = strndup(rows->v[i], strcspn(rows->v[i], "\t"));
		bool root_only = false;
		int r = link ? code_is_root_only(link, &root_only, NULL, d) : -ENOMEM;
		if (r < 0)
			return r;
		if (root_only)
			continue;
		snprintf(what, sizeof(what), "the command goes through the link %s, which others than root can turn",
			text_escape_str(link, shown, sizeof(shown)));
		return refuse(what, d);
	}
	return 0;
}

int code_bound(const struct effective *e, struct diag *d)
{
	char what[2 * SHOWN], shown[SHOWN];
	int r;

	for (size_t i = 0; i < e->cmd.n_trees; i++) {
		const struct code_tree *t = &e->cmd.trees[i];
		if (t->root_only || t->bound)
			continue;
		snprintf(what, sizeof(what), "the code %s (%s) can be changed by others than root",
			text_escape_str(t->path, shown, sizeof(shown)), t->role);
		return refuse(what, d);
	}
	if (e->home_code)
		return diag_fail(d, -EPERM, "%s", e->home_code);
	if (e->named_code)
		return diag_fail(d, -EPERM, "%s", e->named_code);
	if (e->never_remember)
		return refuse("the server can rewrite its own code, or what it loads", d);
	if (e->cmd.loads_cwd)
		return refuse("the interpreter looks for modules in its working directory", d);
	for (size_t i = 0; i < e->profile.env_pass.n; i++)
		if (danger_is_loader_variable(e->profile.env_pass.v[i].value)) {
			snprintf(what, sizeof(what), "the variable %s, which names code, is passed on as it comes",
				text_escape_str(e->profile.env_pass.v[i].value, shown, sizeof(shown)));
			return refuse(what, d);
		}
	r = check_links(&e->cmd.symlinks, d);
	return r < 0 ? r : check_links(&e->cmd.first_links, d);
}
