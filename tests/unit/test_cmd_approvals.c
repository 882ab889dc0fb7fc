/* SPDX-License-Identifier: Apache-2.0 */
/* test_cmd_approvals - what was approved is listed with how, a damaged file is a finding, and one alone is revoked */
#include "tests/unit/captured.h"
#include "supervisor/commands.h"
#include "supervisor/consent.h"
#include "supervisor/exit.h"
#include "tests/unit/consent_world.h"

enum { SAID_MAX = 4096 };

/* Must be that of struct approvals_options. */
struct options {
	bool json;
};

struct said {
	char out[SAID_MAX], err[SAID_MAX];
};

/* word NULL: the list. */
static int run(const struct command_row *row, const char *word, bool json, struct said *ret)
{
	struct options o = { .json = json };
	struct command_ctx ctx = { .row = row, .options = &o };
	struct captured out, err;
	int status;

	assert_int_equal(cmd_approvals.options_size, sizeof(o));
	if (word)
		assert_int_equal(strv_add(&ctx.args, word), 0);
	err = capture(stderr);
	out = capture(stdout);
	status = row->run(&ctx);
	captured_read(&out, ret->out, SAID_MAX);
	captured_read(&err, ret->err, SAID_MAX);
	strv_done(&ctx.args);
	return status;
}

/* The digest is left there. */
static void approve(const struct world *w, const char *name, const char *reads, char digest[65])
{
	struct diag d = { "" };
	struct effective e;

	make_launch(&e, name, reads);
	if (consent_remember(&w->paths, &e, "terminal", &w->lineage, &d) < 0)
		fail_msg("%s", d.text);
	memcpy(digest, e.digest, 65);
	launch_done(&e);
}

static void damage(const struct world *w, const char *digest)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/approvals/%s.json", w->paths.state, digest);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("{", f);
	fclose(f);
}

static void where_nothing_is_approved_it_says_so(void **state)
{
	struct said s;

	(void)state;
	assert_int_equal(run(&cmd_approvals, NULL, false, &s), EXIT_OK);
	assert_string_equal(s.out, "Nothing is approved.\n");
	assert_int_equal(run(&cmd_approvals, NULL, true, &s), EXIT_OK);
	assert_string_equal(s.out, "[]\n");
}

static void an_approval_is_listed_with_who_gave_it_and_how(void **state)
{
	const struct world *w = *state;
	char digest[65], expected[256];
	struct said s;

	approve(w, "no\033tes", "/data", digest);
	assert_int_equal(run(&cmd_approvals, NULL, false, &s), EXIT_OK);
	assert_memory_equal(s.out, digest, 16);
	assert_non_null(strstr(s.out, "Z  no\\x1btes\n    for       /srv/server.js\n"));
	snprintf(expected, sizeof(expected), "\n    by        %s\n    through   terminal\n    from      ",
		w->paths.user);
	assert_non_null(strstr(s.out, expected));
	assert_string_equal(s.err, "");
}

static void the_object_of_an_approval_holds_all_of_it(void **state)
{
	const struct world *w = *state;
	char digest[65];
	struct said s;
	const json_t *o;
	json_t *list;

	approve(w, "notes", "/data", digest);
	assert_int_equal(run(&cmd_approvals, NULL, true, &s), EXIT_OK);
	list = json_loads(s.out, JSON_REJECT_DUPLICATES, NULL);
	o = json_array_get(list, 0);
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(o, "digest")), digest);
	assert_memory_equal(json_string_value(json_object_get(o, "id")), digest, 16);
	assert_string_equal(json_string_value(json_object_get(o, "name")), "notes");
	assert_string_equal(json_string_value(json_object_get(o, "subject")), "/srv/server.js");
	assert_string_equal(json_string_value(json_object_get(o, "user")), w->paths.user);
	assert_string_equal(json_string_value(json_object_get(o, "channel")), "terminal");
	assert_non_null(strstr(json_string_value(json_object_get(o, "lineage")), "pid "));
	assert_int_equal(strlen(json_string_value(json_object_get(o, "when"))), strlen("2026-01-01T00:00:00Z"));
	json_decref(list);
}

static void a_damaged_file_is_listed_as_such_and_is_a_finding(void **state)
{
	const struct world *w = *state;
	char good[65], bad[65], line[128];
	const json_t *o = NULL, *each;
	struct said s;
	json_t *list;
	size_t i;

	approve(w, "good", "/data", good);
	approve(w, "bad", "/data", bad);
	damage(w, bad);
	assert_int_equal(run(&cmd_approvals, NULL, false, &s), EXIT_FINDINGS);
	snprintf(line, sizeof(line), "%.16s  damaged: approves nothing\n    why       ", bad);
	assert_non_null(strstr(s.out, line));
	assert_non_null(strstr(s.out, "  good\n"));
	assert_int_equal(run(&cmd_approvals, NULL, true, &s), EXIT_FINDINGS);
	list = json_loads(s.out, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_array_size(list), 2);
	json_array_foreach(list, i, each) o = json_object_get(each, "damaged") ? each : o;
	assert_string_equal(json_string_value(json_object_get(o, "digest")), bad);
	assert_null(json_object_get(o, "name"));
	json_decref(list);
}

static void approvals_that_cannot_be_read_are_a_refusal(void **state)
{
	const struct world *w = *state;
	char digest[65], path[256];
	struct said s;

	approve(w, "notes", "/data", digest);
	snprintf(path, sizeof(path), "%s/approvals", w->paths.state);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(run(&cmd_approvals, NULL, false, &s), EXIT_REFUSED);
	assert_string_equal(s.out, "");
	assert_memory_equal(s.err, "stockade: ", 10);
	assert_int_equal(run(&cmd_approvals_revoke, digest, false, &s), EXIT_REFUSED);
}

static void one_is_revoked_by_its_id_and_no_other(void **state)
{
	const struct world *w = *state;
	char first[65], second[65], id[17], expected[256];
	struct approval a = { 0 };
	struct said s;

	approve(w, "one\033", "/data", first);
	approve(w, "two", "/other", second);
	snprintf(id, sizeof(id), "%.16s", first);
	assert_int_equal(run(&cmd_approvals_revoke, id, false, &s), EXIT_OK);
	snprintf(expected, sizeof(expected),
		"Revoked %s (one\\x1b). Servers that run already go on running; the next start asks.\n", id);
	assert_string_equal(s.out, expected);
	assert_int_equal(consent_lookup(&w->paths, first, &a, NULL), CONSENT_UNKNOWN);
	approval_done(&a);
	assert_int_equal(consent_lookup(&w->paths, second, &a, NULL), CONSENT_APPROVED);
	approval_done(&a);
}

static void what_is_not_there_is_a_finding(void **state)
{
	const struct world *w = *state;
	char digest[65];
	struct said s;

	approve(w, "notes", "/data", digest);
	assert_int_equal(run(&cmd_approvals_revoke, "0000000000000000", false, &s), EXIT_FINDINGS);
	assert_memory_equal(s.err, "stockade: ", 10);
	assert_non_null(strstr(s.err, "0000000000000000"));
	assert_string_equal(s.out, "");
}

static void a_damaged_one_can_be_revoked(void **state)
{
	const struct world *w = *state;
	char digest[65];
	struct said s;

	approve(w, "notes", "/data", digest);
	damage(w, digest);
	assert_int_equal(run(&cmd_approvals_revoke, digest, false, &s), EXIT_OK);
	assert_non_null(strstr(s.out, " (damaged). "));
	assert_int_equal(run(&cmd_approvals, NULL, false, &s), EXIT_OK);
	assert_string_equal(s.out, "Nothing is approved.\n");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)
	const struct CMUnitTest tests[] = {
		T(where_nothing_is_approved_it_says_so),
		T(an_approval_is_listed_with_who_gave_it_and_how),
		T(the_object_of_an_approval_holds_all_of_it),
		T(a_damaged_file_is_listed_as_such_and_is_a_finding),
		T(approvals_that_cannot_be_read_are_a_refusal),
		T(one_is_revoked_by_its_id_and_no_other),
		T(what_is_not_there_is_a_finding),
		T(a_damaged_one_can_be_revoked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
