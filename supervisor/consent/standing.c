/* SPDX-License-Identifier: Apache-2.0 */
/* standing - see standing.h */
#include "supervisor/consent/standing.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "supervisor/consent/admin.h"
#include "supervisor/consent/granted.h"

int consent_note(const struct effective *e, const char *channel, struct approval *ret)
{
	snprintf(ret->id, sizeof(ret->id), "%.16s", e->digest);
	ret->channel = strdup(channel);
	return ret->channel ? CONSENT_APPROVED : -ENOMEM;
}

static int look_up_kept(const struct paths *p, const struct effective *e, struct approval *ret, struct diag *d)
{
	_cleanup_approval_ struct approval a = { 0 };
	struct diag uncounted;
	int r = consent_lookup(p, e->digest, &a, d);

	if (r != CONSENT_APPROVED)
		return r;
	if (policy_judge_channel(&e->policy.consent, a.channel, e->name, &uncounted) < 0)
		return CONSENT_UNKNOWN;
	*ret = a;
	a = (struct approval){ 0 };
	return r;
}

int consent_standing(const struct paths *p, const struct effective *e, struct approval *ret, struct diag *d)
{
	int r = CONSENT_UNKNOWN;

	if (e->granted)
		return consent_note(e, GRANTED_CHANNEL, ret);
	if (e->never_remember)
		return CONSENT_UNKNOWN;
	if (e->policy.file)
		r = admin_lookup(e->digest, ret, d);
	return r == CONSENT_UNKNOWN ? look_up_kept(p, e, ret, d) : r;
}
