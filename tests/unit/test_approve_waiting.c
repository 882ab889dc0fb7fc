/* SPDX-License-Identifier: Apache-2.0 */
/* test_approve_waiting - what waits is listed, shown and answered: words, statuses, what is remembered (test_ask has
 * the same on a terminal) */
#include "tests/unit/consent_world.h"
#include <fcntl.h>
#include "supervisor/approve_waiting.h"
#include "supervisor/call_list.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"

enum { SAID_MAX = 64 << 10, WAITERS = 3 };

/* Launches that wait, and what approve said about them. */
struct scene {
	struct world *w;
	struct approve_waiting aw;
	struct effective e[WAITERS];
	struct pending_waiter place[WAITERS];
	size_t n;
	char said[SAID_MAX], printed[SAID_MAX];
};

static int scene_up(void **state)
{
	static struct scene s;
	void *w = NULL;

	if (world_up(&w) < 0)
		return -1;
	s = (struct scene){ .w = w };
	s.aw = (struct approve_waiting){ &s.w->paths, &s.w->lineage };
	*state = &s;
	return 0;
}

static int scene_down(void **state)
{
	struct scene *s = *state;
	void *w = s->w;

	for (size_t i = 0; i < s->n; i++) {
		pending_leave(&s->place[i]);
		launch_done(&s->e[i]);
	}
	return world_down(&w);
}

/* Lists go by time, in seconds, and then by digest: the test says when. */
static void wait_since(struct scene *s, const char *name, const char *reads, const char *when, bool never)
{
	const struct pending_waiter none = PENDING_WAITER_INIT;
	struct effective *e = &s->e[s->n];
	_cleanup_free_ char *text = NULL, *dated = NULL;
	json_t *entry;

	make_launch(e, name, reads);
	e->never_remember = never;
	s->place[s->n] = none;
	assert_int_equal(pending_text(e, &s->w->lineage, NULL, &text, NULL), 0);
	entry = json_loads(text, 0, NULL);
	assert_int_equal(json_object_set_new(entry, "when", json_string(when)), 0);
	dated = json_dumps(entry, 0);
	json_decref(entry);
	assert_int_equal(pending_join(&s->w->paths, e->digest, dated, &s->place[s->n], NULL), 0);
	s->n++;
}

static void damage(struct scene *s, size_t i)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/pending/%s.json", s->w->paths.runtime, s->e[i].digest);
	assert_int_equal(truncate(path, 5), 0);
}

static int file_for(int fd, int *ret_saved)
{
	int tmp = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(tmp >= 0);
	*ret_saved = fcntl(fd, F_DUPFD_CLOEXEC, 10);
	assert_int_equal(dup2(tmp, fd), fd);
	return tmp;
}

static void take_back(int fd, int saved, int tmp, char *ret)
{
	ssize_t n = pread(tmp, ret, SAID_MAX - 1, 0);

	assert_int_equal(dup2(saved, fd), fd);
	assert_in_range(n, 0, SAID_MAX - 1);
	ret[n] = '\0';
	close(saved);
	close(tmp);
}

enum way { CHOOSE, NUMBER, ALL, DIGEST, JSON };

static int run_way(const struct scene *s, enum way way, uint64_t n, const char *digest)
{
	switch (way) {
	case CHOOSE:
		return approve_waiting_choose(&s->aw);
	case NUMBER:
		return approve_waiting_number(&s->aw, n);
	case ALL:
		return approve_waiting_all(&s->aw);
	case DIGEST:
		return approve_waiting_digest(&s->aw, digest);
	default:
		return approve_waiting_json(&s->aw);
	}
}

/* The status; what is typed comes from a pipe, what is said goes to files. */
static int approve(struct scene *s, enum way way, uint64_t n, const char *digest, const char *typed)
{
	int in[2], saved[3], out, err, status;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], typed, strlen(typed)), strlen(typed));
	close(in[1]);
	fflush(stdout);
	saved[0] = fcntl(0, F_DUPFD_CLOEXEC, 10);
	assert_int_equal(dup2(in[0], 0), 0);
	close(in[0]);
	out = file_for(1, &saved[1]);
	err = file_for(2, &saved[2]);
	status = run_way(s, way, n, digest);
	fflush(stdout);
	take_back(1, saved[1], out, s->printed);
	take_back(2, saved[2], err, s->said);
	if (saved[0] >= 0) {
		dup2(saved[0], 0);
		close(saved[0]);
	}
	return status;
}

#define SAID(s, words)                                                                                                 \
	do {                                                                                                           \
		if (!strstr((s)->said, words))                                                                         \
			fail_msg("'%s' is not in: %s", words, (s)->said);                                              \
	} while (0)

/* What the launch was told, and whether (and how) it was remembered. */
static void expect_answer(struct scene *s, size_t i, int told, const char *channel)
{
	struct approval a = { 0 };

	assert_int_equal(pending_read_answer(&s->w->paths, &s->place[i], NULL), told);
	assert_int_equal(
		consent_lookup(&s->w->paths, s->e[i].digest, &a, NULL), channel ? CONSENT_APPROVED : CONSENT_UNKNOWN);
	if (channel)
		assert_string_equal(a.channel, channel);
	approval_done(&a);
}

static void two_wait(struct scene *s)
{
	wait_since(s, "older", "/data", "2026-01-01T00:00:00Z", false);
	wait_since(s, "newer", "/other", "2026-01-01T00:00:01Z", false);
}

static void where_nothing_waits_each_way_says_so(void **state)
{
	struct scene *s = *state;

	assert_int_equal(approve(s, CHOOSE, 0, NULL, "1\ny\n"), EXIT_OK);
	SAID(s, "Nothing waits for an answer (looked in /");
	assert_int_equal(approve(s, ALL, 0, NULL, "y\n"), EXIT_OK);
	SAID(s, "Nothing waits for an answer (looked in /");
	assert_int_equal(approve(s, NUMBER, 1, NULL, "y\n"), EXIT_FINDINGS);
	SAID(s, "nothing waits for an answer, so there is no number 1");
	assert_int_equal(approve(s, JSON, 0, NULL, ""), EXIT_OK);
	assert_string_equal(s->printed, "[]\n");
	assert_string_equal(s->said, "");
}

static void one_that_waits_is_asked_about_as_one(void **state)
{
	struct scene *s = *state;

	wait_since(s, "alone", "/data", "2026-01-01T00:00:01Z", false);
	assert_int_equal(approve(s, NUMBER, 3, NULL, "y\n"), EXIT_FINDINGS);
	SAID(s, "there is no number 3: only 1 waits; 'stockade approve' lists them");
	assert_int_equal(approve(s, ALL, 0, NULL, "n\n"), EXIT_REFUSED);
	SAID(s, "Start it? [y/N] ");
}

static void the_list_is_by_age_and_harmless_to_a_terminal(void **state)
{
	struct scene *s = *state;

	wait_since(s, "later\x1b[2J", "/data", "2026-01-01T00:00:01Z", false);
	wait_since(s, "sooner", "/other", "2026-01-01T00:00:00Z", false);
	assert_int_equal(approve(s, CHOOSE, 0, NULL, "\n"), EXIT_OK);
	SAID(s, "  1  sooner, waiting for ");
	SAID(s, "  2  later\\x1b[2J, waiting for ");
	SAID(s, "\n     node /srv/server.js\n");
	assert_null(strchr(s->said, '\x1b'));
	expect_answer(s, 0, CONSENT_UNKNOWN, NULL);
	expect_answer(s, 1, CONSENT_UNKNOWN, NULL);
}

static void a_number_shows_its_question_and_takes_its_answer(void **state)
{
	static const struct {
		enum way way;
		const char *typed;
		int status, told;
		const char *channel, *words;
	} cases[] = {
		{ CHOOSE, "2\ny\n", EXIT_OK, CONSENT_APPROVED, "approve", "newer: approved.\n" },
		{ NUMBER, "yes\n", EXIT_OK, CONSENT_APPROVED, "approve", "newer: approved.\n" },
		{ CHOOSE, "2\nn\n", EXIT_REFUSED, CONSENT_REFUSED, NULL, "newer: refused.\n" },
		{ NUMBER, "\n", EXIT_REFUSED, CONSENT_REFUSED, NULL, "newer: refused.\n" },
		{ NUMBER, "", EXIT_REFUSED, CONSENT_REFUSED, NULL, "newer: refused.\n" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		void *fresh = NULL;
		assert_int_equal(scene_up(&fresh), 0);
		struct scene *s = fresh;
		two_wait(s);
		assert_int_equal(approve(s, cases[i].way, 2, NULL, cases[i].typed), cases[i].status);
		SAID(s, "/other");
		SAID(s, "Asked for by ");
		SAID(s, "Start it? [y/N] ");
		SAID(s, cases[i].words);
		assert_null(strstr(s->said, "/data"));
		expect_answer(s, 1, cases[i].told, cases[i].channel);
		expect_answer(s, 0, CONSENT_UNKNOWN, NULL);
		assert_int_equal(scene_down(&fresh), 0);
	}
}

static void what_is_no_number_of_the_list_answers_nothing(void **state)
{
	static const struct {
		enum way way;
		uint64_t n;
		const char *typed;
		int status;
		const char *words;
	} cases[] = {
		{ CHOOSE, 0, "0\ny\n", EXIT_USAGE, "that is no number from 1 to 2; nothing was answered" },
		{ CHOOSE, 0, "3\ny\n", EXIT_USAGE, "that is no number from 1 to 2; nothing was answered" },
		{ CHOOSE, 0, "1x\ny\n", EXIT_USAGE, "that is no number from 1 to 2; nothing was answered" },
		{ CHOOSE, 0, "y\ny\n", EXIT_USAGE, "that is no number from 1 to 2; nothing was answered" },
		{ CHOOSE, 0, "1                                        \ny\n", EXIT_USAGE, "nothing was answered" },
		{ CHOOSE, 0, "", EXIT_OK, "Number to look at" },
		{ NUMBER, 0, "y\n", EXIT_FINDINGS, "there is no number 0: 1 to 2 wait; 'stockade approve' lists them" },
		{ NUMBER, 3, "y\n", EXIT_FINDINGS, "there is no number 3: 1 to 2 wait; 'stockade approve' lists them" },
	};
	struct scene *s = *state;

	two_wait(s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int status = approve(s, cases[i].way, cases[i].n, NULL, cases[i].typed);
		if (status != cases[i].status)
			fail_msg("case %zu: %d: %s", i, status, s->said);
		SAID(s, cases[i].words);
		expect_answer(s, 0, CONSENT_UNKNOWN, NULL);
		expect_answer(s, 1, CONSENT_UNKNOWN, NULL);
	}
}

static void all_are_shown_on_one_page_and_answered_together(void **state)
{
	for (int yes = 0; yes < 2; yes++) {
		void *fresh = NULL;
		assert_int_equal(scene_up(&fresh), 0);
		struct scene *s = fresh;
		two_wait(s);
		assert_int_equal(approve(s, ALL, 0, NULL, yes ? "y\n" : "\n"), yes ? EXIT_OK : EXIT_REFUSED);
		const char *older = strstr(s->said, "/data"), *newer = strstr(s->said, "/other");
		assert_true(older && newer && older < newer);
		SAID(s, "Start all 2 of them? [y/N] ");
		SAID(s, yes ? "older: approved.\nnewer: approved.\n" : "older: refused.\nnewer: refused.\n");
		for (size_t i = 0; i < 2; i++)
			expect_answer(s, i, yes ? CONSENT_APPROVED : CONSENT_REFUSED, yes ? "approve" : NULL);
		assert_int_equal(scene_down(&fresh), 0);
	}
}

/* A session asks about a call of "put". */
static struct asker *put_call(struct scene *s)
{
	const struct asker_list_args a = { &s->w->paths, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "notes", "editor" };
	struct asker_question q = { .id = 7, .tool = "put", .arguments = "{\"to\":\"everybody\"}", .rule = "a rule" };
	char digest[CANONICAL_DIGEST_HEX];
	struct asker *asker = NULL;
	struct diag d = { "" };

	assert_int_equal(call_digest(q.tool, q.arguments, digest), 0);
	q.digest = digest;
	if (asker_list_new(&a, &asker, &d) < 0 || asker->kind->ask(asker, &q, &d) < 0)
		fail_msg("%s", d.text);
	return asker;
}

/* To a call it is a yes for this once, never for the session; all of it is shown before. */
static void all_means_the_calls_that_wait_too(void **state)
{
	for (int yes = 0; yes < 2; yes++) {
		void *fresh = NULL;
		struct asker_answer got;
		assert_int_equal(scene_up(&fresh), 0);
		struct scene *s = fresh;
		struct asker *asker = put_call(s);
		wait_since(s, "older", "/data", "2026-01-01T00:00:00Z", false);
		assert_int_equal(asker->kind->take(asker, &got), 0);
		assert_int_equal(approve(s, ALL, 0, NULL, yes ? "y\n" : "n\n"), yes ? EXIT_OK : EXIT_REFUSED);
		SAID(s, "/data");
		SAID(s, "everybody");
		SAID(s, "a rule");
		SAID(s, "Yes to all 2 of them, to the calls this once? [y/N] ");
		SAID(s, yes ? "put: let through this once.\n" : "put: denied.\n");
		assert_int_equal(asker->kind->take(asker, &got), 1);
		assert_int_equal(got.id, 7);
		assert_int_equal(got.say, yes ? ASKER_ONCE : ASKER_NO);
		expect_answer(s, 0, yes ? CONSENT_APPROVED : CONSENT_REFUSED, yes ? "approve" : NULL);
		asker_free(asker);
		assert_int_equal(scene_down(&fresh), 0);
	}
	(void)state;
}

static void a_damaged_entry_is_marked_and_never_answered(void **state)
{
	struct scene *s = *state;
	char words[64];

	two_wait(s);
	damage(s, 0);
	snprintf(words, sizeof(words), "  1  %.16s (damaged)\n", s->e[0].digest);
	assert_int_equal(approve(s, CHOOSE, 0, NULL, "1\ny\n"), EXIT_REFUSED);
	SAID(s, words);
	SAID(s, "cannot be answered: ");
	SAID(s, "Let it time out and start it again");
	assert_null(strstr(s->said, "[y/N]"));
	assert_int_equal(approve(s, DIGEST, 0, s->e[0].digest, ""), EXIT_REFUSED);
	SAID(s, "cannot be answered: ");
	/* The good one is answered, and the status says that not all were. */
	assert_int_equal(approve(s, ALL, 0, NULL, "y\n"), EXIT_REFUSED);
	SAID(s, "Start it? [y/N] ");
	expect_answer(s, 0, CONSENT_UNKNOWN, NULL);
	expect_answer(s, 1, CONSENT_APPROVED, "approve");
	damage(s, 1);
	assert_int_equal(approve(s, ALL, 0, NULL, "y\n"), EXIT_REFUSED);
	assert_null(strstr(s->said, "[y/N]"));
}

static void a_digest_is_answered_without_a_question(void **state)
{
	struct scene *s = *state;
	char other[65];

	two_wait(s);
	memcpy(other, s->e[0].digest, sizeof(other));
	other[63] = other[63] == '0' ? '1' : '0';
	assert_int_equal(approve(s, DIGEST, 0, other, "y\n"), EXIT_REFUSED);
	SAID(s, "no launch with the digest ");
	SAID(s, "name the plan as well");
	assert_int_equal(approve(s, DIGEST, 0, s->e[0].digest, "n\n"), EXIT_OK);
	assert_string_equal(s->said, "older: approved.\n");
	expect_answer(s, 0, CONSENT_APPROVED, "digest");
	expect_answer(s, 1, CONSENT_UNKNOWN, NULL);
}

static void what_is_never_remembered_is_approved_for_one_start(void **state)
{
	struct scene *s = *state;

	wait_since(s, "once", "/data", "2026-01-01T00:00:00Z", true);
	assert_int_equal(approve(s, NUMBER, 1, NULL, "y\n"), EXIT_OK);
	SAID(s, "once: approved for this start; the next one asks again.\n");
	expect_answer(s, 0, CONSENT_APPROVED, NULL);
}

/* A yes that cannot be remembered must start nothing: nobody could find what was started. */
static void a_yes_that_cannot_be_remembered_starts_nothing(void **state)
{
	struct scene *s = *state;
	char path[256];

	wait_since(s, "x", "/data", "2026-01-01T00:00:00Z", false);
	snprintf(path, sizeof(path), "%s/approvals", s->w->paths.state);
	expect_answer(s, 0, CONSENT_UNKNOWN, NULL); /* makes the directories */
	assert_int_equal(rmdir(path), 0);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(approve(s, NUMBER, 1, NULL, "y\n"), EXIT_REFUSED);
	SAID(s, "approvals");
	assert_null(strstr(s->said, "approved."));
	assert_int_equal(pending_read_answer(&s->w->paths, &s->place[0], NULL), CONSENT_UNKNOWN);
}

static void the_list_for_programs_has_everything_and_asks_nothing(void **state)
{
	struct scene *s = *state;
	json_t *list;

	two_wait(s);
	wait_since(s, "third", "/third", "2026-01-01T00:00:02Z", false);
	damage(s, 2);
	assert_int_equal(approve(s, JSON, 0, NULL, "y\n"), EXIT_OK);
	assert_string_equal(s->said, "");
	list = json_loads(s->printed, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(list), 3);
	/* What is damaged has no time, and comes first. */
	assert_non_null(json_object_get(json_array_get(list, 0), "damaged"));
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "digest")), s->e[2].digest);
	for (size_t i = 1; i < 3; i++) {
		const json_t *o = json_array_get(list, i);
		assert_int_equal(json_integer_value(json_object_get(o, "number")), i + 1);
		assert_string_equal(json_string_value(json_object_get(o, "digest")), s->e[i - 1].digest);
		char when[OUTPUT_TIME_SIZE];
		assert_string_equal(json_string_value(json_object_get(o, "waiting_since")),
			output_time(1767225600 + (int64_t)i - 1, when));
		assert_true(json_integer_value(json_object_get(o, "seconds_waiting")) > 0);
		assert_int_equal(json_integer_value(json_object_get(o, "waiters")), 1);
		assert_string_equal(json_string_value(json_object_get(json_object_get(o, "question"), "command")),
			"node /srv/server.js");
	}
	json_decref(list);
	for (size_t i = 0; i < 3; i++)
		expect_answer(s, i, CONSENT_UNKNOWN, NULL);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scene_up, scene_down)
	const struct CMUnitTest tests[] = {
		CASE(where_nothing_waits_each_way_says_so),
		CASE(one_that_waits_is_asked_about_as_one),
		CASE(the_list_is_by_age_and_harmless_to_a_terminal),
		cmocka_unit_test(a_number_shows_its_question_and_takes_its_answer),
		CASE(what_is_no_number_of_the_list_answers_nothing),
		cmocka_unit_test(all_are_shown_on_one_page_and_answered_together),
		cmocka_unit_test(all_means_the_calls_that_wait_too),
		CASE(a_damaged_entry_is_marked_and_never_answered),
		CASE(a_digest_is_answered_without_a_question),
		CASE(what_is_never_remembered_is_approved_for_one_start),
		CASE(a_yes_that_cannot_be_remembered_starts_nothing),
		CASE(the_list_for_programs_has_everything_and_asks_nothing),
	};

	return cmocka_run_group_tests_name("the launches that wait", tests, NULL, NULL);
}
