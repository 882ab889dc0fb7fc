/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_launch_property - through the whole of effective_build: what a user types, sets or writes widens nothing
 *
 * Root's policy, profile and kill entry are drawn (drawn_launch.h). An ordinary user starts that profile, once as it is
 * meant to be, once with all that is his turned against it. What is granted in the end is held against a model that
 * knows nothing but the two files of root's (drawn_model.h). test_ceilings_property holds the same for the ceilings
 * alone, and that nothing is taken away without a rule; test_consent_property whose word starts it. With the rights go
 * observing, which only the policy begins, groups, and the values of parameters.
 */
#include "tests/unit/drawn_model.h"

enum { CASES = 1200 };

static const char *const names[] = { "api.example.com", "x.example.com", "b.example", "c.example" };
static const uint16_t ports[] = { 80, 443 };

/* What lies there inside: a path of this machine, or "" for nothing of it. */
static bool seen_at(const struct plan *p, const char *path, char ret[PATH_MAX], bool *ret_write)
{
	const struct plan_mount *best = NULL;

	for (size_t i = 0; i < p->n_mounts; i++)
		if (p->mounts[i].kind != PLAN_PIN && below(path, p->mounts[i].target))
			best = &p->mounts[i];
	*ret_write = best && best->kind == PLAN_BIND && best->flags & PLAN_WRITE;
	if (!best || best->kind != PLAN_BIND)
		return false;
	snprintf(ret, PATH_MAX, "%s%s", best->source, path + strlen(best->target));
	return below(ret, base);
}

static void hold_files(const struct draw *x, const struct effective *e)
{
	bool named = x->how == BY_NAME;

	for (size_t i = 0; i < 3 * ARRAY_LEN(places); i++) {
		const char *place = places[i / 3];
		char inside[PATH_MAX], real[PATH_MAX];
		bool write;
		snprintf(inside, sizeof(inside), "%s%s%s", base, (const char *[]){ "/", "/home/", "/home2/" }[i % 3],
			place);
		if (!seen_at(&e->plan, inside, real, &write))
			continue;
		if (strstr(real, "/homes/")) {
			HOLDS(x, !says(x->policy, "filesystem", "home", "empty"), "a home that is kept");
			HOLDS(x, !named || says(x->profile, "filesystem", "home", "private"), "a home that is kept");
			continue;
		}
		HOLDS(x, one_reads(x, x->policy, true, real) && (!named || one_reads(x, x->profile, false, real)),
			"reading %s", real);
		HOLDS(x,
			!write || (one_writes(x, x->policy, true, real) &&
					  (!named || one_writes(x, x->profile, false, real))),
			"writing %s", real);
	}
}

/* Where root has it observe, one list more gives way, and none of root's own does. */
static void hold_network(const struct draw *x, const struct effective *e)
{
	const struct net_config *c = &e->profile.network;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (size_t k = 0; k < ARRAY_LEN(ports); k++) {
			uint32_t g = net_match_name(c, names[i], ports[k]);
			HOLDS(x,
				g == NET_NO_GRANT ||
					(one_reaches(x->policy, true, names[i], ports[k]) &&
						(x->how != BY_NAME ||
							one_reaches(x->profile, false, names[i], ports[k]) ||
							(x->observes && c->grants[g].observed))),
				"%s:%u", names[i], ports[k]);
		}
}

static void hold_names(const struct draw *x, const struct effective *e)
{
	const struct shim_rules *rules = &e->shim.scope[SHIM_TOOLS];

	for (size_t i = 0; i < ARRAY_LEN(drawn_tools); i++) {
		struct shim_judgement j = shim_rules_judge(rules, drawn_tools[i], strlen(drawn_tools[i]));
		bool passes = j.allowed || (e->shim.observe_until_us && !j.by_ceiling);
		HOLDS(x,
			!passes || (one_calls(x->policy, drawn_tools[i]) &&
					   (x->how != BY_NAME || x->observes || one_calls(x->profile, drawn_tools[i]))),
			"the tool %s", drawn_tools[i]);
		HOLDS(x, !passes || groups_give(x, drawn_tools[i]), "the tool %s of a group", drawn_tools[i]);
	}
	HOLDS(x, !e->shim.observe_until_us || (x->observes && x->how != BY_COMMAND), "observing");
	HOLDS(x, !e->observe_until == !e->shim.observe_until_us, "what is said of observing");
}

static void hold_audit(const struct draw *x, const struct effective *e)
{
	HOLDS(x, e->shim.args <= drawn_args(x->policy, SHIM_ARGS_FULL), "arguments in the log");
	HOLDS(x, x->how != BY_NAME || e->shim.args <= drawn_args(x->profile, SHIM_ARGS_KEYS), "arguments in the log");
}

static void hold_environment(const struct draw *x, const struct effective *e)
{
	const json_t *pass = said(x->policy, "env", "pass"), *set = said(x->policy, "env", "set");

	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		const char *v = variables[i], *value = strv_env_get(&e->plan.envp, v);
		if (!value)
			continue;
		bool from_caller = strcmp(value, CALLERS) == 0;
		const json_t *list = from_caller ? pass : set;
		HOLDS(x, !list || any_fits(list, v), "the variable %s=%s", v, value);
		HOLDS(x, x->how != BY_NAME || (from_caller ? one_passes(x->profile, v) : one_sets(x, v, value)),
			"the variable %s=%s", v, value);
	}
}

static uint64_t least(const json_t *o, const char *key, uint64_t otherwise)
{
	const json_t *v = said(o, "limits", key);

	if (json_is_string(v))
		return strtoull(json_string_value(v), NULL, 10) << 10;
	return v ? (uint64_t)json_integer_value(v) : otherwise;
}

static void hold_limits(const struct draw *x, const struct effective *e)
{
	const struct {
		const char *key;
		uint64_t is;
	} rows[] = { { "processes", e->plan.limits.processes }, { "files", e->plan.limits.files },
		{ "message", e->shim.line_max }, { "message", e->shim.server_line_max } };
	const json_t *sets = json_object_get(x->policy, "seccomp");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		HOLDS(x, rows[i].is <= least(x->policy, rows[i].key, UINT64_MAX), "%s", rows[i].key);
		HOLDS(x, x->how != BY_NAME || rows[i].is <= least(x->profile, rows[i].key, UINT64_MAX), "%s",
			rows[i].key);
	}
	HOLDS(x, strcmp(e->plan.seccomp, "default") == 0 || !sets || any_fits(sets, e->plan.seccomp), "system calls");
	HOLDS(x,
		x->how != BY_NAME || strcmp(e->plan.seccomp, "default") == 0 ||
			strcmp(e->plan.seccomp, json_string_value(json_object_get(x->profile, "seccomp"))) == 0,
		"system calls");
	HOLDS(x, !e->plan.allow_unix, "unix sockets");
	HOLDS(x, !e->shim.client.sampling.on || !json_is_false(said(x->policy, "client", "sampling")), "sampling");
	HOLDS(x,
		x->how != BY_NAME || !e->shim.client.sampling.on ||
			json_is_true(said(x->profile, "client", "sampling")),
		"sampling");
}

/* Whether it may start at all. */
static void hold_start(const struct draw *x, const struct effective *e)
{
	const json_t *profiles = json_object_get(x->policy, "profiles");
	const char *key = x->how == BY_COMMAND ? "unprofiled" : "user";
	bool named = x->how == BY_NAME;
	char place[PATH_MAX];

	HOLDS(x, named || strcmp(json_string_value(json_object_get(profiles, key)), "allow") == 0, "%s", key);
	HOLDS(x, !named || (e->profile.managed && below(e->profile.file, "/etc/stockade")), "whose profile");
	HOLDS(x, !any_fits(said(x->policy, "servers", "deny"), server_of(x)), "a denied server");
	HOLDS(x, groups_give(x, NULL), "a server of others");
	HOLDS(x, x->how == BY_COMMAND || signed_enough(x), "unsigned");
	HOLDS(x, x->how != BY_COPY, "a second profile of that name");
	HOLDS(x, !named || !said(x->profile, "parameters", "dir") || value_leads(x, place), "a value outside");
}

static void hold_all(const struct draw *x, const struct effective *e)
{
	hold_start(x, e);
	hold_files(x, e);
	hold_network(x, e);
	hold_names(x, e);
	hold_environment(x, e);
	hold_limits(x, e);
	hold_audit(x, e);
}

/* Is it started? */
static bool draw_one(uint64_t seed, void *ctx)
{
	struct draw x;
	_cleanup_effective_ struct effective e = { 0 };
	struct diag d = { "" };
	int r;

	(void)ctx;
	r = drawn_launch(seed, 7, &x, &e, &d);
	if (r == 0)
		hold_all(&x, &e);
	draw_done(&x);
	return r == 0;
}

static void nothing_that_a_user_types_sets_or_writes_widens_what_policy_and_profile_give(void **state)
{
	(void)state;
	drawn_all(CASES, CASES / 8, draw_one, NULL);
}

int main(void)
{
	const struct CMUnitTest test =
		cmocka_unit_test(nothing_that_a_user_types_sets_or_writes_widens_what_policy_and_profile_give);

	return draw_main(&test);
}
