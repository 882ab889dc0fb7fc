/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlap - code that another approved or running server may write (effective_lines.h)
 *
 * A digest is taken before the launch; what runs is read after it. Where a second approved server can write the first
 * one's code, the first can become something else between the two, so such an approval is never remembered. The same
 * holds for a server that can write its own code, which effective_lines.c sees. A running server counts whether or not
 * its approval is remembered: one that can rewrite itself never is.
 */
#include <errno.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/consent.h"
#include "supervisor/effective_lines.h"
#include "supervisor/filesystem.h"
#include "supervisor/registry.h"

static bool overlaps(const char *a, const char *b)
{
	return fs_path_within(a, b) || fs_path_within(b, a);
}

/* The path of the list that holds or lies in the tree, or NULL. */
static const char *writes_into(const json_t *list, const char *tree)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *path = json_string_value(json_array_get(list, i));
		if (path && overlaps(path, tree))
			return path;
	}
	return NULL;
}

static int check_tree(struct effective *e, const struct approvals *all, const struct code_tree *t)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct approval *a = &all->v[i];
		const json_t *list = json_object_get(json_object_get(a->canonical, "filesystem"), "write");
		const char *path = a->damaged || strcmp(a->digest, e->digest) == 0 ? NULL : writes_into(list, t->path);
		if (!path)
			continue;
		e->never_remember = true;
		return effective_add_fact(e, LINE_NOTE, DANGER_OWN_CODE, "the approval of that server",
			"its code in %s can be rewritten by the approved server '%s', which may write %s: this answer "
			"is not remembered",
			t->path, a->name, path);
	}
	return 0;
}

static int check_running(struct effective *e, const struct registry_list *running, const struct code_tree *t)
{
	for (size_t i = 0; i < running->n; i++) {
		const struct registry_entry *s = &running->v[i];
		const char *path = writes_into(s->writes, t->path);
		if (!path)
			continue;
		e->never_remember = true;
		return effective_add_fact(e, LINE_NOTE, DANGER_OWN_CODE, EFFECTIVE_THIS_MACHINE,
			"its code in %s can be rewritten by the server '%s', which is running now (%s) and may write "
			"%s: this answer is not remembered",
			t->path, s->name, s->id, path);
	}
	return 0;
}

/* The other way round: its own answer stands, but whoever gives it should know whose code it hands over. */
static int note_others_code(struct effective *e, const struct approval *a)
{
	const json_t *code = json_object_get(a->canonical, "code"), *tree;
	size_t i;

	if (a->damaged || strcmp(a->digest, e->digest) == 0)
		return 0;
	json_array_foreach((json_t *)(uintptr_t)code, i, tree)
	{
		const char *path = json_string_value(json_object_get(tree, "path"));
		const struct fs_grant *g = path && !json_is_true(json_object_get(tree, "root_only"))
						   ? fs_grants_writable_over(&e->grants, path)
						   : NULL;
		if (g)
			return effective_add_line(e, LINE_NOTE, 0, g->where,
				"it may rewrite the code of the approved server '%s' in %s, also while that one runs; "
				"from then on that one asks at every start",
				a->name, path);
	}
	return 0;
}

int effective_check_overlap(const struct paths *p, const struct approvals *all, struct effective *e, struct diag *d)
{
	_cleanup_registry_ struct registry_list running = { 0 };
	int r = registry_read(p, &running, d);

	for (size_t i = 0; r == 0 && i < all->n; i++)
		r = note_others_code(e, &all->v[i]);
	for (size_t i = 0; r == 0 && i < e->cmd.n_trees; i++) {
		if (e->cmd.trees[i].root_only)
			continue;
		r = check_tree(e, all, &e->cmd.trees[i]);
		if (r == 0)
			r = check_running(e, &running, &e->cmd.trees[i]);
	}
	return r;
}
