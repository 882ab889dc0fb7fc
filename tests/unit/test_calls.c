/* SPDX-License-Identifier: Apache-2.0 */
/* test_calls - calls that wait for a person: a session puts them on the list, approve answers, the session believes it
 */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include "supervisor/approve_calls.h"
#include "supervisor/call_list.h"
#include "supervisor/exit.h"

enum { SAID_MAX = 1 << 20 };

#define SESSION "00112233445566778899aabbccddeeff"

static struct asker *asker_of(struct world *w)
{
	const struct asker_list_args a = { &w->paths, SESSION, "notes", "code < bash" };
	struct asker *ret = NULL;
	struct diag d = { "" };

	if (asker_list_new(&a, &ret, &d) < 0)
		fail_msg("%s", d.text);
	return ret;
}

static int ask(struct asker *a, uint64_t id, const char *tool, const char *arguments)
{
	char digest[CANONICAL_DIGEST_HEX];
	const struct asker_question q = { id, tool, arguments, digest, "p:5 (tools.allow.confirm)" };
	struct diag d = { "" };

	assert_int_equal(call_digest(tool, arguments, digest), 0);
	return a->kind->ask(a, &q, &d);
}

static void list(struct world *w, size_t n, struct call_list *ret)
{
	struct diag d = { "" };

	if (call_list_read(&w->paths, ret, &d) < 0)
		fail_msg("%s", d.text);
	assert_int_equal(ret->n, n);
}

static void answer(struct world *w, const struct call_entry *e, enum asker_say say)
{
	struct diag d = { "" };

	if (call_answer(&w->paths, e, say, "approve", &w->lineage, &d) < 0)
		fail_msg("%s", d.text);
}

static int path_of(const struct world *w, const char *name, char *ret, size_t size)
{
	return snprintf(ret, size, "%s/" CALL_DIR "/%s", w->paths.runtime, name);
}

static void what_is_asked_is_listed_whole_and_its_answer_comes_back(void **state)
{
	struct world *w = *state;
	struct asker *a = asker_of(w);
	_cleanup_call_list_ struct call_list l = { 0 };
	struct asker_answer got;

	assert_int_equal(ask(a, 7, "put\x1b", "{\"b\":1.50,\"a\":\"\\u0000\"}"), 0);
	assert_int_equal(a->kind->take(a, &got), 0);
	list(w, 1, &l);
	assert_string_equal(l.v[0].tool, "put\x1b");
	assert_string_equal(l.v[0].arguments, "{\"b\":1.50,\"a\":\"\\u0000\"}");
	assert_string_equal(l.v[0].server, "notes");
	assert_string_equal(l.v[0].session, SESSION);
	assert_string_equal(l.v[0].client, "code < bash");
	assert_string_equal(l.v[0].rule, "p:5 (tools.allow.confirm)");
	answer(w, &l.v[0], ASKER_SESSION);
	/* The session is woken. */
	assert_true(a->fd < 0 || poll(&(struct pollfd){ .fd = a->fd, .events = POLLIN }, 1, 60000) == 1);
	assert_int_equal(a->kind->take(a, &got), 1);
	assert_int_equal(got.id, 7);
	assert_int_equal(got.say, ASKER_SESSION);
	assert_string_equal(got.channel, "approve");
	assert_true(got.by[0] != '\0');
	assert_int_equal(a->kind->take(a, &got), 0);
	call_list_done(&l);
	list(w, 0, &l);
	asker_free(a);
}

static void an_answer_is_for_what_was_shown_and_for_nothing_else(void **state)
{
	struct world *w = *state;
	struct asker *a = asker_of(w);
	_cleanup_call_list_ struct call_list l = { 0 };
	struct asker_answer got;

	assert_int_equal(ask(a, 1, "put", "{\"a\":1}"), 0);
	assert_int_equal(ask(a, 2, "put", "{\"a\":2}"), 0);
	list(w, 2, &l);
	/* What was shown was the other: somebody swapped the files. */
	memcpy(l.v[0].digest, l.v[1].digest, sizeof(l.v[0].digest));
	answer(w, &l.v[0], ASKER_ONCE);
	assert_int_equal(a->kind->take(a, &got), 1);
	assert_int_equal(got.id, 1);
	assert_int_equal(got.say, ASKER_NO);
	assert_string_equal(got.by, "an answer that is not to this question");
	asker_free(a);
}

static void no_name_reaches_into_the_arguments(void **state)
{
	char one[CANONICAL_DIGEST_HEX], other[CANONICAL_DIGEST_HEX];

	(void)state;
	assert_int_equal(call_digest("a", "b{}", one), 0);
	assert_int_equal(call_digest("ab", "{}", other), 0);
	assert_string_not_equal(one, other);
	assert_int_equal(call_digest("a", "{\"x\":1,\"y\":2}", one), 0);
	assert_int_equal(call_digest("a", "{\"y\":2,\"x\":1}", other), 0);
	assert_string_not_equal(one, other);
}

static void garbage_is_a_no(void **state)
{
	static const char *const texts[] = { "", "yes", "{}", "[1]", "{\"say\":\"once\"}",
		"{\"v\":1,\"say\":\"always\",\"digest\":\"%s\",\"channel\":\"c\",\"by\":\"b\"}",
		"{\"v\":1,\"say\":\"once\",\"digest\":\"%s\",\"channel\":1,\"by\":\"b\"}" };
	struct world *w = *state;
	struct asker *a = asker_of(w);
	char path[256], digest[CANONICAL_DIGEST_HEX], text[512];
	struct asker_answer got;

	assert_int_equal(call_digest("put", "{}", digest), 0);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *hole = strstr(texts[i], "%s");
		assert_int_equal(ask(a, 5, "put", "{}"), 0);
		path_of(w, SESSION ".5" CALL_ANSWER, path, sizeof(path));
		FILE *f = fopen(path, "we");
		assert_non_null(f);
		if (hole)
			snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - texts[i]), texts[i], digest, hole + 2);
		fputs(hole ? text : texts[i], f);
		fclose(f);
		assert_int_equal(a->kind->take(a, &got), 1);
		if (got.say != ASKER_NO)
			fail_msg("%s: %d", texts[i], got.say);
	}
	asker_free(a);
}

static void what_nobody_waits_for_any_more_cannot_be_answered(void **state)
{
	struct world *w = *state;
	struct asker *a = asker_of(w);
	_cleanup_call_list_ struct call_list l = { 0 }, none = { 0 };
	struct diag d = { "" };

	assert_int_equal(ask(a, 1, "put", ""), 0);
	list(w, 1, &l);
	a->kind->withdraw(a, 1);
	assert_int_equal(call_answer(&w->paths, &l.v[0], ASKER_ONCE, "approve", &w->lineage, &d), -ENOENT);
	assert_non_null(strstr(d.text, "the call waits no longer"));
	list(w, 0, &none);
	asker_free(a);
}

static void what_a_killed_session_left_goes(void **state)
{
	struct world *w = *state;
	_cleanup_call_list_ struct call_list l = { 0 };
	char path[256];
	int dir = -1;

	assert_int_equal(paths_open_runtime(&w->paths, CALL_DIR, &dir, NULL), 0);
	int fd = openat(dir, SESSION ".3", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	close(openat(dir, SESSION ".3" CALL_ANSWER, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	list(w, 0, &l);
	path_of(w, SESSION ".3", path, sizeof(path));
	assert_int_equal(access(path, F_OK), -1);
	path_of(w, SESSION ".3" CALL_ANSWER, path, sizeof(path));
	assert_int_equal(access(path, F_OK), -1);
	close(dir);
}

static void a_damaged_entry_is_listed_and_not_answered(void **state)
{
	struct world *w = *state;
	struct asker *a = asker_of(w);
	const struct approve_waiting aw = { &w->paths, &w->lineage };
	_cleanup_call_list_ struct call_list l = { 0 };
	char path[256];

	assert_int_equal(ask(a, 1, "put", "{}"), 0);
	path_of(w, SESSION ".1", path, sizeof(path));
	assert_int_equal(truncate(path, 5), 0);
	list(w, 1, &l);
	assert_non_null(l.v[0].damaged);
	assert_int_equal(approve_calls_ask(&aw, &l.v[0]), EXIT_REFUSED);
	asker_free(a);
}

static void the_list_has_a_named_end(void **state)
{
	struct world *w = *state;
	struct asker *a = asker_of(w);

	for (uint64_t i = 1; i <= CONFIRM_WAITING_MAX; i++)
		assert_int_equal(ask(a, i, "put", "{}"), 0);
	assert_int_equal(ask(a, 99, "put", "{}"), -ENOBUFS);
	asker_free(a);
}

static void without_a_runtime_directory_there_is_no_asker(void **state)
{
	struct world *w = *state;
	const struct asker_list_args args = { &w->paths, SESSION, "notes", "" };
	struct asker *a = NULL;
	struct diag d = { "" };

	free(w->paths.runtime);
	w->paths.runtime = strdup("/proc/1/nowhere");
	assert_true(asker_list_new(&args, &a, &d) < 0);
	assert_null(a);
	assert_true(d.text[0] != '\0');
}

/* What approve prints of an entry. */
static void shown(const struct call_entry *e, char *ret)
{
	int tmp = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), saved = dup(2);

	assert_true(tmp >= 0 && saved >= 0);
	fflush(stderr);
	dup2(tmp, 2);
	assert_int_equal(approve_calls_show(e), EXIT_OK);
	fflush(stderr);
	dup2(saved, 2);
	ssize_t n = pread(tmp, ret, SAID_MAX - 1, 0);
	assert_true(n > 0);
	ret[n] = '\0';
	close(tmp);
	close(saved);
}

static void arguments_are_shown_whole_laid_out_and_harmless(void **state)
{
	struct world *w = *state;
	struct asker *a = asker_of(w);
	_cleanup_call_list_ struct call_list l = { 0 };
	char *text = calloc(1, SAID_MAX), *args = calloc(1, CONFIRM_ARGS_MAX + 1);

	assert_true(text && args);
	assert_int_equal(ask(a, 1, "put\xe2\x80\xae\x1b[2J",
				 "{\"s\":\"a,{}\\\"\\\\\\n\xe2\x80\xae\",\"n\":-1.50e3,\"e\":{},\"l\":[true,null]}"),
		0);
	memset(args, 'x', CONFIRM_ARGS_MAX);
	memcpy(args, "{\"a\":\"", 6);
	memcpy(args + CONFIRM_ARGS_MAX - 2, "\"}", 2);
	assert_int_equal(ask(a, 2, "put", args), 0);
	list(w, 2, &l);
	shown(&l.v[0], text);
	if (!strstr(text, "arguments\n"
			  "    {\n"
			  "      \"s\": \"a,{}\\\"\\\\\\n\\u{202e}\",\n"
			  "      \"n\": -1.50e3,\n"
			  "      \"e\": {},\n"
			  "      \"l\": [\n"
			  "        true,\n"
			  "        null\n"
			  "      ]\n"
			  "    }\n") ||
		strstr(text, "\x1b") || !strstr(text, "put\\u{202e}\\x1b[2J"))
		fail_msg("%s", text);
	shown(&l.v[1], text);
	args[CONFIRM_ARGS_MAX - 1] = '\0';
	assert_non_null(strstr(text, args + 5));
	free(text);
	free(args);
	asker_free(a);
}

static void nothing_before_the_arguments_is_looked_at(void **state)
{
	static char after_brace[] = "{}", after_letter[] = "x}";
	struct call_entry e = {
		.server = (char[]){ "s" }, .tool = (char[]){ "t" }, .rule = (char[]){ "r" }, .client = (char[]){ "c" }
	};
	char *one = calloc(1, SAID_MAX), *other = calloc(1, SAID_MAX);

	assert_true(one && other);
	e.arguments = after_brace + 1;
	shown(&e, one);
	e.arguments = after_letter + 1;
	shown(&e, other);
	assert_string_equal(one, other);
	free(one);
	free(other);
}

static void what_goes_along_with_arguments_is_shown_beside_them(void **state)
{
	static const struct {
		const char *text, *shown, *args, *also;
	} rows[] = {
		{ "[{\"a\":[1,{\"b\":\"],[\"}]},{\"inputResponses\":{}}]",
			"  goes along\n    {\n      \"inputResponses\": {}\n    }\n", "{\"a\":[1,{\"b\":\"],[\"}]}",
			"{\"inputResponses\":{}}" },
		{ "[null,{\"requestState\":\"s\"}]", "  arguments\n    none\n  goes along\n", "null",
			"{\"requestState\":\"s\"}" },
		{ "{\"a\":[1,2]}", "  arguments\n    {\n", "{\"a\":[1,2]}", NULL },
		{ "[1]", "  arguments\n    [\n", "[1]", NULL },
		{ "", "  arguments\n    none\n", "", NULL },
	};
	char *text = calloc(1, SAID_MAX);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct call_entry e = { .server = (char[]){ "s" },
			.session = (char[]){ "i" },
			.tool = (char[]){ "t" },
			.rule = (char[]){ "r" },
			.client = (char[]){ "c" },
			.arguments = (char *)(uintptr_t)rows[i].text };
		json_t *o = approve_calls_json(&e, 1);
		const char *also = json_string_value(json_object_get(o, "goes_along"));
		shown(&e, text);
		if (!strstr(text, rows[i].shown) || !strstr(text, "goes along") != !rows[i].also)
			fail_msg("%s: %s", rows[i].text, text);
		assert_string_equal(json_string_value(json_object_get(o, "arguments")), rows[i].args);
		assert_string_equal(also ? also : "-", rows[i].also ? rows[i].also : "-");
		assert_string_equal(json_string_value(json_object_get(o, "waiting_since")), "1970-01-01T00:00:00Z");
		json_decref(o);
	}
	free(text);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)
	const struct CMUnitTest tests[] = {
		T(what_is_asked_is_listed_whole_and_its_answer_comes_back),
		T(an_answer_is_for_what_was_shown_and_for_nothing_else),
		T(no_name_reaches_into_the_arguments),
		T(garbage_is_a_no),
		T(what_nobody_waits_for_any_more_cannot_be_answered),
		T(what_a_killed_session_left_goes),
		T(a_damaged_entry_is_listed_and_not_answered),
		T(the_list_has_a_named_end),
		T(without_a_runtime_directory_there_is_no_asker),
		T(arguments_are_shown_whole_laid_out_and_harmless),
		T(nothing_before_the_arguments_is_looked_at),
		T(what_goes_along_with_arguments_is_shown_beside_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
