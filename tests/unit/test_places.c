/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_places - every value of a launch names who set it (supervisor/places.h, supervisor/effective_lines.h)
 *
 * The first table has a row for each key of the format: a key without one fails here, so that none is forgotten.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include "supervisor/policy/ceilings.h"
#include "supervisor/profile_parse.h"
#include "supervisor/question.h"
#include "supervisor/question_words.h"
#include "tests/unit/launch_world.h"
#include "tests/unit/unprivileged.h"

#define HEAD "{\"stockade\": 1, \"name\": \"notes\", \"command\": [\"sh\", \"~/bin/server\"]"
/* What is told elsewhere, or to people alone: the title has it, or a value that it stands in. */
#define NO_LINE LINE_KIND_COUNT

#define NET	"\"network\": {\"allow\": [\"api.example.com\"], "
#define SCOPES	"\"tools\": {\"scopes\": {\"write\": [\"put\"]}, \"allow_scopes\": [], \"grant_scopes\": [\"write\"]"
#define DIGEST	"blake2b:0000000000000000000000000000000000000000000000000000000000000000"
#define PUT(x)	"\"tools\": {\"allow\": [{\"name\": \"put\"" x "}]}"
#define ASK(x)	"\"client\": {\"sampling\": {" x "}}"
#define FORM(x) "\"client\": {\"elicitation\": {" x "}}"

static const struct {
	const char *key;
	const char *member; /* of a profile; NULL: it stands in the head */
	enum effective_kind kind;
} keys[] = {
	{ "$schema", "\"$schema\": \"x\"", NO_LINE },
	{ "stockade", NULL, NO_LINE },
	{ "name", NULL, NO_LINE },
	{ "version", "\"version\": 3", NO_LINE },
	{ "description", "\"description\": \"d\"", NO_LINE },
	{ "owner", "\"owner\": \"o\"", NO_LINE },
	{ "reviewed", "\"reviewed\": \"2026-01-01\"", NO_LINE },
	{ "expires", "\"expires\": \"2999-01-01\"", NO_LINE },
	{ "approval.by", "\"approval\": {\"by\": \"a\"}", NO_LINE },
	{ "approval.ticket", "\"approval\": {\"ticket\": \"T\"}", NO_LINE },
	{ "data.classification", "\"data\": {\"classification\": \"c\"}", NO_LINE },
	{ "data.residency", "\"data\": {\"residency\": [\"eu\"]}", NO_LINE },
	{ "package.npm", "\"package\": {\"npm\": \"p\"}", NO_LINE },
	{ "package.pypi", "\"package\": {\"pypi\": \"p\"}", NO_LINE },
	{ "package.version", "\"package\": {\"npm\": \"p\", \"version\": \"1\"}", NO_LINE },
	{ "parameters", "\"parameters\": {\"p\": {\"type\": \"integer\", \"default\": 3}}", NO_LINE },
	{ "parameters.*.type", "\"parameters\": {\"p\": {\"type\": \"integer\", \"default\": 3}}", NO_LINE },
	{ "parameters.*.many", "\"parameters\": {\"p\": {\"type\": \"string\", \"many\": true, \"default\": []}}",
		NO_LINE },
	{ "parameters.*.within",
		"\"parameters\": {\"p\": {\"type\": \"directory\", \"within\": [\"~\"], \"default\": \"~/docs\"}}",
		NO_LINE },
	{ "parameters.*.choices",
		"\"parameters\": {\"p\": {\"type\": \"string\", \"choices\": [\"a\"], \"default\": \"a\"}}", NO_LINE },
	{ "parameters.*.default", "\"parameters\": {\"p\": {\"type\": \"integer\", \"default\": 3}}", NO_LINE },
	{ "command", NULL, LINE_COMMAND },
	{ "code", "\"code\": {\"~/code/server\": \"" DIGEST "\"}", LINE_SIGNED },
	{ "cwd", "\"cwd\": \"~/docs\", \"filesystem\": {\"read\": [\"~/docs\"]}", LINE_CWD },
	{ "env.set", "\"env\": {\"set\": {\"MODE\": \"quiet\"}}", LINE_ENV_SET },
	{ "env.pass", "\"env\": {\"pass\": [\"API_TOKEN\"]}", LINE_ENV_PASS },
	{ "filesystem.read", "\"filesystem\": {\"read\": [\"~/docs\"]}", LINE_READ },
	{ "filesystem.write", "\"filesystem\": {\"write\": [\"~/work\"]}", LINE_WRITE },
	{ "filesystem.protect", "\"filesystem\": {\"write\": [\"~/work\"], \"protect\": \"none\"}", LINE_PROTECT },
	{ "filesystem.deny", "\"filesystem\": {\"deny\": [\"**/.env\"]}", LINE_DENY },
	{ "filesystem.home", "\"filesystem\": {\"home\": \"private\"}", LINE_HOME },
	{ "filesystem.tmp", "\"filesystem\": {\"tmp\": \"1MiB\"}", LINE_TMP },
	{ "network.allow", "\"network\": {\"allow\": []}", LINE_NETWORK },
	{ "network.allow[].host", "\"network\": {\"allow\": [{\"host\": \"api.example.com\"}]}", LINE_NETWORK },
	{ "network.allow[].ports", "\"network\": {\"allow\": [{\"host\": \"api.example.com\", \"ports\": [8443]}]}",
		LINE_NETWORK },
	{ "network.allow[].sni", "\"network\": {\"allow\": [{\"host\": \"api.example.com\", \"sni\": false}]}",
		LINE_NETWORK },
	{ "network.allow[].private", "\"network\": {\"allow\": [{\"host\": \"api.example.com\", \"private\": true}]}",
		LINE_NETWORK },
	{ "network.publish", "\"network\": {\"publish\": [20123]}", LINE_NETWORK },
	{ "network.addresses", NET "\"addresses\": \"240.0.0.0/4\"}", LINE_NOTE },
	{ "network.limits.connections", NET "\"limits\": {\"connections\": 9}}", LINE_LIMIT },
	{ "network.limits.names", NET "\"limits\": {\"names\": 9}}", LINE_LIMIT },
	{ "network.limits.queries", NET "\"limits\": {\"queries\": 9}}", LINE_LIMIT },
	{ "network.limits.connect", NET "\"limits\": {\"connect\": \"9s\"}}", LINE_LIMIT },
	{ "network.limits.hello", NET "\"limits\": {\"hello\": \"9s\"}}", LINE_LIMIT },
	{ "network.limits.resolve", NET "\"limits\": {\"resolve\": \"9s\"}}", LINE_LIMIT },
	{ "network.limits.idle", NET "\"limits\": {\"idle\": \"9s\"}}", LINE_LIMIT },
	{ "ipc.unix", "\"ipc\": {\"unix\": [\"~/docs/socket\"]}", LINE_UNIX },
	{ "seccomp", "\"seccomp\": \"browser\"", LINE_SECCOMP },
	{ "limits.processes", "\"limits\": {\"processes\": 9}", LINE_LIMIT },
	{ "limits.files", "\"limits\": {\"files\": 99}", LINE_LIMIT },
	{ "limits.message", "\"limits\": {\"message\": \"1MiB\"}", LINE_LIMIT },
	{ "limits.message_client", "\"limits\": {\"message_client\": \"1MiB\"}", LINE_LIMIT },
	{ "limits.message_server", "\"limits\": {\"message_server\": \"1MiB\"}", LINE_LIMIT },
	{ "limits.calls", "\"limits\": {\"calls\": 9}", LINE_LIMIT },
	{ "tools.allow", "\"tools\": {\"allow\": []}", LINE_TOOLS },
	{ "tools.allow[].name", PUT(""), LINE_TOOLS },
	{ "tools.allow[].confirm", PUT(", \"confirm\": true"), LINE_TOOLS },
	{ "tools.allow[].rate", PUT(", \"rate\": \"9/min\""), LINE_TOOLS },
	{ "tools.allow[].time", PUT(", \"time\": \"9s\""), LINE_TOOLS },
	{ "tools.allow[].output", PUT(", \"output\": \"1MiB\""), LINE_TOOLS },
	{ "tools.allow[].arguments", PUT(", \"arguments\": {\"minProperties\": 1}"), LINE_TOOLS },
	{ "tools.allow[].strict", PUT(", \"strict\": true"), LINE_TOOLS },
	{ "tools.deny", "\"tools\": {\"deny\": [\"put\"]}", LINE_TOOLS },
	{ "tools.strict", "\"tools\": {\"strict\": true}", LINE_TOOLS },
	{ "tools.rate", "\"tools\": {\"rate\": \"9/min\"}", LINE_LIMIT },
	{ "tools.total", "\"tools\": {\"total\": \"9/min\"}", LINE_LIMIT },
	{ "tools.time", "\"tools\": {\"time\": \"9s\"}", LINE_LIMIT },
	{ "tools.output", "\"tools\": {\"output\": \"1MiB\"}", LINE_LIMIT },
	{ "tools.scopes", SCOPES "}", LINE_TOOLS },
	{ "tools.allow_scopes", SCOPES "}", LINE_TOOLS },
	{ "tools.grant_scopes", SCOPES "}", LINE_TOOLS },
	{ "tools.grant_time", SCOPES ", \"grant_time\": \"9min\"}", LINE_TOOLS },
	{ "tools.text", "\"tools\": {\"text\": \"pass\"}", LINE_TEXT },
	{ "tools.redact", "\"tools\": {\"redact\": [\"iban\"]}", LINE_TEXT },
	{ "tools.redact[].name", "\"tools\": {\"redact\": [{\"name\": \"x\", \"pattern\": \"y+\"}]}", LINE_TEXT },
	{ "tools.redact[].pattern", "\"tools\": {\"redact\": [{\"name\": \"x\", \"pattern\": \"y+\"}]}", LINE_TEXT },
	{ "tools.scan", "\"tools\": {\"scan\": \"withhold\"}", LINE_TOOLS },
	{ "resources.allow", "\"resources\": {\"allow\": []}", LINE_RESOURCES },
	{ "resources.deny", "\"resources\": {\"deny\": [\"x\"]}", LINE_RESOURCES },
	{ "prompts.allow", "\"prompts\": {\"allow\": []}", LINE_PROMPTS },
	{ "prompts.deny", "\"prompts\": {\"deny\": [\"x\"]}", LINE_PROMPTS },
	{ "extensions.allow", "\"extensions\": {\"allow\": [\"x/y\"]}", LINE_EXTENSIONS },
	{ "extensions.deny", "\"extensions\": {\"deny\": [\"x/y\"]}", LINE_EXTENSIONS },
	{ "client.sampling", "\"client\": {\"sampling\": true}", LINE_CLIENT },
	{ "client.sampling.rate", ASK("\"rate\": \"9/min\""), LINE_CLIENT },
	{ "client.sampling.max_tokens", ASK("\"max_tokens\": 9"), LINE_CLIENT },
	{ "client.sampling.tools", ASK("\"tools\": true"), LINE_CLIENT },
	{ "client.sampling.context", ASK("\"context\": \"none\""), LINE_CLIENT },
	{ "client.elicitation", "\"client\": {\"elicitation\": true}", LINE_CLIENT },
	{ "client.elicitation.rate", FORM("\"rate\": \"9/min\""), LINE_CLIENT },
	{ "client.elicitation.form", FORM("\"form\": true"), LINE_CLIENT },
	{ "client.elicitation.url", FORM("\"url\": [\"login.example.com\"]"), LINE_CLIENT },
	{ "client.logging", "\"client\": {\"logging\": false}", LINE_CLIENT },
	{ "client.logging.level", "\"client\": {\"logging\": {\"level\": \"error\"}}", LINE_CLIENT },
	{ "client.logging.rate", "\"client\": {\"logging\": {\"rate\": \"9/min\"}}", LINE_CLIENT },
	{ "client.roots", "\"filesystem\": {\"read\": [\"~/docs\"]}, \"client\": {\"roots\": [\"~/docs\"]}",
		LINE_CLIENT },
	{ "audit.arguments", "\"audit\": {\"arguments\": \"hash\"}", LINE_AUDIT },
	{ "audit.delete_after", "\"audit\": {\"delete_after\": \"90d\"}", LINE_AUDIT },
	{ "pins", "\"pins\": \"notes.pins\"", LINE_TOOLS },
};

static size_t row_of(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i].key, key) == 0)
			return i;
	fail_msg("the key %s has no row in this test: say there where it is told", key);
	return 0;
}

/* As messages have it: "tools.allow[].rate" is "tools.allow.rate", and the one parameter is p. */
static const char *shown_key(const char *key, char ret[128])
{
	size_t n = 0;

	for (; *key; key++)
		if (*key != '[' && *key != ']')
			ret[n++] = *key == '*' ? 'p' : *key;
	ret[n] = '\0';
	return ret;
}

static char *profile_text(size_t row)
{
	char *text = NULL;

	assert_true(asprintf(&text, HEAD "%s%s}", keys[row].member ? ",\n" : "",
			    keys[row].member ? keys[row].member : "") > 0);
	return text;
}

static bool is_set_by_somebody(const struct key_row *row)
{
	return row->type != KEY_SECTION && row->set != key_set_refused;
}

static void each_key_of_the_format_has_its_place_and_says_when_it_is_the_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < profile_keys.n; i++) {
		const struct key_row *row = &profile_keys.rows[i];
		_cleanup_profile_ struct profile p = { 0 }, none = { 0 };
		_cleanup_free_ char *text = NULL, *where = NULL, *without = NULL;
		char expected[256], shown[128];
		struct diag d = { "" };
		if (!is_set_by_somebody(row))
			continue;
		size_t at = row_of(row->path);
		text = profile_text(at);
		if (profile_parse("x.json", text, strlen(text), NULL, &p, &d) < 0)
			fail_msg("%s: %s", row->path, d.text);
		snprintf(expected, sizeof(expected), "x.json:%d (%s)", keys[at].member ? 2 : 1,
			shown_key(row->path, shown));
		assert_int_equal(places_words(&p.places, row->path, &where), 0);
		assert_string_equal(where, expected);
		assert_int_equal(profile_init_unprofiled(&none), 0);
		assert_int_equal(places_words(&none.places, row->path, &without), 0);
		snprintf(expected, sizeof(expected), "the default (%s)", row->path);
		assert_string_equal(without, expected);
	}
}

static void no_row_of_this_test_is_about_a_key_that_is_gone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		bool found = false;
		for (size_t k = 0; !found && k < profile_keys.n; k++)
			found = strcmp(profile_keys.rows[k].path, keys[i].key) == 0;
		if (!found)
			fail_msg("%s is no key", keys[i].key);
	}
}

static void make_socket(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_in_range(snprintf(to.sun_path, sizeof(to.sun_path), "%s", path), 1, sizeof(to.sun_path) - 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	close(fd);
}

static void build(struct launch *l)
{
	if (launch_build(l) < 0)
		fail_msg("%s\n%s\n%s", l->d.text, l->profile, l->policy);
}

/* A line of that kind that names the place. */
static bool is_told(const struct launch *l, enum effective_kind kind, const char *where)
{
	for (size_t i = 0; i < l->e.n_lines; i++)
		if (l->e.lines[i].kind == kind && l->e.lines[i].where && strstr(l->e.lines[i].where, where))
			return true;
	return false;
}

static void what_each_key_sets_is_told_with_the_line_that_it_stands_in(void **state)
{
	struct launch *l = *state;

	make_socket(LAUNCH_AT(l, "docs/socket"));
	l->grants.writes_pins = true;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		_cleanup_free_ char *text = profile_text(i);
		char where[PATH_MAX + 128];
		if (keys[i].kind == NO_LINE)
			continue;
		snprintf(l->profile, sizeof(l->profile), "%s", text);
		build(l);
		snprintf(where, sizeof(where), "/notes.json:%d (%.*s", keys[i].member ? 2 : 1,
			(int)strcspn(keys[i].key, "["), keys[i].key);
		if (!is_told(l, keys[i].kind, where))
			fail_msg("no line of %s: %s", question_kinds[keys[i].kind].name, where);
	}
}

static void expect(const struct launch *l, enum effective_kind kind, const char *words, const char *where)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PATH_MAX * 4);
	const struct effective_line *line = launch_line(l, kind, words);

	for (; *where; where++)
		assert_int_equal(*where == '@' ? buf_puts(&b, l->world->paths.home) : buf_putc(&b, *where), 0);
	if (!line || !line->where || strcmp(line->where, b.data) != 0)
		fail_msg("'%s' is from '%s', not '%s'", words, line && line->where ? line->where : "nowhere", b.data);
}

/* "@" is the home. */
static const struct {
	enum effective_kind kind;
	const char *words, *where;
} defaults[] = {
	{ LINE_HOME, "empty", "the default (filesystem.home)" },
	{ LINE_TMP, "256 MiB", "the default (filesystem.tmp)" },
	{ LINE_CWD, "/", "the default (cwd)" },
	{ LINE_SECCOMP, "default", "the default (seccomp)" },
	{ LINE_NETWORK, "none", "the default (network.allow)" },
	{ LINE_LIMIT, "256 processes", "the default (limits.processes, limits.files, limits.message)" },
	{ LINE_LIMIT, "60 calls", "the default (60 calls a minute and tool; tools.rate sets another)" },
	{ LINE_AUDIT, "names only", "the default (audit.arguments)" },
	{ LINE_TOOLS, "all that the server offers", "the default (tools.allow)" },
	{ LINE_TOOLS, "not pinned", "the default (pins)" },
	{ LINE_RESOURCES, "all that the server offers", "the default (resources.allow)" },
	{ LINE_PROMPTS, "all that the server offers", "the default (prompts.allow)" },
	{ LINE_CLIENT, "sampling denied", "the default (client.sampling, client.elicitation)" },
	{ LINE_NOTE, "memory and CPU time", "this version of stockade" },
};

static void a_default_says_that_it_is_one_with_and_without_a_profile(void **state)
{
	struct launch *l = *state;

	snprintf(l->profile, sizeof(l->profile), "%s", HEAD "}");
	build(l);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		expect(l, defaults[i].kind, defaults[i].words, defaults[i].where);
	expect(l, LINE_COMMAND, "server", "@/notes.json:1 (command)");
	*l->file = '\0';
	assert_int_equal(strv_add(&l->grants.command, "/usr/bin/true"), 0);
	build(l);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		expect(l, defaults[i].kind, defaults[i].words, defaults[i].where);
	expect(l, LINE_COMMAND, "true", "the command line");
}

static void what_the_command_line_sets_is_from_its_option(void **state)
{
	struct launch *l = *state;

	*l->file = '\0';
	assert_int_equal(strv_add(&l->grants.command, "/usr/bin/true"), 0);
	assert_int_equal(strv_add(&l->grants.hosts, "api.example.com"), 0);
	assert_int_equal(strv_add(&l->grants.write, "."), 0);
	l->grants.cwd = strdup(LAUNCH_AT(l, "work"));
	build(l);
	expect(l, LINE_CWD, "/home/work", "--cwd");
	expect(l, LINE_WRITE, "/home/work", "--rw");
	expect(l, LINE_NETWORK, "api.example.com:443", "--host");
	snprintf(l->policy, sizeof(l->policy), "{\"stockade\": 1,\n\"network\": {\"allow\": []}}");
	build(l);
	expect(l, LINE_NETWORK, "none", "--host, cut by @/policy.json:2 (network.allow)");
}

/* A policy that cuts a value of the profile of launch_world.h, or of another that it is made into. */
static const struct {
	const char *from, *to, *policy;
	enum effective_kind kind;
	const char *words, *where;
} cuts[] = {
	{ "", "", "\"filesystem\": {\"tmp\": \"512KiB\"}", LINE_TMP, "512 KiB",
		"@/notes.json:8 (filesystem.tmp), cut by @/policy.json:2 (filesystem.tmp)" },
	{ ", \"tmp\": \"1MiB\"", "", "\"filesystem\": {\"tmp\": \"512KiB\"}", LINE_TMP, "512 KiB",
		"the default (filesystem.tmp), cut by @/policy.json:2 (filesystem.tmp)" },
	{ "\"home\": \"empty\"", "\"home\": \"private\"", "\"filesystem\": {\"home\": \"empty\"}", LINE_HOME, "empty",
		"@/notes.json:8 (filesystem.home), cut by @/policy.json:2 (filesystem.home)" },
	{ "\"protect\": \"default\"", "\"protect\": \"none\"", "\"filesystem\": {\"protect\": \"default\"}",
		LINE_PROTECT, "on",
		"@/notes.json:8 (filesystem.protect), cut by @/policy.json:2 (filesystem.protect)" },
	{ "\"seccomp\": \"default\"", "\"seccomp\": \"browser\"", "\"seccomp\": [\"default\"]", LINE_SECCOMP, "default",
		"@/notes.json:12 (seccomp), cut by @/policy.json:2 (seccomp)" },
	{ "", "", "\"limits\": {\"processes\": 7}", LINE_LIMIT, "7 processes",
		"@/notes.json:13 (limits.processes), cut by @/policy.json:2 (limits.processes); "
		"@/notes.json:13 (limits.files); @/notes.json:13 (limits.message)" },
	{ "\"files\": 64, ", "", "\"limits\": {\"message\": \"4KiB\"}", LINE_LIMIT, "1024 open files, 4 KiB",
		"@/notes.json:13 (limits.processes); @/notes.json:13 (limits.message), cut by @/policy.json:2 "
		"(limits.message); the default (limits.files)" },
	{ "", "", "\"limits\": {\"message_server\": \"64KiB\"}", LINE_LIMIT, "64 KiB a message of the server",
		"the default (limits.message_server), cut by @/policy.json:2 (limits.message_server)" },
	{ "\"message\": \"1MiB\"", "\"message_client\": \"1MiB\"", "\"limits\": {\"message\": \"8KiB\"}", LINE_LIMIT,
		"8 KiB a message of the client",
		"@/notes.json:13 (limits.message_client), cut by @/policy.json:2 "
		"(limits.message)" },
	{ "\"arguments\": \"keys\"", "\"arguments\": \"full\"", "\"audit\": {\"arguments\": \"hash\"}", LINE_AUDIT,
		"names and salted hashes",
		"@/notes.json:17 (audit.arguments), cut by @/policy.json:2 (audit.arguments)" },
	{ "\"sampling\": false, \"elicitation\": false", "\"sampling\": true, \"elicitation\": true",
		"\"client\": {\"sampling\": false}", LINE_CLIENT, "sampling denied, elicitation allowed",
		"@/notes.json:16 (client.sampling), cut by @/policy.json:2 (client.sampling); @/notes.json:16 "
		"(client.elicitation)" },
	{ "\"publish\": [20123], ", "", "\"network\": {\"allow\": []}", LINE_NETWORK, "none",
		"@/notes.json:9 (network.allow), cut by @/policy.json:2 (network.allow)" },
	{ "\"roots\": [\"~/work\"]", "\"roots\": [\"~/work\", \"~/docs\"]", "\"client\": {\"roots\": [\"@/work\"]}",
		LINE_CLIENT, "roots may name",
		"@/notes.json:16 (client.roots), cut by @/policy.json:2 (client.roots)" },
};

static void set_policy(struct launch *l, const char *members)
{
	_cleanup_buf_ struct buf b = BUF_INIT(sizeof(l->policy) - 1);

	assert_int_equal(buf_puts(&b, "{\"stockade\": 1,\n"), 0);
	for (; *members; members++)
		assert_int_equal(*members == '@' ? buf_puts(&b, l->world->paths.home) : buf_putc(&b, *members), 0);
	assert_int_equal(buf_puts(&b, "}"), 0);
	snprintf(l->policy, sizeof(l->policy), "%s", b.data);
}

static void a_value_that_the_policy_cuts_names_who_set_it_and_what_cut_it(void **state)
{
	struct launch *l = *state;
	char first[LAUNCH_TEXT_MAX];

	snprintf(first, sizeof(first), "%s", l->profile);
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		snprintf(l->profile, sizeof(l->profile), "%s", first);
		if (*cuts[i].from)
			launch_edit(l, cuts[i].from, cuts[i].to);
		set_policy(l, cuts[i].policy);
		build(l);
		expect(l, cuts[i].kind, cuts[i].words, cuts[i].where);
	}
}

/* With all that the question says only at times. */
static void no_line_is_from_nowhere(void **state)
{
	struct launch *l = *state;

	launch_edit(l, "\"message\": \"1MiB\"", "\"message\": \"1MiB\", \"message_server\": \"512KiB\", \"calls\": 9");
	launch_edit(l, "\"tools\": {", "\"tools\": {\"text\": \"pass\", \"rate\": \"600/min\", \"time\": \"90s\", ");
	launch_edit(l, "\"sampling\": false, \"elicitation\": false", "\"sampling\": true, \"elicitation\": true");
	launch_setenv(l, "NODE_OPTIONS=--require /nowhere");
	set_policy(l, "\"filesystem\": {\"tmp\": \"512KiB\", \"deny\": [\"**/*.pem\"]},\n"
		      "\"env\": {\"pass\": [\"API_*\", \"NODE_*\"]}, \"network\": {\"publish\": true, \"sni\": true},\n"
		      "\"limits\": {\"processes\": 7, \"files\": 32, \"message_server\": \"64KiB\", \"calls\": 2},\n"
		      "\"tools\": {\"allow\": [\"*\"], \"deny\": [\"put\"], \"rate\": \"30/min\", \"time\": \"9s\", "
		      "\"text\": \"neutralise\"},\n"
		      "\"resources\": {\"deny\": [\"file:/etc*\"]}, \"prompts\": {\"allow\": [\"a*\"]}");
	launch_describe(l);
	for (size_t i = 0; i < l->e.n_lines; i++) {
		const struct effective_line *line = &l->e.lines[i];
		const char *file = line->kind == LINE_CUT ? "/policy.json:" : ".json:";
		if (!line->where)
			fail_msg("'%s' is from nowhere", line->text);
		/* Code is named by what it is of the command, and no file says what this machine and version are. */
		if (line->kind != LINE_CODE && !strstr(line->where, file) && !strstr(line->where, "the default (") &&
			strncmp(line->where, "this ", 5) != 0)
			fail_msg("'%s' is from %s", line->text, line->where);
	}
	assert_non_null(launch_line(l, LINE_CUT, "bytes of /tmp"));
}

/* An approval is of what is granted: not of the line that it stands in. */
static void where_a_key_stands_is_no_part_of_the_digest(void **state)
{
	struct launch *l = *state;
	char first[65];

	launch_describe(l);
	snprintf(first, sizeof(first), "%s", l->e.digest);
	launch_edit(l, "\"seccomp\": \"default\",\n", "\n\n\"seccomp\": \"default\",\n");
	launch_describe(l);
	expect(l, LINE_SECCOMP, "default", "@/notes.json:14 (seccomp)");
	assert_string_equal(l->e.digest, first);
	launch_edit(l, "\n\n\"seccomp\": \"default\",\n", "\n");
	launch_describe(l);
	expect(l, LINE_SECCOMP, "default", "the default (seccomp)");
	assert_string_equal(l->e.digest, first);
}

static char *print(const struct effective *e, bool all)
{
	const struct question_options o = { .all = all };
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_int_equal(question_print(f, e, &o), 0);
	fclose(f);
	return text;
}

static void check_names_the_place_of_a_value_and_the_question_is_not_longer_by_it(void **state)
{
	struct launch *l = *state;
	_cleanup_free_ char *check = NULL, *question = NULL;

	launch_edit(l, "\"seccomp\": \"default\",\n", "\n");
	set_policy(l, "\"filesystem\": {\"tmp\": \"512KiB\"}");
	build(l);
	check = print(&l->e, true);
	question = print(&l->e, false);
	assert_non_null(strstr(check, "  (the default: seccomp)\n"));
	assert_non_null(strstr(check, "line 8 (filesystem.tmp), cut by "));
	assert_non_null(strstr(check, "\n    (line 5)\n"));
	assert_non_null(strstr(check, "  empty, forgotten at the end  (line 8)\n"));
	assert_null(strstr(question, "the default: seccomp"));
	assert_null(strstr(question, "(filesystem.tmp), cut by "));
	assert_null(strstr(question, "\n    (line 5)\n"));
	assert_non_null(strstr(question, "  empty, forgotten at the end\n"));
	assert_non_null(strstr(question, "/home/docs  (line 7)\n"));
}

static void a_place_is_short_where_the_page_has_named_its_file(void **state)
{
	static const struct {
		const char *where, *shown;
	} rows[] = {
		{ "/x.json:12 (seccomp)", "line 12" },
		{ "/x.json:12 (tools.allow \"a\" arguments)", "line 12" },
		{ "/x.json:12 (a), cut by /p.json:2 (a)", "line 12 (a), cut by /p.json:2 (a)" },
		{ "/x.json:1 (a); /x.json:2 (b); the default (c, d)", "line 1 (a); line 2 (b); the default (c, d)" },
		{ "--host, of /x.json:3 (network.allow)", "--host, of line 3 (network.allow)" },
		{ "the default (seccomp)", "the default: seccomp" },
		{ "the default (60 a minute; x sets another)", "the default: 60 a minute; x sets another" },
		{ "the default (a), cut by /p.json:2 (a)", "the default (a), cut by /p.json:2 (a)" },
		{ "/x.jsonx:12 (a)", "/x.jsonx:12 (a)" },
		{ "/x.json (network.allow) has no such host", "/x.json (network.allow) has no such host" },
		/* A name that reads like a place takes nothing away from what is shown. */
		{ "/x.json:1 (tools.allow \"a), cut by b\")", "line 1 (tools.allow \"a), cut by b\")" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_free_ char *shown = question_origin("/x.json", rows[i].where),
				    *without = question_origin(NULL, rows[i].where);
		assert_string_equal(shown, rows[i].shown);
		assert_non_null(without);
		if (strstr(rows[i].where, "/x.json:"))
			assert_string_equal(without, rows[i].where);
	}
}

static void what_is_no_key_has_no_place(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct places none = { 0 };
	char *where = NULL;

	(void)state;
	assert_int_equal(profile_init_unprofiled(&p), 0);
	assert_int_equal(places_words(&p.places, "filesystem.hom", &where), -EINVAL);
	assert_int_equal(places_words(&p.places, "seccomp filesystem.homes", &where), -EINVAL);
	assert_int_equal(places_words(&p.places, "", &where), -EINVAL);
	assert_null(where);
	assert_int_equal(places_set(&p.places, "homes", "x"), -EINVAL);
	assert_int_equal(places_cut(&p.places, "homes", "x"), -EINVAL);
	assert_int_equal(places_set(&none, "seccomp", "x"), -EINVAL);
}

static void a_rule_that_cuts_twice_is_named_once(void **state)
{
	_cleanup_profile_ struct profile p = { 0 };
	_cleanup_free_ char *where = NULL;

	(void)state;
	assert_int_equal(profile_init_unprofiled(&p), 0);
	assert_int_equal(places_set(&p.places, "seccomp", "x"), 0);
	assert_int_equal(places_cut(&p.places, "seccomp", "a"), 0);
	assert_int_equal(places_cut(&p.places, "seccomp", "a"), 0);
	assert_int_equal(places_cut(&p.places, "seccomp", "b"), 0);
	assert_int_equal(places_words(&p.places, "seccomp", &where), 0);
	assert_string_equal(where, "x, cut by a, cut by b");
}

#define LAUNCH_TEST(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_of_the_format_has_its_place_and_says_when_it_is_the_default),
		cmocka_unit_test(no_row_of_this_test_is_about_a_key_that_is_gone),
		cmocka_unit_test(what_is_no_key_has_no_place),
		cmocka_unit_test(a_rule_that_cuts_twice_is_named_once),
		cmocka_unit_test(a_place_is_short_where_the_page_has_named_its_file),
		LAUNCH_TEST(what_each_key_sets_is_told_with_the_line_that_it_stands_in),
		LAUNCH_TEST(a_default_says_that_it_is_one_with_and_without_a_profile),
		LAUNCH_TEST(what_the_command_line_sets_is_from_its_option),
		LAUNCH_TEST(a_value_that_the_policy_cuts_names_who_set_it_and_what_cut_it),
		LAUNCH_TEST(no_line_is_from_nowhere),
		LAUNCH_TEST(where_a_key_stands_is_no_part_of_the_digest),
		LAUNCH_TEST(check_names_the_place_of_a_value_and_the_question_is_not_longer_by_it),
	};

	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
