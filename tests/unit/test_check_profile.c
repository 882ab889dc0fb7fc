/* SPDX-License-Identifier: Apache-2.0 */
/* test_check_profile - a profile that has no plan yet is described with all that it grants, and with nothing more */
#include "tests/unit/profile_unit.h"
#include <errno.h>
#include <stdio.h>
#include "supervisor/check_profile.h"
#include "supervisor/effective_lines.h"

#define NEEDS "\"parameters\": {\"dir\": {\"type\": \"directory\"}}"

/* What is printed of a profile with these members, heap. */
static char *printed(const char *text, bool json)
{
	_cleanup_effective_ struct effective e = { 0 };
	char *said = NULL;
	size_t n;
	FILE *f = open_memstream(&said, &n);

	assert_non_null(f);
	parse_ok(text, &e.profile);
	e.profile.file = strdup("/etc/x.json");
	assert_int_equal(check_profile_print(f, &e, 0, json), 0);
	fclose(f);
	return said;
}

/* The same without where each line comes from, heap. */
static char *bare(const char *said)
{
	char *copy = strdup(said), *to = copy;

	assert_non_null(copy);
	for (const char *line = said; *line; line += strcspn(line, "\n") + 1) {
		size_t n = strcspn(line, "\n"), keep = n;
		for (size_t i = 0; n && line[n - 1] == ')' && i + 2 < n; i++)
			if (strncmp(line + i, "  (", 3) == 0)
				keep = i;
		memmove(to, line, keep);
		to[keep] = '\n';
		to += keep + 1;
	}
	*to = '\0';
	return copy;
}

static json_t *facts_of(const char *text)
{
	_cleanup_free_ char *said = printed(text, true);
	json_error_t error;
	json_t *o = json_loads(said, JSON_REJECT_DUPLICATES, &error);

	if (!json_is_object(o))
		fail_msg("%s: %s", error.text, said);
	return o;
}

static void must_say(const char *said, const char *words)
{
	if (!strstr(said, words))
		fail_msg("'%s' is not said in:\n%s", words, said);
}

static const struct {
	const char *member; /* beside a parameter that is needed */
	const char *label, *said;
} granted[] = {
	{ "\"command\": [\"prog\", \"--to=${dir}\"]", "command", "prog\n                 --to=${dir}\n" },
	{ "\"command\": [\"prog\"], \"cwd\": \"${dir}\"", "works in", "${dir}\n" },
	{ "\"command\": [\"prog\"]", "reads", "nothing of yours\n" },
	{ "\"command\": [\"prog\"]", "WRITES", "nothing of yours\n" },
	{ "\"command\": [\"prog\"], \"filesystem\": {\"read\": [\"?~/a\", \"~/b\"]}", "reads",
		"?~/a\n                 ~/b\n" },
	{ "\"command\": [\"prog\"], \"filesystem\": {\"write\": [\"${dir}\"]}", "WRITES", "${dir}\n" },
	{ "\"command\": [\"prog\"], \"filesystem\": {\"read\": [\"~/a\"], \"deny\": [\"**/.env\"]}", "hidden",
		"**/.env\n" },
	{ "\"command\": [\"prog\"]", "home", "empty; protection of what your tools execute: on\n" },
	{ "\"command\": [\"prog\"], \"filesystem\": {\"home\": \"private\", \"protect\": \"none\"}", "home",
		"private; protection of what your tools execute: OFF\n" },
	{ "\"command\": [\"prog\"], \"env\": {\"set\": {\"MODE\": \"quiet\"}}", "sets", "MODE=quiet\n" },
	{ "\"command\": [\"prog\"], \"env\": {\"set\": {\"PEER\": \"https://me:hunter2@example.com\"}}", "sets",
		"PEER=https://me:***@example.com\n" },
	{ "\"command\": [\"prog\"], \"env\": {\"pass\": [\"TOKEN\"]}", "passes", "TOKEN\n" },
	{ "\"command\": [\"prog\"], \"ipc\": {\"unix\": [\"${dir}/s\"]}", "sockets", "${dir}/s\n" },
	{ "\"command\": [\"prog\"], \"ipc\": {\"unix\": [\"${dir}/s\"]}", "system calls",
		"default; may open unix sockets\n" },
	{ "\"command\": [\"prog\"]", "system calls", "default\n" },
	{ "\"command\": [\"prog\"], \"seccomp\": \"browser\"", "system calls", "browser; may open unix sockets\n" },
	{ "\"command\": [\"prog\"]", "network", "none: only its own loopback\n" },
	{ "\"command\": [\"prog\"], \"network\": {\"allow\": [\"api.example.com:443\"]}", "network",
		"api.example.com:443\n" },
	{ "\"command\": [\"prog\"], \"network\": {\"allow\": [\"*:443\"]}", "network",
		"*:443 (every name there is) - DANGEROUS: whatever it can read it can send to machines that nobody "
		"named\n" },
	{ "\"command\": [\"prog\"], \"network\": {\"publish\": [20123]}", "network",
		"it reaches nothing but its own loopback\n                 programs on this machine reach its port "
		"20123 " },
	{ "\"command\": [\"prog\"], \"limits\": {\"processes\": 7, \"files\": 99, \"message\": \"1MiB\"}", "limits",
		"7 processes and threads, 99 open files, 1 MiB a message\n" },
	{ "\"command\": [\"prog\"]", "tools", "allow all others\n" },
	{ "\"command\": [\"prog\"], \"tools\": {\"allow\": [\"get_*\"], \"deny\": [\"get_all\"]}", "tools",
		"allow get_*\n                 deny get_all\n                 deny all others\n" },
	{ "\"command\": [\"prog\"], \"tools\": {\"deny\": [\"put\"]}", "tools",
		"deny put\n                 allow all others\n" },
	{ "\"command\": [\"prog\"]", "scan", "record\n" },
	{ "\"command\": [\"prog\"], \"tools\": {\"scan\": \"withhold\"}", "scan", "withhold\n" },
	{ "\"command\": [\"prog\"], \"resources\": {\"allow\": [\"file:*\"]}", "resources", "allow file:*\n" },
	{ "\"command\": [\"prog\"], \"prompts\": {\"allow\": []}", "prompts", "deny all others\n" },
	{ "\"command\": [\"prog\"], \"extensions\": {\"allow\": [\"x/*\"]}", "extensions", "allow x/*\n" },
	{ "\"command\": [\"prog\"]", "client", "sampling denied, elicitation denied\n" },
	{ "\"command\": [\"prog\"], \"client\": {\"sampling\": true}", "client",
		"sampling allowed, elicitation denied\n" },
	{ "\"command\": [\"prog\"], \"client\": {\"elicitation\": true}", "client",
		"sampling denied, elicitation allowed\n" },
	{ "\"command\": [\"prog\"], \"client\": {\"roots\": [\"${dir}\"]}", "roots", "${dir}\n" },
	{ "\"command\": [\"prog\"]", "recorded", "arguments of calls: names only\n" },
	{ "\"command\": [\"prog\"], \"audit\": {\"arguments\": \"full\"}", "recorded",
		"arguments of calls: in full\n" },
	{ "\"command\": [\"prog\"]", "not enforced", "memory and CPU time are not limited" },
};

static char *printed_with(const char *member, bool json)
{
	_cleanup_free_ char *text = NULL;

	assert_true(asprintf(&text, "{\"stockade\": 1, \"name\": \"x\", " NEEDS ", %s}", member) > 0);
	return printed(text, json);
}

static void each_right_that_a_profile_gives_has_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(granted); i++) {
		_cleanup_free_ char *whole_page = printed_with(granted[i].member, false), *said = bare(whole_page),
				    *line = NULL;
		assert_true(asprintf(&line, "\n    %-12s %s", granted[i].label, granted[i].said) > 0);
		must_say(said, line);
	}
}

static void what_is_not_granted_has_no_line(void **state)
{
	static const char *const absent[] = { "works in", "hidden", "sets", "passes", "sockets", "roots",
		"extensions" };
	_cleanup_free_ char *said = printed_with("\"command\": [\"prog\"]", false);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(absent); i++) {
		char line[32];
		snprintf(line, sizeof(line), "\n    %s", absent[i]);
		if (strstr(said, line))
			fail_msg("'%s' is said in:\n%s", absent[i], said);
	}
}

static const struct {
	const char *param, *said;
} params[] = {
	{ "{\"type\": \"string\"}", "p: string, REQUIRED\n" },
	{ "{\"type\": \"string\", \"many\": true, \"choices\": [\"a\", \"b\"]}",
		"p: one or more of type string, REQUIRED; one of a, b\n" },
	{ "{\"type\": \"directory\", \"within\": [\"~/a\", \"~/b\"]}",
		"p: directory, REQUIRED; must lie within ~/a, ~/b\n" },
	{ "{\"type\": \"file\"}", "p: file, REQUIRED\n" },
	{ "{\"type\": \"integer\", \"default\": 3}", "p: integer, optional; default 3\n" },
	{ "{\"type\": \"boolean\", \"default\": true}", "p: boolean, optional; default true\n" },
};

static void each_parameter_has_its_type_its_bounds_and_its_default(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(params); i++) {
		_cleanup_free_ char *text = NULL, *said = NULL, *without = NULL;
		assert_true(asprintf(&text, HEAD ", \"parameters\": {\"p\": %s, \"need\": {\"type\": \"string\"}}}",
				    params[i].param) > 0);
		said = printed(text, false);
		without = bare(said);
		must_say(without, params[i].said);
		must_say(said, "  (x.json:1 (parameters.p))\n");
	}
}

static void the_first_parameter_without_a_default_is_what_it_needs(void **state)
{
	_cleanup_profile_ struct profile none = { 0 }, some = { 0 };

	(void)state;
	parse_ok(WITH("\"parameters\": {\"a\": {\"type\": \"integer\", \"default\": 3}}"), &none);
	assert_null(check_profile_needs(&none));
	parse_ok(WITH("\"parameters\": {\"a\": {\"type\": \"integer\", \"default\": 3}, \"b\": {\"type\": "
		      "\"string\"}, \"c\": {\"type\": \"string\"}}"),
		&some);
	assert_string_equal(check_profile_needs(&some)->name, "b");
}

/* No name to type: the profile may lie anywhere. */
static void the_last_line_names_every_value_that_a_plan_needs_and_no_other(void **state)
{
	_cleanup_free_ char *said =
		printed(WITH("\"parameters\": {\"d\": {\"type\": \"directory\"}, \"o\": {\"type\": \"integer\", "
			     "\"default\": 3}, \"f\": {\"type\": \"file\"}, \"s\": {\"type\": \"string\"}}"),
			false);

	(void)state;
	must_say(said, "\n  the same words and --set d=/path/of/a/directory --set f=/path/of/a/file --set s=VALUE\n");
}

static void the_first_lines_say_whose_profile_it_is_and_what_for(void **state)
{
	_cleanup_free_ char *with = printed_with("\"command\": [\"prog\"], \"description\": \"keeps notes\"", false),
			    *without = printed_with("\"command\": [\"prog\"]", false);

	(void)state;
	must_say(with,
		"x: the profile /etc/x.json, as it is written\n  keeps notes\n\n  Parameters, given with --set\n");
	must_say(without, "x: the profile /etc/x.json, as it is written\n\n  Parameters, given with --set\n");
}

static void a_text_of_the_profile_cannot_drive_the_terminal(void **state)
{
	static const char member[] = "\"command\": [\"prog\", \"\\u202ea\"], \"description\": \"\\u001b[2Jb \\u00e9\"";
	_cleanup_free_ char *said = printed_with(member, false), *json = printed_with(member, true);

	(void)state;
	must_say(said, "\\u{202e}a");
	must_say(said, "\\x1b[2Jb");
	for (const char *c = json; *c; c++)
		assert_true(*c == '\n' || (*c >= ' ' && *c <= '~'));
}

static void the_object_holds_each_right_by_its_name(void **state)
{
	json_t *o = facts_of(whole), *files = json_object_get(o, "filesystem"), *limits = json_object_get(o, "limits");

	(void)state;
	assert_string_equal(json_string_value(json_object_get(o, "server")), "whole");
	assert_string_equal(json_string_value(json_object_get(o, "profile")), "/etc/x.json");
	assert_true(json_is_null(json_object_get(o, "digest")) && json_object_get(o, "digest"));
	assert_string_equal(json_string_value(json_array_get(json_object_get(files, "read"), 1)), "?~/absent");
	assert_int_equal(json_array_size(json_object_get(files, "write")), 0);
	assert_true(json_is_false(json_object_get(files, "protect")));
	assert_string_equal(json_string_value(json_object_get(files, "home")), "private");
	assert_int_equal(json_integer_value(json_object_get(files, "tmp")), 1 << 20);
	assert_int_equal(json_integer_value(json_object_get(limits, "processes")), 9);
	assert_int_equal(json_integer_value(json_object_get(limits, "files")), 99);
	assert_int_equal(json_integer_value(json_object_get(limits, "message")), 1 << 20);
	assert_true(json_is_true(json_object_get(o, "sampling")));
	assert_true(json_is_true(json_object_get(o, "af_unix")));
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(o, "resources"), 0)), "allow file:///?x=[1]");
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "prompts"), 0)), "deny p");
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "extensions"), 0)), "allow x/*");
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "recorded"), 0)),
		"arguments of calls: names and salted hashes");
	json_decref(o);
}

static const char *place(const json_t *o, const char *section, const char *name)
{
	const json_t *where = json_object_get(o, "where");

	return json_string_value(json_object_get(section ? json_object_get(where, section) : where, name));
}

static void the_object_has_a_place_for_each_value(void **state)
{
	json_t *o = facts_of(whole), *where = json_object_get(o, "where"), *places;
	const char *name;

	(void)state;
	assert_string_equal(place(o, "filesystem", "home"), "x.json:12 (filesystem.home)");
	assert_string_equal(place(o, "limits", "files"), "x.json:14 (limits.files)");
	assert_string_equal(place(o, NULL, "seccomp"), "x.json:13 (seccomp)");
	assert_string_equal(place(o, NULL, "scan"), "the default (tools.scan)");
	json_object_foreach(where, name, places)
	{
		const json_t *texts = json_object_get(o, name);
		assert_non_null(texts);
		assert_int_equal(json_array_size(texts), json_array_size(places));
		for (size_t i = 0; i < json_array_size(texts); i++) {
			assert_true(json_is_string(json_array_get(texts, i)));
			if (!json_is_string(json_array_get(places, i)))
				fail_msg("'%s' is from nowhere", json_string_value(json_array_get(texts, i)));
		}
	}
	places = json_object_get(where, "tools");
	assert_string_equal(json_string_value(json_array_get(places, 0)), "x.json:15 (tools.allow \"get_*\")");
	json_decref(o);
}

static void what_the_policy_cuts_is_told_before_there_is_a_plan(void **state)
{
	_cleanup_effective_ struct effective e = { 0 };
	_cleanup_free_ char *said = NULL;
	size_t n;
	FILE *f = open_memstream(&said, &n);

	(void)state;
	assert_non_null(f);
	parse_ok(whole, &e.profile);
	assert_int_equal(effective_add_line(&e, LINE_CUT, 0, "p.json:2 (limits.files)", "99 open files"), 0);
	assert_int_equal(places_cut(&e.profile.places, "limits.files", "p.json:2 (limits.files)"), 0);
	assert_int_equal(check_profile_print(f, &e, 0, false), 0);
	fclose(f);
	must_say(said, "    not granted  99 open files  (p.json:2 (limits.files))\n");
	must_say(said, "; x.json:14 (limits.files), cut by p.json:2 (limits.files); ");
}

static void a_required_parameter_has_no_default_in_the_object(void **state)
{
	json_t *o = facts_of(whole), *dirs = json_array_get(json_object_get(o, "parameters"), 0),
	       *n = json_array_get(json_object_get(o, "parameters"), 1);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(dirs, "name")), "dirs");
	assert_true(json_is_true(json_object_get(dirs, "required")) && json_is_true(json_object_get(dirs, "many")));
	assert_true(json_is_null(json_object_get(dirs, "default")));
	assert_true(json_is_false(json_object_get(n, "required")));
	assert_string_equal(json_string_value(json_array_get(json_object_get(n, "default"), 0)), "3");
	json_decref(o);
}

static void a_stream_that_takes_nothing_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(full);
	setbuf(full, NULL);
	for (int json = 0; json < 2; json++) {
		_cleanup_effective_ struct effective e = { 0 };
		parse_ok(whole, &e.profile);
		assert_int_equal(check_profile_print(full, &e, 0, json), -EIO);
	}
	fclose(full);
}

static const struct {
	const char *member, *words;
} layers[] = {
	{ "\"tools\": {\"text\": \"pass\"}", "  taken out    NOT escape sequences and invisible characters" },
	{ "\"tools\": {\"redact\": [{\"name\": \"x\", \"pattern\": \"y+\"}]}", "the pattern 'x', both ways: y+" },
	{ "\"tools\": {\"allow\": [{\"name\": \"put\", \"time\": \"7s\"}]}", "7 s" },
	{ "\"tools\": {\"scopes\": {\"write\": [\"put\"]}, \"allow_scopes\": [], \"grant_scopes\": [\"write\"], "
	  "\"grant_time\": \"7min\"}",
		"scope write is denied, and a person may lift it for at most 7 min: put" },
	{ "\"pins\": \"x.pins\"", "by x.pins, beside the profile" },
};

static void what_holds_the_protocol_is_shown_before_there_is_a_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		_cleanup_free_ char *member = NULL, *said = NULL;
		assert_true(asprintf(&member, "\"command\": [\"prog\"], %s", layers[i].member) > 0);
		said = printed_with(member, false);
		must_say(said, layers[i].words);
	}
}

static void pins_and_what_a_grant_lifts_are_seen_before_there_is_a_plan(void **state)
{
	_cleanup_effective_ struct effective e = { .pinned = true };
	_cleanup_free_ char *said = NULL;
	struct definition *tool;
	size_t n;
	FILE *f = open_memstream(&said, &n);

	(void)state;
	assert_non_null(f);
	parse_ok("{\"stockade\": 1, \"name\": \"x\", " NEEDS
		 ", \"command\": [\"prog\"], \"tools\": {\"scopes\": {\"write\": [\"put_*\"]}, "
		 "\"allow_scopes\": [], \"grant_scopes\": [\"write\"]}}",
		&e.profile);
	assert_int_equal(definitions_add(&e.pins.definitions, &tool), 0);
	tool->name = strdup("put_note");
	assert_int_equal(check_profile_print(f, &e, UINT32_C(1) << SCOPE_WRITE, false), 0);
	fclose(f);
	must_say(said, "pinned: 1 definitions stay as they were approved");
	must_say(said, "Every tool that is pinned");
	must_say(said, "    put_note  write  60/min  -        allowed (lifted now)  ");
	assert_null(strstr(said, "    put_*  "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_right_that_a_profile_gives_has_its_line),
		cmocka_unit_test(what_is_not_granted_has_no_line),
		cmocka_unit_test(each_parameter_has_its_type_its_bounds_and_its_default),
		cmocka_unit_test(the_first_parameter_without_a_default_is_what_it_needs),
		cmocka_unit_test(the_last_line_names_every_value_that_a_plan_needs_and_no_other),
		cmocka_unit_test(the_first_lines_say_whose_profile_it_is_and_what_for),
		cmocka_unit_test(a_text_of_the_profile_cannot_drive_the_terminal),
		cmocka_unit_test(the_object_holds_each_right_by_its_name),
		cmocka_unit_test(the_object_has_a_place_for_each_value),
		cmocka_unit_test(what_the_policy_cuts_is_told_before_there_is_a_plan),
		cmocka_unit_test(a_required_parameter_has_no_default_in_the_object),
		cmocka_unit_test(what_holds_the_protocol_is_shown_before_there_is_a_plan),
		cmocka_unit_test(pins_and_what_a_grant_lifts_are_seen_before_there_is_a_plan),
		cmocka_unit_test(a_stream_that_takes_nothing_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
