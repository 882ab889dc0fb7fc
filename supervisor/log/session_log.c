/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_log - the session and its log: opened before anything runs, written before the next is taken
 *
 * Process:  supervisor
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "audit/audit.h"
#include "base/io.h"
#include "supervisor/log/log_open.h"
#include "supervisor/log/log_prune.h"
#include "supervisor/session_internal.h"

int session_record(struct session *s, enum event_source source, const struct event *e, const json_t *extra)
{
	int r = audit_append(s->log, source, e, extra, &s->diag);

	/* It was said, and the server is dead: what comes now was handed over before, or tells who waits that it is
	 * over. */
	if (r < 0 && s->log_failed && s->killed)
		return 0;
	s->log_failed = s->log_failed || r < 0;
	if (!s->dirty) {
		s->dirty = true;
		s->checkpoint_at = io_now_us() + (uint64_t)AUDIT_CHECKPOINT_S * 1000000;
	}
	return r == 0 && s->alerts ? session_alerts_take(s, e) : r;
}

int session_record_own(struct session *s, enum event_type type, const char *reason, const char *status)
{
	struct event e = { .type = type };

	snprintf(e.reason, sizeof(e.reason), "%s", reason);
	snprintf(e.status, sizeof(e.status), "%s", status);
	return session_record(s, EVENT_FROM_SUPERVISOR, &e, NULL);
}

/* What a batch handed over is with the collector, where there is one, before the next is looked at. */
int session_settle(struct session *s)
{
	int r = audit_settle(s->log, &s->diag);

	if (r < 0 && s->log_failed && s->killed)
		return 0;
	s->log_failed = s->log_failed || r < 0;
	return r;
}

/* Whoever takes the records is gone, and an idle session has to learn of it too. */
int session_on_log(struct session *s)
{
	int r = session_settle(s);

	s->log_failed = true;
	return r < 0 ? r
		     : diag_fail(&s->diag, -EPIPE,
			       "the collector of audit records is gone; nothing goes on unrecorded, so the session "
			       "ends. Ask "
			       "who manages this machine to look at stockade-collector.service");
}

/* Who asks for it, and who signed its profile. */
static json_t *opening_of(const struct effective *e)
{
	json_t *o = json_pack("{s:o}", "client", client_json(&e->client));

	if (!o || !e->profile.vouched.n || json_object_set_new(o, "signers", vouched_json(&e->profile.vouched)) == 0)
		return o;
	json_decref(o);
	return NULL;
}

/* Into the log that is to be opened, or, once it is, into its records from now on. */
static int identify(struct session *s, bool opens)
{
	const struct session_args *a = s->args;
	const struct effective *e = a->effective;
	_cleanup_free_ char *client = lineage_words(a->lineage);
	char version[32] = "";
	json_t *opening;
	int r;

	if (e->profile.file)
		snprintf(version, sizeof(version), "%llu", (unsigned long long)e->profile.version);
	struct audit_identity id = { .session = s->id,
		.user = a->paths->user,
		.groups = a->paths->groups,
		.client = client ? client : "",
		.server = e->name,
		.version = version,
		.plan_digest = e->digest,
		.approval = s->approval ? s->approval : "",
		.channel = s->channel ? s->channel : "",
		.classification = e->profile.classification ? e->profile.classification : "",
		.delete_after = e->profile.delete_after ? e->profile.delete_after : "" };
	if (!opens)
		return audit_set_identity(s->log, &id);
	id.opening = opening = opening_of(e);
	r = opening ? log_open(a->paths, &e->policy, &id, &s->log, &s->diag) : -ENOMEM;
	json_decref(opening);
	return r;
}

int session_identify(struct session *s)
{
	int r = identify(s, false);

	return r < 0 ? diag_fail(&s->diag, r, "cannot go on with the audit log: %s", strerror(-r)) : 0;
}

int session_open_log(struct session *s)
{
	int r;

	audit_new_session_id(s->id);
	s->approval = s->args->approval;
	s->channel = s->args->channel;
	r = identify(s, true);
	if (r == 0)
		snprintf(s->id, sizeof(s->id), "%s", audit_session(s->log));
	return r;
}

void session_prune_log(struct session *s)
{
	const struct effective *e = s->args->effective;

	if (s->log && log_prune_daily(s->args->paths, &e->policy, e->profile.delete_after != NULL, &s->diag) < 0)
		session_say(s, s->diag.text);
}
