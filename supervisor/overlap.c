/* SPDX-License-Identifier: Apache-2.0 */
/*
 * overlap - code that another approved server may write (effective_lines.h)
 *
 * A digest is taken before the launch; what runs is read after it. Where a second approved server can write the first one's
 * code, the first can become something else between the two, so such an approval is never remembered. The same holds for a
 * server that can write its own code, which effective_lines.c sees.
 */
#include <errno.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/consent.h"
#include "supervisor/effective_lines.h"

static bool overlaps(const char *a, const char *b)
{
	return fs_path_within(a, b) || fs_path_within(b, a);
}

/* The writable path of the approval that holds or lies in the tree, or NULL. */
static const char *writes_into(const struct approval *a, const char *tree)
{
	const json_t *list = json_object_get(json_object_get(a->canonical, "filesystem"), "write");

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
		const char *path = a->damaged || strcmp(a->digest, e->digest) == 0 ? NULL : writes_into(a, t->path);
		if (!path)
			continue;
		e->never_remember = true;
		return effective_add_line(e, LINE_NOTE, DANGER_OWN_CODE, NULL,
			"its code in %s can be rewritten by the approved server '%s', which may write %s: this answer is not remembered", t->path, a->name,
			path);
	}
	return 0;
}

int effective_check_overlap(const struct paths *p, struct effective *e, struct diag *d)
{
	_cleanup_approvals_ struct approvals all = { 0 };
	int r = consent_list(p, &all, d);

	for (size_t i = 0; r == 0 && i < e->cmd.n_trees; i++)
		if (!e->cmd.trees[i].root_only)
			r = check_tree(e, &all, &e->cmd.trees[i]);
	return r;
}
