/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_consent_property - nobody's word starts a launch but his to whom the policy leaves it
 *
 * What is drawn is that of test_launch_property. Whether the policy approves a launch by itself is held against what
 * root's two files, the keys beside them and the program say: it does exactly where these do. A user's approval,
 * written through any channel and under any name, counts where the policy counts it, and root's everywhere.
 */
#include "tests/unit/drawn_model.h"
#include "supervisor/consent.h"
#include "supervisor/consent/standing.h"

enum { CASES = 1200 };

/* What a user can write into an approval. */
static const char *const claimed[] = { "terminal", "approve", "digest", "policy", "admin", "" };

static const char *by_of(const struct draw *x)
{
	const json_t *by = said(x->policy, "consent", "by");

	return by ? json_string_value(by) : "ask";
}

static bool is_bound(const struct draw *x)
{
	return json_object_get(x->profile, "code") && !x->altered;
}

/* In a user namespace all files are its only user's, and the programs of the system are nobody's. */
static bool code_is_roots(const struct effective *e)
{
	return user == 0 || !below(e->cmd.program, base);
}

/* In the order of the page: who asks, who has signed, what is added, what runs. */
static bool policy_grants(const struct draw *x, const struct effective *e)
{
	const struct grants *g = &x->grants;
	const json_t *pass = said(x->policy, "env", "pass");
	bool kept = says(x->profile, "filesystem", "home", "private") &&
		    !says(x->policy, "filesystem", "home", "empty") && x->kept_code;
	bool steered = one_passes(x->profile, "NODE_OPTIONS") && (!pass || any_fits(pass, "NODE_OPTIONS"));
	bool added = g->read.n || g->write.n || g->hosts.n || g->env_pass.n || g->env_set.n || g->cwd;

	return strcmp(by_of(x), "ask") != 0 && json_object_get(x->policy, "signatures") && x->how == BY_NAME &&
	       signed_enough(x) && !added && !steered && !kept && (is_bound(x) || code_is_roots(e));
}

static void hold_granted(const struct draw *x, const struct effective *e)
{
	bool granted = policy_grants(x, e), named = x->how == BY_NAME && strcmp(by_of(x), "ask") != 0;
	const char *command = json_string_value(json_array_get(json_object_get(x->profile, "command"), 0));

	/* Where its user is not asked he does not choose what a name stands for. */
	HOLDS(x, !named || strcmp(command, "true") != 0 || !below(e->cmd.program, base), "%s", e->cmd.program);
	HOLDS(x, !e->granted || granted, "the policy's word: %s", e->ungranted ? e->ungranted : "given");
	/* Else it might never give it. */
	HOLDS(x, user == 0 || e->granted == granted, "the policy's word: %s", e->ungranted ? e->ungranted : "given");
}

/* Where only root approves, the one user of a user namespace is root. */
static bool counts(const struct draw *x, const char *channel)
{
	const json_t *channels = said(x->policy, "consent", "channels");
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(drawn_channels); i++)
		known = known || strcmp(drawn_channels[i], channel) == 0;
	return known && (!channels || any_fits(channels, channel)) && (user == 0 || strcmp(by_of(x), "admin") != 0);
}

/* Of root's, or where nobody looks for one. */
static void put_approval(uid_t as, const char *directory, const struct effective *e, bool there)
{
	json_t *o = json_pack("{s:i, s:s, s:s, s:s}", "stockade", 1, "digest", e->digest, "who", "it", "when",
		"2026-10-01T00:00:00Z");
	char path[PATH_MAX];

	make_dirs(as, directory, 0755);
	snprintf(path, sizeof(path), "%s/%s.json", directory, e->digest);
	become(as);
	unlink(path);
	become(user);
	if (there)
		put_json(as, path, o);
	json_decref(o);
}

static void hold_answers(struct draw *x, const struct paths *p, const struct effective *e)
{
	_cleanup_approval_ struct approval found = { 0 };
	const struct lineage lineage = { 0 };
	const char *channel = PICK(&x->state, claimed), *expected;
	bool roots = often(&x->state, 2), written;
	struct diag d = { "" };
	int r;

	written = consent_remember(p, e, channel, &lineage, &d) == 0;
	HOLDS(x, written || e->never_remember, "%s", d.text);
	put_approval(0, "/etc/stockade/approvals", e, roots);
	put_approval(user, at("xdg/config/stockade/approvals"), e, true);
	r = consent_standing(p, e, &found, &d);
	expected = e->granted		? "policy"
		   : e->never_remember	? NULL
		   : roots		? "admin"
		   : counts(x, channel) ? channel
					: NULL;
	HOLDS(x, r == (expected ? CONSENT_APPROVED : CONSENT_UNKNOWN), "an answer through \"%s\": %d %s", channel, r,
		d.text);
	HOLDS(x, !expected || strcmp(found.channel, expected) == 0, "through \"%s\"", found.channel);
}

/* Does it get as far as the question? */
static bool hold_consent(struct draw *x, struct effective *e)
{
	_cleanup_paths_ struct paths p = { 0 };
	const struct approvals none = { 0 };
	struct diag d = { "" };
	bool changed;
	int r;

	assert_int_equal(paths_init(&p, &d), 0);
	if (effective_look(e, &d) < 0)
		fail_msg("%s", d.text);
	changed = x->how == BY_NAME && json_object_get(x->profile, "code") && x->altered;
	r = effective_digest(&p, &none, e, &d);
	HOLDS(x, r < 0 || !changed, "other code than the profile binds");
	HOLDS(x, r == 0 || changed || user == 0, "%s", d.text);
	if (r < 0)
		return false;
	hold_granted(x, e);
	hold_answers(x, &p, e);
	return true;
}

static bool draw_one(uint64_t seed, void *ctx)
{
	struct draw x;
	_cleanup_effective_ struct effective e = { 0 };
	struct diag d = { "" };
	bool asks;

	(void)ctx;
	asks = drawn_launch(seed, 4, &x, &e, &d) == 0 && hold_consent(&x, &e);

	draw_done(&x);
	return asks;
}

static void nothing_of_a_users_is_an_answer_that_the_policy_leaves_to_others(void **state)
{
	(void)state;
	drawn_all(CASES, CASES / 8, draw_one, NULL);
}

int main(void)
{
	const struct CMUnitTest test =
		cmocka_unit_test(nothing_of_a_users_is_an_answer_that_the_policy_leaves_to_others);

	return draw_main(&test);
}
