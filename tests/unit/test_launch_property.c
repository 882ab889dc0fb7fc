/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_launch_property - through the whole of effective_build: what a user types, sets or writes widens nothing
 *
 * In a mount namespace of its own there is an /etc with a policy, a profile and a kill entry of root's, drawn at random
 * from a seed that a failure names. An ordinary user starts that profile, once as it is meant to be, once with all that
 * is his turned against it: HOME, PATH and XDG_*, a wider profile of the same name, pins, approvals and kill entries of
 * his own, options. What is granted in the end is held against a model that knows nothing but the two files of root's.
 * test_ceilings_property holds the same for the ceilings alone, and that nothing is taken away without a rule; what
 * both share is drawn.h. With it go observing, which only the policy begins, and whose answer counts.
 *
 * STOCKADE_SEED=N tries that case alone. Root becomes somebody else for what is tested; whoever is not root is root and
 * user at once, in a user namespace, so that only places tell the two apart.
 */
#include "tests/unit/drawn.h"
#include "tests/unit/unprivileged.h"
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include "base/buf.h"
#include "supervisor/consent.h"
#include "supervisor/consent/standing.h"
#include "supervisor/effective.h"
#include "supervisor/identity.h"
#include "supervisor/kill/kill_set.h"

enum { CASES = 700, TEXT = 512 };

static char base[64] = "/tmp/stockade-launches-XXXXXX";
static uid_t user; /* whose the launches are */

/* --- chance --- */

struct draw {
	uint64_t seed, state;
	json_t *policy, *profile;
	bool killed;   /* by root */
	bool observes; /* by root's word */
	enum { BY_NAME, BY_FILE, BY_COMMAND } how;
	struct grants grants;
	char *env[12];
	size_t n_env;
	const char *home, *config, *state_dir; /* XDG_* of the user's choice, or NULL */
};

/* --- what there is --- */

static const char *const places[] = { "docs", "docs/a", "docs/a/deep", "docs/b", "work", "work/x", "other" };
static const char *const hosts[] = { "api.example.com:443", "*.example.com:443", "b.example:80,443", "*:443",
	"10.1.2.3:443" };
static const char *const names[] = { "api.example.com", "x.example.com", "b.example", "c.example" };
static const uint16_t ports[] = { 80, 443 };
static const char *const globs[] = { "get_*", "*_issue", "get_issue", "*", "delete_*" };
static const char *const tools[] = { "get_issue", "get_repo", "delete_issue", "delete_repo", "x" };
static const char *const passed[] = { "API_TOKEN", "API_KEY", "NODE_OPTIONS" };
static const char *const variables[] = { "API_TOKEN", "API_KEY", "NODE_OPTIONS", "MODE", "LD_PRELOAD", "EXTRA" };
static const char *const variable_globs[] = { "API_*", "*", "NODE_OPTIONS", "M*" };
static const char *const homes[] = { "home", "home2" };

/* As whoever, 0 is root. */
static void become(uid_t uid)
{
	if (user == 0)
		return;
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(seteuid(uid), 0);
}

static void put(uid_t as, const char *path, const char *text)
{
	become(as);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	become(user);
}

static void put_json(uid_t as, const char *path, const json_t *o)
{
	_cleanup_free_ char *text = json_dumps(o, JSON_INDENT(1));

	put(as, path, text);
}

static const char *at(const char *rest)
{
	static char ring[16][PATH_MAX];
	static unsigned n;
	char *ret = ring[n++ % ARRAY_LEN(ring)];

	snprintf(ret, PATH_MAX, "%s/%s", base, rest);
	return ret;
}

static void make_dirs(uid_t as, const char *path, mode_t mode)
{
	char part[PATH_MAX];

	become(as);
	for (const char *slash = path; (slash = strchr(slash + 1, '/')) || *path;) {
		snprintf(part, sizeof(part), "%.*s", slash ? (int)(slash - path) : (int)strlen(path), path);
		if (mkdir(part, mode) < 0)
			assert_true(errno == EEXIST || errno == EACCES);
		if (!slash)
			break;
	}
	become(user);
}

/* --- drawing --- */

/* As "~/docs", or whole. */
static void add_paths(struct draw *x, json_t *o, const char *key)
{
	json_t *list = json_array();

	for (size_t i = 0, some = chance(&x->state) % 4; i < some; i++) {
		const char *one = PICK(&x->state, places);
		json_array_append_new(list, often(&x->state, 5) ? json_sprintf("~/%s", one) : json_string(at(one)));
	}
	json_object_set_new(o, key, list);
}

/* What profiles and policies write alike. */
static json_t *alike(struct draw *x, unsigned of_ten)
{
	json_t *files = json_object(), *t = json_object(), *limits = json_object(),
	       *o = json_pack("{s:i}", "stockade", 1);

	if (often(&x->state, of_ten))
		add_paths(x, files, "read");
	if (often(&x->state, of_ten))
		add_paths(x, files, "write");
	if (often(&x->state, 3))
		json_object_set_new(files, "home", json_string(often(&x->state, 5) ? "empty" : "private"));
	if (often(&x->state, of_ten))
		drawn_list_of(&x->state, t, "allow", globs, ARRAY_LEN(globs));
	if (often(&x->state, 4))
		drawn_list_of(&x->state, t, "deny", globs, ARRAY_LEN(globs));
	if (often(&x->state, 5))
		json_object_set_new(limits, "processes", json_integer(1 + chance(&x->state) % 600));
	if (often(&x->state, 5))
		json_object_set_new(limits, "files", json_integer(16 + chance(&x->state) % 4000));
	if (often(&x->state, 5))
		json_object_set_new(limits, "message", json_sprintf("%uKiB", 4 + chance(&x->state) % 8000));
	json_object_set_new(o, "filesystem", files);
	json_object_set_new(o, "tools", t);
	json_object_set_new(o, "limits", limits);
	drawn_audit(&x->state, o);
	return o;
}

/* For a week from now. */
static void draw_mode(struct draw *x)
{
	char until[32];
	time_t end = time(NULL) + 7 * 86400;
	struct tm tm;

	if (!often(&x->state, 4))
		return;
	x->observes = often(&x->state, 7);
	assert_true(strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&end, &tm)) > 0);
	json_object_set_new(x->policy, "mode", json_string(x->observes ? "observe" : "enforce"));
	json_object_set_new(x->policy, "observe_until", json_string(until));
}

static void draw_consent(struct draw *x)
{
	json_t *o = json_object();

	if (often(&x->state, 5))
		json_object_set_new(o, "by", json_string(often(&x->state, 5) ? "admin" : "ask"));
	if (often(&x->state, 3))
		json_object_set_new(o, "channels", json_pack("[s]", often(&x->state, 5) ? "terminal" : "digest"));
	json_object_set_new(x->policy, "consent", o);
}

static void draw_policy(struct draw *x)
{
	json_t *env = json_object(), *net = json_object(), *client = json_object();

	x->policy = alike(x, 6);
	if (often(&x->state, 5))
		drawn_list_of(&x->state, env, "pass", variable_globs, ARRAY_LEN(variable_globs));
	if (often(&x->state, 5))
		drawn_list_of(&x->state, env, "set", variable_globs, ARRAY_LEN(variable_globs));
	if (often(&x->state, 6))
		drawn_list_of(&x->state, net, "allow", hosts, ARRAY_LEN(hosts));
	if (often(&x->state, 4))
		json_object_set_new(client, "sampling", json_boolean(often(&x->state, 5)));
	if (often(&x->state, 3))
		json_object_set_new(
			x->policy, "seccomp", json_pack("[s]", often(&x->state, 5) ? "default" : "browser"));
	if (often(&x->state, 4))
		json_object_set_new(x->policy, "ipc", json_pack("{s:[]}", "unix"));
	json_object_set_new(x->policy, "profiles",
		json_pack("{s:s, s:s}", "unprofiled", often(&x->state, 5) ? "deny" : "allow", "user",
			often(&x->state, 5) ? "deny" : "allow"));
	if (often(&x->state, 2))
		json_object_set_new(
			x->policy, "servers", json_pack("{s:[s]}", "deny", often(&x->state, 5) ? "m" : "other"));
	json_object_set_new(x->policy, "env", env);
	json_object_set_new(x->policy, "network", net);
	json_object_set_new(x->policy, "client", client);
	draw_mode(x);
	draw_consent(x);
}

static json_t *wide_profile(void);

static void draw_profile(struct draw *x)
{
	json_t *env = json_object(), *net = json_object();

	x->profile = alike(x, 8);
	json_object_set_new(x->profile, "name", json_string("m"));
	json_object_set_new(x->profile, "version", json_integer(1 + chance(&x->state) % 3));
	json_object_set_new(x->profile, "command", json_pack("[s]", "/usr/bin/true"));
	drawn_list_of(&x->state, env, "pass", passed, ARRAY_LEN(passed));
	json_object_set_new(env, "set", often(&x->state, 5) ? json_pack("{s:s}", "MODE", "quiet") : json_object());
	drawn_list_of(&x->state, net, "allow", hosts, ARRAY_LEN(hosts));
	json_object_set_new(x->profile, "env", env);
	json_object_set_new(x->profile, "network", net);
	json_object_set_new(x->profile, "client", json_pack("{s:b}", "sampling", often(&x->state, 5)));
	json_object_set_new(x->profile, "seccomp", json_string(often(&x->state, 7) ? "default" : "browser"));
}

static void add_env(struct draw *x, const char *name, const char *value)
{
	assert_true(x->n_env + 1 < ARRAY_LEN(x->env));
	assert_true(asprintf(&x->env[x->n_env++], "%s=%s", name, value) > 0);
}

static void draw_words(struct draw *x)
{
	struct grants *g = &x->grants;

	x->how = often(&x->state, 7) ? BY_NAME : often(&x->state, 5) ? BY_FILE : BY_COMMAND;
	if (x->how == BY_NAME)
		g->name = strdup("m");
	else if (x->how == BY_FILE)
		g->profile_file = strdup(at("mine/m.json"));
	else
		assert_int_equal(strv_add(&g->command, "/usr/bin/true"), 0);
	for (unsigned i = 0; i < 3; i++) {
		if (often(&x->state, 2))
			assert_int_equal(strv_add(&g->read, at(PICK(&x->state, places))), 0);
		if (often(&x->state, 2))
			assert_int_equal(strv_add(&g->write, at(PICK(&x->state, places))), 0);
		if (often(&x->state, 1))
			assert_int_equal(strv_add(&g->hosts, PICK(&x->state, hosts)), 0);
		if (often(&x->state, 1))
			assert_int_equal(strv_add(&g->env_pass, PICK(&x->state, passed)), 0);
	}
	if (often(&x->state, 1))
		assert_int_equal(strv_add(&g->env_set, "EXTRA=1"), 0);
}

/* --- what is the user's --- */

static json_t *wide_profile(void)
{
	return json_pack(
		"{s:i, s:s, s:i, s:[s], s:{s:[s, s, s], s:s}, s:{s:[s, s, s], s:{s:s}}, s:{s:[s]}, s:{s:b}, s:s, "
		"s:{s:i, s:i}}",
		"stockade", 1, "name", "m", "version", 9, "command", "/usr/bin/true", "filesystem", "write", at("docs"),
		at("work"), at("other"), "home", "private", "env", "pass", passed[0], passed[1], passed[2], "set",
		"MODE", "loud", "network", "allow", "*:80,443", "client", "sampling", true, "seccomp", "browser",
		"limits", "processes", 4000, "files", 4000);
}

static void put_wide(const char *directory)
{
	json_t *wide = wide_profile();
	char path[PATH_MAX];

	make_dirs(user, directory, 0700);
	snprintf(path, sizeof(path), "%s/m.json", directory);
	put_json(user, path, wide);
	json_decref(wide);
}

/* Keys, pins, an approval, and a policy where nobody reads one. */
static void put_litter(struct draw *x, const char *config, const char *state)
{
	static const char *const files[] = { "policy.json", "keys/mine.pub", "kill.d/x.json", "pins/m.pins",
		"approvals/0000000000000000000000000000000000000000000000000000000000000000.json",
		"revocations/x.json" };
	static const char *const texts[] = { "{\"stockade\": 1}", "untrusted comment: x\nRWQ=\n", "", "{}" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[2 * TEXT], dir[2 * TEXT];
		snprintf(path, sizeof(path), "%s/%s", i < 2 ? config : state, files[i]);
		unlink(path);
		if (!often(&x->state, 2))
			continue;
		snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
		make_dirs(user, dir, 0700);
		put(user, path, PICK(&x->state, texts));
	}
}

static void draw_environment(struct draw *x)
{
	static const char *const xdg[] = { "XDG_DATA_HOME", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME" };
	char config[TEXT], state[TEXT], profiles[2 * TEXT];

	x->home = PICK(&x->state, homes);
	x->config = often(&x->state, 5) ? "xdg/config" : NULL;
	x->state_dir = often(&x->state, 5) ? "xdg/state" : NULL;
	for (size_t i = 0; i < ARRAY_LEN(xdg); i++)
		if (often(&x->state, 3))
			setenv(xdg[i], at("mine"), 1);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++)
		if (often(&x->state, 6))
			add_env(x, variables[i], "/of/the/caller");
	add_env(x, "PATH", often(&x->state, 5) ? "/usr/bin:/bin" : at("mine/bin"));
	snprintf(config, sizeof(config), "%s%s/stockade", at(x->config ? x->config : x->home),
		x->config ? "" : "/.config");
	snprintf(state, sizeof(state), "%s%s/stockade", at(x->state_dir ? x->state_dir : x->home),
		x->state_dir ? "" : "/.local/state");
	snprintf(profiles, sizeof(profiles), "%s/profiles", config);
	put_wide(profiles);
	put_litter(x, config, state);
}

/* --- the model: two files of root's and nothing else --- */

static bool fits(const char *glob, const char *name)
{
	if (*glob == '*')
		return fits(glob + 1, name) || (*name && fits(glob, name + 1));
	return *glob == *name && (!*glob || fits(glob + 1, name + 1));
}

static bool any_fits(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (fits(json_string_value(json_array_get(list, i)), name))
			return true;
	return false;
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/');
}

/* "~" is the home that root's files give the user. */
static bool any_holds(const json_t *list, const char *path)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));
		char whole[PATH_MAX];
		snprintf(whole, sizeof(whole), "%s%s", *text == '~' ? at("home") : "", text + (*text == '~'));
		if (below(path, whole))
			return true;
	}
	return false;
}

static bool one_writes(const json_t *o, bool bounds, const char *path)
{
	const json_t *list = said(o, "filesystem", "write");

	return bounds && !list ? true : any_holds(list, path);
}

static bool one_reads(const json_t *o, bool bounds, const char *path)
{
	return (bounds && !said(o, "filesystem", "read")) || any_holds(said(o, "filesystem", "read"), path) ||
	       any_holds(said(o, "filesystem", "write"), path);
}

static bool one_reaches(const json_t *o, bool bounds, const char *name, uint16_t port)
{
	const json_t *list = said(o, "network", "allow");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i)), *colon = strrchr(text, ':');
		char host[TEXT], want[16];
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
		snprintf(want, sizeof(want), "%u", port);
		if (fits(host, name) && strstr(colon, want))
			return true;
	}
	return bounds && !list;
}

static bool one_calls(const json_t *o, const char *tool)
{
	const json_t *allow = said(o, "tools", "allow");

	return !any_fits(said(o, "tools", "deny"), tool) && (!allow || any_fits(allow, tool));
}

static bool one_passes(const json_t *o, const char *name)
{
	const json_t *pass = said(o, "env", "pass");

	for (size_t i = 0; i < json_array_size(pass); i++)
		if (strcmp(json_string_value(json_array_get(pass, i)), name) == 0)
			return true;
	return false;
}

/* --- what is effective --- */

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

__attribute__((noreturn, format(printf, 3, 4))) static void explain(
	const struct draw *x, const char *condition, const char *fmt, ...)
{
	char what[TEXT], more[2 * TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(more, sizeof(more), "%s (how %d, home %s, config %s)", what, (int)x->how, x->home,
		x->config ? x->config : "unset");
	drawn_explain(&(struct drawn_case){ x->seed, x->policy, x->profile, &x->grants }, more, condition);
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
			HOLDS(x,
				!json_is_string(said(x->policy, "filesystem", "home")) ||
					strcmp(json_string_value(said(x->policy, "filesystem", "home")), "private") ==
						0,
				"a home that is kept");
			continue;
		}
		HOLDS(x, one_reads(x->policy, true, real) && (!named || one_reads(x->profile, false, real)),
			"reading %s", real);
		HOLDS(x,
			!write ||
				(one_writes(x->policy, true, real) && (!named || one_writes(x->profile, false, real))),
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

	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		struct shim_judgement j = shim_rules_judge(rules, tools[i], strlen(tools[i]));
		bool passes = j.allowed || (e->shim.observe_until_us && !j.by_ceiling);
		HOLDS(x,
			!passes || (one_calls(x->policy, tools[i]) &&
					   (x->how != BY_NAME || x->observes || one_calls(x->profile, tools[i]))),
			"the tool %s", tools[i]);
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
		bool from_caller = strcmp(value, "/of/the/caller") == 0;
		const json_t *list = from_caller ? pass : set;
		HOLDS(x, !list || any_fits(list, v), "the variable %s=%s", v, value);
		HOLDS(x, x->how != BY_NAME || (from_caller ? one_passes(x->profile, v) : strcmp(value, "quiet") == 0),
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

static void hold_all(const struct draw *x, const struct effective *e)
{
	const json_t *profiles = json_object_get(x->policy, "profiles");
	const char *key = x->how == BY_FILE ? "user" : "unprofiled";

	HOLDS(x, x->how == BY_NAME || strcmp(json_string_value(json_object_get(profiles, key)), "allow") == 0, "%s",
		key);
	HOLDS(x, x->how != BY_NAME || (e->profile.managed && below(e->profile.file, "/etc/stockade")), "whose profile");
	HOLDS(x, x->how == BY_COMMAND || !any_fits(said(x->policy, "servers", "deny"), "m"), "a denied server");
	hold_files(x, e);
	hold_network(x, e);
	hold_names(x, e);
	hold_environment(x, e);
	hold_limits(x, e);
	hold_audit(x, e);
}

/* --- the launches --- */

static int launch(const struct draw *x, const struct grants *g, const char *home, struct effective *e, struct diag *d)
{
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_kill_set_ struct kill_set kills = { 0 };
	const struct effective_args a = {
		.paths = &p, .grants = g, .environ = (char *const *)x->env, .workspace = at("work")
	};
	int r;

	setenv("HOME", at(home), 1);
	setenv("XDG_RUNTIME_DIR", at("run"), 1);
	if (paths_init(&p, d) < 0)
		fail_msg("%s", d->text);
	assert_int_equal(kill_set_read(&p, &kills), 0);
	HOLDS(x, !x->killed || kill_set_server(&kills, "m"), "root's kill");
	r = effective_build(&a, e, d);
	return r;
}

/* As it is meant to be: what it refuses by name nothing of the user's makes start. */
static bool starts_as_meant(const struct draw *x)
{
	_cleanup_effective_ struct effective e = { 0 };
	struct grants g = { .name = (char *)(uintptr_t) "m" };
	struct diag d = { "" };

	setenv("XDG_CONFIG_HOME", at("clean/config"), 1);
	setenv("XDG_STATE_HOME", at("clean/state"), 1);
	return launch(x, &g, "home", &e, &d) == 0;
}

/* What the user has said yes to stands where root lets the user say it, and through that channel, and nowhere else. */
static void hold_consent(const struct draw *x, struct effective *e)
{
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_approval_ struct approval found = { 0 };
	const struct approvals none = { 0 };
	const struct lineage lineage = { 0 };
	const json_t *by = said(x->policy, "consent", "by"), *channels = said(x->policy, "consent", "channels");
	bool counts = !channels || any_fits(channels, "digest");
	struct diag d = { "" };
	int r;

	/* In a user namespace the user is root as well. */
	if (user == 0)
		return;
	assert_int_equal(paths_init(&p, &d), 0);
	if (effective_look(e, &d) < 0 || effective_digest(&p, &none, e, &d) < 0)
		fail_msg("%s", d.text);
	r = consent_remember(&p, e, "digest", &lineage, &d);
	HOLDS(x, r == 0 || e->never_remember, "%s", d.text);
	r = consent_standing(&p, e, &found, &d);
	counts = counts && (!by || strcmp(json_string_value(by), "admin") != 0) && !e->never_remember;
	HOLDS(x, r == (counts ? CONSENT_APPROVED : CONSENT_UNKNOWN), "the user's answer: %d %s", r, d.text);
}

static void set_or_unset(const char *variable, const char *place)
{
	if (place)
		setenv(variable, at(place), 1);
	else
		unsetenv(variable);
}

static void done(struct draw *x)
{
	for (size_t i = 0; i < x->n_env; i++)
		free(x->env[i]);
	grants_done(&x->grants);
	json_decref(x->policy);
	json_decref(x->profile);
}

/* Is it started? */
static bool draw_one(uint64_t seed)
{
	struct draw x = { .seed = seed, .state = drawn_begin(seed) };
	_cleanup_effective_ struct effective e = { 0 };
	struct diag d = { "" };
	bool meant;
	int r;

	draw_policy(&x);
	draw_profile(&x);
	draw_words(&x);
	put_json(0, "/etc/stockade/policy.json", x.policy);
	put_json(0, "/etc/stockade/profiles/m.json", x.profile);
	x.killed = often(&x.state, 2);
	become(0);
	unlink("/etc/stockade/kill.d/m.json");
	become(user);
	if (x.killed)
		put(0, "/etc/stockade/kill.d/m.json", "{\"stockade\": 1, \"server\": \"m\"}");
	draw_environment(&x);
	meant = starts_as_meant(&x);
	set_or_unset("XDG_CONFIG_HOME", x.config);
	set_or_unset("XDG_STATE_HOME", x.state_dir);
	r = launch(&x, &x.grants, x.home, &e, &d);
	HOLDS(&x, x.how != BY_NAME || r < 0 || meant, "it starts only when it is turned");
	if (r == 0) {
		hold_all(&x, &e);
		hold_consent(&x, &e);
	}
	done(&x);
	return r == 0;
}

static void nothing_that_a_user_types_sets_or_writes_widens_what_policy_and_profile_give(void **state)
{
	const char *only = getenv("STOCKADE_SEED");
	size_t started = 0;

	(void)state;
	if (only) {
		(void)draw_one(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= CASES; seed++)
		started += draw_one(seed);
	/* Else it would prove nothing. */
	if (started < CASES / 8)
		fail_msg("only %zu of %d launches would start", started, CASES);
}

/* --- the machine --- */

static void make_tree(void)
{
	static const char *const root[] = { "", "home", "home2" };

	for (size_t i = 0; i < ARRAY_LEN(root); i++)
		for (size_t k = 0; k < ARRAY_LEN(places); k++) {
			char path[PATH_MAX];
			snprintf(path, sizeof(path), "%s%s%s/%s", base, *root[i] ? "/" : "", root[i], places[k]);
			make_dirs(user, path, 0755);
			/* Servers that root starts are somebody else's. */
			assert_int_equal(chmod(path, 0777), 0);
		}
	make_dirs(user, at("mine/bin"), 0755);
	make_dirs(user, at("run"), 0700);
	make_dirs(user, at("clean/config"), 0700);
	make_dirs(user, at("clean/state"), 0700);
	put_wide(at("mine"));
	put(user, at("mine/bin/true"), "#!/bin/sh\n");
}

static int put_line(const char *path, const char *fmt, ...) _printf_(2, 3);
static int put_line(const char *path, const char *fmt, ...)
{
	FILE *f = fopen(path, "we");
	va_list ap;

	if (!f)
		return -1;
	va_start(ap, fmt);
	(void)vfprintf(f, fmt, ap);
	va_end(ap);
	return fclose(f);
}

/* An /etc of our own, with what is root's in it. */
static int make_etc(void)
{
	char options[TEXT];

	if (mkdir(at("etc-up"), 0755) < 0 || mkdir(at("etc-work"), 0755) < 0 ||
		put_line(at("etc-up/passwd"), "launches:x:%u:%u::%s/home:/bin/sh\n%s:x:991:991::/:/bin/sh\n", user,
			user, base, IDENTITY_USER) < 0)
		return -1;
	snprintf(options, sizeof(options), "lowerdir=/etc,upperdir=%s/etc-up,workdir=%s/etc-work", base, base);
	if (mount("overlay", "/etc", "overlay", 0, options) < 0)
		return -1;
	(void)mkdir("/etc/stockade", 0755);
	if (mount("tmpfs", "/etc/stockade", "tmpfs", 0, "mode=755") < 0)
		return -1;
	return mkdir("/etc/stockade/profiles", 0755) < 0 ? -1 : mkdir("/etc/stockade/kill.d", 0755);
}

static int make_namespaces(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	user = uid ? 0 : UNPRIVILEGED_ID;
	if (unshare(CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0)) < 0)
		return -1;
	if (uid && (put_line("/proc/self/setgroups", "deny") < 0 || put_line("/proc/self/uid_map", "0 %u 1", uid) < 0 ||
			   put_line("/proc/self/gid_map", "0 %u 1", gid) < 0))
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int make_machine(void)
{
	if (make_namespaces() < 0)
		return -1;
	umask(022);
	if (!mkdtemp(base) || mount("tmpfs", base, "tmpfs", 0, "mode=755") < 0)
		return -1;
	if (make_etc() < 0 || chown(base, user, user) < 0)
		return -1;
	if (user == 0)
		return 0;
	/* Root stays within reach, for what is his to write. */
	return setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ? -1 : setresuid(user, user, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_that_a_user_types_sets_or_writes_widens_what_policy_and_profile_give),
	};
	int failed;

	if (make_machine() < 0) {
		perror("no mount namespace with an /etc of its own");
		return 1;
	}
	make_tree();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	become(0);
	(void)umount2(base, MNT_DETACH);
	(void)rmdir(base);
	return failed;
}
