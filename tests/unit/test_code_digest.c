/* SPDX-License-Identifier: Apache-2.0 */
/* test_code_digest - what changes a tree's digest, what does not, and what the cache may be trusted with */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/io.h"
#include "supervisor/code_digest.h"
#include "supervisor/signing/code_hold.h"

struct place {
	char base[64], tree[96], state[96];
	struct paths paths;
};

static void put(const struct place *p, const char *name, const char *text)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", p->tree, name);
	int fd = open(full, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	close(fd);
}

static int place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->base, sizeof(p->base), "/tmp/stockade-digest-XXXXXX");
	if (!mkdtemp(p->base))
		return -1;
	snprintf(p->tree, sizeof(p->tree), "%s/tree", p->base);
	snprintf(p->state, sizeof(p->state), "%s/state", p->base);
	mkdir(p->tree, 0755);
	mkdir(p->state, 0700);
	p->paths = (struct paths){ .uid = getuid(), .gid = getgid(), .state = p->state, .home = p->base };
	*state = p;
	put(p, "a.js", "one");
	put(p, "b.js", "two");
	return 0;
}

static int place_drop(void **state)
{
	struct place *p = *state;
	char command[128];

	snprintf(command, sizeof(command), "%s", p->base);
	char *argv[] = { (char[]){ "rm" }, (char[]){ "-rf" }, command, NULL };
	if (fork() == 0) {
		execv("/bin/rm", argv);
		_exit(127);
	}
	free(p);
	return 0;
}

static void digest(const struct place *p, char ret[CODE_DIGEST_HEX])
{
	struct diag d = { "" };

	if (code_digest_tree(&p->paths, p->tree, false, ret, &d) != 0)
		fail_msg("%s", d.text);
}

static void everything_that_can_change_what_runs_changes_the_digest(void **state)
{
	struct place *p = *state;
	char first[CODE_DIGEST_HEX], now[CODE_DIGEST_HEX], full[256], other[256];

	digest(p, first);
	digest(p, now);
	assert_string_equal(first, now);
	assert_int_equal(strlen(first), 64);

	put(p, "a.js", "onE");
	digest(p, now);
	assert_string_not_equal(first, now);
	put(p, "a.js", "one");
	digest(p, now);
	assert_string_equal(first, now);

	snprintf(full, sizeof(full), "%s/a.js", p->tree);
	chmod(full, 0755);
	digest(p, now);
	assert_string_not_equal(first, now);
	chmod(full, 0644);

	snprintf(other, sizeof(other), "%s/c.js", p->tree);
	assert_int_equal(rename(full, other), 0);
	digest(p, now);
	assert_string_not_equal(first, now);
	assert_int_equal(rename(other, full), 0);

	assert_int_equal(symlink("a.js", other), 0);
	digest(p, now);
	assert_string_not_equal(first, now);
	unlink(other);
	assert_int_equal(mkdir(other, 0755), 0);
	digest(p, now);
	assert_string_not_equal(first, now);
	rmdir(other);
	digest(p, now);
	assert_string_equal(first, now);
}

static void names_and_contents_cannot_be_shifted_into_one_another(void **state)
{
	struct place *p = *state;
	char first[CODE_DIGEST_HEX], now[CODE_DIGEST_HEX], full[256];

	put(p, "ab", "c");
	digest(p, first);
	snprintf(full, sizeof(full), "%s/ab", p->tree);
	unlink(full);
	put(p, "a", "bc");
	digest(p, now);
	assert_string_not_equal(first, now);
}

static void age(const struct place *p, const char *name, time_t seconds)
{
	char full[256];
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = seconds } };

	snprintf(full, sizeof(full), "%s/%s", p->tree, name);
	assert_int_equal(utimensat(AT_FDCWD, full, t, 0), 0);
}

/* ctime cannot be set back, so after a change the cache never answers for the file: with size and mtime the same, too.
 */
static void a_file_with_its_old_size_and_mtime_is_read_again(void **state)
{
	struct place *p = *state;
	char first[CODE_DIGEST_HEX], now[CODE_DIGEST_HEX];

	age(p, "a.js", 1000);
	sleep(CODE_SETTLE_S + 2);
	digest(p, first);
	put(p, "a.js", "ONE");
	age(p, "a.js", 1000);
	digest(p, now);
	assert_string_not_equal(first, now);
}

/* A page of a shared mapping that was stored to once can be stored to again without a trace in mtime and ctime. */
static void a_file_that_somebody_has_mapped_for_writing_is_read_each_time(void **state)
{
	struct place *p = *state;
	char first[CODE_DIGEST_HEX], now[CODE_DIGEST_HEX], full[256];

	snprintf(full, sizeof(full), "%s/a.js", p->tree);
	int fd = open(full, O_RDWR | O_CLOEXEC);
	char *m = mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(m != MAP_FAILED);
	close(fd);
	m[0] = 'o';
	sleep(CODE_SETTLE_S + 2);
	digest(p, first);
	m[0] = 'O';
	digest(p, now);
	assert_string_not_equal(first, now);
	munmap(m, 3);
}

static void a_settled_tree_is_answered_from_the_cache_and_a_damaged_cache_is_not_believed(void **state)
{
	struct place *p = *state;
	char first[CODE_DIGEST_HEX], now[CODE_DIGEST_HEX], full[512], bytes[1024];
	struct stat st;

	sleep(CODE_SETTLE_S + 2);
	digest(p, first);
	assert_int_equal(stat(p->tree, &st), 0);
	snprintf(full, sizeof(full), "%s/digests/%llx-%llx", p->state, (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino);
	int fd = open(full, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t n = read(fd, bytes, sizeof(bytes));
	assert_int_equal(n, 16 + 32 + 2 * 88);
	/* Unreadable now: only the cache can answer, and does. */
	bytes[n - 1] ^= 1;
	assert_int_equal(pwrite(fd, bytes, (size_t)n, 0), n);
	digest(p, now);
	assert_string_equal(first, now);
	close(fd);
}

static void what_root_alone_can_write_is_told_from_what_a_user_can(void **state)
{
	struct place *p = *state;
	struct diag d;
	bool only = false;

	assert_int_equal(code_is_root_only("/usr/bin/env", &only, NULL, &d), 0);
	assert_true(only);
	assert_int_equal(code_is_root_only("/usr/lib/os-release", &only, NULL, &d), 0);
	assert_true(only);
	/* Below /tmp, which everyone can write. */
	assert_int_equal(code_is_root_only(p->tree, &only, NULL, &d), 0);
	assert_false(only);
}

static void git(const struct place *p, const char *where)
{
	static const char *const parts[] = { "", "/objects", "/hooks" };
	char full[256];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		snprintf(full, sizeof(full), "%s/%s%s", p->tree, where, parts[i]);
		assert_int_equal(mkdir(full, 0755), 0);
	}
	snprintf(full, sizeof(full), "%s/HEAD", where);
	put(p, full, "ref: refs/heads/main\n");
}

static void a_commit_does_not_change_the_digest_and_what_is_committed_does(void **state)
{
	struct place *p = *state;
	char before[CODE_DIGEST_HEX], after[CODE_DIGEST_HEX];
	char dir[256];

	git(p, ".git");
	snprintf(dir, sizeof(dir), "%s/sub", p->tree);
	assert_int_equal(mkdir(dir, 0755), 0);
	git(p, "sub/.git");
	digest(p, before);
	put(p, ".git/HEAD", "ref: refs/heads/other\n");
	put(p, ".git/objects/pack", "x");
	put(p, "sub/.git/index", "x");
	digest(p, after);
	assert_string_equal(before, after);
	put(p, "sub/c.js", "x");
	digest(p, after);
	assert_string_not_equal(before, after);
}

static void what_is_only_called_git_is_code(void **state)
{
	struct place *p = *state;
	char before[CODE_DIGEST_HEX], after[CODE_DIGEST_HEX];
	char dir[256];

	snprintf(dir, sizeof(dir), "%s/.git", p->tree);
	assert_int_equal(mkdir(dir, 0755), 0);
	put(p, ".git/x.js", "one");
	digest(p, before);
	put(p, ".git/x.js", "two");
	digest(p, after);
	assert_string_not_equal(before, after);
}

static void where_a_link_leads_into_git_it_is_code(void **state)
{
	static const char *const texts[] = { ".git/hooks", "%s/.git", "../alias/x.js", "%s/../alias" };
	struct place *p = *state;
	char link[256], alias[256], dir[256];

	git(p, ".git");
	snprintf(alias, sizeof(alias), "%s/alias", p->base);
	snprintf(dir, sizeof(dir), "%s/.git", p->tree);
	assert_int_equal(symlink(dir, alias), 0);
	snprintf(link, sizeof(link), "%s/lib", p->tree);
	put(p, ".git/x.js", "one");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char before[CODE_DIGEST_HEX], after[CODE_DIGEST_HEX], text[256];
		const char *percent = strstr(texts[i], "%s");
		snprintf(text, sizeof(text), "%s%s", percent ? p->tree : "", percent ? texts[i] + 2 : texts[i]);
		assert_int_equal(symlink(text, link), 0);
		digest(p, before);
		put(p, ".git/x.js", i % 2 ? "one" : "two");
		digest(p, after);
		if (strcmp(before, after) == 0)
			fail_msg("%s", text);
		assert_int_equal(unlink(link), 0);
	}
}

/* A launch in which root answers for the code. */
static void held(struct place *p, struct effective *e, struct plan_mount *m, struct code_tree *t)
{
	struct stat st;

	assert_int_equal(lstat(p->tree, &st), 0);
	*m = (struct plan_mount){
		.kind = PLAN_BIND, .source = p->tree, .target = p->tree, .dev = st.st_dev, .ino = st.st_ino
	};
	*t = (struct code_tree){ .path = p->tree };
	*e = (struct effective){ .policy = { .file = (char[]){ "policy.json" }, .consent = { .by = CONSENT_BY_ADMIN } },
		.plan = { .mounts = m, .n_mounts = 1 },
		.cmd = { .trees = t, .n_trees = 1 } };
}

static void what_others_answer_for_starts_as_it_was_looked_at_or_not_at_all(void **state)
{
	struct place *p = *state;
	struct effective e;
	struct plan_mount m;
	struct code_tree t;
	char full[256], other[256];
	struct diag d = { "" };

	held(p, &e, &m, &t);
	assert_int_equal(code_hold(&e, &d), 0);
	assert_int_equal(code_held(&e, &d), 0);
	usleep(20000); /* a tick of the file system's clock */
	/* in place, with the same length */
	put(p, "a.js", "onE");
	assert_int_equal(code_held(&e, &d), -ESTALE);
	assert_non_null(strstr(d.text, "was changed while it was looked at"));
	/* by another file, and by itself after it was away */
	assert_int_equal(code_hold(&e, &d), 0);
	snprintf(full, sizeof(full), "%s/a.js", p->tree);
	snprintf(other, sizeof(other), "%s/b.js", p->tree);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(renameat2(AT_FDCWD, full, AT_FDCWD, other, RENAME_EXCHANGE), 0);
		assert_int_equal(code_held(&e, &d), -ESTALE);
	}
	/* the tree itself is another than the one that is mounted */
	m.ino++;
	assert_int_equal(code_hold(&e, &d), -ESTALE);
	free(t.stamp);
	/* where the user answers for it alone, nothing is looked at */
	held(p, &e, &m, &t);
	e.policy.consent.by = CONSENT_BY_ASK;
	m.ino++;
	assert_int_equal(code_hold(&e, &d), 0);
	put(p, "a.js", "two");
	assert_int_equal(code_held(&e, &d), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			everything_that_can_change_what_runs_changes_the_digest, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			names_and_contents_cannot_be_shifted_into_one_another, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			a_file_with_its_old_size_and_mtime_is_read_again, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			a_file_that_somebody_has_mapped_for_writing_is_read_each_time, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			a_settled_tree_is_answered_from_the_cache_and_a_damaged_cache_is_not_believed, place_make,
			place_drop),
		cmocka_unit_test_setup_teardown(
			a_commit_does_not_change_the_digest_and_what_is_committed_does, place_make, place_drop),
		cmocka_unit_test_setup_teardown(what_is_only_called_git_is_code, place_make, place_drop),
		cmocka_unit_test_setup_teardown(where_a_link_leads_into_git_it_is_code, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			what_root_alone_can_write_is_told_from_what_a_user_can, place_make, place_drop),
		cmocka_unit_test_setup_teardown(
			what_others_answer_for_starts_as_it_was_looked_at_or_not_at_all, place_make, place_drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
