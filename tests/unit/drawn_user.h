/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drawn_user - all that a user may turn against it: options, HOME, PATH, XDG_*, USER, a wider profile of the same name,
 * keys, pins and approvals of his own
 */
#pragma once
#include "tests/unit/drawn_root.h"

/* --- the user's command line --- */

/* Below the base, unless they say where. */
static const char *const values[] = { "docs", "docs/a/deep", "work/x", "other", "link", "docs/out", "docs/../other",
	"home/docs/a", "home2/docs", "~/docs/a", "~/other", "~/docs/out", "${HOME}/docs", "${workspace}/x", "~", "" };

/* Behind a place that a value may lie in: out leads away. */
static const char *const further[] = { "", "", "", "", "/a", "/out", "/out", "/../other", "/out/../out" };

static inline void draw_sets(struct draw *x)
{
	const json_t *dir = x->how == BY_NAME ? said(x->profile, "parameters", "dir") : NULL,
		     *within = json_object_get(dir, "within");
	static const char *const modes[] = { "mode=quiet", "mode=silent", "mode=loud" };

	if (dir ? often(&x->state, 9) : often(&x->state, 1) && often(&x->state, 3)) {
		bool inside = within && often(&x->state, 7);
		const char *value = inside ? json_string_value(json_array_get(within, 0)) : PICK(&x->state, values);
		bool whole = value[0] == '~' || value[0] == '$' || value[0] == '/';
		assert_int_equal(strv_addf(&x->grants.sets, "dir=%s%s", whole ? value : at(value),
					 inside ? PICK(&x->state, further) : ""),
			0);
	}
	if (often(&x->state, dir ? 3 : 0))
		assert_int_equal(strv_add(&x->grants.sets, PICK(&x->state, modes)), 0);
	if (often(&x->state, 1) && often(&x->state, 3))
		assert_int_equal(strv_add(&x->grants.sets, "unknown=1"), 0);
}

/* What root's profile grants, or anything. */
static inline const char *place_option(struct draw *x, const char *key)
{
	const json_t *list = said(x->profile, "filesystem", key);
	const char *granted = json_string_value(json_array_get(list, 0));

	return granted && *granted == '/' && often(&x->state, 6) ? granted : at(PICK(&x->state, places));
}

static inline void draw_options(struct draw *x)
{
	struct grants *g = &x->grants;

	for (unsigned i = 0; i < 2; i++) {
		if (often(&x->state, 2))
			assert_int_equal(strv_add(&g->read, place_option(x, "read")), 0);
		if (often(&x->state, 2))
			assert_int_equal(strv_add(&g->write, place_option(x, "write")), 0);
		if (often(&x->state, 1))
			assert_int_equal(strv_add(&g->hosts, PICK(&x->state, hosts)), 0);
		if (often(&x->state, 1))
			assert_int_equal(strv_add(&g->env_pass, PICK(&x->state, passed)), 0);
	}
	if (often(&x->state, x->how == BY_NAME ? 0 : 3) || often(&x->state, 1))
		assert_int_equal(strv_add(&g->env_set, "EXTRA=1"), 0);
	if (often(&x->state, 1) && often(&x->state, 5))
		g->cwd = strdup(at(PICK(&x->state, places)));
}

/* options: how often there are any that grant. */
static inline void draw_words(struct draw *x, unsigned options)
{
	struct grants *g = &x->grants;

	x->how = often(&x->state, 6)   ? BY_NAME
		 : often(&x->state, 6) ? BY_FILE
		 : often(&x->state, 3) ? BY_COPY
				       : BY_COMMAND;
	if (x->how == BY_NAME && often(&x->state, 8))
		g->name = strdup("m");
	else if (x->how == BY_NAME)
		g->profile_file = strdup(ROOTS_PROFILE);
	else if (x->how != BY_COMMAND)
		g->profile_file = strdup(at(x->how == BY_FILE ? "mine/n.json" : "mine/m.json"));
	else
		assert_int_equal(strv_add(&g->command, "/usr/bin/true"), 0);
	if (often(&x->state, options))
		draw_options(x);
	draw_sets(x);
}

/* --- what else is the user's --- */

static inline json_t *wide_profile(const char *name)
{
	return json_pack(
		"{s:i, s:s, s:i, s:[s], s:{s:[s, s, s], s:s}, s:{s:[s, s, s], s:{s:s}}, s:{s:[s]}, s:{s:b}, s:s, "
		"s:{s:i, s:i}}",
		"stockade", 1, "name", name, "version", 9, "command", "/usr/bin/true", "filesystem", "write",
		at("docs"), at("work"), at("other"), "home", "private", "env", "pass", passed[0], passed[1], passed[2],
		"set", "MODE", "loud", "network", "allow", "*:80,443", "client", "sampling", true, "seccomp", "browser",
		"limits", "processes", 4000, "files", 4000);
}

static inline void put_wide(const char *directory, const char *name, unsigned signers)
{
	json_t *wide = wide_profile(name);

	make_dirs(user, directory, 0700);
	put_profile(user, directory, wide, signers);
	json_decref(wide);
}

/* Keys, pins, an approval, and a policy where nobody reads one. */
static inline void put_litter(struct draw *x, const char *config, const char *state)
{
	static const char *const files[] = { "policy.json", "keys/mine.pub", "kill.d/x.json", "pins/m.pins",
		"approvals/0000000000000000000000000000000000000000000000000000000000000000.json",
		"revocations/x.json" };
	static const char *const texts[] = { "{\"stockade\": 1}", "untrusted comment: x\nRWQ=\n", "", "{}" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[2 * TEXT], dir[2 * TEXT];
		snprintf(path, sizeof(path), "%s/%s", i < 2 ? config : state, files[i]);
		unlink(path);
		snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
		make_dirs(user, dir, 0700);
		if (i == 1)
			put_key(user, dir, key_names[KEY_RELEASE], KEY_USER);
		if (often(&x->state, 1))
			put(user, path, PICK(&x->state, texts));
	}
}

/* Where interpreters look without being told, in the home that stockade keeps for the server. */
static inline void put_kept(struct draw *x, const char *state)
{
	char dir[2 * TEXT], file[3 * TEXT];

	x->kept_code = often(&x->state, 3);
	snprintf(dir, sizeof(dir), "%s/homes/m", state);
	snprintf(file, sizeof(file), "%s/.profile", dir);
	unlink(file);
	if (!x->kept_code)
		return;
	make_dirs(user, dir, 0700);
	put(user, file, "exit 1\n");
}

static inline void add_env(struct draw *x, const char *name, const char *value)
{
	assert_true(x->n_env + 1 < ARRAY_LEN(x->env));
	assert_true(asprintf(&x->env[x->n_env++], "%s=%s", name, value) > 0);
}

static inline void draw_environment(struct draw *x)
{
	static const char *const xdg[] = { "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME" };
	static const char *const whose[] = { "USER", "LOGNAME" };
	char config[TEXT], state[TEXT], profiles[2 * TEXT];

	x->home = PICK(&x->state, homes);
	x->config = often(&x->state, 5) ? "xdg/config" : NULL;
	x->state_dir = often(&x->state, 5) ? "xdg/state" : NULL;
	for (size_t i = 0; i < ARRAY_LEN(xdg); i++)
		if (often(&x->state, 3))
			setenv(xdg[i], at("mine"), 1);
	for (size_t i = 0; i < ARRAY_LEN(whose); i++)
		setenv(whose[i], often(&x->state, 5) ? MACHINE_STRANGER : MACHINE_USER, 1);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (often(&x->state, 6))
			add_env(x, variables[i], CALLERS);
	add_env(x, "PATH", often(&x->state, 5) ? "/usr/bin:/bin" : at("mine/bin"));
	snprintf(config, sizeof(config), "%s%s/stockade", at(x->config ? x->config : x->home),
		x->config ? "" : "/.config");
	snprintf(state, sizeof(state), "%s%s/stockade", at(x->state_dir ? x->state_dir : x->home),
		x->state_dir ? "" : "/.local/state");
	snprintf(profiles, sizeof(profiles), "%s/profiles", config);
	put_wide(profiles, "m", 1U << KEY_USER);
	put_litter(x, config, state);
	put_kept(x, state);
	x->altered = often(&x->state, 3);
	put(user, at("mine/bin/tool"), x->altered ? TOOL "# and more\n" : TOOL);
}
