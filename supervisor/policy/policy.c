/* SPDX-License-Identifier: Apache-2.0 */
/* policy - see policy.h */
#include "supervisor/policy/policy.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "base/io.h"
#include "supervisor/policy/policy_keys.h"

/* What one key asks of another. */
static int check_whole(const struct policy *p, struct diag *d)
{
	/* What nobody signed nobody has granted. */
	if (p->consent.by == CONSENT_BY_GRANTED && !p->signatures.where)
		return diag_fail(d, -EINVAL,
			"%s needs \"signatures\" in the policy: they say whose signature starts a server without a "
			"question",
			p->consent.by_where);
	return policy_mode_check(&p->mode, time(NULL), d);
}

static int parse(struct parse *ps, const char *path, const struct buf *b, struct policy *policy)
{
	int r = json_file_parse(path, b->data ? b->data : "", b->len, &ps->file, ps->d);

	if (r < 0)
		return r;
	if (!json_is_object(ps->file.root))
		return diag_fail(
			ps->d, -EINVAL, "%s:1: a policy is a JSON object, not %s", path, json_file_type(ps->file.root));
	if (!json_object_get(ps->file.root, "stockade"))
		return diag_fail(ps->d, -EINVAL, "%s: has no \"stockade\": 1, which says the format", path);
	r = key_walk(ps, "", "", ps->file.root, policy);
	return r < 0 ? r : check_whole(policy, ps->d);
}

/* Whoever meets the error can seldom mend it, but has to know that it is not the server's. */
static int explain(int r, const char *path, struct diag *d)
{
	struct diag why = *d;

	return diag_fail(d, r,
		"the policy of this machine cannot be followed, so nothing is started: %s. Ask who manages %s",
		why.text[0] ? why.text : strerror(-r), path);
}

int policy_parse(
	const char *path, const struct buf *b, enum fs_trust trust, uid_t uid, struct policy *ret, struct diag *d)
{
	struct policy_take take = { .trust = trust, .uid = uid };
	struct parse ps = { .table = &policy_keys, .policy = &take, .d = d };
	int r;

	*ret = (struct policy){ 0 };
	r = parse(&ps, path, b, ret);
	json_file_done(&ps.file);
	if (r == 0 && !(ret->file = strdup(path)))
		r = -ENOMEM;
	if (r == 0)
		return 0;
	policy_done(ret);
	return r == -ENOENT ? -EINVAL : r;
}

int policy_read_file(const char *path, enum fs_trust trust, uid_t uid, struct policy *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(POLICY_BYTES_MAX);
	int r;

	*ret = (struct policy){ 0 };
	diag_set(d, "%s", "");
	r = fs_read_trusted_file(path, trust, uid, &b, d);
	return r < 0 ? r : policy_parse(path, &b, trust, uid, ret, d);
}

int policy_load_file(const char *path, enum fs_trust trust, uid_t uid, struct policy *ret, struct diag *d)
{
	int r = policy_read_file(path, trust, uid, ret, d);

	return r == -ENOENT ? 0 : r < 0 ? explain(r, path, d) : 0;
}

/* Was something taken out of its directory, or put into it, just now? Only its owner can bring that about. */
static bool is_changing(const char *path)
{
	_cleanup_free_ char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	int64_t now = (int64_t)io_wall_us() / 1000, then;
	struct stat st;

	if (!dir || stat(dir, &st) < 0)
		return false;
	then = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	return now - then < POLICY_SETTLE_MS;
}

int policy_load_settled(const char *path, enum fs_trust trust, uid_t uid, const struct policy_pause *pause,
	struct policy *ret, struct diag *d)
{
	int r = policy_load_file(path, trust, uid, ret, d);

	for (unsigned i = 0; r == 0 && !ret->file && i < POLICY_PAUSES && is_changing(path); i++) {
		pause->fn(pause->ctx);
		r = policy_load_file(path, trust, uid, ret, d);
	}
	return r;
}

static void wait_a_little(void *ctx)
{
	(void)ctx;
	(void)poll(NULL, 0, POLICY_SETTLE_MS / POLICY_PAUSES);
}

int policy_load(struct policy *ret, struct diag *d)
{
	static const struct policy_pause pause = { .fn = wait_a_little };

	return policy_load_settled(POLICY_FILE, FS_TRUST_ROOT, 0, &pause, ret, d);
}

void policy_done(struct policy *p)
{
	free(p->file);
	policy_provide_done(&p->provide);
	policy_persons_done(&p->persons);
	policy_audit_done(&p->audit);
	policy_servers_done(&p->servers);
	alert_rules_done(&p->alerts);
	client_rules_done(&p->clients);
	policy_ceilings_done(&p->ceilings);
	policy_groups_done(&p->groups);
	policy_signatures_done(&p->signatures);
	policy_consent_done(&p->consent);
	policy_mode_done(&p->mode);
	policy_bundle_done(&p->bundle);
	*p = (struct policy){ 0 };
}
