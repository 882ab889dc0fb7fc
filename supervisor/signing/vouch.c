/* SPDX-License-Identifier: Apache-2.0 */
/* vouch - see vouch.h */
#include "supervisor/signing/vouch.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/bundle/bundle_after.h"
#include "supervisor/signing/versions.h"

enum { SHOWN = 300 };

/* --- what there is to judge by --- */

/* A machine never goes back to a lower one: it may be from before something was revoked or killed. A launch remembers
 * it (launch.c); whoever only looks, and with whatever policy, changes nothing. */
static int never_back(const struct vouching *v, struct diag *d)
{
	char file[SHOWN];
	uint64_t seen;
	int r = versions_seen(v->paths, VERSIONS_BUNDLE, &seen, d);

	if (r == 0 && v->bundle.version < seen)
		return diag_fail(d, -EPERM,
			"the bundle %s is version %llu, but version %llu was in force here, and a bundle never goes "
			"back, so nothing is started: whoever manages this machine has to bring one of version %llu or "
			"later",
			text_escape_str(v->bundle.file, file, sizeof(file)), (unsigned long long)v->bundle.version,
			(unsigned long long)seen, (unsigned long long)seen);
	return r;
}

/* Where policy says how old it may be, none at all is too old: what was revoked or killed is not known here. */
static int load_bundle(struct vouching *v, struct diag *d)
{
	int r;

	kill_bundle_before(&v->kills);
	r = bundle_load_machine(&v->by, &v->bundle, d);
	if (r == BUNDLE_NONE && v->policy->bundle.stale)
		return diag_fail(d, -EPERM,
			"this machine has no bundle yet, and %s demands one that is fresh: see that 'stockade sync' "
			"reaches "
			"its server, or have one put into " BUNDLE_PLACED,
			v->policy->bundle.stale_where);
	if (r != 0)
		return r < 0 ? r : 0;
	r = never_back(v, d);
	if (r == 0)
		r = kill_bundle_fill(&v->kills, &v->bundle);
	if (r < 0)
		return r;
	moments_tell(&v->moments, v->bundle.issued, "the bundle %s was issued", v->bundle.file);
	/* They hold like the files in JUDGING_REVOKED_DIR; it was judged with those. */
	return bundle_revocations(v->bundle.file, v->bundle.revocations, &v->by.revoked, d);
}

int vouching_init(const struct paths *p, const struct policy *policy, struct vouching *ret, struct diag *d)
{
	_cleanup_vouching_ struct vouching v = { .paths = p, .policy = policy };
	int r = moments_look(p, &v.moments, d);

	if (r == 0 && policy->file)
		moments_tell_file(&v.moments, policy->file);
	if (r == 0)
		r = judging_init(policy, p, v.moments.now, &v.by, d);
	if (r == 0 && policy->file)
		r = load_bundle(&v, d);
	if (r < 0)
		return r;
	*ret = v;
	v = (struct vouching){ 0 };
	return 0;
}

int vouching_load(const struct paths *p, struct vouching *ret, struct diag *d)
{
	_cleanup_policy_ struct policy own = { 0 };
	int r = policy_load(&own, d);

	if (r == 0)
		r = vouching_init(p, &own, ret, d);
	if (r < 0)
		return r;
	ret->own = own;
	ret->policy = ret->by.policy = &ret->own;
	own = (struct policy){ 0 };
	return 0;
}

void vouching_done(struct vouching *v)
{
	policy_done(&v->own);
	judging_done(&v->by);
	bundle_done(&v->bundle);
	kill_bundle_done(&v->kills);
	*v = (struct vouching){ 0 };
}

/* --- one file --- */

/* Nothing says when it was made, or something that is still to come: then the clock is wrong, or the signer's was. in:
 * the file that it lies in. */
static int check_moments(struct vouching *v, const char *path, const char *in, const struct verified *x, struct diag *d)
{
	char why[SHOWN + 64], shown[SHOWN];
	bool matters = false;

	text_escape_str(path, shown, sizeof(shown));
	for (size_t i = 0; i < x->n; i++) {
		char file[SHOWN];
		if (!x->v[i].name)
			continue;
		moments_tell(&v->moments, x->v[i].when, "the signature %s was made",
			text_escape_str(x->v[i].file, file, sizeof(file)));
		matters = true;
	}
	if (!matters && !v->policy->signatures.where)
		return 0;
	moments_tell_file(&v->moments, in);
	snprintf(why, sizeof(why), "what the signatures of %s are worth hangs on the time", shown);
	return moments_check(&v->moments, why, d);
}

static int judge_file(const struct vouching *v, const char *path, const char *server, const struct verified *x,
	struct verdict *ret, struct diag *d)
{
	const struct policy_signatures *s = &v->policy->signatures;
	_cleanup_free_ struct judge_key *keys = NULL;
	struct judge_rule rule = { .need = s->need,
		.n_keys = s->n,
		.revoked = (const uint8_t(*)[SIGN_ID_BYTES])v->by.revoked.keys,
		.n_revoked = v->by.revoked.n_keys,
		.now = v->moments.now,
		.server = server,
		.where = s->where };
	char shown[SHOWN];
	int r = policy_signatures_keys(s, &keys);

	rule.keys = keys;
	r = r < 0 ? r : judge(&rule, &v->by.keys, x, ret, d);
	if (r < 0)
		diag_prefix(d, "%s is not signed as it must be here, so nothing is started; ask whoever wrote it: ",
			text_escape_str(path, shown, sizeof(shown)));
	return r;
}

/* Where nobody demands signatures, one of a revoked key is still worse than none. */
static int refuse_revoked(const struct vouching *v, const char *path, const struct verified *x, struct diag *d)
{
	char shown[SHOWN];

	for (size_t i = 0; i < x->n; i++)
		if (x->v[i].name && revocations_has_key(&v->by.revoked, x->v[i].id))
			return diag_fail(d, -EPERM,
				"%s is signed by '%s', a key that was revoked: nothing is started with it; ask whoever "
				"wrote it to sign it anew",
				text_escape_str(path, shown, sizeof(shown)), x->v[i].name);
	return 0;
}

static int note(const struct verified *x, const struct verdict *verdict, const char *rule, struct vouched *ret)
{
	ret->rule = rule ? strdup(rule) : NULL;
	ret->expires = verdict->expires;
	ret->v = calloc(x->n + 1, sizeof(*ret->v));
	if (!ret->v || (rule && !ret->rule))
		return -ENOMEM;
	for (; ret->n < x->n; ret->n++) {
		struct voucher *one = &ret->v[ret->n];
		one->name = x->v[ret->n].name ? strdup(x->v[ret->n].name) : NULL;
		if (x->v[ret->n].name && !one->name)
			return -ENOMEM;
		sign_id_text(x->v[ret->n].id, one->id);
		one->when = x->v[ret->n].when;
		one->counts = rule && verdict->of[ret->n] == JUDGE_COUNTS;
		if (rule && one->name && !one->counts)
			one->why = judge_reason_words(verdict->of[ret->n]);
	}
	return 0;
}

static int judge_bytes(struct vouching *v, const char *path, const char *in, const char *server,
	const struct verified *x, struct vouched *ret, struct diag *d)
{
	const char *rule = v->policy->signatures.where;
	struct verdict verdict = { 0 };
	int r = check_moments(v, path, in, x, d);

	if (r == 0)
		r = rule ? judge_file(v, path, server, x, &verdict, d) : refuse_revoked(v, path, x, d);
	if (r == 0)
		r = note(x, &verdict, rule, ret);
	if (r < 0)
		vouched_done(ret);
	return r;
}

int vouching_take(
	struct vouching *v, const struct bundle_file *f, const char *server, struct vouched *ret, struct diag *d)
{
	return judge_bytes(v, f->where, v->bundle.file, server, &f->verified, ret, d);
}

int vouching_read(
	struct vouching *v, const struct vouching_file *f, struct vouched *ret, struct buf *ret_bytes, struct diag *d)
{
	_cleanup_verified_ struct verified x = { 0 };
	int r = signed_read_file(f->path, f->trust, v->paths->uid, f->max, &v->by.keys, &x, d);

	if (r == 0)
		r = judge_bytes(v, f->path, f->path, f->server, &x, ret, d);
	if (r < 0)
		return r;
	*ret_bytes = x.bytes;
	x.bytes = (struct buf){ 0 };
	return 0;
}
