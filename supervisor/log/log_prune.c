/* SPDX-License-Identifier: Apache-2.0 */
/* log_prune - see log_prune.h */
#include "supervisor/log/log_prune.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

/* When it was last done is when this file was last written. */
static const char stamp[] = "pruned";

struct prune_rules log_prune_rules(const struct policy *p, bool collected)
{
	const struct policy_audit *a = &p->audit;

	/* In a collected record it is the sender who says what its profile says. */
	return (struct prune_rules){ .profiles = !collected,
		.only_longer = a->older_s > 0,
		.older_s = a->older_s,
		.older_where = a->older_where,
		.size = a->size,
		.size_where = a->size_where };
}

static bool is_due(int dir, time_t now)
{
	struct stat st;

	return fstatat(dir, stamp, &st, AT_SYMLINK_NOFOLLOW) < 0 || now < st.st_mtime ||
	       now - st.st_mtime >= LOG_PRUNE_EVERY_S;
}

static void mark_done(int dir)
{
	_cleanup_close_ int fd = openat(dir, stamp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	/* Done again too soon costs a moment, and nothing else. */
	if (fd >= 0)
		(void)!write(fd, "", 1);
}

int log_prune_daily(const struct paths *p, const struct policy *policy, bool own, struct diag *d)
{
	const struct prune_rules rules = log_prune_rules(policy, false);
	_cleanup_log_key_ struct log_key key = { .id = "" };
	_cleanup_close_ int state = -1, dir = -1;
	time_t now = time(NULL);
	int r;

	if (policy->audit.collector || (!own && !rules.older_s && !rules.size))
		return 0;
	r = paths_open_state(p, "audit", &dir, d);
	if (r < 0 || !is_due(dir, now))
		return r;
	r = paths_open_state(p, "", &state, d);
	if (r == 0)
		r = log_key_take(state, &key, d);
	if (r == 0)
		r = audit_prune(dir, &rules, &key, (uint64_t)now, NULL, d);
	if (r == 0)
		mark_done(dir);
	return r;
}
