/* SPDX-License-Identifier: Apache-2.0 */
/* record_alone - see record_alone.h */
#include "supervisor/record_alone.h"
#include "audit/audit.h"
#include "supervisor/log/log_open.h"

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

int record_alone(const struct record_alone_args *a, const struct event *e, const json_t *extra, struct diag *d)
{
	_cleanup_free_ char *client = lineage_words(a->lineage);
	_cleanup_audit_ struct audit *log = NULL;
	_cleanup_policy_ struct policy policy = { 0 };
	char id[AUDIT_SESSION_ID_LEN + 1];
	const struct audit_identity identity = { .session = id,
		.user = a->paths->user,
		.groups = a->paths->groups,
		.client = or_empty(client),
		.server = a->server,
		.version = "",
		.plan_digest = or_empty(a->plan),
		.approval = or_empty(a->approval),
		.channel = a->channel,
		.classification = "",
		.delete_after = "" };
	int r = policy_load(&policy, d);

	if (r < 0)
		return r;
	audit_new_session_id(id);
	r = log_open(a->paths, &policy, &identity, &log, d);
	if (r == 0)
		r = audit_append(log, EVENT_FROM_SUPERVISOR, e, extra, d);
	return r < 0 ? r : audit_close(log, e->status, d);
}
