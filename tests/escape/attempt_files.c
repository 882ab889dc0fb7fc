/* SPDX-License-Identifier: Apache-2.0 */
/* attempt_files - reading what was not granted, writing what was granted for reading, and ways around */
#include "tests/escape/attempt.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include "base/parse.h"

enum { TEXT_BYTES = 1 << 16, COMM_BYTES = 16 };

static void open_read(struct outcome *o, char *const *arg)
{
	outcome_of(o, open(arg[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static void open_write(struct outcome *o, char *const *arg)
{
	outcome_of(o, open(arg[0], O_WRONLY | O_NONBLOCK | O_CLOEXEC));
}

static void create(struct outcome *o, char *const *arg)
{
	outcome_of(o, open(arg[0], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

/* A masked file opens, and holds nothing. */
static void read_bytes(struct outcome *o, char *const *arg)
{
	int fd = open(arg[0], O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char byte;
	ssize_t n = fd < 0 ? -1 : read(fd, &byte, 1);

	if (n == 0)
		outcome_set(o, "BLOCKED EMPTY");
	else
		outcome_of(o, n);
}

/* A descriptor for reading asked for writing through /proc. */
static void reopen_write(struct outcome *o, char *const *arg)
{
	char path[64];
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	outcome_of(o, fd < 0 ? -1 : open(path, O_RDWR | O_CLOEXEC));
}

static void map_write(struct outcome *o, char *const *arg)
{
	int fd = open(arg[0], O_RDWR | O_CLOEXEC);
	char *p = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p != MAP_FAILED)
		*p = 'X';
	outcome_of(o, p == MAP_FAILED ? -1 : 0);
}

static void change_mode(struct outcome *o, char *const *arg)
{
	outcome_of(o, chmod(arg[0], 0777));
}

static void change_times(struct outcome *o, char *const *arg)
{
	outcome_of(o, utimensat(AT_FDCWD, arg[0], NULL, 0));
}

static void cut(struct outcome *o, char *const *arg)
{
	outcome_of(o, truncate(arg[0], 0));
}

static void remove_file(struct outcome *o, char *const *arg)
{
	outcome_of(o, unlink(arg[0]));
}

static void remove_directory(struct outcome *o, char *const *arg)
{
	outcome_of(o, rmdir(arg[0]));
}

static void make_directory(struct outcome *o, char *const *arg)
{
	outcome_of(o, mkdir(arg[0], 0700));
}

/* Can be searched and written, not listed: whoever looks for names finds none. */
static void hide_directory(struct outcome *o, char *const *arg)
{
	if (mkdir(arg[0], 0700) < 0 && errno != EEXIST)
		outcome_of(o, -1);
	else
		outcome_of(o, chmod(arg[0], 0311));
}

/* arg: the first directory, how many in one another. */
static void deep(struct outcome *o, char *const *arg)
{
	uint64_t levels = 0;
	int fd = AT_FDCWD, r = parse_u64(arg[1], 1, 1000, &levels);

	for (uint64_t i = 0; r == 0 && i < levels; i++) {
		const char *name = i == 0 ? arg[0] : "d";
		int next =
			mkdirat(fd, name, 0700) < 0 && errno != EEXIST ? -1 : openat(fd, name, O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
		fd = next;
		r = fd < 0 ? -1 : 0;
	}
	outcome_of(o, r);
}

static void set_attribute(struct outcome *o, char *const *arg)
{
	outcome_of(o, setxattr(arg[0], "user.attempt", "x", 1, 0));
}

static void move(struct outcome *o, char *const *arg)
{
	outcome_of(o, rename(arg[0], arg[1]));
}

static void exchange(struct outcome *o, char *const *arg)
{
	outcome_of(o, renameat2(AT_FDCWD, arg[0], AT_FDCWD, arg[1], RENAME_EXCHANGE));
}

static void hard_link(struct outcome *o, char *const *arg)
{
	outcome_of(o, link(arg[0], arg[1]));
}

static void symlink_read(struct outcome *o, char *const *arg)
{
	if (symlink(arg[1], arg[0]) < 0)
		outcome_set(o, "NO LINK %s", strerrorname_np(errno));
	else
		open_read(o, arg);
}

/* From a descriptor of a granted directory up, as far as there is any up, and down again. */
static void walk_up(struct outcome *o, char *const *arg)
{
	char path[PATH_MAX] = "";
	int fd = open(arg[0], O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < 32; i++)
		snprintf(path + 3 * i, sizeof(path) - 3 * i, "../");
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s", arg[1] + 1);
	outcome_of(o, fd < 0 ? -1 : openat(fd, path, O_RDONLY | O_CLOEXEC));
}

/* The same by fchdir, one step at a time: the old way out of a chroot. */
static void step_up(struct outcome *o, char *const *arg)
{
	int fd = open(arg[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < 32; i++) {
		if (fchdir(fd) < 0 || chdir("..") < 0)
			break;
		fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	outcome_of(o, fd < 0 ? -1 : open(arg[1] + 1, O_RDONLY | O_CLOEXEC));
}

/* A character device 0:0 needs no capability: what refuses it is a rule, not a missing right. */
static void whiteout(struct outcome *o, char *const *arg)
{
	outcome_of(o, mknod(arg[0], S_IFCHR | 0600, 0));
}

static void list_find(struct outcome *o, char *const *arg)
{
	_cleanup_closedir_ DIR *dir = opendir(arg[0]);
	struct dirent *d;

	if (!dir) {
		outcome_of(o, -1);
		return;
	}
	outcome_set(o, "ABSENT NAME");
	while ((d = readdir(dir)))
		if (strcmp(d->d_name, arg[1]) == 0)
			outcome_set(o, "SUCCEEDED");
}

static void text_find(struct outcome *o, char *const *arg)
{
	static char text[TEXT_BYTES];
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		outcome_of(o, -1);
	else
		outcome_set(o, memmem(text, (size_t)n, arg[1], strlen(arg[1])) ? "SUCCEEDED" : "ABSENT TEXT");
}

static void file_handle(struct outcome *o, char *const *arg)
{
	struct {
		struct file_handle h;
		unsigned char bytes[MAX_HANDLE_SZ];
	} h = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount_id;

	outcome_reached(o, name_to_handle_at(AT_FDCWD, arg[0], &h.h, &mount_id, 0));
}

/* Is the file /proc's own, or something that was put over it? */
static void is_proc(struct outcome *o, char *const *arg)
{
	struct stat proc, st;

	if (stat("/proc/self", &proc) < 0 || stat(arg[0], &st) < 0)
		outcome_of(o, -1);
	else
		outcome_set(o, st.st_dev == proc.st_dev ? "SUCCEEDED" : "BLOCKED MASKED");
}

/* -1 until it runs the program of that name and waits for something: what it has become by then it became in execve(2).
 */
static int effective_uid(pid_t pid, const char *program)
{
	char path[64], line[256], name[COMM_BYTES] = "", run = 0;
	unsigned real, effective;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Uid: %u %u", &real, &effective) == 2)
			return run == 'S' && strcmp(name, program) == 0 ? (int)effective : -1;
		else if (sscanf(line, "Name: %15s", name) != 1)
			(void)!sscanf(line, "State: %c", &run);
	return -1;
}

/* su waits for a password on a pipe that never speaks; meanwhile its identity can be seen. */
static void setuid_program(struct outcome *o, char *const *arg)
{
	int quiet[2];
	const char *slash = strrchr(arg[0], '/');
	int uid = -1;
	bool alive = true;
	pid_t pid;

	if (access(arg[0], X_OK) < 0 || pipe(quiet) < 0 || (pid = fork()) < 0) {
		outcome_of(o, -1);
		return;
	}
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY);
		dup2(quiet[0], 0);
		dup2(null, 1);
		dup2(null, 2);
		execl(arg[0], arg[0], "-c", "true", "root", (char *)NULL);
		_exit(127);
	}
	while (alive && uid < 0) {
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		uid = effective_uid(pid, slash ? slash + 1 : arg[0]);
		alive = waitpid(pid, NULL, WNOHANG) == 0;
	}
	close(quiet[1]);
	if (alive) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	outcome_set(o, getuid() != 0 && uid == 0 ? "SUCCEEDED" : "BLOCKED NOSUID");
}

const struct attempt attempts_files[] = {
	{ "open-read", open_read, 1 },
	{ "open-write", open_write, 1 },
	{ "create", create, 1 },
	{ "read-bytes", read_bytes, 1 },
	{ "reopen-write", reopen_write, 1 },
	{ "map-write", map_write, 1 },
	{ "chmod", change_mode, 1 },
	{ "utimes", change_times, 1 },
	{ "truncate", cut, 1 },
	{ "unlink", remove_file, 1 },
	{ "rmdir", remove_directory, 1 },
	{ "mkdir", make_directory, 1 },
	{ "hide-directory", hide_directory, 1 },
	{ "deep", deep, 2 },
	{ "setxattr", set_attribute, 1 },
	{ "rename", move, 2 },
	{ "exchange", exchange, 2 },
	{ "link", hard_link, 2 },
	{ "symlink-read", symlink_read, 2 },
	{ "walk-up", walk_up, 2 },
	{ "step-up", step_up, 2 },
	{ "whiteout", whiteout, 1 },
	{ "list-find", list_find, 2 },
	{ "text-find", text_find, 2 },
	{ "file-handle", file_handle, 1 },
	{ "is-proc", is_proc, 1 },
	{ "setuid-program", setuid_program, 1 },
	{ NULL },
};
