/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_trust - doctor's lines on what root lays down: which keys are trusted and until when, the bundle, the
 * collector, and whether the clock can be right */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "supervisor/doctor.h"
#include "supervisor/log/log_open.h"
#include "supervisor/output.h"
#include "supervisor/signing/freshness.h"
#include "supervisor/signing/versions.h"
#include "supervisor/signing/vouch.h"

enum { WORDS = 400 };

static bool gather(const struct doctor_env *env, struct vouching *v, struct doctor_result *r)
{
	struct diag d = { "" };

	if (!env->paths) {
		doctor_no(r, "%s", env->paths_error);
		return false;
	}
	if (vouching_load(env->paths, v, &d) == 0)
		return true;
	doctor_no(r, "%s", d.text);
	doctor_mend(r, "until that is mended nothing is started; on a machine that is managed, ask who manages it");
	return false;
}

/* Of those that the policy names how many could sign something today; words: what is wrong with the others. */
static size_t count_good(const struct vouching *v, char words[WORDS])
{
	const struct policy_signatures *s = &v->policy->signatures;
	size_t good = 0, n = 0;

	words[0] = '\0';
	for (size_t i = 0; i < s->n; i++) {
		const struct keyring_key *k = keyring_by_name(&v->by.keys, s->keys[i].name);
		bool over = s->keys[i].expires && s->keys[i].expires <= v->moments.now;
		bool soon = s->keys[i].expires && s->keys[i].expires - v->moments.now <= FRESHNESS_AHEAD_S;
		bool revoked = k && revocations_has_key(&v->by.revoked, k->key.id);
		char when[OUTPUT_TIME_SIZE];

		good += k && !over && !revoked;
		if (n < WORDS && (!k || over || soon || revoked))
			n += (size_t)snprintf(words + n, WORDS - n, "; %s %s%s", s->keys[i].name,
				!k	  ? "is not there"
				: revoked ? "was revoked"
				: over	  ? "has expired on "
					  : "expires on ",
				k && !revoked ? output_time(s->keys[i].expires, when) : "");
	}
	return good;
}

void doctor_check_keys(const struct doctor_env *env, struct doctor_result *r)
{
	_cleanup_vouching_ struct vouching v = { 0 };
	char words[WORDS];
	size_t good;

	if (!gather(env, &v, r))
		return;
	if (!v.policy->signatures.where) {
		doctor_yes(r, "no signatures are demanded; %zu %s trusted, %s", v.by.keys.n,
			v.by.keys.n == 1 ? "key is" : "keys are",
			v.policy->file ? "those of " JUDGING_KEYS_DIR : "your own");
		return;
	}
	good = count_good(&v, words);
	if (good < v.policy->signatures.need) {
		doctor_no(r, "profiles need %u signatures, and %zu of the policy's %zu keys can give one%s",
			v.policy->signatures.need, good, v.policy->signatures.n, words);
		doctor_mend(r, "no profile can be started: ask who manages this machine for keys that are good (%s)",
			v.policy->signatures.where);
	} else if (words[0]) {
		doctor_note(r, "profiles need %u signatures of %zu keys%s", v.policy->signatures.need,
			v.policy->signatures.n, words);
	} else {
		doctor_yes(r, "profiles need %u signatures of %zu keys, which are all there", v.policy->signatures.need,
			v.policy->signatures.n);
	}
}

/* "release and security" */
static void name_signers(const struct bundle *b, char words[WORDS])
{
	size_t n = 0;

	words[0] = '\0';
	for (size_t i = 0; i < b->verified.n && n < WORDS; i++)
		if (b->verified.v[i].name)
			n += (size_t)snprintf(words + n, WORDS - n, "%s%s", n ? " and " : "", b->verified.v[i].name);
}

void doctor_check_bundle(const struct doctor_env *env, struct doctor_result *r)
{
	_cleanup_vouching_ struct vouching v = { 0 };
	char name[WORDS], signers[WORDS], when[OUTPUT_TIME_SIZE], to[OUTPUT_TIME_SIZE], old[OUTPUT_TIME_SIZE];
	const struct bundle *b = &v.bundle;
	bool managed = env->paths && access(POLICY_FILE, F_OK) == 0;

	/* Without a policy it counts nowhere, and the keys have a line of their own. */
	if (!managed) {
		doctor_yes(r, "none is looked for: this machine has no policy");
		return;
	}
	if (!gather(env, &v, r))
		return;
	if (!b->file) {
		doctor_yes(r, "this machine has none, and %s",
			v.policy->bundle.url ? "policy names where one comes from: 'stockade sync' has taken none yet"
					     : "policy asks for none");
		return;
	}
	name_signers(b, signers);
	text_escape_str(b->name, name, sizeof(name));
	if (v.policy->bundle.stale)
		output_time(b->confirmed + (int64_t)v.policy->bundle.stale, old);
	(*b->warning ? doctor_note : doctor_yes)(r,
		"'%.100s', version %llu, signed by %.120s, until %s; confirmed on %s%s%s%s%.200s", name,
		(unsigned long long)b->version, signers, output_time(b->expires, to), output_time(b->confirmed, when),
		v.policy->bundle.stale ? ", too old from " : "", v.policy->bundle.stale ? old : "",
		*b->warning ? "; " : "", b->warning);
	if (*b->warning)
		doctor_mend(r, "see that 'stockade sync' reaches its server, or ask whoever manages this machine for a "
			       "newer one");
}

void doctor_check_collector(const struct doctor_env *env, struct doctor_result *r)
{
	_cleanup_policy_ struct policy p = { 0 };
	_cleanup_close_ int sock = -1;
	struct diag d = { "" };

	(void)env;
	if (policy_load(&p, &d) < 0) {
		doctor_no(r, "%s", d.text);
	} else if (!p.audit.collector) {
		doctor_yes(r, "no policy wants it: each user's records stay with that user");
	} else if (log_collector_connect(&p, &sock, &d) < 0) {
		doctor_no(r, "%s", d.text);
		doctor_mend(r, "'systemctl enable --now stockade-collector.socket'; without it nothing is started (%s)",
			p.audit.where);
	} else {
		doctor_yes(r, "it takes records at " COLLECTOR_SOCKET ", as %s wants", p.audit.where);
	}
}

void doctor_check_clock(const struct doctor_env *env, struct doctor_result *r)
{
	_cleanup_vouching_ struct vouching v = { 0 };
	char now[OUTPUT_TIME_SIZE];
	struct diag d = { "" };

	if (!gather(env, &v, r))
		return;
	if (moments_check(&v.moments, "what expires, and what is signed, is not started", &d) == 0) {
		doctor_yes(r, "%s, no earlier than anything that is known", output_time(v.moments.now, now));
		return;
	}
	doctor_no(r, "%s", d.text);
	if (moments_own_file(&v.moments))
		doctor_mend(r,
			"set the clock ('timedatectl' shows it, 'timedatectl set-ntp true' keeps it right), or, if it "
			"is "
			"right, remove %s/" VERSIONS_DIR "/" MOMENTS_FILE "; it is made again",
			paths_seen(env->paths));
	else
		doctor_mend(r, "set the clock: 'timedatectl' shows it, 'timedatectl set-ntp true' keeps it right");
}
