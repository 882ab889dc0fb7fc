/* SPDX-License-Identifier: Apache-2.0 */
/* code_hold - see code_hold.h */
#include "supervisor/signing/code_hold.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/code_digest.h"

enum { SHOWN = 400 };

bool code_is_for_others(const struct effective *e)
{
	return e->policy.file && (e->profile.n_code || e->policy.consent.by != CONSENT_BY_ASK);
}

static int refuse(const char *path, struct diag *d)
{
	char shown[SHOWN];

	return diag_fail(d, -ESTALE,
		"the code %s was changed while it was looked at, so what would run is not what was approved, and "
		"nothing is started: start it again when that is done",
		text_escape_str(path, shown, sizeof(shown)));
}

/* A tree that lies in a granted directory has no mount of its own. */
static bool is_mounted_so(const struct plan *plan, const char *path, const struct stat *st)
{
	for (size_t i = 0; i < plan->n_mounts; i++) {
		const struct plan_mount *m = &plan->mounts[i];
		if (m->kind == PLAN_BIND && strcmp(m->target, path) == 0)
			return m->dev == st->st_dev && m->ino == st->st_ino;
	}
	return true;
}

int code_hold(struct effective *e, struct diag *d)
{
	bool needed = code_is_for_others(e);
	int r = 0;

	for (size_t i = 0; needed && r == 0 && i < e->cmd.n_trees; i++) {
		struct code_tree *t = &e->cmd.trees[i];
		char stamp[CODE_DIGEST_HEX];
		struct stat st;
		if (t->root_only)
			continue;
		r = code_stamp_tree(t->path, e->cmd.git_is_code, &st, stamp, d);
		if (r == 0 && !is_mounted_so(&e->plan, t->path, &st))
			return refuse(t->path, d);
		free(t->stamp);
		t->stamp = r == 0 ? strdup(stamp) : NULL;
		if (r == 0 && !t->stamp)
			return -ENOMEM;
	}
	return r;
}

int code_held(const struct effective *e, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->cmd.n_trees; i++) {
		const struct code_tree *t = &e->cmd.trees[i];
		char stamp[CODE_DIGEST_HEX];
		struct stat st;
		if (!t->stamp)
			continue;
		r = code_stamp_tree(t->path, e->cmd.git_is_code, &st, stamp, d);
		if (r == 0 && strcmp(stamp, t->stamp) != 0)
			r = refuse(t->path, d);
	}
	return r;
}
