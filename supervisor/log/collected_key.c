/* SPDX-License-Identifier: Apache-2.0 */
/* collected_key - see collected_key.h */
#include "supervisor/log/collected_key.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include "audit/audit.h"
#include "base/cleanup.h"
#include "supervisor/lineage.h"
#include "supervisor/log/collected.h"
#include "supervisor/log/key_event.h"
#include "supervisor/paths.h"

/* Who does it, read before root has become the collector's user. */
struct change {
	struct collected at;
	struct paths paths;
	struct lineage lineage;
	char uid[16], pid[16];
	struct log_key old, now;
};

static int open_log(const struct change *c, struct audit **ret, struct diag *d)
{
	_cleanup_free_ char *client = lineage_words(&c->lineage);
	char id[AUDIT_SESSION_ID_LEN + 1], name[16];
	_cleanup_close_ int dir = -1;
	const struct audit_identity identity = { .session = id,
		.user = c->paths.user,
		.groups = c->paths.groups,
		.uid = c->uid,
		.pid = c->pid,
		.client = client ? client : "",
		.server = "",
		.version = "",
		.plan_digest = "",
		.approval = "",
		.channel = "key",
		.classification = "",
		.delete_after = "" };

	snprintf(name, sizeof(name), "%u", geteuid());
	if (mkdirat(c->at.logs, name, 0700) < 0 && errno != EEXIST)
		return diag_fail(d, -errno, COLLECTOR_LOGS "/%s cannot be made: %s", name, strerror(errno));
	dir = openat(c->at.logs, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return diag_fail(d, -errno, COLLECTOR_LOGS "/%s cannot be opened: %s", name, strerror(errno));
	audit_new_session_id(id);
	return audit_open(&(struct audit_options){ .dirfd = dir, .key = &c->old }, &identity, ret, d);
}

static int record(const struct change *c, struct diag *d)
{
	_cleanup_audit_ struct audit *log = NULL;
	struct event e = { 0 };
	json_t *detail = NULL;
	int r = key_event(&c->now, &e, &detail);

	if (r == 0)
		r = open_log(c, &log, d);
	if (r == 0)
		r = audit_append(log, EVENT_FROM_SUPERVISOR, &e, detail, d);
	if (r == 0)
		r = audit_close(log, e.status, d);
	json_decref(detail);
	return r;
}

static int publish(const struct change *c, struct diag *d)
{
	_cleanup_log_keys_ struct log_keys keys = { 0 };
	int r = log_keys_own(&keys, c->at.state, d);

	return r < 0 ? r : log_keys_publish(&keys, c->at.logs, LOG_KEYS_PUBLISHED, d);
}

static int change(struct change *c, struct diag *d)
{
	int r = log_key_load(c->at.state, &c->old, d);

	if (r == -ENOENT)
		return diag_fail(d, r, COLLECTOR_STATE " holds no key: the collector has never run here");
	if (r < 0)
		return r;
	log_key_make(&c->now);
	r = record(c, d);
	if (r == 0)
		r = log_key_replace(c->at.state, &c->old, &c->now, d);
	return r < 0 ? r : publish(c, d);
}

int collected_key_change(struct diag *d)
{
	struct change c = { .at = COLLECTED_NONE };
	int r = paths_init(&c.paths, d);

	snprintf(c.uid, sizeof(c.uid), "%u", getuid());
	snprintf(c.pid, sizeof(c.pid), "%d", getpid());
	if (r == 0)
		r = lineage_read(&c.lineage, d);
	if (r == 0)
		r = collected_open(&c.at, d);
	if (r == 0)
		r = change(&c, d);
	log_key_done(&c.old);
	log_key_done(&c.now);
	collected_done(&c.at);
	lineage_done(&c.lineage);
	paths_done(&c.paths);
	return r;
}

int collected_keys(struct log_keys *ret, struct diag *d)
{
	static const char path[] = COLLECTOR_LOGS "/" LOG_KEYS_PUBLISHED;
	int r = log_keys_read(ret, path, d);

	return r == -ENOENT ? diag_fail(d, r, COLLECTOR_NEVER_RAN, path) : r;
}
