/* SPDX-License-Identifier: Apache-2.0 */
/* test_plans - plans that must be refused, stage by stage, and what each kind of mount does */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/io.h"
#include "tests/enter/launch.h"
#include "wire/fds.h"

enum { PATH_BYTES = 512 };

static void set(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
}

static void write_text(const char *dir, const char *name, const char *text, mode_t mode)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void make_dir(const char *dir, const char *name)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(path, 0777), 0);
	assert_int_equal(chmod(path, 0777), 0);
}

static void no_root(struct plan *p, const char *s)
{
	p->uid = 0;
}
static void another_user(struct plan *p, const char *s)
{
	p->drop_root = !p->drop_root;
}
static void whole_root(struct plan *p, const char *s)
{
	launch_add(p, launch_bind("/", "/host", 0));
}
static void other_inode(struct plan *p, const char *s)
{
	struct plan_mount m = launch_bind(s, "/x", 0);
	m.ino++;
	launch_add(p, m);
}
static void other_device(struct plan *p, const char *s)
{
	struct plan_mount m = launch_bind(s, "/x", 0);
	m.dev++;
	launch_add(p, m);
}
static void other_type(struct plan *p, const char *s)
{
	struct plan_mount m = launch_bind(s, "/x", 0);
	m.type = S_IFREG;
	launch_add(p, m);
}
static void source_is_link(struct plan *p, const char *s)
{
	char link[PATH_BYTES];
	snprintf(link, sizeof(link), "%s/link", s);
	assert_int_equal(symlink("/usr", link), 0);
	launch_add(p, launch_bind(link, "/x", 0));
}
static void source_through_link(struct plan *p, const char *s)
{
	char link[PATH_BYTES];
	snprintf(link, sizeof(link), "%s/link", s);
	assert_int_equal(symlink("/usr", link), 0);
	strcat(link, "/bin");
	launch_add(p, launch_bind(link, "/x", 0));
}
static void source_vanished(struct plan *p, const char *s)
{
	struct plan_mount m = launch_bind(s, "/x", 0);
	m.source = TEXT("/nonexistent/path");
	launch_add(p, m);
}
static void target_missing_in_grant(struct plan *p, const char *s)
{
	launch_add(p, launch_bind("/usr", "/scratch/not/there", 0));
}
static void target_is_link_in_grant(struct plan *p, const char *s)
{
	char link[PATH_BYTES];
	snprintf(link, sizeof(link), "%s/link", s);
	assert_int_equal(symlink("/tmp", link), 0);
	launch_add(p, launch_bind("/usr", "/scratch/link", 0));
}
static void target_has_dots(struct plan *p, const char *s)
{
	launch_add(p, (struct plan_mount){ .kind = PLAN_SYMLINK, .target = TEXT("/usr/.."), .content = TEXT("x") });
}
static void link_into_grant(struct plan *p, const char *s)
{
	launch_add(p,
		(struct plan_mount){ .kind = PLAN_SYMLINK, .target = TEXT("/scratch/new"), .content = TEXT("/etc") });
}
static void mask_of_nothing(struct plan *p, const char *s)
{
	launch_add(p, (struct plan_mount){ .kind = PLAN_MASK, .target = TEXT("/scratch/none") });
}
static void tmpfs_without_size(struct plan *p, const char *s)
{
	launch_add(p, (struct plan_mount){ .kind = PLAN_TMPFS, .target = TEXT("/x"), .mode = 0755 });
}
static void second_proc(struct plan *p, const char *s)
{
	launch_add(p, (struct plan_mount){ .kind = PLAN_PROC, .target = TEXT("/proc") });
}
static void no_mounts(struct plan *p, const char *s)
{
	p->n_mounts = 0;
}
static void unknown_filter(struct plan *p, const char *s)
{
	set(&p->seccomp, "none");
}
static void cwd_missing(struct plan *p, const char *s)
{
	set(&p->cwd, "/nowhere");
}
static void exec_missing(struct plan *p, const char *s)
{
	set(&p->exec_path, "/usr/bin/no-such-program");
}
static void exec_not_executable(struct plan *p, const char *s)
{
	write_text(s, "data", "#!/bin/sh\n", 0644);
	set(&p->exec_path, "/scratch/data");
}
static void exec_not_a_program(struct plan *p, const char *s)
{
	write_text(s, "junk", "\177junk", 0755);
	set(&p->exec_path, "/scratch/junk");
}
static void exec_on_noexec(struct plan *p, const char *s)
{
	launch_add(p, launch_bind("/usr/bin", "/noexec", PLAN_NOEXEC));
	set(&p->exec_path, "/noexec/true");
}
static void no_limits(struct plan *p, const char *s)
{
	p->limits.processes = 0;
}

static const struct {
	const char *name;
	void (*spoil)(struct plan *p, const char *scratch);
	enum enter_stage stage;
	int error;
} refusals[] = {
	{ "uid 0", no_root, ENTER_STAGE_PLAN, EPROTO },
	{ "another user's plan", another_user, ENTER_STAGE_PRIVILEGE, EPERM },
	{ "bind of /", whole_root, ENTER_STAGE_PLAN, EINVAL },
	{ "other inode", other_inode, ENTER_STAGE_SOURCES, ESTALE },
	{ "other device", other_device, ENTER_STAGE_SOURCES, ESTALE },
	{ "other type", other_type, ENTER_STAGE_SOURCES, ESTALE },
	{ "source is a link", source_is_link, ENTER_STAGE_SOURCES, ELOOP },
	{ "source through a link", source_through_link, ENTER_STAGE_SOURCES, ELOOP },
	{ "source vanished", source_vanished, ENTER_STAGE_SOURCES, ENOENT },
	{ "target missing in a grant", target_missing_in_grant, ENTER_STAGE_MOUNTS, ENOENT },
	{ "target is a link in a grant", target_is_link_in_grant, ENTER_STAGE_MOUNTS, ELOOP },
	{ "target with dots", target_has_dots, ENTER_STAGE_MOUNTS, EINVAL },
	{ "link into a grant", link_into_grant, ENTER_STAGE_MOUNTS, EXDEV },
	{ "mask of nothing", mask_of_nothing, ENTER_STAGE_MOUNTS, ENOENT },
	{ "tmpfs without a size", tmpfs_without_size, ENTER_STAGE_PLAN, EINVAL },
	{ "a second /proc", second_proc, ENTER_STAGE_PLAN, EINVAL },
	{ "no mounts", no_mounts, ENTER_STAGE_PLAN, EINVAL },
	{ "no process limit", no_limits, ENTER_STAGE_PLAN, EINVAL },
	{ "unknown filter", unknown_filter, ENTER_STAGE_SECCOMP, EINVAL },
	{ "missing cwd", cwd_missing, ENTER_STAGE_CWD, ENOENT },
	{ "missing program", exec_missing, ENTER_STAGE_EXEC, ENOENT },
	{ "program without x", exec_not_executable, ENTER_STAGE_EXEC, EACCES },
	{ "junk as program", exec_not_a_program, ENTER_STAGE_EXEC, ENOEXEC },
	{ "program on noexec", exec_on_noexec, ENTER_STAGE_EXEC, EACCES },
};

static void each_bad_plan_is_refused_at_its_stage_with_its_errno(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		_cleanup_scratch_ char *scratch = launch_scratch();
		_cleanup_plan_ struct plan p = { 0 };
		_cleanup_launch_ struct launch l = { 0 };
		const struct report *failed;
		size_t kept;

		launch_plan(&p, PROBE_BINARY, scratch);
		kept = p.n_mounts;
		refusals[i].spoil(&p, scratch);
		launch_start(&l, &p, NULL);
		launch_finish(&l);
		failed = launch_find(&l, REPORT_FAILED);
		if (!failed || failed->stage != refusals[i].stage || failed->error != refusals[i].error)
			fail_msg("%s: %s, %s (%s)", refusals[i].name,
				failed ? enter_stage_name(failed->stage) : "no report",
				failed ? strerror(failed->error) : "", failed ? failed->detail : "");
		assert_null(launch_find(&l, REPORT_RUNNING));
		if (kept > p.n_mounts)
			p.n_mounts = kept;
	}
}

static void refused_mount_creates_nothing_in_the_grant(void **state)
{
	_cleanup_scratch_ char *scratch = launch_scratch();
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	char path[PATH_BYTES];

	launch_plan(&p, PROBE_BINARY, scratch);
	target_missing_in_grant(&p, scratch);
	launch_start(&l, &p, NULL);
	launch_finish(&l);
	assert_non_null(launch_find(&l, REPORT_FAILED));
	snprintf(path, sizeof(path), "%s/not", scratch);
	assert_int_equal(access(path, F_OK), -1);
}

static void unsealed_plan(void)
{
	int fd = memfd_create("plan", 0);

	if (fd < 0 || ftruncate(fd, 100) < 0 || dup2(fd, ENTER_FD_PLAN) < 0)
		_exit(97);
}

static void garbage_plan(void)
{
	int fd = -1;

	if (io_memfd_sealed("plan", "not a plan", 10, &fd) < 0 || dup2(fd, ENTER_FD_PLAN) < 0)
		_exit(97);
}

static void plan_that_is_not_sealed_or_not_a_plan_is_refused(void **state)
{
	void (*const prepare[])(void) = { unsealed_plan, garbage_plan };
	static const int errors[] = { EPERM, EPROTO };

	for (size_t i = 0; i < ARRAY_LEN(prepare); i++) {
		_cleanup_plan_ struct plan p = { 0 };
		_cleanup_launch_ struct launch l = { 0 };
		launch_plan(&p, PROBE_BINARY, NULL);
		launch_start(&l, &p, prepare[i]);
		launch_finish(&l);
		assert_non_null(launch_find(&l, REPORT_FAILED));
		assert_int_equal(launch_find(&l, REPORT_FAILED)->stage, ENTER_STAGE_PLAN);
		assert_int_equal(launch_find(&l, REPORT_FAILED)->error, errors[i]);
	}
}

static void write_map(const char *file, unsigned id)
{
	char text[64];
	int fd = open(file, O_WRONLY | O_CLOEXEC), n = snprintf(text, sizeof(text), "%u %u 1", id, id);

	if (fd < 0 || write(fd, text, (size_t)n) != n)
		_exit(97);
	close(fd);
}

/* In a mount namespace of its own, which takes a user namespace for whoever is not root. */
static void own_mounts(void)
{
	unsigned uid = getuid(), gid = getgid();
	int deny;

	if (unshare(uid == 0 ? CLONE_NEWNS : CLONE_NEWNS | CLONE_NEWUSER) < 0)
		_exit(97);
	if (uid != 0) {
		deny = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
		if (deny < 0 || write(deny, "deny", 4) != 4)
			_exit(97);
		close(deny);
		write_map("/proc/self/uid_map", uid);
		write_map("/proc/self/gid_map", gid);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		_exit(97);
}

static void zero_for_null(void)
{
	own_mounts();
	if (mount("/dev/zero", "/dev/null", NULL, MS_BIND, NULL) < 0)
		_exit(97);
}

static void file_for_null(void)
{
	own_mounts();
	if (mount("/etc/passwd", "/dev/null", NULL, MS_BIND, NULL) < 0)
		_exit(97);
}

/* CVE-2025-31133 is such a thing in another launcher: what it took for /dev/null was writable, and somewhere else. */
static void another_device_in_the_place_of_one_is_refused_and_the_true_one_is_not(void **state)
{
	static const struct {
		void (*prepare)(void);
		bool refused;
	} rows[] = { { own_mounts, false }, { zero_for_null, true }, { file_for_null, true } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		_cleanup_plan_ struct plan p = { 0 };
		_cleanup_launch_ struct launch l = { 0 };
		const struct report *failed;
		launch_plan(&p, PROBE_BINARY, NULL);
		launch_start(&l, &p, rows[i].prepare);
		launch_finish(&l);
		failed = launch_find(&l, REPORT_FAILED);
		assert_int_equal(failed != NULL, rows[i].refused);
		assert_int_equal(launch_find(&l, REPORT_RUNNING) != NULL, !rows[i].refused);
		if (failed) {
			assert_int_equal(failed->stage, ENTER_STAGE_DEV);
			assert_int_equal(failed->error, ENODEV);
			assert_string_equal(failed->detail, "/dev/null");
		}
	}
}

static void read_only_grant_cannot_be_written_and_a_writable_one_can(void **state)
{
	_cleanup_scratch_ char *scratch = launch_scratch();
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };

	write_text(scratch, "file", "text", 0666);
	launch_plan(&p, PROBE_BINARY, NULL);
	launch_add(&p, launch_bind(scratch, "/ro", 0));
	launch_add(&p, launch_bind(scratch, "/rw", PLAN_WRITE));
	launch_probe(&l, &p, (const char *[]){ "write", "/ro/file", "cat", "/ro/file", "create", "/rw/new", NULL }, 0);
	launch_expect_line(&l, "write EROFS");
	launch_expect_line(&l, "text text");
	launch_expect_line(&l, "create ok");
}

static void masked_file_and_directory_are_empty(void **state)
{
	_cleanup_scratch_ char *scratch = launch_scratch();
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };

	write_text(scratch, "secret", "secret", 0666);
	make_dir(scratch, "keys");
	write_text(scratch, "keys/id", "key", 0666);
	launch_plan(&p, PROBE_BINARY, scratch);
	launch_add(&p, (struct plan_mount){ .kind = PLAN_MASK, .target = TEXT("/scratch/secret") });
	launch_add(&p, (struct plan_mount){ .kind = PLAN_MASK, .target = TEXT("/scratch/keys") });
	launch_add(
		&p, (struct plan_mount){ .kind = PLAN_MASK, .target = TEXT("/scratch/none"), .flags = PLAN_OPTIONAL });
	launch_probe(&l, &p,
		(const char *[]){ "cat", "/scratch/secret", "open", "/scratch/keys/id", "write", "/scratch/secret",
			"rename", "/scratch/secret", NULL },
		0);
	launch_expect_line(&l, "bytes 0");
	launch_expect_line(&l, "open ENOENT");
	launch_expect_line(&l, "write EACCES");
	launch_expect_line(&l, "rename EBUSY");
}

static void pinned_ancestor_cannot_be_renamed_and_what_is_protected_not_written(void **state)
{
	_cleanup_scratch_ char *scratch = launch_scratch();
	_cleanup_plan_ struct plan p = { 0 }, q = { 0 };
	_cleanup_launch_ struct launch l = { 0 }, control = { 0 };
	char config[PATH_BYTES];

	make_dir(scratch, ".git");
	write_text(scratch, ".git/config", "config", 0666);
	snprintf(config, sizeof(config), "%s/.git/config", scratch);
	launch_plan(&p, PROBE_BINARY, scratch);
	launch_add(&p, (struct plan_mount){ .kind = PLAN_PIN, .target = TEXT("/scratch/.git") });
	launch_add(&p, launch_bind(config, "/scratch/.git/config", 0));
	launch_probe(&l, &p,
		(const char *[]){ "rename", "/scratch/.git", "write", "/scratch/.git/config", "create",
			"/scratch/.git/index", "rename", "/scratch/.git/config", NULL },
		0);
	launch_expect_line(&l, "rename EBUSY");
	launch_expect_no_line(&l, "rename ok");
	launch_expect_line(&l, "write EROFS");
	launch_expect_line(&l, "create ok");
	launch_plan(&q, PROBE_BINARY, scratch);
	launch_probe(
		&control, &q, (const char *[]){ "write", "/scratch/.git/config", "rename", "/scratch/.git", NULL }, 0);
	launch_expect_line(&control, "write ok");
	launch_expect_line(&control, "rename ok");
}

static void synthetic_file_covers_one_of_a_grant_and_leaves_it_alone(void **state)
{
	_cleanup_scratch_ char *scratch = launch_scratch();
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT(64);
	char path[PATH_BYTES];

	write_text(scratch, "hosts", "real", 0666);
	launch_plan(&p, PROBE_BINARY, scratch);
	launch_add(&p, (struct plan_mount){ .kind = PLAN_FILE,
			       .target = TEXT("/scratch/hosts"),
			       .content = TEXT("made up"),
			       .mode = 0444 });
	launch_probe(&l, &p,
		(const char *[]){ "cat", "/scratch/hosts", "write", "/scratch/hosts", "cat", "/etc/hosts", NULL }, 0);
	launch_expect_line(&l, "text made up");
	launch_expect_line(&l, "write EACCES");
	launch_expect_line(&l, "text 127.0.0.1 localhost");
	snprintf(path, sizeof(path), "%s/hosts", scratch);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_read_all(fd, &b), 0);
	assert_string_equal(b.data, "real");
}

static void program_on_a_noexec_grant_cannot_be_executed(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_launch_ struct launch l = { 0 };

	launch_plan(&p, PROBE_BINARY, NULL);
	launch_add(&p, launch_bind(PROBE_BINARY, "/noexec", PLAN_NOEXEC));
	launch_add(&p, launch_bind(PROBE_BINARY, "/exec", 0));
	launch_probe(&l, &p, (const char *[]){ "exec", "/noexec", "exec", "/exec", NULL }, 0);
	launch_expect_line(&l, "exec EACCES");
	/* The second became the probe itself, which lists the root. */
	launch_expect_line(&l, "root exec");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bad_plan_is_refused_at_its_stage_with_its_errno),
		cmocka_unit_test(refused_mount_creates_nothing_in_the_grant),
		cmocka_unit_test(plan_that_is_not_sealed_or_not_a_plan_is_refused),
		cmocka_unit_test(another_device_in_the_place_of_one_is_refused_and_the_true_one_is_not),
		cmocka_unit_test(read_only_grant_cannot_be_written_and_a_writable_one_can),
		cmocka_unit_test(masked_file_and_directory_are_empty),
		cmocka_unit_test(pinned_ancestor_cannot_be_renamed_and_what_is_protected_not_written),
		cmocka_unit_test(synthetic_file_covers_one_of_a_grant_and_leaves_it_alone),
		cmocka_unit_test(program_on_a_noexec_grant_cannot_be_executed),
	};

	return cmocka_run_group_tests_name("plans", tests, NULL, NULL);
}
