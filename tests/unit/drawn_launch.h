/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drawn_launch - one launch, drawn from a seed that a failure names: of root's profile or of what calls itself so,
 * under root's policy, by a user who turns against it what is his
 *
 * What must come of it drawn_model.h says.
 */
#pragma once
#include "tests/unit/drawn_user.h"
#include "supervisor/kill/kill_set.h"

/* --- the launches --- */

static inline int launch(
	const struct draw *x, const struct grants *g, const char *home, struct effective *e, struct diag *d)
{
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_kill_set_ struct kill_set kills = { 0 };
	const struct effective_args a = {
		.paths = &p, .grants = g, .environ = (char *const *)x->env, .workspace = at("work")
	};

	setenv("HOME", at(home), 1);
	setenv("XDG_RUNTIME_DIR", at("run"), 1);
	if (paths_init(&p, d) < 0)
		fail_msg("%s", d->text);
	assert_int_equal(kill_set_read(&p, &kills), 0);
	HOLDS(x, !x->killed || kill_set_server(&kills, "m"), "root's kill");
	return effective_build(&a, e, d);
}

/* As it is meant to be: what it refuses by name nothing of the user's makes start. */
static inline bool starts_as_meant(const struct draw *x)
{
	_cleanup_effective_ struct effective e = { 0 };
	const json_t *dir = said(x->profile, "parameters", "dir"), *within = json_object_get(dir, "within");
	struct grants g = { .name = (char *)(uintptr_t) "m" };
	struct diag d = { "" };
	bool starts;

	if (dir)
		assert_int_equal(strv_addf(&g.sets, "dir=%s",
					 within ? json_string_value(json_array_get(within, 0)) : at("docs")),
			0);
	setenv("XDG_CONFIG_HOME", at("clean/config"), 1);
	setenv("XDG_STATE_HOME", at("clean/state"), 1);
	starts = launch(x, &g, "home", &e, &d) == 0;
	strv_done(&g.sets);
	return starts;
}

static inline void set_or_unset(const char *variable, const char *place)
{
	if (place)
		setenv(variable, at(place), 1);
	else
		unsetenv(variable);
}

static inline void put_roots(struct draw *x)
{
	put_json(0, "/etc/stockade/policy.json", x->policy);
	put_profile(0, "/etc/stockade/profiles", x->profile, x->signers);
	put_profile(user, at("mine"), x->profile, x->signers);
	put_wide(at("mine"), "n", x->signers);
	x->killed = often(&x->state, 2);
	become(0);
	unlink("/etc/stockade/kill.d/m.json");
	become(user);
	if (x->killed)
		put(0, "/etc/stockade/kill.d/m.json", "{\"stockade\": 1, \"server\": \"m\"}");
}

/* One case: what effective_build says of it. options: as draw_words has them. */
static inline int drawn_launch(uint64_t seed, unsigned options, struct draw *x, struct effective *e, struct diag *d)
{
	bool meant;
	int r;

	*x = (struct draw){ .seed = seed, .state = drawn_begin(seed) };
	draw_policy(x);
	draw_profile(x);
	draw_words(x, options);
	put_roots(x);
	draw_environment(x);
	meant = starts_as_meant(x);
	set_or_unset("XDG_CONFIG_HOME", x->config);
	set_or_unset("XDG_STATE_HOME", x->state_dir);
	r = launch(x, &x->grants, x->home, e, d);
	HOLDS(x, x->how != BY_NAME || r < 0 || meant, "it starts only when it is turned");
	return r;
}

static inline void draw_done(struct draw *x)
{
	for (size_t i = 0; i < x->n_env; i++)
		free(x->env[i]);
	grants_done(&x->grants);
	json_decref(x->policy);
	json_decref(x->profile);
}

/* --- the places --- */

static inline void make_tree(void)
{
	static const char *const root[] = { "", "home/", "home2/" };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(root); i++) {
		for (size_t k = 0; k < ARRAY_LEN(places); k++) {
			snprintf(path, sizeof(path), "%s/%s%s", base, root[i], places[k]);
			make_dirs(user, path, 0755);
			/* Servers that root starts are somebody else's. */
			assert_int_equal(chmod(path, 0777), 0);
		}
		snprintf(path, sizeof(path), "%s/%sdocs/out", base, root[i]);
		assert_int_equal(symlink("../other", path), 0);
	}
	assert_int_equal(symlink("other", at("link")), 0);
	make_dirs(user, at("mine/bin"), 0755);
	make_dirs(user, at("run"), 0700);
	make_dirs(user, at("clean/config"), 0700);
	make_dirs(user, at("clean/state"), 0700);
}

static inline void make_code(void)
{
	static const char *const programs[] = { "mine/bin/true", "mine/bin/tool" };
	struct diag d = { "" };

	for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
		put(user, at(programs[i]), TOOL);
		assert_int_equal(chmod(at(programs[i]), 0755), 0);
	}
	if (code_digest_tree(NULL, at("mine/bin/tool"), false, tool_digest, &d) < 0)
		fail_msg("%s", d.text);
}

static inline void make_keys(void)
{
	struct diag d = { "" };

	assert_int_equal(sign_init(), 0);
	for (unsigned k = 0; k < KEY_COUNT; k++)
		assert_int_equal(sign_secret_new(&keys[k], &d), 0);
	for (unsigned k = 0; k < KEY_USER; k++)
		put_key(0, "/etc/stockade/keys", key_names[k], k);
}

static inline int draw_setup(void **state)
{
	(void)state;
	make_keys();
	make_tree();
	make_code();
	return 0;
}

static inline int draw_teardown(void **state)
{
	(void)state;
	for (unsigned k = 0; k < KEY_COUNT; k++)
		sign_secret_free(&keys[k]);
	return 0;
}

static inline int draw_main(const struct CMUnitTest *test)
{
	int failed;

	if (machine_up() < 0) {
		perror("no mount namespace with an /etc of its own");
		return 1;
	}
	failed = _cmocka_run_group_tests(test->name, test, 1, draw_setup, draw_teardown);
	machine_down();
	return failed;
}
