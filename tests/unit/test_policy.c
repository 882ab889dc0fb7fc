/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy - what the machine's owner lays down is read whole or denies every launch */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "supervisor/policy/policy_keys.h"
#include "tests/unit/tree.h"
#include "tests/unit/unprivileged.h"

#define CERT "-----BEGIN CERTIFICATE-----\nTUlJQg==\n-----END CERTIFICATE-----\n"

struct world {
	char root[64];
	char policy[128], ca[128];
};

static int set_up(void **state)
{
	static struct world w;

	w = (struct world){ .root = "/tmp/stockade-policy-XXXXXX" };
	assert_non_null(mkdtemp(w.root));
	snprintf(w.policy, sizeof(w.policy), "%s/policy.json", w.root);
	snprintf(w.ca, sizeof(w.ca), "%s/ca.pem", w.root);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	return remove_tree(w->root);
}

static void put(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int load(const struct world *w, struct policy *ret, struct diag *d)
{
	return policy_load_file(w->policy, FS_TRUST_USER, getuid(), ret, d);
}

static void refused(const struct world *w, const char *words)
{
	struct policy p;
	struct diag d = { "" };
	int r = load(w, &p, &d);

	/* -ENOENT is for a policy that is not there, and denies nothing. */
	if (r >= 0 || r == -ENOENT || !strstr(d.text, words) || !strstr(d.text, "nothing is started"))
		fail_msg("expected '%s', got %d: %s", words, r, d.text);
	assert_null(p.provide.proxy_host);
	assert_null(p.provide.ca);
}

static void where_there_is_no_policy_nothing_is_laid_down(void **state)
{
	struct policy p;
	struct diag d = { "" };

	assert_int_equal(load(*state, &p, &d), 0);
	assert_null(p.provide.proxy_host);
	assert_null(p.provide.ca);
}

static void a_proxy_and_an_authority_are_provided_with_the_lines_that_do(void **state)
{
	struct world *w = *state;
	struct policy p;
	struct diag d = { "" };
	char text[512], where[300];

	put(w->ca, "a comment\n" CERT CERT, 0644);
	snprintf(text, sizeof(text),
		"{\"stockade\": 1, \"owner\": \"it@example.com\",\n\"provide\": {\"proxy\": "
		"\"http://Proxy.Corp.Example:3128/\",\n\"ca\": \"%s\"}}",
		w->ca);
	put(w->policy, text, 0644);
	if (load(w, &p, &d) < 0)
		fail_msg("%s", d.text);
	assert_string_equal(p.provide.proxy_host, "proxy.corp.example");
	assert_int_equal(p.provide.proxy_port, 3128);
	snprintf(where, sizeof(where), "%s:2 (provide.proxy)", w->policy);
	assert_string_equal(p.provide.proxy_where, where);
	assert_string_equal(p.provide.ca, "a comment\n" CERT CERT);
	snprintf(where, sizeof(where), "%s:3 (provide.ca \"%s\")", w->policy, w->ca);
	assert_string_equal(p.provide.ca_where, where);
	policy_done(&p);
}

static void a_proxy_may_be_an_address(void **state)
{
	static const char *const rows[][2] = { { "192.0.2.1:80", "192.0.2.1" }, { "[2001:db8::1]:80", "2001:db8::1" },
		{ "localhost:80", "127.0.0.1" } };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct policy p;
		struct diag d = { "" };
		char text[256];
		snprintf(text, sizeof(text), "{\"stockade\": 1, \"provide\": {\"proxy\": \"http://%s\"}}", rows[i][0]);
		put(w->policy, text, 0644);
		if (load(w, &p, &d) < 0)
			fail_msg("%s", d.text);
		assert_string_equal(p.provide.proxy_host, rows[i][1]);
		policy_done(&p);
	}
}

#define PROVIDE(text) "{\"stockade\": 1, \"provide\": {" text "}}"
#define PINS(text)    "{\"stockade\": 1, \"pins\": {" text "}}"
static void what_cannot_be_followed_denies_every_launch_in_words(void **state)
{
	static const char *const rows[][2] = {
		{ "", "policy.json" },
		{ "{", "policy.json:1" },
		{ "[]", "a policy is a JSON object, not a list" },
		{ "{}", "has no \"stockade\": 1" },
		{ "{\"stockade\": 2}", "must be 1" },
		{ "{\"stockade\": 1, \"stockade\": 1}", "stockade" },
		{ "{\"stockade\": 1,\n\"provid\": {}}",
			"policy.json:2: unknown key 'provid', did you mean 'provide'?" },
		{ "{\"stockade\": 1, \"consent\": \"granted\"}", "consent must be an object, not a string" },
		{ "{\"stockade\": 1, \"network\": {\"deny\": []}}", "unknown key 'network.deny'" },
		{ "{\"stockade\": 1, \"kill\": []}", "kill is not enforced by this version" },
		{ "{\"stockade\": 1, \"provide\": []}", "provide must be an object, not a list" },
		{ "{\"stockade\": 1, \"provide.proxy\": \"http://proxy.example:80\"}", "unknown key 'provide.proxy'" },
		{ "{\"stockade\": 1, \"provide.env\": {}}", "unknown key 'provide.env'" },
		{ PROVIDE("\"proxi\": \"x\""), "unknown key 'provide.proxi', did you mean 'proxy'?" },
		{ PROVIDE("\"env\": {}"), "provide.env is not enforced" },
		{ PROVIDE("\"proxy\": 3128"), "provide.proxy must be a string, not an integer" },
		{ PROVIDE("\"proxy\": \"https://proxy.example:443\""), "https:// URL" },
		{ PROVIDE("\"proxy\": \"socks5://proxy.example:1080\""), "must be http://HOST:PORT" },
		{ PROVIDE("\"proxy\": \"http://me:secret@proxy.example:3128\""), "holds a user or a password" },
		{ PROVIDE("\"proxy\": \"http://proxy.example\""), "names no port" },
		{ PROVIDE("\"proxy\": \"http://[2001:db8::1]\""), "names no port" },
		{ PROVIDE("\"proxy\": \"http://proxy.example:0\""), "is no port" },
		{ PROVIDE("\"proxy\": \"http://proxy.example:80,81\""), "one host and one port" },
		{ PROVIDE("\"proxy\": \"http://*.example.com:80\""), "one host and one port" },
		{ PROVIDE("\"proxy\": \"http://10.0.0.0:80/8\""), "has a path" },
		{ PROVIDE("\"proxy\": \"http://proxy.example:80/pac\""), "has a path" },
		{ PROVIDE("\"ca\": \"corp.pem\""), "must be an absolute path" },
		{ PROVIDE("\"ca\": \"/nonexistent/corp.pem\""), "provide.ca: cannot open" },
		{ "{\"stockade\": 1, \"pins\": \"high\"}", "pins must be an object, not a string" },
		{ PINS("\"finding\": \"high\""), "unknown key 'pins.finding', did you mean 'findings'?" },
		{ PINS("\"findings\": 3"), "pins.findings must be a string, not an integer" },
		{ PINS("\"findings\": \"info\""), "must be \"low\", \"medium\" or \"high\"" },
		{ PINS("\"findings\": \"High\""), "must be \"low\", \"medium\" or \"high\"" },
		{ PINS("\"findings\": \"\""), "must be \"low\", \"medium\" or \"high\"" },
		{ "{\"stockade\": 1, \"pins.findings\": \"high\"}", "unknown key 'pins.findings'" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(w->policy, rows[i][0], 0644);
		refused(w, rows[i][1]);
	}
}

/* Whatever stands behind it: of what this version does not enforce nothing may be taken. */
static void no_rule_that_is_not_enforced_is_read(void **state)
{
	static const char *const values[] = { "{}", "[]", "\"x\"", "1", "true", "null" };
	struct world *w = *state;
	char text[128], words[96];
	size_t n = 0;

	for (size_t i = 0; i < policy_keys.n * ARRAY_LEN(values); i++) {
		const struct key_row *row = &policy_keys.rows[i / ARRAY_LEN(values)];
		const char *value = values[i % ARRAY_LEN(values)], *dot = strchr(row->path, '.');
		int section = dot ? (int)(dot - row->path) : 0;
		if (row->set != policy_set_refused)
			continue;
		if (dot)
			snprintf(text, sizeof(text), "{\"stockade\": 1, \"%.*s\": {\"%s\": %s}}", section, row->path,
				dot + 1, value);
		else
			snprintf(text, sizeof(text), "{\"stockade\": 1, \"%s\": %s}", row->path, value);
		snprintf(words, sizeof(words), "%s is not enforced by this version", row->path);
		put(w->policy, text, 0644);
		refused(w, words);
		n++;
	}
	assert_true(n > 0);
}

static void a_policy_says_whether_a_person_may_lift_a_scope(void **state)
{
	static const char *const wrong[][2] = {
		{ "{\"grants\": \"no\"}", "tools.grants is \"never\", or \"profile\"" },
		{ "{\"grants\": false}", "tools.grants must be a string" },
		{ "{\"grant\": \"never\"}", "unknown key 'tools.grant', did you mean 'grants'?" },
		{ "[]", "tools must be an object" },
	};
	struct world *w = *state;
	struct policy p;
	struct diag d = { "" };
	char text[128];

	put(w->policy, "{\"stockade\": 1,\n\"tools\": {\n\"grants\": \"never\"}}", 0644);
	assert_int_equal(load(w, &p, &d), 0);
	assert_non_null(strstr(p.persons.no_grants, "policy.json:3 (tools.grants)"));
	policy_done(&p);
	put(w->policy, "{\"stockade\": 1, \"tools\": {\"grants\": \"profile\"}}", 0644);
	assert_int_equal(load(w, &p, &d), 0);
	assert_null(p.persons.no_grants);
	policy_done(&p);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		snprintf(text, sizeof(text), "{\"stockade\": 1, \"tools\": %s}", wrong[i][0]);
		put(w->policy, text, 0644);
		refused(w, wrong[i][1]);
	}
}

static void of_a_policy_that_is_refused_nothing_is_kept(void **state)
{
	struct world *w = *state;
	char text[256];

	put(w->ca, CERT, 0644);
	snprintf(text, sizeof(text), PROVIDE("\"proxy\": \"http://proxy.example:80\", \"ca\": \"%s\"") "x", w->ca);
	put(w->policy, text, 0644);
	refused(w, "policy.json");
	snprintf(
		text, sizeof(text), PROVIDE("\"proxy\": \"http://proxy.example:80\", \"ca\": \"%s\", \"x\": 1"), w->ca);
	put(w->policy, text, 0644);
	refused(w, "unknown key 'provide.x'");
}

static void the_severity_that_keeps_from_pinning_is_the_owners_with_its_line(void **state)
{
	static const struct {
		const char *word;
		enum definition_severity severity;
	} cases[] = { { "low", DEFINITION_LOW }, { "medium", DEFINITION_MEDIUM }, { "high", DEFINITION_HIGH } };
	struct world *w = *state;
	struct diag d = { "" };
	struct policy p;
	char text[256], where[300];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		snprintf(text, sizeof(text), PINS("\n\"findings\": \"%s\""), cases[i].word);
		put(w->policy, text, 0644);
		if (load(w, &p, &d) < 0)
			fail_msg("%s", d.text);
		snprintf(where, sizeof(where), "%s:2 (pins.findings \"%s\")", w->policy, cases[i].word);
		assert_string_equal(p.persons.findings_where, where);
		assert_int_equal(p.persons.findings, cases[i].severity);
		policy_done(&p);
	}
	put(w->policy, PINS(""), 0644);
	assert_int_equal(load(w, &p, &d), 0);
	assert_null(p.persons.findings_where);
	policy_done(&p);
}

/* In a child: somebody whose files are not root's. */
static int judge_as_a_user(void)
{
	struct diag d = { "" };
	struct policy p;
	void *state;
	char text[256];

	if (become_unprivileged() < 0 || set_up(&state) < 0)
		return 1;
	struct world *w = state;
	put(w->ca, CERT, 0644);
	snprintf(text, sizeof(text), PROVIDE("\"ca\": \"%s\""), w->ca);
	put(w->policy, text, 0644);
	if (policy_load_file(w->policy, FS_TRUST_USER, getuid(), &p, &d) < 0 || !p.provide.ca)
		return 2;
	policy_done(&p);
	if (policy_load_file(w->policy, FS_TRUST_USER, getuid() + 1, &p, &d) >= 0)
		return 3;
	if (policy_load_file(w->policy, FS_TRUST_ROOT, 0, &p, &d) >= 0 || !strstr(d.text, "nothing is started"))
		return 4;
	return tear_down(&state) < 0 ? 5 : 0;
}

static void who_is_trusted_is_trusted_for_the_certificates_too_and_nobody_else_is(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(judge_as_a_user());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* As a client's tool exports it: the same certificate, in bytes. */
static void a_certificate_in_der_is_refused_with_what_to_do(void **state)
{
	static const char der[] = CERT "\0\x30\x82";
	struct world *w = *state;
	char text[256];
	FILE *f = fopen(w->ca, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(der, 1, sizeof(der), f), sizeof(der));
	assert_int_equal(fclose(f), 0);
	snprintf(text, sizeof(text), PROVIDE("\"ca\": \"%s\""), w->ca);
	put(w->policy, text, 0644);
	refused(w, "openssl x509 -inform der");
}

static void a_refused_proxy_shows_no_password(void **state)
{
	struct world *w = *state;
	struct policy p;
	struct diag d = { "" };

	put(w->policy, PROVIDE("\"proxy\": \"http://me:hunter2@proxy.example:3128\""), 0644);
	assert_true(load(w, &p, &d) < 0);
	assert_null(strstr(d.text, "hunter2"));
}

static void what_is_no_certificate_is_put_into_no_sandbox(void **state)
{
	static const char *const rows[][2] = {
		{ "", "holds no certificate" },
		{ "-----BEGIN CERTIFICATE-----\nTUlJQg==\n", "does not end" },
		{ "-----BEGIN CERTIFICATE-----\n<html>\n-----END CERTIFICATE-----\n", "no base64" },
		{ CERT "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n", "holds a private key" },
		{ CERT "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----\n", "holds a private key" },
	};
	struct world *w = *state;
	char text[256];

	snprintf(text, sizeof(text), PROVIDE("\"ca\": \"%s\""), w->ca);
	put(w->policy, text, 0644);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put(w->ca, rows[i][0], 0644);
		refused(w, rows[i][1]);
	}
}

static void what_others_could_have_written_is_no_policy(void **state)
{
	struct world *w = *state;
	char text[256], target[160];

	put(w->policy, "{\"stockade\": 1}", 0666);
	refused(w, "mode 0666");
	assert_int_equal(chmod(w->policy, 0644), 0);
	assert_int_equal(chmod(w->root, 0777), 0);
	refused(w, "others can write the directory");
	assert_int_equal(chmod(w->root, 0755), 0);
	put(w->ca, CERT, 0664);
	snprintf(text, sizeof(text), PROVIDE("\"ca\": \"%s\""), w->ca);
	put(w->policy, text, 0644);
	refused(w, "mode 0664");
	snprintf(target, sizeof(target), "%s/elsewhere", w->root);
	assert_int_equal(rename(w->policy, target), 0);
	assert_int_equal(symlink(target, w->policy), 0);
	refused(w, "policy.json");
}

struct exchange {
	const char *path;
	unsigned pauses, put_at;
};

static void pause_and_put(void *ctx)
{
	struct exchange *x = ctx;

	if (++x->pauses == x->put_at)
		put(x->path, "{\"stockade\": 1}", 0644);
}

static void set_changed(const struct world *w, time_t when)
{
	const struct timespec times[2] = { { .tv_sec = when }, { .tv_sec = when } };

	assert_int_equal(utimensat(AT_FDCWD, w->root, times, 0), 0);
}

/* As install(1) does it: the old one goes before the new one is there. */
static void a_policy_that_is_being_replaced_is_no_absent_one(void **state)
{
	struct world *w = *state;
	struct exchange x = { .path = w->policy, .put_at = 2 };
	const struct policy_pause pause = { pause_and_put, &x };
	_cleanup_policy_ struct policy p = { 0 };
	struct diag d = { "" };

	set_changed(w, time(NULL) + 3600);
	assert_int_equal(policy_load_settled(w->policy, FS_TRUST_USER, getuid(), &pause, &p, &d), 0);
	assert_string_equal(p.file, w->policy);
	assert_int_equal(x.pauses, 2);
}

static void that_there_is_no_policy_is_believed_at_once_where_nothing_changes_and_soon_where_something_does(
	void **state)
{
	struct world *w = *state;
	struct exchange x = { .path = w->policy };
	const struct policy_pause pause = { pause_and_put, &x };
	_cleanup_policy_ struct policy p = { 0 };
	struct diag d = { "" };

	set_changed(w, time(NULL) - 3600);
	assert_int_equal(policy_load_settled(w->policy, FS_TRUST_USER, getuid(), &pause, &p, &d), 0);
	assert_null(p.file);
	assert_int_equal(x.pauses, 0);
	set_changed(w, time(NULL) + 3600);
	assert_int_equal(policy_load_settled(w->policy, FS_TRUST_USER, getuid(), &pause, &p, &d), 0);
	assert_null(p.file);
	assert_int_equal(x.pauses, POLICY_PAUSES);
}

static json_t *referred(json_t *schema, json_t *node)
{
	const char *ref = json_string_value(json_object_get(node, "$ref"));

	return ref ? json_object_get(json_object_get(schema, "$defs"), strrchr(ref, '/') + 1) : node;
}

/* What stands for a row in the schema, or NULL. */
static json_t *schema_of(json_t *schema, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	json_t *node = schema;
	char *save = NULL;

	assert_non_null(copy);
	for (char *name = strtok_r(copy, ".", &save); node && name; name = strtok_r(NULL, ".", &save))
		node = json_object_get(json_object_get(referred(schema, node), "properties"), name);
	return node;
}

static bool is_taken(const char *path)
{
	for (size_t i = 0; i < policy_keys.n; i++)
		if (strcmp(policy_keys.rows[i].path, path) == 0)
			return policy_keys.rows[i].set != policy_set_refused;
	return false;
}

/* Every member of the schema is a key that is taken, sections walked into as the table has them. */
static void schema_names_only_what_is_taken(json_t *schema, json_t *node, const char *prefix)
{
	const char *name;
	json_t *below;

	json_object_foreach(json_object_get(referred(schema, node), "properties"), name, below)
	{
		char path[128];
		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", name);
		if (!is_taken(path))
			fail_msg("%s of the schema is not taken", path);
		for (size_t i = 0; i < policy_keys.n; i++)
			if (policy_keys.rows[i].type == KEY_SECTION && strcmp(policy_keys.rows[i].path, path) == 0)
				schema_names_only_what_is_taken(schema, below, path);
	}
}

/* The published schema and the parser know the same keys; what is refused stands in neither. */
static void the_schema_has_every_key_that_is_taken_and_no_other(void **state)
{
	json_t *schema = json_load_file(STOCKADE_PROFILES "/policy.schema.json", JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(schema);
	for (size_t i = 0; i < policy_keys.n; i++) {
		const struct key_row *row = &policy_keys.rows[i];
		bool there = schema_of(schema, row->path) != NULL, taken = row->set != policy_set_refused;
		if (there != taken && !strpbrk(row->path, "*["))
			fail_msg("%s is %sin the schema, and %staken", row->path, there ? "" : "not ",
				taken ? "" : "not ");
	}
	schema_names_only_what_is_taken(schema, schema, "");
	json_decref(schema);
}

static void signatures_that_nobody_could_give_or_nobody_would_ask_for_are_refused(void **state)
{
	static const char *const wrong[][2] = {
		{ "{}", "needs \"need\" and \"of\"" },
		{ "{\"need\": 1}", "needs \"need\" and \"of\"" },
		{ "{\"of\": [\"a\"]}", "needs \"need\" and \"of\"" },
		{ "{\"need\": 0, \"of\": [\"a\"]}", "must be 1 to 16" },
		{ "{\"need\": -1, \"of\": [\"a\"]}", "must be 1 to 16" },
		{ "{\"need\": 4294967297, \"of\": [\"a\"]}", "must be 1 to 16" },
		{ "{\"need\": 2, \"of\": [\"a\"]}", "needs 2 signatures of 1 keys" },
		{ "{\"need\": 2, \"of\": [\"a\"], \"keys\": {\"b\": {}}}", "says something of the key \"b\"" },
		{ "{\"need\": 1, \"of\": []}", "needs 1 signatures of 0 keys" },
		{ "{\"need\": 1, \"of\": [\"a\", \"a\"]}", "names the key \"a\" twice" },
		{ "{\"need\": 1, \"of\": [\"../a\"]}", "names no key" },
		{ "{\"need\": 1, \"of\": [\"a.pub\"]}", "names no key" },
		{ "{\"need\": 1, \"of\": [1]}", "must hold strings only" },
		{ "{\"need\": \"1\", \"of\": [\"a\"]}", "need must be an integer" },
		{ "{\"need\": 1, \"of\": [\"a\"], \"keys\": {\"a\": []}}", "an object is wanted" },
		{ "{\"need\": 1, \"of\": [\"a\"], \"keys\": {\"a\": {\"expire\": \"2027-01-01\"}}}",
			"did you mean 'expires'?" },
		{ "{\"need\": 1, \"of\": [\"a\"], \"keys\": {\"a\": {\"expires\": \"soon\"}}}", "must be a date" },
		{ "{\"need\": 1, \"of\": [\"a\"], \"keys\": {\"a\": {\"servers\": []}}}", "is empty" },
		{ "{\"need\": 1, \"of\": [\"a\"], \"needs\": 1}", "did you mean 'need'?" },
	};
	struct world *w = *state;
	struct policy p;
	struct diag d = { "" };
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		snprintf(text, sizeof(text), "{\"stockade\": 1, \"signatures\": %s}", wrong[i][0]);
		put(w->policy, text, 0600);
		refused(w, wrong[i][1]);
	}
	put(w->policy,
		"{\"stockade\": 1, \"signatures\": {\"keys\": {\"b\": {\"expires\": \"2027-01-15T08:00:00Z\", "
		"\"servers\": "
		"[\"x-*\"]}}, \"of\": [\"a\", \"b\"], \"need\": 2}}",
		0600);
	assert_int_equal(load(w, &p, &d), 0);
	assert_int_equal(p.signatures.need, 2);
	assert_int_equal(p.signatures.n, 2);
	assert_string_equal(p.signatures.keys[0].name, "b");
	assert_int_equal(p.signatures.keys[0].expires, 1800000000);
	assert_string_equal(p.signatures.keys[0].servers.v[0], "x-*");
	assert_non_null(strstr(p.signatures.where, "policy.json:1 (signatures)"));
	policy_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			signatures_that_nobody_could_give_or_nobody_would_ask_for_are_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(where_there_is_no_policy_nothing_is_laid_down, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_proxy_and_an_authority_are_provided_with_the_lines_that_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_proxy_may_be_an_address, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_followed_denies_every_launch_in_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_rule_that_is_not_enforced_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_policy_says_whether_a_person_may_lift_a_scope, set_up, tear_down),
		cmocka_unit_test_setup_teardown(of_a_policy_that_is_refused_nothing_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_severity_that_keeps_from_pinning_is_the_owners_with_its_line, set_up, tear_down),
		cmocka_unit_test(who_is_trusted_is_trusted_for_the_certificates_too_and_nobody_else_is),
		cmocka_unit_test_setup_teardown(a_certificate_in_der_is_refused_with_what_to_do, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_refused_proxy_shows_no_password, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_no_certificate_is_put_into_no_sandbox, set_up, tear_down),
		cmocka_unit_test(the_schema_has_every_key_that_is_taken_and_no_other),
		cmocka_unit_test_setup_teardown(what_others_could_have_written_is_no_policy, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_policy_that_is_being_replaced_is_no_absent_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			that_there_is_no_policy_is_believed_at_once_where_nothing_changes_and_soon_where_something_does,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
