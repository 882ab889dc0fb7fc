/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_prune - old logs go whole, the index says which, and verify accepts these and no others */
#include "tests/unit/audit_unit.h"

#include "audit/log_key.h"
#include "audit/prune.h"
#include "supervisor/log/log_prune.h"

enum { DAY = 24 * 3600 };

static struct log_key key_of(const struct log_dir *l)
{
	struct log_key k;
	struct diag d = { "" };

	if (log_key_take(l->fd, &k, &d) < 0)
		fail_msg("%s", d.text);
	return k;
}

static void closed_session(const struct log_dir *l, const struct log_key *k, const char *delete_after)
{
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct audit *a = NULL;
	struct diag d = { "" };

	audit_new_session_id(session);
	struct audit_identity id = {
		.session = session, .user = "alice", .server = "github", .delete_after = delete_after
	};
	if (audit_open(&(struct audit_options){ .dirfd = l->fd, .key = k }, &id, &a, &d) < 0)
		fail_msg("%s", d.text);
	session_call(a, "x");
	session_close(a);
}

static void count(void *of, const struct pruned *p)
{
	unsigned *n = of;

	assert_int_equal(strlen(p->session), AUDIT_SESSION_ID_LEN);
	assert_non_null(strstr(p->file, p->session));
	assert_true(p->records > 0 && p->bytes > 0 && *p->why);
	++*n;
}

static unsigned prune(
	const struct log_dir *l, const struct prune_rules *rules, const struct log_key *k, uint64_t after_s)
{
	unsigned n = 0;
	const struct prune_teller teller = { count, &n };
	struct diag d = { "" };

	if (audit_prune(l->fd, rules, k, io_wall_us() / 1000000 + after_s, &teller, &d) < 0)
		fail_msg("%s", d.text);
	return n;
}

static unsigned count_files(const struct log_dir *l)
{
	char name[256];
	unsigned n = 0;

	while (session_file(l, n, name))
		n++;
	return n;
}

/* With the key, as who has it checks it. */
static int verified(const struct log_dir *l, char **ret_text)
{
	_cleanup_log_keys_ struct log_keys keys = { 0 };
	struct diag d = { "" };
	size_t n = 0;
	FILE *out = open_memstream(ret_text, &n);

	assert_int_equal(log_keys_own(&keys, l->fd, &d), 0);
	int r = audit_verify(
		l->fd, &(struct audit_verify_options){ .read_only = true, .keys = &keys, .demand = true }, out, &d);
	fclose(out);
	return r;
}

static void what_its_profile_says_comes_before_the_rule_for_all(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	const struct prune_rules rules = { .older_s = 30 * DAY, .older_where = "--older 30d", .profiles = true };
	_cleanup_free_ char *text = NULL;

	closed_session(l, &k, "7d");
	closed_session(l, &k, "90d");
	closed_session(l, &k, "");
	assert_int_equal(prune(l, &rules, &k, 6 * DAY), 0);
	assert_int_equal(prune(l, &rules, &k, 8 * DAY), 1);
	assert_int_equal(prune(l, &rules, &k, 31 * DAY), 1);
	assert_int_equal(count_files(l), 1);
	assert_int_equal(verified(l, &text), AUDIT_WHOLE);
	assert_non_null(strstr(text, "removed: 2 sessions"));
	_cleanup_buf_ struct buf index;
	file_read(l, INDEX_FILE, &index);
	assert_non_null(strstr(index.data, "\"status\":\"age: its profile says 7d\""));
	assert_non_null(strstr(index.data, "\"status\":\"age: --older 30d\""));
}

static void what_a_session_says_itself_has_nothing_removed_that_the_policy_keeps(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	const struct policy policy = { .audit = { .older_s = 30 * DAY, .older_where = (char[]){ "policy.json:2" } } };
	const struct prune_rules rules = log_prune_rules(&policy, false);

	closed_session(l, &k, "1s");
	closed_session(l, &k, "90d");
	assert_int_equal(prune(l, &rules, &k, 29 * DAY), 0);
	assert_int_equal(prune(l, &rules, &k, 31 * DAY), 1);
	assert_int_equal(prune(l, &rules, &k, 91 * DAY), 1);
}

/* A record's word of its own end is its sender's: neither a shorter age counts nor a longer one. */
static void what_a_sender_says_of_its_records_end_is_no_rule_of_the_collectors(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	const struct policy none = { 0 };
	const struct policy policy = { .audit = { .older_s = 30 * DAY, .older_where = (char[]){ "policy.json:2" } } };
	struct prune_rules rules = log_prune_rules(&none, true);

	closed_session(l, &k, "1s");
	closed_session(l, &k, "90d");
	closed_session(l, &k, "");
	assert_int_equal(prune(l, &rules, &k, 1000 * DAY), 0);
	rules = log_prune_rules(&policy, true);
	assert_int_equal(prune(l, &rules, &k, 29 * DAY), 0);
	assert_int_equal(prune(l, &rules, &k, 31 * DAY), 3);
}

static void the_oldest_go_until_the_rest_is_small_enough(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	struct prune_rules rules = { .size = 1, .size_where = "--size 1", .dry = true };
	char first[256];
	struct stat st;

	for (unsigned i = 0; i < 4; i++)
		closed_session(l, &k, "");
	assert_true(session_file(l, 0, first));
	assert_int_equal(fstatat(l->fd, first, &st, 0), 0);
	assert_int_equal(prune(l, &rules, &k, 0), 4);
	assert_int_equal(count_files(l), 4);
	rules.dry = false;
	rules.size = (uint64_t)st.st_size * 5 / 2;
	assert_int_equal(prune(l, &rules, &k, 0), 2);
	_cleanup_free_ char *text = NULL;
	assert_int_equal(verified(l, &text), AUDIT_WHOLE);
}

static void sessions_that_run_or_were_killed_stay(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	struct audit *running = session_open(l, "github", 0);
	const struct prune_rules rules = { .older_s = 1, .older_where = "--older 1s" };

	audit_free(session_open(l, "killed", 0));
	assert_int_equal(prune(l, &rules, &k, 100 * DAY), 0);
	assert_int_equal(count_files(l), 2);
	session_close(running);
}

static void a_file_that_is_gone_without_its_drop_is_damage(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	const struct prune_rules rules = { .older_s = 1, .older_where = "--older 1s" };
	_cleanup_free_ char *text = NULL;
	char name[256];

	closed_session(l, &k, "");
	assert_int_equal(prune(l, &rules, &k, DAY), 1);
	closed_session(l, &k, "");
	assert_true(session_file(l, 0, name));
	assert_int_equal(unlinkat(l->fd, name, 0), 0);
	assert_int_equal(verified(l, &text), AUDIT_DAMAGED);
	assert_non_null(strstr(text, "missing file"));
	assert_non_null(strstr(text, "1 finding in"));
}

static void a_drop_that_nobody_signed_is_none(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	const struct prune_rules rules = { .older_s = 1, .older_where = "--older 1s" };
	_cleanup_free_ char *text = NULL;

	closed_session(l, &k, "");
	assert_int_equal(prune(l, &rules, NULL, DAY), 1);
	assert_int_equal(verified(l, &text), AUDIT_DAMAGED);
	assert_non_null(strstr(text, "it has no signature, and records before it have"));
}

/* Killed between the two: the index tells of it, and the file is there. */
static void a_removal_that_was_interrupted_is_a_note_and_is_completed(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	const struct prune_rules rules = { .older_s = 1, .older_where = "--older 1s" };
	char name[256];

	closed_session(l, &k, "");
	assert_true(session_file(l, 0, name));
	assert_int_equal(linkat(l->fd, name, l->fd, "kept", 0), 0);
	assert_int_equal(prune(l, &rules, &k, DAY), 1);
	assert_int_equal(renameat(l->fd, "kept", l->fd, name), 0);
	_cleanup_free_ char *text = NULL, *after = NULL;
	assert_int_equal(verified(l, &text), AUDIT_WHOLE);
	assert_non_null(strstr(text, "note: not removed"));
	assert_int_equal(prune(l, &rules, &k, DAY), 1);
	assert_int_equal(verified(l, &after), AUDIT_WHOLE);
	assert_null(strstr(after, "not removed"));
	assert_int_equal(count_files(l), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, log_dir_setup, log_dir_teardown)
		T(what_its_profile_says_comes_before_the_rule_for_all),
		T(what_a_sender_says_of_its_records_end_is_no_rule_of_the_collectors),
		T(what_a_session_says_itself_has_nothing_removed_that_the_policy_keeps),
		T(the_oldest_go_until_the_rest_is_small_enough),
		T(sessions_that_run_or_were_killed_stay),
		T(a_file_that_is_gone_without_its_drop_is_damage),
		T(a_drop_that_nobody_signed_is_none),
		T(a_removal_that_was_interrupted_is_a_note_and_is_completed),
#undef T
	};

	return cmocka_run_group_tests_name("audit_prune", tests, NULL, NULL);
}
