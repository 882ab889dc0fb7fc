/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ceilings_property - no command line, environment or file of a user's ever widens what policy and profile give
 *
 * Policies, profiles, command lines and environments are drawn at random, from a seed that a failure names. What is
 * effective then is held against what each of them says by itself, place by place and name by name: it is never more,
 * and where nothing else speaks against it, never less.
 */
#include "tests/unit/consent_world.h"
#include "tests/unit/drawn.h"
#include "tests/unit/unprivileged.h"
#include "base/fs.h"
#include "base/glob.h"
#include "supervisor/effective_grants.h"
#include "supervisor/network.h"
#include "supervisor/policy/ceilings.h"
#include "supervisor/profile_parse.h"
#include <pwd.h>

enum { CASES = 2000, PATH_SIZE = 256 };

/* --- what there is --- */

static const char *const places[] = { "", "docs", "docs/a", "docs/a/deep", "docs/b", "work", "work/x", "other", "link",
	"docs/out", "home2", "home2/docs", "~", "~/docs" };
static const char *const hosts[] = { "api.example.com:443", "*.example.com:443", "*.example.com:443,8443",
	"b.example:80", "*.api.example.com:443", "*:443", "10.0.0.0/8:443", "10.1.0.0/16:443,80", "10.1.2.3:443",
	"169.254.0.0/16:80", "169.254.169.254:80", "localhost:8443", "8.8.8.8:443", "8.0.0.0/7:443" };
static const char *const names[] = { "example.com", "api.example.com", "x.api.example.com", "b.example", "c.example" };
static const char *const addresses[] = { "10.1.2.3", "10.1.9.9", "10.200.0.1", "8.8.8.8", "9.1.1.1", "169.254.169.254",
	"169.254.1.1" };
static const uint16_t ports[] = { 80, 443, 8443 };
static const char *const variables[] = { "API_TOKEN", "API_KEY", "NODE_OPTIONS", "PYTHONPATH", "LD_PRELOAD" };
static const char *const rates[] = { "10/s", "60/min", "5/min", "1000/h", "600/min", "3/d" };

/* One drawn case. */
struct draw {
	uint64_t seed, state;
	const char *root; /* where places are */
	const char *login_home;
	struct paths paths;
	json_t *policy, *profile;
	struct grants grants;
	bool managed;
	struct effective e;
	struct profile asked; /* the profile, by itself */
	char at[64][PATH_SIZE];
	size_t n_at;
};

static const char *place(struct draw *x, bool home)
{
	const char *p = places[chance(&x->state) % (ARRAY_LEN(places) - (home ? 0 : 2))];
	char *ret = x->at[x->n_at++ % 64];

	if (*p == '~')
		snprintf(ret, PATH_SIZE, "%s", p);
	else
		snprintf(ret, PATH_SIZE, "%s%s%s", x->root, *p ? "/" : "", p);
	return ret;
}

static const char *any_place(void *x)
{
	return place(x, true);
}

static void put_places(struct draw *x, json_t *o, const char *key)
{
	drawn_list(&x->state, o, key, any_place, x);
}

static void put_limits(struct draw *x, json_t *limits)
{
	static const char *const sides[] = { "message_client", "message_server" };

	for (size_t i = 0; i < ARRAY_LEN(sides); i++)
		if (often(&x->state, 3))
			json_object_set_new(limits, sides[i], json_sprintf("%uKiB", 4 + chance(&x->state) % 10000));
	if (often(&x->state, 3))
		json_object_set_new(limits, "calls", json_integer(1 + chance(&x->state) % 100));
}

/* What profiles and policies write alike. */
static json_t *alike(struct draw *x)
{
	json_t *o = drawn_alike(&x->state, 6), *files = json_object_get(o, "filesystem"),
	       *t = json_object_get(o, "tools");

	if (often(&x->state, 6))
		put_places(x, files, "read");
	if (often(&x->state, 6))
		put_places(x, files, "write");
	if (often(&x->state, 3))
		json_object_set_new(files, "protect", json_string(often(&x->state, 5) ? "default" : "none"));
	if (often(&x->state, 3))
		json_object_set_new(files, "tmp", json_sprintf("%uKiB", 64 + chance(&x->state) % 900000));
	if (often(&x->state, 5))
		json_object_set_new(t, "rate", json_string(rates[chance(&x->state) % ARRAY_LEN(rates)]));
	if (often(&x->state, 3))
		json_object_set_new(t, "time", json_sprintf("%us", 1 + chance(&x->state) % 100));
	if (often(&x->state, 3))
		json_object_set_new(t, "text", json_string(often(&x->state, 5) ? "neutralise" : "pass"));
	json_object_set_new(o, "prompts", drawn_rules(&x->state, 6));
	put_limits(x, json_object_get(o, "limits"));
	return o;
}

static void draw_policy(struct draw *x)
{
	json_t *net, *client;

	x->policy = alike(x);
	drawn_lists_of_a_policy(&x->state, x->policy, hosts, ARRAY_LEN(hosts));
	net = json_object_get(x->policy, "network");
	client = json_object_get(x->policy, "client");
	if (often(&x->state, 3))
		json_object_set_new(net, "private", json_boolean(often(&x->state, 3)));
	if (often(&x->state, 3))
		json_object_set_new(net, "publish", json_boolean(often(&x->state, 3)));
	if (often(&x->state, 3))
		json_object_set_new(net, "sni", json_boolean(often(&x->state, 5)));
	if (often(&x->state, 4))
		json_object_set_new(client, "elicitation", json_boolean(often(&x->state, 5)));
}

/* "${dir}", which the command line names, below one of two places. */
static void draw_parameter(struct draw *x)
{
	json_t *files = json_object_get(x->profile, "filesystem");
	const char *one, *other, *key = often(&x->state, 5) ? "read" : "write";

	if (!often(&x->state, 3))
		return;
	one = place(x, false);
	other = place(x, false);
	json_object_set_new(x->profile, "parameters",
		json_pack("{s:{s:s, s:[s, s]}}", "dir", "type", "directory", "within", one, other));
	if (!json_object_get(files, key))
		json_object_set_new(files, key, json_array());
	json_array_append_new(json_object_get(files, key), json_string("${dir}"));
	assert_int_equal(strv_addf(&x->grants.sets, "dir=%s", often(&x->state, 4) ? one : place(x, false)), 0);
}

static void draw_profile(struct draw *x)
{
	json_t *env = json_object(), *net = json_object(), *set = json_object();

	x->profile = alike(x);
	draw_parameter(x);
	json_object_set_new(x->profile, "name", json_string("x"));
	json_object_set_new(x->profile, "command", json_pack("[s]", "/usr/bin/true"));
	drawn_list_of(&x->state, env, "pass", variables, 3);
	if (often(&x->state, 5))
		json_object_set_new(set, variables[3 + chance(&x->state) % 2], json_string("/x"));
	json_object_set_new(env, "set", set);
	drawn_list_of(&x->state, net, "allow", hosts, ARRAY_LEN(hosts));
	if (often(&x->state, 3))
		json_object_set_new(net, "publish", json_pack("[i]", 20123));
	if (often(&x->state, 3))
		json_array_append_new(json_object_get(net, "allow"),
			json_pack("{s:s, s:[i], s:b, s:b}", "host", "deep.x.api.example.com", "ports", 443, "private",
				1, "sni", 0));
	json_object_set_new(x->profile, "env", env);
	json_object_set_new(x->profile, "network", net);
	json_object_set_new(x->profile, "client",
		json_pack("{s:b, s:b}", "sampling", often(&x->state, 5), "elicitation", often(&x->state, 5)));
	json_object_set_new(x->profile, "seccomp", json_string(often(&x->state, 5) ? "default" : "browser"));
}

static void draw_words(struct draw *x)
{
	for (size_t i = chance(&x->state) % 3; i > 0; i--)
		assert_int_equal(strv_add(&x->grants.read, place(x, false)), 0);
	for (size_t i = chance(&x->state) % 3; i > 0; i--)
		assert_int_equal(strv_add(&x->grants.write, place(x, false)), 0);
	if (often(&x->state, 4))
		assert_int_equal(strv_add(&x->grants.hosts, hosts[chance(&x->state) % ARRAY_LEN(hosts)]), 0);
	if (often(&x->state, 3))
		assert_int_equal(strv_add(&x->grants.env_pass, variables[chance(&x->state) % 3]), 0);
	if (often(&x->state, 1))
		assert_int_equal(strv_add(&x->grants.env_set, "EXTRA=1"), 0);
	x->managed = often(&x->state, 5);
}

/* HOME and XDG_* point wherever their user likes. */
static void draw_environment(struct draw *x)
{
	static const char *const set[] = { "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR" };
	char home[PATH_SIZE];
	struct diag d = { "" };

	snprintf(home, sizeof(home), "%s%s", x->root, often(&x->state, 5) ? "" : "/home2");
	setenv("HOME", home, 1);
	for (size_t i = 0; i < ARRAY_LEN(set); i++)
		if (often(&x->state, 5))
			setenv(set[i], place(x, false), 1);
		else
			unsetenv(set[i]);
	setenv("PATH", often(&x->state, 5) ? "/usr/bin" : x->root, 1);
	if (paths_init(&x->paths, &d) < 0)
		fail_msg("%s", d.text);
}

/* --- through the code: 0, or nothing is started --- */

static int load(struct draw *x, struct diag *d)
{
	_cleanup_free_ char *policy = json_dumps(x->policy, 0), *profile = json_dumps(x->profile, 0), *home = NULL;
	struct profile_args a = { .paths = &x->paths, .sets = &x->grants.sets };
	char path[PATH_SIZE];
	FILE *f;
	int r;

	snprintf(path, sizeof(path), "%s/policy.json", x->root);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(policy, f);
	fclose(f);
	r = policy_load_file(path, FS_TRUST_USER, getuid(), &x->e.policy, d);
	if (r < 0)
		return r; /* the same host twice */
	if (x->managed)
		assert_int_equal(ceilings_home(&x->paths, &home), 0);
	a.home = home;
	r = profile_parse("x.json", profile, strlen(profile), NULL, &x->e.profile, d);
	if (r < 0)
		return r;
	assert_int_equal(profile_parse("x.json", profile, strlen(profile), NULL, &x->asked, d), 0);
	r = profile_expand(&x->e.profile, &a, d);
	if (r < 0)
		return r; /* a path that is not there */
	assert_int_equal(profile_expand(&x->asked, &a, d), 0);
	x->e.profile.managed = x->managed;
	x->e.profile.file = strdup("/etc/stockade/profiles/x.json");
	return 0;
}

static int grant(struct draw *x, struct diag *d)
{
	const struct effective_args a = { .paths = &x->paths, .grants = &x->grants, .workspace = x->root };
	int r = effective_take_grants(&a, &x->e.profile, d);

	return r < 0 ? r : ceilings_apply(&x->paths, &x->e, d);
}

/* --- what each says by itself --- */

/* Where a path of the policy is: as root sees it, whatever HOME says. */
static bool policy_holds(const struct draw *x, const char *key, const char *path)
{
	const json_t *list = said(x->policy, "filesystem", key), *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *text = json_string_value(v);
		char whole[PATH_SIZE], real[PATH_MAX];
		snprintf(whole, sizeof(whole), "%s%s", *text == '~' ? x->login_home : "", text + (*text == '~'));
		/* Links of root's count, those of others do not. */
		if (getuid() != 0 || !realpath(whole, real))
			snprintf(real, sizeof(real), "%s", whole);
		if (fs_path_within(path, real))
			return true;
	}
	return false;
}

static bool policy_reads(const struct draw *x, const char *path)
{
	return !said(x->policy, "filesystem", "read") || policy_holds(x, "read", path) ||
	       policy_holds(x, "write", path);
}

static bool policy_writes(const struct draw *x, const char *path)
{
	return (!said(x->policy, "filesystem", "write") || policy_holds(x, "write", path)) && policy_reads(x, path);
}

static bool items_hold(const struct profile_items *l, const char *path)
{
	char real[PATH_MAX];

	for (size_t i = 0; i < l->n; i++)
		if (realpath(l->v[i].value, real) && fs_path_within(path, real))
			return true;
	return false;
}

static bool words_hold(const struct strv *l, const char *path)
{
	char real[PATH_MAX];

	for (size_t i = 0; i < l->n; i++)
		if (realpath(l->v[i], real) && fs_path_within(path, real))
			return true;
	return false;
}

/* Profile and command line: the one chooses from the other where the profile is root's, and adds to it elsewhere. */
static bool asked_writes(const struct draw *x, const char *path)
{
	bool profile = items_hold(&x->asked.fs_write, path), words = words_hold(&x->grants.write, path);
	bool chosen = x->grants.read.n || x->grants.write.n;

	return x->managed ? profile && (!chosen || words) : profile || words;
}

static bool asked_reads(const struct draw *x, const char *path)
{
	bool profile = items_hold(&x->asked.fs_read, path) || items_hold(&x->asked.fs_write, path);
	bool words = words_hold(&x->grants.read, path) || words_hold(&x->grants.write, path);
	bool chosen = x->grants.read.n || x->grants.write.n;

	return x->managed ? profile && (!chosen || words) : profile || words;
}

__attribute__((noreturn, format(printf, 3, 4))) static void explain(
	const struct draw *x, const char *condition, const char *fmt, ...)
{
	char what[512], more[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(more, sizeof(more), "%s (managed %d)", what, x->managed);
	drawn_explain(&(struct drawn_case){ x->seed, x->policy, x->profile, &x->grants }, more, condition);
}

static void hold_parameter(const struct draw *x)
{
	const json_t *within = json_object_get(said(x->profile, "parameters", "dir"), "within");
	char value[PATH_MAX], holder[PATH_MAX];
	bool holds = false;

	if (!within)
		return;
	assert_non_null(realpath(x->grants.sets.v[0] + strlen("dir="), value));
	for (size_t i = 0; i < json_array_size(within); i++) {
		assert_non_null(realpath(json_string_value(json_array_get(within, i)), holder));
		holds = holds || fs_path_within(value, holder);
	}
	HOLDS(x, holds, "the value %s", value);
}

static void hold_files(const struct draw *x)
{
	const struct profile *f = &x->e.profile;

	for (size_t i = 0; i + 2 < ARRAY_LEN(places); i++) {
		char whole[PATH_SIZE], real[PATH_MAX];
		snprintf(whole, sizeof(whole), "%s%s%s", x->root, *places[i] ? "/" : "", places[i]);
		assert_non_null(realpath(whole, real));
		bool writes = items_hold(&f->fs_write, real), reads = writes || items_hold(&f->fs_read, real);
		HOLDS(x, writes == (policy_writes(x, real) && asked_writes(x, real)), "writing %s", real);
		HOLDS(x, reads == (policy_reads(x, real) && asked_reads(x, real)), "reading %s", real);
	}
}

/* Does that list of hosts grant it? */
static bool list_reaches(const json_t *list, const char *name, const struct net_address *a, uint16_t port)
{
	struct net_config c = { 0 };
	struct diag d = { "" };
	const json_t *v;
	bool reached;
	size_t i;

	json_array_foreach(list, i, v)
	{
		struct net_grant g = { 0 };
		const char *text =
			json_is_object(v) ? json_string_value(json_object_get(v, "host")) : json_string_value(v);
		assert_int_equal(network_grant_parse(text, "x", &g, &d), 0);
		(void)!network_add(&c, &g, &d);
	}
	reached = (name ? net_match_name(&c, name, port) : net_match_address(&c, a, port)) != NET_NO_GRANT;
	net_config_done(&c);
	return reached;
}

static void hold_host(const struct draw *x, const char *name, const struct net_address *a, uint16_t port, bool exact)
{
	const json_t *policy = said(x->policy, "network", "allow"), *inside = said(x->policy, "network", "private");
	const struct net_config *c = &x->e.profile.network;
	json_t *words = json_array();
	bool profile = list_reaches(said(x->profile, "network", "allow"), name, a, port), line, asked, reached;

	for (size_t i = 0; i < x->grants.hosts.n; i++)
		json_array_append_new(words, json_string(x->grants.hosts.v[i]));
	line = list_reaches(words, name, a, port);
	json_decref(words);
	asked = !x->managed ? profile || line : profile && (!x->grants.hosts.n || line);
	reached = (name ? net_match_name(c, name, port) : net_match_address(c, a, port)) != NET_NO_GRANT;
	bool allowed = !policy || list_reaches(policy, name, a, port);
	HOLDS(x, !reached || (asked && allowed), "reaching %s:%u", name ? name : "an address", port);
	if (exact && !(a && json_is_false(inside)))
		HOLDS(x, reached == (asked && allowed), "reaching %s:%u", name ? name : "an address", port);
}

static void hold_network(const struct draw *x)
{
	const struct net_config *c = &x->e.profile.network;
	bool inside = !json_is_false(said(x->policy, "network", "private"));

	for (size_t k = 0; k < ARRAY_LEN(ports); k++) {
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			hold_host(x, names[i], NULL, ports[k], true);
		for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
			struct net_address a;
			assert_int_equal(net_address_parse(addresses[i], &a), 0);
			hold_host(x, NULL, &a, ports[k], strncmp(addresses[i], "169.", 4) != 0);
			HOLDS(x,
				inside || addresses[i][0] == '8' || addresses[i][0] == '9' ||
					net_match_address(c, &a, ports[k]) == NET_NO_GRANT,
				"the private %s", addresses[i]);
		}
	}
	for (size_t i = 0; i < c->n_grants; i++)
		HOLDS(x, inside || (!c->grants[i].private_allowed && c->grants[i].kind != NET_LOCALHOST), "inside");
	HOLDS(x, c->n_publish == 0 || !json_is_false(said(x->policy, "network", "publish")), "a published port");
}

static bool fits(const json_t *list, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v) if (glob_match(json_string_value(v), name, strlen(name))) return true;
	return false;
}

static bool lists_allow(const json_t *o, const char *section, const char *name)
{
	const json_t *allow = said(o, section, "allow");

	return !fits(said(o, section, "deny"), name) && (!allow || fits(allow, name));
}

static void hold_names(const struct draw *x)
{
	const struct profile *f = &x->e.profile;
	const struct {
		const char *section;
		const struct shim_rules *rules;
	} rows[] = { { "tools", &f->tools }, { "prompts", &f->prompts } };

	for (size_t k = 0; k < ARRAY_LEN(rows); k++)
		for (size_t i = 0; i < ARRAY_LEN(drawn_tools); i++)
			HOLDS(x,
				shim_rules_judge(rows[k].rules, drawn_tools[i], strlen(drawn_tools[i])).allowed ==
					(lists_allow(x->policy, rows[k].section, drawn_tools[i]) &&
						lists_allow(x->profile, rows[k].section, drawn_tools[i])),
				"%s %s", rows[k].section, drawn_tools[i]);
}

static bool has_item(const struct profile_items *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strncmp(l->v[i].value, name, strlen(name)) == 0 && strchr("=", l->v[i].value[strlen(name)]))
			return true;
	return false;
}

static void hold_environment(const struct draw *x)
{
	const json_t *pass = said(x->policy, "env", "pass"), *set = said(x->policy, "env", "set");

	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		const char *v = variables[i];
		bool words = strv_contains(&x->grants.env_pass, v), profile = has_item(&x->asked.env_pass, v);
		bool asked = x->managed ? profile && (!x->grants.env_pass.n || words) : profile || words;
		HOLDS(x, has_item(&x->e.profile.env_pass, v) == (asked && (!pass || fits(pass, v))), "passing %s", v);
		HOLDS(x,
			has_item(&x->e.profile.env_set, v) ==
				(has_item(&x->asked.env_set, v) && (!set || fits(set, v))),
			"setting %s", v);
	}
	HOLDS(x, !has_item(&x->e.profile.env_set, "EXTRA") || !set || fits(set, "EXTRA"), "setting EXTRA");
}

static uint64_t least(const struct draw *x, const char *section, const char *key, uint64_t of)
{
	const json_t *v = said(x->policy, section, key);
	uint64_t to;

	if (!v)
		return of;
	if (json_is_integer(v))
		to = (uint64_t)json_integer_value(v);
	else
		assert_true(sscanf(json_string_value(v), "%lu", &to) == 1), to <<= 10;
	return !of || to < of ? to : of;
}

static uint64_t side(const struct profile *f, uint64_t own)
{
	return own ? own : f->limit_message;
}

static void hold_numbers(const struct draw *x)
{
	const struct profile *f = &x->e.profile, *was = &x->asked;

	HOLDS(x, f->limit_processes == least(x, "limits", "processes", was->limit_processes), "processes");
	HOLDS(x, f->limit_files == least(x, "limits", "files", was->limit_files), "files");
	HOLDS(x, f->tmp_size == least(x, "filesystem", "tmp", was->tmp_size), "tmp");
	HOLDS(x, f->meters.in_flight.value == least(x, "limits", "calls", was->meters.in_flight.value), "calls");
	HOLDS(x,
		side(f, f->limit_message_client) ==
			least(x, "limits", "message_client",
				least(x, "limits", "message", side(was, was->limit_message_client))),
		"messages of the client");
	HOLDS(x,
		side(f, f->limit_message_server) ==
			least(x, "limits", "message_server",
				least(x, "limits", "message", side(was, was->limit_message_server))),
		"messages of the server");
	HOLDS(x,
		f->home == HOME_EMPTY ||
			(was->home == HOME_PRIVATE &&
				(!said(x->policy, "filesystem", "home") ||
					strcmp(json_string_value(said(x->policy, "filesystem", "home")), "private") ==
						0)),
		"home");
}

static void hold_rate(const struct draw *x)
{
	const struct meters_rate *r = &x->e.profile.meters.each,
				 *both[] = { &x->asked.meters.each, &x->e.policy.ceilings.bounds.meters.each };

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		const struct meters_rate *o = both[i];
		if (!o->calls)
			continue;
		HOLDS(x, r->calls <= o->calls, "a burst of %u", r->calls);
		HOLDS(x, (uint64_t)r->calls * o->period_s <= (uint64_t)o->calls * r->period_s, "%u in %u s", r->calls,
			r->period_s);
	}
	HOLDS(x, r->calls > 0 && r->period_s > 0 && r->period_s <= METERS_PERIOD_MAX, "%u in %u s", r->calls,
		r->period_s);
}

static bool is_word(const json_t *v, const char *word)
{
	return json_is_string(v) && strcmp(json_string_value(v), word) == 0;
}

static void hold_walls(const struct draw *x)
{
	const struct profile *f = &x->e.profile;
	bool compared = json_is_true(said(x->policy, "network", "sni"));

	HOLDS(x, f->protect == (x->asked.protect || is_word(said(x->policy, "filesystem", "protect"), "default")),
		"protected files");
	HOLDS(x, f->text.pass == (x->asked.text.pass && !is_word(said(x->policy, "tools", "text"), "neutralise")),
		"text that passes");
	for (size_t i = 0; i < f->network.n_grants; i++) {
		const struct net_grant *g = &f->network.grants[i];
		bool named = g->kind != NET_PREFIX && g->kind != NET_LOCALHOST;
		bool asked = named && g->name && strcmp(g->name, "deep.x.api.example.com") == 0;
		HOLDS(x, !named || g->sni == (!asked || compared), "the name in TLS of %s", g->name ? g->name : "*");
	}
}

static void hold_switches(const struct draw *x)
{
	const struct profile *f = &x->e.profile;
	const json_t *sets = json_object_get(x->policy, "seccomp");

	HOLDS(x,
		f->client.sampling.on ==
			(x->asked.client.sampling.on && !json_is_false(said(x->policy, "client", "sampling"))),
		"sampling");
	HOLDS(x,
		f->client.elicitation.on ==
			(x->asked.client.elicitation.on && !json_is_false(said(x->policy, "client", "elicitation"))),
		"elicitation");
	size_t asked = x->asked.audit_args, most = drawn_args(x->policy, SHIM_ARGS_FULL);
	HOLDS(x, f->audit_args == (asked < most ? asked : most), "arguments in the log");
	HOLDS(x,
		strcmp(f->seccomp, "default") == 0 ||
			(strcmp(x->asked.seccomp, f->seccomp) == 0 && (!sets || fits(sets, f->seccomp))),
		"system calls %s", f->seccomp);
}

/* Every line that says what was not granted names the rule. */
static void hold_lines(const struct draw *x)
{
	for (size_t i = 0; i < x->e.n_lines; i++)
		HOLDS(x,
			x->e.lines[i].kind == LINE_CUT && x->e.lines[i].where &&
				strstr(x->e.lines[i].where, "policy.json:1 ("),
			"%s", x->e.lines[i].text);
}

static void done(struct draw *x)
{
	effective_done(&x->e);
	profile_done(&x->asked);
	grants_done(&x->grants);
	paths_done(&x->paths);
	json_decref(x->policy);
	json_decref(x->profile);
}

struct place_of_test {
	const char *root, *login_home;
};

/* Is it started? */
static bool draw_one(uint64_t seed, void *ctx)
{
	const struct place_of_test *of = ctx;
	struct draw x = { .seed = seed, .state = drawn_begin(seed), .root = of->root, .login_home = of->login_home };
	struct diag d = { "" };
	int r;

	draw_environment(&x);
	draw_policy(&x);
	draw_profile(&x);
	draw_words(&x);
	r = load(&x, &d);
	if (r == 0)
		r = grant(&x, &d);
	if (r == 0) {
		hold_parameter(&x);
		hold_files(&x);
		hold_network(&x);
		hold_names(&x);
		hold_environment(&x);
		hold_numbers(&x);
		hold_rate(&x);
		hold_switches(&x);
		hold_walls(&x);
		hold_lines(&x);
	}
	done(&x);
	return r == 0;
}

static void no_command_line_environment_or_link_ever_widens_what_policy_and_profile_give(void **state)
{
	char root[] = "/tmp/stockade-ceilings-XXXXXX", path[PATH_SIZE];
	static const char *const dirs[] = { "docs", "docs/a", "docs/a/deep", "docs/b", "work", "work/x", "other",
		"home2", "home2/docs" };
	const struct passwd *pw = getpwuid(getuid());
	struct place_of_test of = { root, pw ? pw->pw_dir : "/nonexistent" };

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(chmod(root, 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, dirs[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	snprintf(path, sizeof(path), "%s/link", root);
	assert_int_equal(symlink("other", path), 0);
	snprintf(path, sizeof(path), "%s/docs/out", root);
	assert_int_equal(symlink("../work", path), 0);
	drawn_all(CASES, CASES / 4, draw_one, &of);
	setenv("PATH", "/usr/bin:/bin", 1);
	snprintf(path, sizeof(path), "rm -rf %s", root);
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_command_line_environment_or_link_ever_widens_what_policy_and_profile_give),
	};

	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
