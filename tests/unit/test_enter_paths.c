/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_enter_paths - what enter finds, makes and copies by path: mount points that cannot leave the new root, sources
 * that are what was approved, and the fence around them
 */
#include "tests/unit/enter_unit.h"
#include <limits.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include "base/landlock.h"
#include "tests/unit/tree.h"

struct world {
	char root[64], text[PATH_MAX];
	struct enter e;
};

static const char *at(struct world *w, const char *path)
{
	assert_in_range(snprintf(w->text, sizeof(w->text), "%s%s", w->root, path), 1, (int)sizeof(w->text) - 1);
	return w->text;
}

static void put(struct world *w, const char *path, mode_t mode)
{
	int fd = open(at(w, path), O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static int world_up(void **state)
{
	static struct world w;

	w = (struct world){ .root = "/tmp/stockade-enter-XXXXXX", .e = enter_nothing() };
	assert_non_null(mkdtemp(w.root));
	assert_int_equal(chmod(w.root, 0755), 0);
	w.e.root = open(w.root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(w.e.root >= 0);
	assert_int_equal(mkdir(at(&w, "/dir"), 0755), 0);
	put(&w, "/dir/file", 0644);
	assert_int_equal(symlink("dir", at(&w, "/link")), 0);
	assert_int_equal(symlink("/etc", at(&w, "/out")), 0);
	*state = &w;
	return 0;
}

static int world_down(void **state)
{
	struct world *w = *state;

	close(w->e.root);
	return remove_tree(w->root);
}

/* From now on the file system of the root counts as one that enter made. */
static void own(struct world *w)
{
	struct stat st;

	assert_int_equal(stat(w->root, &st), 0);
	w->e.own[0] = st.st_dev;
	w->e.n_own = 1;
}

static void a_target_is_found_below_the_root_and_through_no_link(void **state)
{
	static const struct {
		const char *path;
		int error;
	} cases[] = { { "/dir/file", 0 }, { "/dir", 0 }, { "/nothing", -ENOENT }, { "/link/file", -ELOOP },
		{ "/link", -ELOOP }, { "/out/passwd", -ELOOP }, { "/../../../../../../etc/passwd", -ENOENT },
		{ "/dir/file/x", -ENOTDIR } };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_close_ int fd = -1;
		int r = target_open(&w->e, cases[i].path, &fd);
		if (r != cases[i].error || (fd >= 0) != (r == 0))
			fail_msg("%s: %d", cases[i].path, r);
	}
}

static void what_is_missing_is_made_on_our_own_file_systems_only(void **state)
{
	struct world *w = *state;
	struct stat st;

	/* Another file system of ours makes this one none. */
	w->e.own[0] = (dev_t)-2;
	w->e.n_own = 1;
	for (int ours = 0; ours < 2; ours++) {
		_cleanup_close_ int dir = -1, file = -1, last = -1;
		assert_int_equal(target_make(&w->e, "/dir/last", false, &last), ours ? 0 : -ENOENT);
		assert_int_equal(stat(at(w, "/dir/last"), &st), ours ? 0 : -1);
		assert_int_equal(target_make(&w->e, "/new/deep/dir", true, &dir), ours ? 0 : -ENOENT);
		assert_int_equal(target_make(&w->e, "/new2/file", false, &file), ours ? 0 : -ENOENT);
		assert_int_equal(stat(at(w, "/new"), &st), ours ? 0 : -1);
		assert_int_equal(stat(at(w, "/new2"), &st), ours ? 0 : -1);
		assert_int_equal(target_is_own(&w->e, w->e.root), ours);
		own(w);
	}
	assert_int_equal(stat(at(w, "/new/deep/dir"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(at(w, "/new2/file"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0444);
}

static void a_target_is_of_its_kind_and_never_behind_a_link(void **state)
{
	static const struct {
		const char *path;
		bool directory;
		int error;
	} cases[] = { { "/dir", true, 0 }, { "/dir/file", false, 0 }, { "/dir/file", true, -ENOTDIR },
		{ "/dir", false, -EISDIR }, { "/link/new", true, -ELOOP }, { "/out/new", false, -ELOOP },
		{ "/new/../../x", true, -EINVAL }, { "/dir/new//x", true, -EINVAL },
		{ "/dir/file/new", true, -ENOTDIR } };
	struct world *w = *state;

	own(w);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_close_ int fd = -1;
		int r = target_make(&w->e, cases[i].path, cases[i].directory, &fd);
		if (strstr(cases[i].path, "..") ? r >= 0 && access(at(w, "/../x"), F_OK) == 0 : r != cases[i].error)
			fail_msg("%s: %d", cases[i].path, r);
	}
}

static void the_last_component_is_a_name(void **state)
{
	static const char *const bad[] = { "/", "/dir/", "/dir/.", "/dir/..", "//x", "/dir//x" };
	struct world *w = *state;
	char wide[NAME_MAX + 16] = "/";
	const char *name;
	int fd = -1;

	own(w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (target_parent(&w->e, bad[i], &fd, &name) != -EINVAL)
			fail_msg("%s is taken", bad[i]);
	memset(wide + 1, 'x', NAME_MAX + 1);
	wide[NAME_MAX + 2] = '/';
	wide[NAME_MAX + 3] = 'y';
	assert_int_equal(target_parent(&w->e, wide, &fd, &name), -EINVAL);
	assert_int_equal(target_parent(&w->e, "/dir/last", &fd, &name), 0);
	assert_string_equal(name, "last");
	assert_int_equal(faccessat(fd, "file", F_OK, 0), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

/* --- sources --- */

static struct world *shared; /* what a child finds: it cannot be handed anything */

static struct plan_mount mount_of(char *path, unsigned flags)
{
	struct stat st = { 0 };

	(void)lstat(path, &st);
	return (struct plan_mount){ .kind = PLAN_BIND,
		.flags = flags,
		.source = path,
		.target = path,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.type = st.st_mode & S_IFMT };
}

static int flags_of_copies(void)
{
	static const struct {
		unsigned flags;
		unsigned long set;
	} cases[] = { { 0, ST_RDONLY | ST_NOSUID | ST_NODEV }, { PLAN_WRITE, ST_NOSUID | ST_NODEV },
		{ PLAN_NOEXEC, ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC },
		{ PLAN_WRITE | PLAN_NOEXEC, ST_NOSUID | ST_NODEV | ST_NOEXEC } };
	const unsigned long all = ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC;
	char path[PATH_MAX];

	if (!own_namespaces(CLONE_NEWNS))
		return 1;
	snprintf(path, sizeof(path), "%s/dir", shared->root);
	struct statvfs outside;
	if (statvfs(path, &outside) < 0)
		return 2;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct plan_mount m = mount_of(path, cases[i].flags);
		struct statvfs st;
		int tree = -1;
		if (source_clone(&shared->e, &m, &tree) != 0 || fstatvfs(tree, &st) < 0)
			return 10 + (int)i;
		if ((st.f_flag & all) != (cases[i].set | (outside.f_flag & all)))
			return 20 + (int)i;
		int fd = openat(tree, "file", O_WRONLY | O_CLOEXEC);
		if (cases[i].flags & PLAN_WRITE ? fd < 0 : errno != EROFS)
			return 30 + (int)i;
	}
	return 0;
}

static void a_copy_has_the_rights_of_its_grant(void **state)
{
	shared = *state;
	assert_int_equal(in_child(flags_of_copies), 0);
}

static int refused(struct plan_mount m, int error)
{
	struct enter *e = &shared->e;
	int tree = -1;

	e->stage = ENTER_STAGE_MOUNTS;
	e->detail[0] = '\0';
	return source_clone(e, &m, &tree) == error && tree == -1 && e->stage == ENTER_STAGE_SOURCES &&
	       strcmp(e->detail, m.source) == 0;
}

static int other_sources(void)
{
	char path[PATH_MAX], link[PATH_MAX], through[PATH_MAX], nothing[PATH_MAX];

	if (!own_namespaces(CLONE_NEWNS))
		return 1;
	snprintf(path, sizeof(path), "%s/dir", shared->root);
	snprintf(link, sizeof(link), "%s/link", shared->root);
	snprintf(through, sizeof(through), "%s/link/file", shared->root);
	snprintf(nothing, sizeof(nothing), "%s/nothing", shared->root);
	struct plan_mount m = mount_of(path, 0), inode = m, device = m, type = m;
	inode.ino++;
	device.dev++;
	type.type = S_IFREG;
	if (!refused(inode, -ESTALE) || !refused(device, -ESTALE) || !refused(type, -ESTALE))
		return 2;
	if (!refused(mount_of(link, 0), -ELOOP) || !refused(mount_of(through, 0), -ELOOP))
		return 3;
	return refused(mount_of(nothing, 0), -ENOENT) ? 0 : 4;
}

static void a_source_that_is_not_what_was_approved_is_refused_by_name(void **state)
{
	shared = *state;
	assert_int_equal(in_child(other_sources), 0);
}

static int copies_of_root(void)
{
	struct enter *e = &shared->e;
	char path[PATH_MAX], nothing[] = "/nonexistent";
	struct plan_mount dir = { .kind = PLAN_DIR, .target = nothing };

	if (!own_namespaces(CLONE_NEWNS))
		return 1;
	snprintf(path, sizeof(path), "%s/dir", shared->root);
	struct plan_mount m = mount_of(path, 0);
	if (plan_add_mount(&e->plan, &dir) < 0 || plan_add_mount(&e->plan, &m) < 0)
		return 2;
	/* For everybody else they would be of no use inside. */
	if (stage_sources(e) != 0 || e->trees)
		return 3;
	e->privileged = true;
	if (stage_sources(e) != 0 || !e->trees || e->trees[0] != -1 || e->trees[1] < 0)
		return 4;
	m.ino++;
	return plan_add_mount(&e->plan, &m) == 0 && stage_sources(e) == -ESTALE ? 0 : 5;
}

static void root_takes_its_copies_before_it_stops_being_root(void **state)
{
	shared = *state;
	assert_int_equal(in_child(copies_of_root), 0);
}

/* --- the fence --- */

/* read: a grant for reading; write: one for writing; both hold a program; inside /usr is what programs need. */
static int fence(void)
{
	static const struct {
		const char *path;
		enum plan_mount_kind kind;
		unsigned flags;
	} mounts[] = { { "/read", PLAN_BIND, 0 }, { "/write", PLAN_BIND, PLAN_WRITE },
		{ "/noexec", PLAN_BIND, PLAN_NOEXEC }, { "/tmpfs", PLAN_TMPFS, PLAN_NOEXEC },
		{ "/listed", PLAN_DIR, 0 }, { "/one", PLAN_FILE, 0 } };
	struct enter *e = &shared->e;
	char usr[] = "/usr", path[PATH_MAX];
	struct plan_mount m = { .kind = PLAN_BIND, .source = usr, .target = usr };

	if (plan_add_mount(&e->plan, &m) < 0)
		return 200;
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		snprintf(path, sizeof(path), "%s%s", shared->root, mounts[i].path);
		m = (struct plan_mount){
			.kind = mounts[i].kind, .flags = mounts[i].flags, .source = path, .target = path
		};
		if (plan_add_mount(&e->plan, &m) < 0)
			return 200;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || stage_landlock(e) != 0)
		return 201;
	return e->landlock == landlock_abi() ? 0 : 202;
}

enum way { READ, WRITE, MAKE, LIST, EXECUTE };

static int try_way(struct world *w, enum way way, const char *path)
{
	char *argv[] = { w->text, NULL };
	int fd = -1;

	(void)at(w, path);
	switch (way) {
	case READ:
		fd = open(w->text, O_RDONLY | O_CLOEXEC);
		break;
	case WRITE:
		fd = open(w->text, O_WRONLY | O_CLOEXEC);
		break;
	case MAKE:
		fd = open(w->text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		break;
	case LIST:
		fd = open(w->text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		break;
	case EXECUTE:
		execv(w->text, argv);
		break;
	}
	return fd >= 0 ? 0 : errno;
}

static const struct attempt {
	enum way way;
	const char *path;
	int error;
} attempts[] = {
	{ READ, "/read/file", 0 },
	{ WRITE, "/read/file", EACCES },
	{ MAKE, "/read/new", EACCES },
	{ EXECUTE, "/read/true", 0 },
	{ READ, "/write/file", 0 },
	{ WRITE, "/write/file", 0 },
	{ MAKE, "/write/new", 0 },
	{ EXECUTE, "/write/true", 0 },
	{ READ, "/noexec/file", 0 },
	{ EXECUTE, "/noexec/true", EACCES },
	{ WRITE, "/tmpfs/file", 0 },
	{ MAKE, "/tmpfs/new", 0 },
	{ EXECUTE, "/tmpfs/true", EACCES },
	{ LIST, "/listed", 0 },
	{ READ, "/listed/file", EACCES },
	{ READ, "/one", 0 },
	{ WRITE, "/one", EACCES },
	{ READ, "/dir/file", EACCES },
	{ WRITE, "/dir/file", EACCES },
	{ MAKE, "/dir/new", EACCES },
};

static const struct attempt *attempt_of;

static int unfenced(void)
{
	return try_way(shared, attempt_of->way, attempt_of->path);
}

static int fenced(void)
{
	int r = fence();

	return r ? r : try_way(shared, attempt_of->way, attempt_of->path);
}

static void the_fence_says_what_the_mounts_say(void **state)
{
	static const char *const dirs[] = { "/read", "/write", "/noexec", "/tmpfs", "/listed" };
	char command[PATH_MAX], path[64];

	shared = *state;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		assert_int_equal(mkdir(at(shared, dirs[i]), 0755), 0);
		snprintf(path, sizeof(path), "%s/file", dirs[i]);
		put(shared, path, 0644);
		snprintf(command, sizeof(command), "cp /bin/true %s%s/true", shared->root, dirs[i]);
		assert_int_equal(system(command), 0);
	}
	put(shared, "/one", 0644);
	for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
		attempt_of = &attempts[i];
		int without = in_child(unfenced);
		if (attempt_of->way == MAKE)
			(void)unlink(at(shared, attempt_of->path));
		int with = in_child(fenced);
		if (without != 0 || with != attempt_of->error)
			fail_msg("%d of %s: %d without, %d with the fence", attempt_of->way, attempt_of->path, without,
				with);
	}
}

static int fence_around_nothing(void)
{
	char path[] = "/nonexistent";
	const struct plan_mount m = { .kind = PLAN_BIND, .source = path, .target = path };
	struct enter *e = &shared->e;

	if (plan_add_mount(&e->plan, &m) < 0)
		return 1;
	return stage_landlock(e) == -ENOENT && strcmp(e->detail, path) == 0 ? 0 : 2;
}

static void a_mount_that_is_not_there_fails_the_launch_by_name(void **state)
{
	shared = *state;
	assert_int_equal(in_child(fence_around_nothing), 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_up, world_down)
	const struct CMUnitTest tests[] = {
		CASE(a_target_is_found_below_the_root_and_through_no_link),
		CASE(what_is_missing_is_made_on_our_own_file_systems_only),
		CASE(a_target_is_of_its_kind_and_never_behind_a_link),
		CASE(the_last_component_is_a_name),
		CASE(a_copy_has_the_rights_of_its_grant),
		CASE(a_source_that_is_not_what_was_approved_is_refused_by_name),
		CASE(root_takes_its_copies_before_it_stops_being_root),
		CASE(the_fence_says_what_the_mounts_say),
		CASE(a_mount_that_is_not_there_fails_the_launch_by_name),
	};

	/* Modes are as they are asked for, as SIGNALS leaves it. */
	umask(0);
	return cmocka_run_group_tests_name("paths of enter", tests, NULL, NULL);
}
