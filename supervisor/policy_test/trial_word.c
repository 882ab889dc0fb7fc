/* SPDX-License-Identifier: Apache-2.0 */
/* trial_word - see trial_word.h */
#include "supervisor/policy_test/trial_word.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "supervisor/consent/admin.h"
#include "supervisor/consent/granted.h"
#include "supervisor/consent/standing.h"

const char *trial_word_text(enum trial_word w)
{
	static const char *const words[] = { [WORD_REFUSED] = "refused",
		[WORD_ASKS] = "asks",
		[WORD_APPROVAL] = "approval",
		[WORD_ADMIN] = "admin",
		[WORD_POLICY] = "policy" };

	return words[w];
}

bool trial_starts(const struct trial_side *s)
{
	return s->r == 0 && s->word != WORD_REFUSED;
}

/* Each user namespace has a root, but here it is asked what a launch of whoever asks would do. */
static bool only_root_approves(const struct effective *e)
{
	return e->policy.consent.by == CONSENT_BY_ADMIN && geteuid() != 0;
}

static enum trial_word word_of_channel(const char *channel)
{
	return strcmp(channel, GRANTED_CHANNEL) == 0 ? WORD_POLICY
	       : strcmp(channel, ADMIN_CHANNEL) == 0 ? WORD_ADMIN
						     : WORD_APPROVAL;
}

static int refuse(struct trial_side *s, const char *why)
{
	s->word = WORD_REFUSED;
	s->word_why = strdup(why);
	return s->word_why ? 0 : -ENOMEM;
}

int trial_word_find(const struct trial_args *a, struct trial_side *s)
{
	_cleanup_approval_ struct approval standing = { 0 };
	struct diag d = { "" };
	int r = consent_standing(a->paths, &s->e, &standing, &d);

	if (r == -ENOMEM)
		return r;
	if (r < 0) /* what should approve it is damaged */
		return refuse(s, d.text);
	if (r == CONSENT_APPROVED)
		s->word = word_of_channel(standing.channel);
	else
		s->word = WORD_ASKS;
	if (s->word != WORD_ASKS || !only_root_approves(&s->e))
		return 0;
	(void)!policy_judge_channel(&s->e.policy.consent, "approve", s->e.name, &d);
	return refuse(s, d.text);
}

/* --- of one approval --- */

/* A profile with parameters has no digest here. What the policy once approved, a policy that still approves is taken to
 * approve again. */
static enum trial_word word_written(const struct trial_side *s, const struct approval *a, struct diag *d)
{
	const struct effective *e = &s->e;
	_cleanup_approval_ struct approval root = { 0 };
	struct diag unsaid = { "" };

	if (strcmp(a->channel, GRANTED_CHANNEL) == 0 && e->policy.consent.by != CONSENT_BY_ASK &&
		e->policy.signatures.where)
		return WORD_POLICY;
	if (e->policy.file && admin_lookup(a->digest, &root, &unsaid) == CONSENT_APPROVED)
		return WORD_ADMIN;
	if (policy_judge_channel(&e->policy.consent, a->channel, a->name, d) < 0)
		return only_root_approves(e) ? WORD_REFUSED : WORD_ASKS;
	return WORD_APPROVAL;
}

enum trial_word trial_word_of(
	const struct trial *t, const struct trial_side *s, const struct approval *a, struct diag *d)
{
	const struct effective *e = &s->e;

	if (t->written)
		return word_written(s, a, d);
	if (s->word == WORD_REFUSED)
		diag_set(d, "%s", s->word_why);
	if (s->word == WORD_REFUSED || s->word == WORD_POLICY || s->word == WORD_ADMIN)
		return s->word;
	if (strcmp(a->channel, GRANTED_CHANNEL) == 0)
		diag_set(d, "the policy does not approve it any more%s%s", e->ungranted ? ": " : "",
			e->ungranted ? e->ungranted : "");
	else if (policy_judge_channel(&e->policy.consent, a->channel, a->name, d) == 0 && !e->never_remember &&
		 strcmp(e->digest, a->digest) == 0)
		return WORD_APPROVAL;
	return WORD_ASKS;
}
