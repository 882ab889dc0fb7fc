/* SPDX-License-Identifier: Apache-2.0 */
/* launch - see launch.h */
#include "tests/enter/launch.h"
#include <errno.h>
#include <ftw.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/io.h"
#include "wire/control.h"
#include "wire/fds.h"

enum { ROOT_RUNS_AS = 65534 };

uid_t launch_uid(void)
{
	return getuid() == 0 ? ROOT_RUNS_AS : getuid();
}

static gid_t launch_gid(void)
{
	return getuid() == 0 ? ROOT_RUNS_AS : getgid();
}

void launch_add(struct plan *p, struct plan_mount m)
{
	assert_int_equal(plan_add_mount(p, &m), 0);
}

struct plan_mount launch_bind(const char *source, const char *target, unsigned flags)
{
	struct stat st;

	assert_int_equal(stat(source, &st), 0);
	return (struct plan_mount){ .kind = PLAN_BIND,
		.flags = flags,
		.source = TEXT(source),
		.target = TEXT(target),
		.dev = st.st_dev,
		.ino = st.st_ino,
		.type = st.st_mode & S_IFMT };
}

static void add_base(struct plan *p)
{
	launch_add(p, launch_bind("/usr", "/usr", 0));
	launch_add(p, (struct plan_mount){ .kind = PLAN_SYMLINK, .target = TEXT("/bin"), .content = TEXT("usr/bin") });
	launch_add(p, (struct plan_mount){ .kind = PLAN_SYMLINK, .target = TEXT("/lib"), .content = TEXT("usr/lib") });
	launch_add(
		p, (struct plan_mount){ .kind = PLAN_SYMLINK, .target = TEXT("/lib64"), .content = TEXT("usr/lib64") });
	launch_add(p, (struct plan_mount){ .kind = PLAN_DIR, .target = TEXT("/empty"), .mode = 0755 });
	launch_add(p, (struct plan_mount){ .kind = PLAN_FILE,
			      .target = TEXT("/etc/hosts"),
			      .mode = 0444,
			      .content = TEXT("127.0.0.1 localhost\n") });
	launch_add(
		p, (struct plan_mount){ .kind = PLAN_TMPFS, .target = TEXT("/tmp"), .mode = 01777, .size = 1 << 20 });
	launch_add(p, (struct plan_mount){ .kind = PLAN_DEV, .target = TEXT("/dev") });
	launch_add(p, (struct plan_mount){ .kind = PLAN_TMPFS,
			      .target = TEXT("/dev/shm"),
			      .flags = PLAN_WRITE | PLAN_NOEXEC,
			      .mode = 01777,
			      .size = 1 << 20 });
	launch_add(p, (struct plan_mount){ .kind = PLAN_PROC, .target = TEXT("/proc") });
}

void launch_plan(struct plan *p, const char *exec_path, const char *scratch)
{
	*p = (struct plan){ .uid = launch_uid(),
		.gid = launch_gid(),
		.drop_root = getuid() == 0,
		.root_size = 1 << 20,
		.limits = { .processes = 32, .files = 256 } };
	p->name = strdup("test");
	p->exec_path = strdup(exec_path);
	p->cwd = strdup("/");
	p->hostname = strdup("sandbox");
	p->seccomp = strdup("default");
	assert_int_equal(strv_add(&p->argv, exec_path), 0);
	assert_int_equal(strv_add(&p->envp, "PATH=/usr/bin"), 0);
	add_base(p);
	if (strncmp(exec_path, "/usr/", 5) != 0)
		launch_add(p, launch_bind(exec_path, exec_path, 0));
	if (scratch)
		launch_add(p, launch_bind(scratch, "/scratch", PLAN_WRITE));
}

void launch_network(struct plan *p, enum net_addresses addresses)
{
	static struct net_grant grants[] = {
		{ .kind = NET_NAME, .name = TEXT("a.example"), .ports = { 80, 443 }, .n_ports = 2, .where = TEXT("t") },
		{ .kind = NET_WILDCARD,
			.name = TEXT("b.example"),
			.ports = { 8443 },
			.n_ports = 1,
			.where = TEXT("t") },
		{ .kind = NET_PREFIX,
			.address = { 4, { 10, 2, 0, 0 } },
			.prefix = 16,
			.ports = { 5432 },
			.n_ports = 1,
			.where = TEXT("t") },
		{ .kind = NET_PREFIX,
			.address = { 6, { 0x20, 1, 0xd, 0xb8 } },
			.prefix = 32,
			.ports = { 443 },
			.n_ports = 1,
			.where = TEXT("t") },
		{ .kind = NET_LOCALHOST, .ports = { 631 }, .n_ports = 1, .where = TEXT("t") },
	};
	const struct net_config config = { .grants = grants,
		.n_grants = ARRAY_LEN(grants),
		.addresses = addresses,
		.publish = { 8080 },
		.n_publish = 1 };
	struct net_layout l;

	assert_int_equal(net_layout_draw(&config, &l), 0);
	plan_take_network(p, &l);
}

static void child(const char *enter, const int *stdio, int plan, int report, int sockets, void (*prepare)(void))
{
	char *argv[] = { TEXT("stockade-enter"), NULL }, *envp[] = { NULL };

	/* Out of the way of the numbers they are to have. */
	plan = fcntl(plan, F_DUPFD, 100);
	report = fcntl(report, F_DUPFD, 100);
	sockets = sockets < 0 ? -1 : fcntl(sockets, F_DUPFD, 100);
	for (int i = 0; i < 3; i++)
		if (dup2(stdio[i], i) < 0)
			_exit(99);
	if (dup2(plan, ENTER_FD_PLAN) < 0 || dup2(report, ENTER_FD_REPORT) < 0)
		_exit(99);
	if (sockets >= 0 && dup2(sockets, ENTER_FD_SOCKETS) < 0)
		_exit(99);
	close_range(sockets < 0 ? ENTER_FD_END : ENTER_FD_NET_END, ~0U, 0);
	if (prepare)
		prepare();
	execve(enter, argv, envp);
	_exit(98);
}

static int encode(const struct plan *p)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int fd = -1;

	assert_int_equal(plan_encode(p, &w), 0);
	assert_int_equal(io_memfd_sealed("plan", w.buf.data, w.buf.len, &fd), 0);
	return fd;
}

void launch_start(struct launch *l, const struct plan *p, void (*prepare)(void))
{
	launch_start_from(l, ENTER_BINARY, p, prepare);
}

void launch_start_from(struct launch *l, const char *enter, const struct plan *p, void (*prepare)(void))
{
	int in[2], out[2], err[2], sock[2], sockets[2] = { -1, -1 }, plan = encode(p);

	*l = (struct launch){
		.init_pidfd = -1, .output = BUF_INIT(LAUNCH_OUTPUT_MAX), .errors = BUF_INIT(LAUNCH_OUTPUT_MAX)
	};
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock), 0);
	if (p->network.on)
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
	l->outer = fork();
	assert_true(l->outer >= 0);
	if (l->outer == 0)
		child(enter, (int[]){ in[0], out[1], err[1] }, plan, sock[1], sockets[1], prepare);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	close(sock[1]);
	close(plan);
	if (sockets[1] >= 0)
		close(sockets[1]);
	l->sockets = sockets[0];
	l->in = in[1];
	l->out = out[0];
	l->err = err[0];
	l->report = sock[0];
}

bool launch_read_report(struct launch *l)
{
	struct pollfd p = { .fd = l->report, .events = POLLIN };
	char bytes[REPORT_BYTES_MAX];
	size_t n_fds = 1;
	int fd = -1;
	long n;
	struct report *r = &l->reports[l->n_reports];

	if (l->n_reports == LAUNCH_REPORTS_MAX || poll(&p, 1, LAUNCH_TIMEOUT_MS) <= 0)
		return false;
	n = io_recv_msg(l->report, bytes, sizeof(bytes), &fd, &n_fds);
	if (n <= 0)
		return false;
	assert_int_equal(report_decode(bytes, (size_t)n, r), 0);
	l->n_reports++;
	if (r->type == REPORT_INIT) {
		assert_int_equal(n_fds, 1);
		l->init = r->pid;
		l->init_pidfd = fd;
	}
	return true;
}

const struct report *launch_find(const struct launch *l, enum report_type type)
{
	for (size_t i = 0; i < l->n_reports; i++)
		if (l->reports[i].type == type)
			return &l->reports[i];
	return NULL;
}

const struct report *launch_until(struct launch *l, enum report_type type)
{
	while (!launch_find(l, type) && launch_read_report(l))
		;
	return launch_find(l, type);
}

static int send_control(struct launch *l, enum control_type type, int value)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	struct control c = { .type = type, .value = value };

	assert_int_equal(control_encode(&c, &w), 0);
	return io_send_msg(l->report, w.buf.data, w.buf.len, NULL, 0);
}

void launch_release(struct launch *l)
{
	assert_int_equal(send_control(l, CONTROL_RELEASE, 0), 0);
}

bool launch_try_release(struct launch *l)
{
	return send_control(l, CONTROL_RELEASE, 0) == 0;
}

void launch_signal(struct launch *l, int number)
{
	assert_int_equal(send_control(l, CONTROL_SIGNAL, number), 0);
}

int launch_wait(pid_t pid)
{
	for (int ms = 0; ms < LAUNCH_TIMEOUT_MS; ms++) {
		int status;
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid)
			return status;
		if (got < 0)
			return -1;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	return -1;
}

int launch_finish(struct launch *l)
{
	if (launch_until(l, REPORT_READY)) {
		launch_release(l);
		close(steal_fd(&l->in));
		assert_int_equal(io_read_all(l->out, &l->output), 0);
		assert_int_equal(io_read_all(l->err, &l->errors), 0);
	}
	while (launch_read_report(l))
		;
	return l->init > 0 ? launch_wait(l->init) : -1;
}

void launch_done(struct launch *l)
{
	if (l->init > 0) {
		kill(l->init, SIGKILL);
		waitpid(l->init, NULL, 0);
	}
	if (l->outer > 0)
		waitpid(l->outer, NULL, WNOHANG);
	for (size_t i = 0; i < 6; i++) {
		int fd = (int[]){ l->report, l->in, l->out, l->err, l->init_pidfd, l->sockets }[i];
		if (fd >= 0)
			close(fd);
	}
	buf_done(&l->output);
	buf_done(&l->errors);
}

static bool has_line(const struct launch *l, const char *line)
{
	size_t n = strlen(line);

	for (const char *at = l->output.data; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, line, n) == 0 && (at[n] == '\n' || !at[n]))
			return true;
	return false;
}

void launch_expect_line(const struct launch *l, const char *line)
{
	if (!has_line(l, line))
		fail_msg("missing \"%s\" in:\n%s", line, l->output.data ? l->output.data : "");
}

void launch_expect_no_line(const struct launch *l, const char *line)
{
	if (has_line(l, line))
		fail_msg("unexpected \"%s\" in:\n%s", line, l->output.data);
}

void launch_probe(struct launch *l, struct plan *p, const char *const *words, int status)
{
	const struct report *failed, *exited;

	for (; *words; words++)
		assert_int_equal(strv_add(&p->argv, *words), 0);
	launch_start(l, p, NULL);
	int end = launch_finish(l);
	failed = launch_find(l, REPORT_FAILED);
	if (failed)
		fail_msg("%s: %s (%s)", enter_stage_name(failed->stage), strerror(failed->error), failed->detail);
	exited = launch_find(l, REPORT_EXITED);
	assert_non_null(exited);
	assert_true(WIFEXITED(exited->status));
	assert_int_equal(WEXITSTATUS(exited->status), status);
	assert_true(WIFEXITED(end));
	assert_int_equal(WEXITSTATUS(end), status);
}

char *launch_scratch(void)
{
	char *path = strdup("/tmp/enter-test-XXXXXX");

	assert_non_null(path);
	assert_non_null(mkdtemp(path));
	assert_int_equal(chmod(path, 0777), 0);
	return path;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return remove(path);
}

void launch_scratch_done(char **path)
{
	nftw(*path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(*path);
}
