/* SPDX-License-Identifier: Apache-2.0 */
/* test_fs - paths, files that are trusted, atomic writes, directories that are listed and watched */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/io.h"

static const struct {
	const char *path, *clean;
} paths[] = {
	{ "/", "/" },
	{ "//", "/" },
	{ "/a", "/a" },
	{ "/a/", "/a" },
	{ "//a///b/./c/.", "/a/b/c" },
	{ "/a..b/.c", "/a..b/.c" },
	{ "/..", NULL },
	{ "/a/../b", NULL },
	{ "/a/..", NULL },
	{ "a", NULL },
	{ "", NULL },
	{ "./a", NULL },
};

static void a_clean_path_is_absolute_and_never_goes_up(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		_cleanup_free_ char *clean = NULL;
		assert_int_equal(fs_path_clean(paths[i].path, &clean), paths[i].clean ? 0 : -EINVAL);
		if (paths[i].clean)
			assert_string_equal(clean, paths[i].clean);
	}
}

static void a_path_lies_within_only_at_a_component_boundary(void **state)
{
	assert_true(fs_path_within("/a/b", "/a"));
	assert_true(fs_path_within("/a", "/a"));
	assert_true(fs_path_within("/a", "/"));
	assert_true(fs_path_within("/", "/"));
	assert_false(fs_path_within("/ab", "/a"));
	assert_false(fs_path_within("/a", "/a/b"));
	assert_false(fs_path_within("/", "/a"));
}

/* A directory of the test's own in *state: its descriptor, name removed with all in it at the end. */
struct scratch {
	int fd;
	char path[64];
};

static int scratch_setup(void **state)
{
	static struct scratch s;

	snprintf(s.path, sizeof(s.path), "/tmp/stockade-unit.XXXXXX");
	if (!mkdtemp(s.path))
		return -1;
	s.fd = open(s.path, O_DIRECTORY | O_CLOEXEC);
	*state = &s;
	return s.fd < 0 ? -1 : 0;
}

static int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	static const char *const dirs[] = { "a/b/c", "a/b", "a" };
	DIR *d = fdopendir(dup(s->fd));

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		unlinkat(s->fd, dirs[i], AT_REMOVEDIR);
	for (struct dirent *e; d && (e = readdir(d));)
		unlinkat(s->fd, e->d_name, 0);
	closedir(d);
	close(s->fd);
	return rmdir(s->path);
}

static void put_file(int dir, const char *name, const char *text, mode_t mode)
{
	_cleanup_close_ int fd = openat(dir, name, O_CREAT | O_WRONLY | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static int read_trusted(int dir, const char *name, enum fs_trust trust, uid_t uid, size_t max, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(max);

	return fs_read_trusted(dir, name, trust, uid, &b, d);
}

static void only_a_file_of_ones_own_that_no_other_can_write_is_trusted(void **state)
{
	struct scratch *s = *state;
	struct diag d = { 0 };
	uid_t me = geteuid();

	put_file(s->fd, "good", "12345678", 0644);
	put_file(s->fd, "group", "x", 0664);
	put_file(s->fd, "others", "x", 0646);
	assert_int_equal(symlinkat("good", s->fd, "link"), 0);
	assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(s->fd, "a", 0700), 0);

	assert_int_equal(read_trusted(s->fd, "good", FS_TRUST_USER, me, 8, &d), 0);
	assert_int_equal(read_trusted(s->fd, "good", FS_TRUST_USER, me, 7, &d), -E2BIG);
	assert_int_equal(read_trusted(s->fd, "group", FS_TRUST_USER, me, 8, &d), -EPERM);
	assert_int_equal(read_trusted(s->fd, "others", FS_TRUST_USER, me, 8, &d), -EPERM);
	assert_non_null(strstr(d.text, "can be written by others (mode 0646)"));
	assert_int_equal(read_trusted(s->fd, "link", FS_TRUST_USER, me, 8, &d), -ELOOP);
	assert_non_null(strstr(d.text, "symbolic link"));
	assert_int_equal(read_trusted(s->fd, "fifo", FS_TRUST_USER, me, 8, &d), -EINVAL);
	assert_int_equal(read_trusted(s->fd, "a", FS_TRUST_USER, me, 8, &d), -EINVAL);
	assert_int_equal(read_trusted(s->fd, "absent", FS_TRUST_USER, me, 8, &d), -ENOENT);
}

static void a_file_of_another_user_is_not_trusted(void **state)
{
	struct scratch *s = *state;
	struct diag d = { 0 };
	uid_t owner = geteuid();

	put_file(s->fd, "other", "x", 0644);
	if (owner == 0) {
		owner = 4242;
		assert_int_equal(fchownat(s->fd, "other", owner, (gid_t)-1, 0), 0);
	}
	assert_int_equal(read_trusted(s->fd, "other", FS_TRUST_USER, owner, 8, &d), 0);
	assert_int_equal(read_trusted(s->fd, "other", FS_TRUST_USER, owner + 1, 8, &d), -EPERM);
	assert_int_equal(read_trusted(s->fd, "other", FS_TRUST_ROOT, owner, 8, &d), -EPERM);
	assert_non_null(strstr(d.text, "must belong to root"));
	assert_int_equal(read_trusted(AT_FDCWD, "/etc/passwd", FS_TRUST_ROOT, owner, 1 << 20, &d), 0);
	assert_int_equal(read_trusted(AT_FDCWD, "/etc/passwd", FS_TRUST_USER, owner, 1 << 20, &d), 0);
}

static void an_atomic_write_replaces_whole_with_the_exact_mode(void **state)
{
	struct scratch *s = *state;
	_cleanup_buf_ struct buf b = BUF_INIT(100);
	struct diag d = { 0 };
	struct stat st;
	mode_t old = umask(077);

	put_file(s->fd, "f", "old and longer", 0600);
	assert_int_equal(fs_write_atomic(s->fd, "f", "new", 3, 0644, &d), 0);
	umask(old);
	assert_int_equal(fs_read_trusted(s->fd, "f", FS_TRUST_USER, geteuid(), &b, &d), 0);
	assert_string_equal(b.data, "new");
	assert_int_equal(fstatat(s->fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_failed_atomic_write_leaves_nothing_behind(void **state)
{
	struct scratch *s = *state;
	struct diag d = { 0 };
	struct dirent *e;
	size_t n = 0;

	assert_int_equal(mkdirat(s->fd, "a", 0700), 0);
	assert_int_equal(fs_write_atomic(s->fd, "a", "x", 1, 0600, &d), -EISDIR);
	assert_non_null(strstr(d.text, "cannot write a"));
	_cleanup_closedir_ DIR *dir = NULL;
	assert_int_equal(fs_list(s->fd, &dir), 0);
	while ((e = readdir(dir)))
		n += e->d_name[0] != '.' || e->d_name[1] == 'a';
	assert_int_equal(n, 1);
}

static void missing_directories_are_made_and_the_last_is_open(void **state)
{
	struct scratch *s = *state;
	char path[128];
	struct diag d = { 0 };
	struct stat st;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/a/b/c", s->path);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(fs_mkdirs(path, 0700, &fd, &d), 0);
		_cleanup_free_ char *real = NULL;
		assert_int_equal(fs_fd_path(fd, &real), 0);
		assert_string_equal(real, path);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		close(fd);
	}
	assert_int_equal(fs_mkdirs("relative", 0700, &fd, &d), -EINVAL);
	put_file(s->fd, "file\x1b", "x", 0600);
	snprintf(path, sizeof(path), "%s/file\x1b/d", s->path);
	assert_true(fs_mkdirs(path, 0700, &fd, &d) < 0);
	assert_null(strchr(d.text, '\x1b'));
}

static void a_directory_that_is_made_is_as_open_as_it_should_be_whatever_the_umask(void **state)
{
	struct scratch *s = *state;
	mode_t before = umask(077);
	char path[128];
	struct diag d = { 0 };
	struct stat st;
	int fd = -1;

	snprintf(path, sizeof(path), "%s/a/b", s->path);
	assert_int_equal(fs_mkdirs(path, 0755, &fd, &d), 0);
	assert_int_equal(umask(before), 077);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(fstatat(s->fd, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	close(fd);
}

static size_t count_names(int fd)
{
	_cleanup_closedir_ DIR *dir = NULL;
	size_t n = 0;

	assert_int_equal(fs_list(fd, &dir), 0);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	return n;
}

static void each_look_at_a_directory_sees_all_of_its_names(void **state)
{
	struct scratch *s = *state;
	DIR *dir = NULL;

	put_file(s->fd, "f", "x", 0600);
	put_file(s->fd, "g", "x", 0600);
	assert_int_equal(count_names(s->fd), 2);
	assert_int_equal(count_names(s->fd), 2);
	_cleanup_close_ int file = openat(s->fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fs_list(file, &dir), -ENOTDIR);
	assert_int_equal(fs_list(-1, &dir), -EBADF);
	assert_null(dir);
}

static void a_watch_tells_of_each_of_its_directories_or_is_none(void **state)
{
	struct scratch *s = *state;
	union {
		struct inotify_event e;
		char room[512];
	} u;
	_cleanup_close_ int a = -1;

	assert_int_equal(mkdirat(s->fd, "a", 0700), 0);
	a = openat(s->fd, "a", O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int fd = fs_watch((const int[]){ s->fd, a }, 2, IN_CREATE);
	assert_true(fd >= 0);
	assert_int_equal(read(fd, u.room, sizeof(u.room)), -1);
	for (int i = 0; i < 2; i++) {
		put_file(i ? a : s->fd, "f", "x", 0600);
		assert_true(read(fd, u.room, sizeof(u.room)) > 0);
		assert_int_equal(u.e.wd, i + 1);
		assert_string_equal(u.e.name, "f");
	}
	assert_int_equal(unlinkat(a, "f", 0), 0);
	assert_int_equal(fs_watch((const int[]){ s->fd, -1 }, 2, IN_CREATE), -1);
}

static void the_path_of_a_deleted_file_is_not_that_of_its_impostor(void **state)
{
	struct scratch *s = *state;
	_cleanup_free_ char *path = NULL;

	put_file(s->fd, "f", "x", 0600);
	_cleanup_close_ int fd = openat(s->fd, "f", O_RDONLY | O_CLOEXEC);
	assert_int_equal(linkat(s->fd, "f", s->fd, "kept", 0), 0); /* st_nlink stays above 0 */
	assert_int_equal(unlinkat(s->fd, "f", 0), 0);
	assert_int_equal(fs_fd_path(fd, &path), -ENOENT);
	put_file(s->fd, "f (deleted)", "planted", 0600);
	assert_int_equal(fs_fd_path(fd, &path), -ENOENT);
	_cleanup_close_ int odd = openat(s->fd, "f (deleted)", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fs_fd_path(odd, &path), 0);
	assert_non_null(strstr(path, "/f (deleted)"));
}

static void a_pipe_has_no_path(void **state)
{
	char *path = NULL;
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	assert_int_equal(fs_fd_path(p[0], &path), -ENOENT);
	close(p[0]);
	close(p[1]);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_path_is_absolute_and_never_goes_up),
		cmocka_unit_test(a_path_lies_within_only_at_a_component_boundary),
		IN_SCRATCH(only_a_file_of_ones_own_that_no_other_can_write_is_trusted),
		IN_SCRATCH(a_file_of_another_user_is_not_trusted),
		IN_SCRATCH(an_atomic_write_replaces_whole_with_the_exact_mode),
		IN_SCRATCH(a_failed_atomic_write_leaves_nothing_behind),
		IN_SCRATCH(missing_directories_are_made_and_the_last_is_open),
		IN_SCRATCH(a_directory_that_is_made_is_as_open_as_it_should_be_whatever_the_umask),
		IN_SCRATCH(each_look_at_a_directory_sees_all_of_its_names),
		IN_SCRATCH(a_watch_tells_of_each_of_its_directories_or_is_none),
		IN_SCRATCH(the_path_of_a_deleted_file_is_not_that_of_its_impostor),
		cmocka_unit_test(a_pipe_has_no_path),
	};
	return cmocka_run_group_tests_name("fs", tests, NULL, NULL);
}
