/* SPDX-License-Identifier: Apache-2.0 */
/* test_question - what a person is shown before the first start, and when something changed */
#include "tests/unit/consent_world.h"
#include "supervisor/question.h"
#include "supervisor/question_words.h"

static char *print(const struct effective *e, const struct question_options *o)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_int_equal(question_print(f, e, o), 0);
	fclose(f);
	return text;
}

static void assert_has(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' is not in:\n%s", words, text);
}

static void assert_order(const char *text, const char *first, const char *second)
{
	assert_has(text, first);
	assert_has(text, second);
	if (strstr(text, first) > strstr(text, second))
		fail_msg("'%s' stands after '%s' in:\n%s", first, second, text);
}

static void test_redaction_takes_passwords_and_nothing_that_a_shell_acts_on(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "https://u:secret@h/x", "https://u:***@h/x" },
		{ "postgres://a.b:p%40ss@h:5432/db", "postgres://a.b:***@h:5432/db" },
		{ "http://:pw@h", "http://:***@h" },
		{ "x http://a:b@h http://c:d@h", "x http://a:***@h http://c:***@h" },
		{ "https://user@h", "https://user@h" },
		{ "https://h:80/a@b", "https://h:80/a@b" },
		{ "http://a:;rm${IFS}-rf${IFS}~;@h", "http://a:;rm${IFS}-rf${IFS}~;@h" },
		{ "http://a:b c@h", "http://a:b c@h" },
		{ "http://a:$(id)@h", "http://a:$(id)@h" },
		{ "plain", "plain" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1024);
		assert_int_equal(question_redact(&b, cases[i].in), 0);
		assert_string_equal(b.data, cases[i].out);
	}
}

static void test_the_whole_command_is_shown_and_quoted(void **state)
{
	static const struct {
		const char *word, *shown;
	} cases[] = {
		{ "with blank", "'with blank'" },
		{ "a'b", "'a'\\''b'" },
		{ "", "''" },
		{ "$(id)", "'$(id)'" },
		{ "x\x1b[2Ky", "$'x\\x1b[2Ky'" },
		{ "a\xe2\x80\xae"
		  "b",
			"$'a\\u202eb'" },	      /* right-to-left override */
		{ "z\xe2\x80\x8bw", "$'z\\u200bw'" }, /* zero width space */
		{ "new\nline", "$'new\\x0aline'" },
		{ "--url=https://u:pw@h", "--url=https://u:" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct effective e;
		const struct question_options o = { 0 };
		make_launch(&e, "x", "/data");
		assert_int_equal(strv_add(&e.cmd.argv, cases[i].word), 0);
		_cleanup_free_ char *text = print(&e, &o);
		assert_has(text, "node /srv/server.js ");
		assert_has(text, cases[i].shown);
		if (strpbrk(text, "\x1b\x7f") || strstr(text, "\xe2\x80") || strstr(text, ":pw@"))
			fail_msg("%s", text);
		launch_done(&e);
	}
}

static void test_a_long_command_is_not_cut(void **state)
{
	const struct question_options o = { .width = 40 };
	struct effective e;
	char word[6001];

	memset(word, 'a', sizeof(word) - 2);
	strcpy(word + sizeof(word) - 2, "Z");
	make_launch(&e, "x", "/data");
	assert_int_equal(strv_add(&e.cmd.argv, word), 0);
	_cleanup_free_ char *text = print(&e, &o);
	assert_has(text, word);
	launch_done(&e);
}

static void test_names_and_paths_cannot_drive_the_terminal(void **state)
{
	const struct question_options o = { 0 };
	struct effective e;

	make_launch(&e, "x\x1b]0;y\x07", "/data/\xe2\x80\xae");
	assert_int_equal(effective_add_line(&e, LINE_READ, 0, NULL, "%s",
				 "/\x9b"
				 "1m"),
		0);
	assert_int_equal(effective_add_line(&e, LINE_ENV_SET, 0, "--setenv \r", "A=\rB"), 0);
	_cleanup_free_ char *text = print(&e, &o);
	assert_has(text, "x\\x1b]0;y\\x07");
	assert_has(text, "/data/\\u{202e}");
	assert_has(text, "/\\x9b1m");
	assert_has(text, "A=\\x0dB");
	if (strpbrk(text, "\x1b\x07\r\x9b"))
		fail_msg("%s", text);
	launch_done(&e);
}

static void test_what_is_dangerous_stands_first_and_is_marked(void **state)
{
	const struct question_options o = { 0 };
	struct effective e;

	make_launch(&e, "x", "/data");
	assert_int_equal(effective_add_line(&e, LINE_COMMAND, DANGER_SHELL | DANGER_SUDO, NULL, "node"), 0);
	assert_int_equal(effective_add_line(&e, LINE_WRITE, DANGER_HOME, "--rw", "/home/u"), 0);
	assert_int_equal(
		effective_add_line(&e, LINE_READ, DANGER_KEYS, "p.json:3 (filesystem.read)", "/home/u/.ssh"), 0);
	assert_int_equal(effective_add_line(&e, LINE_ENV_SET, DANGER_LOADER, "--setenv", "NODE_OPTIONS=-r /x"), 0);
	assert_int_equal(effective_add_line(&e, LINE_UNIX, DANGER_UNIX, NULL, "/run/x.sock"), 0);
	assert_int_equal(effective_add_line(&e, LINE_ENV_PASS, DANGER_SECRET, "--env", "GITHUB_TOKEN=ghp_hidden"), 0);
	_cleanup_free_ char *text = print(&e, &o);
	assert_order(text, "DANGEROUS", "What it gets");
	assert_order(text, "! it asks for more rights", "What it gets");
	assert_has(text, "the command above");
	assert_has(text, "may read /home/u/.ssh");
	assert_order(text, "! may write       /home/u", "  may read        /data");
	assert_has(text, "p.json:3 (filesystem.read)");
	assert_has(text, "NODE_OPTIONS=-r /x");
	assert_has(text, "GITHUB_TOKEN (by its name a secret; its value is not shown)");
	assert_null(strstr(text, "ghp_hidden"));
	assert_has(text, "may be dangerous");
	assert_has(text, e.digest);
	launch_done(&e);
}

/* What stands in the text besides blanks and line breaks. */
static char *squeezed(const char *text)
{
	char *copy = strdup(text), *to = copy;

	assert_non_null(copy);
	for (const char *p = text; *p; p++)
		if (*p != ' ' && *p != '\n')
			*to++ = *p;
	*to = '\0';
	return copy;
}

static void assert_once(const char *text, const char *words)
{
	const char *at = strstr(text, words);

	if (!at || strstr(at + 1, words))
		fail_msg("'%s' is not there once:\n%s", words, text);
}

/* The list, not the title above it and the warning below it. */
static void assert_narrow(const char *text, size_t columns)
{
	_cleanup_free_ char *copy = strdup(text);
	char *save = NULL;
	bool in = false;

	assert_non_null(copy);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		in = strncmp(line, "  What it gets", 14) == 0 || (in && strncmp(line, "  Warning", 9) != 0);
		if (in && strlen(line) > columns)
			fail_msg("longer than %zu: %s", columns, line);
	}
}

static void test_rules_stand_together_and_each_of_them_is_shown(void **state)
{
	const struct question_options o = { .width = 80 };
	struct effective e;
	char rule[64], where[64];

	make_launch(&e, "x", "/data");
	e.profile.file = strdup("/etc/stockade/profiles/x.json");
	for (int i = 0; i < 40; i++) {
		snprintf(rule, sizeof(rule), "%s name_%d_*", i < 20 ? "allow" : "deny", i);
		snprintf(where, sizeof(where), "/etc/stockade/profiles/x.json:%d (tools.allow \"name_%d_*\")", 10 + i,
			i);
		assert_int_equal(effective_add_line(&e, LINE_TOOLS, 0, where, "%s", rule), 0);
	}
	/* Could pass for two, or for words of ours: each has a line of its own. */
	assert_int_equal(
		effective_add_line(&e, LINE_TOOLS, 0, "/etc/stockade/profiles/x.json:50", "deny a, allow b"), 0);
	assert_int_equal(effective_add_line(&e, LINE_TOOLS, 0, "/etc/stockade/profiles/x.json:51", "deny c(line9)"), 0);
	assert_int_equal(effective_add_line(&e, LINE_RESOURCES, 0, NULL, "all that the server offers"), 0);
	assert_int_equal(
		effective_add_line(&e, LINE_LIMIT, 0, "the default (60 a minute; x sets another)", "calls"), 0);
	_cleanup_free_ char *text = print(&e, &o), *all = squeezed(text);
	assert_has(text, "calls  (the default: 60 a minute; x sets another)\n");
	for (int i = 0; i < 40; i++) {
		snprintf(rule, sizeof(rule), "name_%d_*", i);
		assert_has(all, rule);
	}
	assert_has(all, "name_18_*,name_19_*(lines10-29)denyname_20_*,");
	assert_has(text,
		"\n                    deny a, allow b  (line 50)\n                    deny c(line9)  (line 51)\n");
	assert_has(text, "\n    resources       all that the server offers\n");
	/* The file once, the label once, and no line of the list longer than the terminal. */
	assert_once(all, "x.json");
	assert_once(text, "  tools ");
	assert_narrow(text, 80);
	free(e.profile.file);
	launch_done(&e);
}

static void test_a_harmless_launch_is_not_called_dangerous(void **state)
{
	const struct question_options o = { 0 };
	struct effective e;

	make_launch(&e, "x", "/data");
	assert_int_equal(effective_add_line(&e, LINE_ENV_PASS, DANGER_SECRET, "--env", "API_KEY"), 0);
	_cleanup_free_ char *text = print(&e, &o);
	assert_null(strstr(text, "DANGEROUS"));
	assert_has(text, "not been approved before");
	assert_has(text, "may be dangerous"); /* the plain warning stands always */
	launch_done(&e);
}

static void test_code_that_rewrites_itself_is_asked_each_time(void **state)
{
	const struct question_options o = { 0 };
	struct effective e;

	make_launch(&e, "x", "/data");
	assert_int_equal(effective_add_line(&e, LINE_CODE, DANGER_OWN_CODE, "npm package tree", "/srv"), 0);
	e.never_remember = true;
	_cleanup_free_ char *text = print(&e, &o);
	assert_has(text, "rewrite its own code");
	assert_has(text, "The answer is not remembered");
	launch_done(&e);
}

static void test_colour_is_only_there_when_asked_for(void **state)
{
	const struct question_options on = { .colour = true }, off = { 0 };
	struct effective e;

	make_launch(&e, "x", "/data");
	_cleanup_free_ char *with = print(&e, &on), *without = print(&e, &off);
	assert_non_null(strchr(with, '\x1b'));
	assert_null(strchr(without, '\x1b'));
	launch_done(&e);
}

static json_t *json(const char *text)
{
	json_t *v = json_loads(text, 0, NULL);

	assert_non_null(v);
	return v;
}

static void test_the_difference_is_said_in_words(void **state)
{
	static const struct {
		const char *earlier, *now, *sign, *text;
		size_t n;
	} cases[] = {
		{ "{'filesystem':{'read':['/a']}}", "{'filesystem':{'read':['/a','/b']}}", "+", "may read: /b", 1 },
		{ "{'filesystem':{'write':['/a']}}", "{'filesystem':{'write':[]}}", "-", "may write: /a", 1 },
		{ "{'argv':['node','a']}", "{'argv':['node','a b']}", "+", "command: node 'a b'", 2 },
		{ "{'argv':['a','b']}", "{'argv':['b','a']}", "-", "command: a b", 2 },
		{ "{'seccomp':'default'}", "{'seccomp':'wide'}", "+", "system calls: wide", 2 },
		{ "{'af_unix':false}", "{'af_unix':true}", "+", "may open unix sockets: yes", 2 },
		{ "{'limits':{'files':1}}", "{'limits':{'files':2}}", "+", "open files: 2", 2 },
		{ "{'code':[{'path':'/x','digest':'1'}]}", "{'code':[{'path':'/x','digest':'2'}]}", "~", "code: /x",
			1 },
		{ "{'code':[{'path':'/x'}]}", "{'code':[]}", "-", "code: /x", 1 },
		{ "{'env':{'set':[]}}", "{'env':{'set':['A=https://u:pw@h']}}", "+", "variable set: A=https://u:***@h",
			1 },
		{ "{'env':{'set':['A=https://u:p1@h']}}", "{'env':{'set':['A=https://u:p2@h']}}", "+",
			"variable set: A=https://u:***@h", 2 },
		{ "{'env':{'steering':{'NODE_OPTIONS':'hidden1'}}}", "{'env':{'steering':{'NODE_OPTIONS':'hidden2'}}}",
			"~", "value of the passed variable: NODE_OPTIONS (changed; not shown)", 1 },
		{ "{'env':{}}", "{'env':{'steering':{'LD_PRELOAD':'hidden'}}}", "~", "LD_PRELOAD (changed; not shown)",
			1 },
		{ "{'roots':['/a','/b']}", "{'roots':['/b','/a']}", "~", "another order", 1 },
		{ "{'cwd':'/x'}", "{}", "-", "starts in: /x", 1 },
		{ "{}", "{'protocol':{'tools':{'allow':['x*']}}}", "+", "tools allowed: x*", 1 },
		{ "{}", "{'protocol':{'scopes':{'tools':{'tickets':['x*']}}}}", "+", "tools of scope tickets: x*", 1 },
		{ "{'protocol':{}}", "{'protocol':{'text':'pass'}}", "+",
			"escape sequences and invisible characters: pass", 1 },
		{ "{'protocol':{'redact':['email']}}", "{'protocol':{}}", "-", "taken out of text: email", 1 },
		{ "{'protocol':{'sampling':false}}", "{'protocol':{'sampling':{'rate':null,'tools':false}}}", "-",
			"may ask the client's model: no", 2 },
		{ "{'protocol':{'sampling':{'tools':false}}}", "{'protocol':{'sampling':{'tools':true}}}", "+",
			"may hand the model tools of its own: yes", 2 },
		{ "{'pins':'a.pins'}", "{'pins':'b.pins'}", "+", "file of pins that the profile brings: b.pins", 2 },
		{ "{'cwd':'/a'}", "{'cwd':'/\\u202e'}", "+", "starts in: /\\u{202e}", 2 },
		{ "{'cwd':'https://u:a@h'}", "{'cwd':'https://u:b@h'}", "~", "not shown", 1 },
		{ "{'cwd':'/x'}", "{'cwd':'/x'}", NULL, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char a[256], b[256];
		bool found = !cases[i].sign;
		const json_t *v;
		size_t k;
		snprintf(a, sizeof(a), "%s", cases[i].earlier);
		snprintf(b, sizeof(b), "%s", cases[i].now);
		for (char *p = a; (p = strchr(p, '\''));)
			*p = '"';
		for (char *p = b; (p = strchr(p, '\''));)
			*p = '"';
		json_t *x = json(a), *y = json(b), *list = question_changes(x, y);
		_cleanup_free_ char *text = json_dumps(list, 0);
		json_array_foreach(list, k, v) found =
			found || (strcmp(json_string_value(json_object_get(v, "sign")), cases[i].sign) == 0 &&
					 strstr(json_string_value(json_object_get(v, "text")), cases[i].text));
		if (!found || json_array_size(list) != cases[i].n || strstr(text, "hidden"))
			fail_msg("%s -> %s: %s", a, b, text);
		json_decref(x);
		json_decref(y);
		json_decref(list);
	}
}

static void test_a_changed_plan_shows_the_difference(void **state)
{
	struct effective before, after;
	struct question_options o = { 0 };

	make_launch(&before, "x", "/data");
	make_launch(&after, "x", "/other");
	o.earlier = before.canonical;
	_cleanup_free_ char *text = print(&after, &o);
	assert_has(text, "has changed since");
	assert_has(text, "- may read: /data");
	assert_has(text, "+ may read: /other");
	launch_done(&before);
	launch_done(&after);
}

static void test_the_same_question_comes_from_its_json(void **state)
{
	const struct question_options o = { 0 };
	struct effective e;
	char *second = NULL;
	size_t n;

	make_launch(&e, "x\\y", "/data/\x1b");
	assert_int_equal(effective_add_line(&e, LINE_WRITE, DANGER_SYSTEM, NULL, "/etc"), 0);
	json_t *q = question_json(&e, NULL);
	_cleanup_free_ char *stored = json_dumps(q, 0), *first = print(&e, &o);
	json_t *again = json(stored);
	FILE *f = open_memstream(&second, &n);
	assert_int_equal(question_render(f, again, &o), 0);
	fclose(f);
	assert_string_equal(first, second);
	free(second);
	json_decref(q);
	json_decref(again);
	launch_done(&e);
}

static void test_a_tampered_question_cannot_drive_the_terminal(void **state)
{
	const struct question_options o = { 0 };
	json_t *q = json("{\"name\": \"\\u001b[2J\", \"command\": 5, \"lines\": [1, {\"kind\": \"\\u001b\", \"text\": "
			 "\"\\u001b\"}], \"dangers\": {},"
			 " \"changes\": [7, {\"sign\": \"\\u001b\"}]}");
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_int_equal(question_render(f, q, &o), 0);
	fclose(f);
	if (strchr(text, '\x1b'))
		fail_msg("%s", text);
	free(text);
	json_decref(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redaction_takes_passwords_and_nothing_that_a_shell_acts_on),
		cmocka_unit_test(test_the_whole_command_is_shown_and_quoted),
		cmocka_unit_test(test_a_long_command_is_not_cut),
		cmocka_unit_test(test_names_and_paths_cannot_drive_the_terminal),
		cmocka_unit_test(test_what_is_dangerous_stands_first_and_is_marked),
		cmocka_unit_test(test_rules_stand_together_and_each_of_them_is_shown),
		cmocka_unit_test(test_a_harmless_launch_is_not_called_dangerous),
		cmocka_unit_test(test_code_that_rewrites_itself_is_asked_each_time),
		cmocka_unit_test(test_colour_is_only_there_when_asked_for),
		cmocka_unit_test(test_the_difference_is_said_in_words),
		cmocka_unit_test(test_a_changed_plan_shows_the_difference),
		cmocka_unit_test(test_the_same_question_comes_from_its_json),
		cmocka_unit_test(test_a_tampered_question_cannot_drive_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
