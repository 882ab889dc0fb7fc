/* SPDX-License-Identifier: Apache-2.0 */
/* granted - see granted.h */
#include "supervisor/consent/granted.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/effective_lines.h"
#include "supervisor/signing/code_bound.h"

enum { SHOWN = 400 };

static int judge_profile(const struct effective *e, struct diag *d)
{
	const struct profile *f = &e->profile;
	char shown[SHOWN];
	bool counts = false;

	if (!f->file)
		return diag_fail(d, -EPERM, "there is no profile: a command line is signed by nobody");
	text_escape_str(f->file, shown, sizeof(shown));
	if (!f->managed)
		return diag_fail(d, -EPERM,
			"the profile %s is not a managed one: who manages this machine has to put it into "
			"/etc/stockade/profiles",
			shown);
	for (size_t i = 0; i < f->vouched.n; i++)
		counts = counts || f->vouched.v[i].counts;
	return counts ? 0 : diag_fail(d, -EPERM, "the profile %s has no signature that counts here", shown);
}

static int judge(const struct effective *e, struct diag *d)
{
	int r = judge_profile(e, d);

	if (r < 0)
		return r;
	if (e->added)
		return diag_fail(d, -EPERM,
			"%s stands on the command line, and nobody has signed that: leave it out; values of parameters "
			"(--set) may stand there",
			e->added);
	if (e->by_path)
		return diag_fail(d, -EPERM,
			"its program was found by the PATH of whoever started it alone: write its absolute path into "
			"the profile, or install it where every PATH of this system looks");
	return code_bound(e, d);
}

static int say(struct effective *e)
{
	const char *where = e->policy.consent.by_where;

	if (e->granted)
		return effective_add_line(e, LINE_SIGNED, 0, where, "policy approves it: nobody is asked");
	return effective_add_line(
		e, LINE_NOTE, 0, where, "policy would start it without a question, but: %s", e->ungranted);
}

int granted_judge(struct effective *e, struct diag *d)
{
	struct diag why = { "" };
	int r;

	free(e->ungranted);
	e->ungranted = NULL;
	e->granted = false;
	/* With "admin" it is not the only way, so the policy may do without signatures. */
	if (e->policy.consent.by == CONSENT_BY_ASK || !e->policy.signatures.where)
		return 0;
	r = judge(e, &why);
	if (r < 0 && r != -EPERM)
		return diag_fail(d, r, "%s", why.text);
	e->granted = r == 0;
	if (r < 0 && !(e->ungranted = strdup(why.text)))
		return -ENOMEM;
	return say(e);
}
