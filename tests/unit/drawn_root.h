/* SPDX-License-Identifier: Apache-2.0 */
/* drawn_root - what root says on a drawn machine: policy and profile, and who has signed the profile */
#pragma once
#include "tests/unit/drawn.h"
#include "tests/unit/drawn_machine.h"
#include "base/buf.h"
#include "sign/secret_key.h"
#include "supervisor/code_digest.h"
#include "supervisor/effective.h"

enum { TEXT = 512 };

#define ROOTS_PROFILE "/etc/stockade/profiles/m.json"
#define CALLERS	      "/of/the/caller"
#define TOOL	      "#!/bin/sh\nexec true\n"

/* Who signs: root trusts the first two. The user has a key of his own. */
enum { KEY_RELEASE, KEY_SECURITY, KEY_USER, KEY_COUNT };
static const char *const key_names[KEY_COUNT] = { "release", "security", "mine" };
static struct sign_secret *keys[KEY_COUNT];
static char tool_digest[CODE_DIGEST_HEX];

struct draw {
	uint64_t seed, state;
	json_t *policy, *profile;
	bool killed;	  /* by root */
	bool observes;	  /* by root's word */
	unsigned signers; /* of the profile that is started, bits by enum */
	enum {
		BY_NAME, /* root's profile, by its name or its file */
		BY_FILE, /* one of the user's, "n" */
		BY_COPY, /* root's, copied by the user */
		BY_COMMAND
	} how;
	bool altered; /* the user's tool is not what root's profile binds */
	struct grants grants;
	char *env[12];
	size_t n_env;
	const char *home, *config, *state_dir; /* XDG_* of the user's choice, or NULL */
	bool kept_code;			       /* something lies in the home that is kept for the server */
};

static const char *const places[] = { "docs", "docs/a", "docs/a/deep", "docs/b", "work", "work/x", "other" };
static const char *const hosts[] = { "api.example.com:443", "*.example.com:443", "b.example:80,443", "*:443",
	"10.1.2.3:443" };
static const char *const passed[] = { "API_TOKEN", "API_KEY", "NODE_OPTIONS" };
static const char *const variables[] = { "API_TOKEN", "API_KEY", "NODE_OPTIONS", "MODE", "LD_PRELOAD", "EXTRA" };
static const char *const homes[] = { "home", "home2" };

__attribute__((noreturn, format(printf, 3, 4))) static inline void explain(
	const struct draw *x, const char *condition, const char *fmt, ...)
{
	char what[TEXT], more[2 * TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(more, sizeof(more), "%s (how %d, home %s, config %s, signers %x)", what, (int)x->how, x->home,
		x->config ? x->config : "unset", x->signers);
	drawn_explain(&(struct drawn_case){ x->seed, x->policy, x->profile, &x->grants }, more, condition);
}

/* --- root's policy --- */

/* As "~/docs", or whole. */
static inline void add_paths(struct draw *x, json_t *o, const char *key)
{
	json_t *list = json_array();

	for (size_t i = 0, some = chance(&x->state) % 4; i < some; i++) {
		const char *one = PICK(&x->state, places);
		json_array_append_new(list, often(&x->state, 5) ? json_sprintf("~/%s", one) : json_string(at(one)));
	}
	json_object_set_new(o, key, list);
}

static inline json_t *alike(struct draw *x, unsigned of_ten)
{
	json_t *o = drawn_alike(&x->state, of_ten), *files = json_object_get(o, "filesystem");

	if (often(&x->state, of_ten))
		add_paths(x, files, "read");
	if (often(&x->state, of_ten))
		add_paths(x, files, "write");
	return o;
}

/* For a week from now. */
static inline void draw_mode(struct draw *x)
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

static inline void draw_signatures(struct draw *x)
{
	json_t *o = json_pack("{s:i, s:[s, s]}", "need", often(&x->state, 8) ? 1 : 2, "of", key_names[KEY_RELEASE],
		key_names[KEY_SECURITY]);

	if (often(&x->state, 2))
		json_object_set_new(o, "keys",
			json_pack("{s:{s:[s]}}", key_names[KEY_RELEASE], "servers",
				often(&x->state, 7) ? "m*" : "other"));
	else if (often(&x->state, 2))
		json_object_set_new(o, "keys",
			json_pack("{s:{s:s}}", key_names[KEY_SECURITY], "expires",
				often(&x->state, 5) ? "2020-01-01" : "2999-01-01"));
	json_object_set_new(x->policy, "signatures", o);
}

/* "granted" needs signatures, with the others they may be. */
static inline void draw_consent(struct draw *x)
{
	static const char *const words[] = { "ask", "admin", "granted", "granted" };
	json_t *o = json_object();
	const char *by = PICK(&x->state, words);

	if (often(&x->state, 7))
		json_object_set_new(o, "by", json_string(by));
	if (json_object_size(o) > 0 ? strcmp(by, "granted") == 0 || often(&x->state, 5) : often(&x->state, 2))
		draw_signatures(x);
	if (often(&x->state, 3))
		drawn_list_of(&x->state, o, "channels", drawn_channels, ARRAY_LEN(drawn_channels));
	json_object_set_new(x->policy, "consent", o);
}

/* "m" is root's profile, "n" the user's, "true" a command without one. */
static inline void draw_groups(struct draw *x)
{
	static const char *const servers[] = { "m", "*", "n", "t*", "other" };
	json_t *o;

	if (!often(&x->state, 4))
		return;
	o = json_object();
	for (uint32_t some = 1 + chance(&x->state) % 3; some > 0; some--) {
		json_t *group = json_pack("{s:[s]}", "servers", PICK(&x->state, servers));
		if (often(&x->state, 6))
			drawn_list_of(&x->state, group, "tools", drawn_globs, ARRAY_LEN(drawn_globs));
		json_object_set_new(o, PICK(&x->state, machine_groups).name, group);
	}
	json_object_set_new(x->policy, "groups", o);
}

static inline void draw_policy(struct draw *x)
{
	x->policy = alike(x, 6);
	drawn_lists_of_a_policy(&x->state, x->policy, hosts, ARRAY_LEN(hosts));
	if (often(&x->state, 4))
		json_object_set_new(x->policy, "ipc", json_pack("{s:[]}", "unix"));
	json_object_set_new(x->policy, "profiles",
		json_pack("{s:s, s:s}", "unprofiled", often(&x->state, 5) ? "deny" : "allow", "user",
			often(&x->state, 5) ? "deny" : "allow"));
	if (often(&x->state, 2))
		json_object_set_new(x->policy, "servers",
			json_pack("{s:[s]}", "deny",
				often(&x->state, 3)   ? "m"
				: often(&x->state, 3) ? "n"
						      : "other"));
	draw_mode(x);
	draw_consent(x);
	draw_groups(x);
}

/* --- root's profile --- */

/* "${dir}" is a place, "${mode}" a word. */
static inline void draw_parameters(struct draw *x)
{
	json_t *files = json_object_get(x->profile, "filesystem"), *dir;
	const char *key = often(&x->state, 5) ? "read" : "write";

	if (!often(&x->state, 5))
		return;
	dir = json_pack("{s:s}", "type", "directory");
	if (often(&x->state, 8))
		do
			add_paths(x, dir, "within");
		while (json_array_size(json_object_get(dir, "within")) == 0);
	if (often(&x->state, 5) && json_object_get(dir, "within"))
		json_object_set(dir, "default", json_array_get(json_object_get(dir, "within"), 0));
	if (!json_object_get(files, key))
		json_object_set_new(files, key, json_array());
	json_array_append_new(json_object_get(files, key), json_string("${dir}"));
	json_object_set_new(x->profile, "parameters",
		json_pack("{s:o, s:{s:s, s:[s, s], s:s}}", "dir", dir, "mode", "type", "string", "choices", "quiet",
			"silent", "default", "quiet"));
	json_object_set_new(json_object_get(x->profile, "env"), "set", json_pack("{s:s}", "MODE", "${mode}"));
}

/* Root's program, by its path or its name; the user's, which the profile binds, or does not. */
static inline void draw_command(struct draw *x)
{
	const char *program = often(&x->state, 7)   ? "/usr/bin/true"
			      : often(&x->state, 4) ? "true"
						    : at("mine/bin/tool");

	json_object_set_new(x->profile, "command", json_pack("[s]", program));
	if (strstr(program, "tool") && often(&x->state, 6))
		json_object_set_new(
			x->profile, "code", json_pack("{s:o}", program, json_sprintf("blake2b:%s", tool_digest)));
}

static inline void draw_profile(struct draw *x)
{
	json_t *env = json_object(), *net = json_object();

	x->profile = alike(x, 8);
	json_object_set_new(x->profile, "name", json_string("m"));
	json_object_set_new(x->profile, "version", json_integer(1 + chance(&x->state) % 3));
	drawn_list_of(&x->state, env, "pass", passed, ARRAY_LEN(passed));
	json_object_set_new(env, "set", often(&x->state, 5) ? json_pack("{s:s}", "MODE", "quiet") : json_object());
	drawn_list_of(&x->state, net, "allow", hosts, ARRAY_LEN(hosts));
	json_object_set_new(x->profile, "env", env);
	json_object_set_new(x->profile, "network", net);
	json_object_set_new(x->profile, "client", json_pack("{s:b}", "sampling", often(&x->state, 5)));
	json_object_set_new(x->profile, "seccomp", json_string(often(&x->state, 7) ? "default" : "browser"));
	draw_command(x);
	draw_parameters(x);
	x->signers = often(&x->state, 8) ? 1U << KEY_RELEASE | (chance(&x->state) % 2) << KEY_SECURITY : 0;
	x->signers |= (chance(&x->state) % 2) << KEY_USER;
}

/* DIR/NAME.json, and beside it who has signed it. */
static inline void put_profile(uid_t as, const char *directory, const json_t *profile, unsigned signers)
{
	_cleanup_free_ char *text = json_dumps(profile, JSON_INDENT(1));
	const char *name = json_string_value(json_object_get(profile, "name"));
	char path[PATH_MAX], trusted[64];
	struct diag d = { "" };

	snprintf(path, sizeof(path), "%s/%s.json", directory, name);
	put(as, path, text);
	snprintf(trusted, sizeof(trusted), "timestamp:%lld\tfile:%s.json\thashed", (long long)time(NULL) - 60, name);
	for (unsigned k = 0; k < KEY_COUNT; k++) {
		_cleanup_sign_signature_ struct sign_signature made = { 0 };
		_cleanup_buf_ struct buf b = BUF_INIT(SIGN_FILE_MAX);
		snprintf(path, sizeof(path), "%s/%s.json.%s.minisig", directory, name, key_names[k]);
		become(as);
		unlink(path);
		become(user);
		if (!(signers >> k & 1))
			continue;
		assert_int_equal(sign_secret_sign(keys[k], text, strlen(text), trusted, &made, &d), 0);
		assert_int_equal(sign_signature_text(&made, NULL, &b), 0);
		put(as, path, b.data);
	}
}

static inline void put_key(uid_t as, const char *directory, const char *name, unsigned k)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SIGN_PUB_MAX);
	struct sign_key public;
	char path[PATH_MAX];

	sign_secret_public(keys[k], &public);
	assert_int_equal(sign_key_text(&public, NULL, &b), 0);
	snprintf(path, sizeof(path), "%s/%s.pub", directory, name);
	put(as, path, b.data);
}
