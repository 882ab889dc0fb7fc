/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_doctor_launch - what doctor makes of an enter that reports well, badly or not at all
 *
 * The two functions that start the parts stand here in place of spawn.c: the other end of the socket to enter is a
 * child of the test, which does what a letter says, one after the other. What was to be started is looked at there.
 */
#include "tests/unit/launch_world.h"
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/io.h"
#include "supervisor/doctor.h"
#include "supervisor/spawn.h"
#include "tests/unit/unprivileged.h"
#include "wire/control.h"
#include "wire/report.h"

/* What enter plays, and how it ended. */
static const char *script;
static pid_t enter_pid;
static int ended;

static void report(int sock, const struct report *r, int fd)
{
	struct wire_writer w = { 0 };

	if (report_encode(r, &w) < 0 || io_send_msg(sock, w.buf.data, w.buf.len, &fd, fd >= 0) < 0)
		_exit(50);
	wire_writer_done(&w);
}

/* Only what was released may run the server. */
static void await_release(int sock)
{
	char bytes[CONTROL_BYTES_MAX];
	struct control c = { .type = CONTROL_TYPE_COUNT };
	long n = io_recv_msg(sock, bytes, sizeof(bytes), NULL, NULL);

	if (n <= 0 || control_decode(bytes, (size_t)n, &c) < 0 || c.type != CONTROL_RELEASE)
		_exit(51);
}

static void play(int sock, char letter)
{
	switch (letter) {
	case 'i': /* with a descriptor, as the pidfd of PID 1 comes */
		report(sock, &(struct report){ .type = REPORT_INIT, .pid = 1 }, sock);
		break;
	case 'r':
		report(sock, &(struct report){ .type = REPORT_READY, .landlock = 5 }, -1);
		await_release(sock);
		break;
	case 'g':
		report(sock, &(struct report){ .type = REPORT_RUNNING }, -1);
		break;
	case '0':
	case '1':
		report(sock, &(struct report){ .type = REPORT_EXITED, .status = (letter - '0') << 8 }, -1);
		break;
	case 'f':
		report(sock, &(struct report){ .type = REPORT_FAILED, .stage = ENTER_STAGE_PROC, .error = EPERM }, -1);
		break;
	case 'e': /* no errno */
		report(sock, &(struct report){ .type = REPORT_FAILED, .stage = ENTER_STAGE_PROC }, -1);
		break;
	case 'x':
		if (io_send_msg(sock, "nonsense", 8, NULL, 0) < 0)
			_exit(52);
		break;
	case 's': /* says nothing until it is ended */
		pause();
		break;
	default:
		_exit(53);
	}
}

static bool is_harmless(const struct effective *e)
{
	return e->cmd.argv.n == 1 && strcmp(e->cmd.argv.v[0], "/bin/true") == 0 && e->grants.n == 0 &&
	       !e->plan.network.on && !e->plan.allow_unix && e->profile.env_pass.n == 0;
}

static bool is_null(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

int spawn_session(const struct effective *e, struct spawned *ret, struct diag *d)
{
	int sock[2];

	if (*script == '!')
		return diag_fail(d, -ENOENT, "stockade-enter is not there");
	if (!is_harmless(e))
		return diag_fail(d, -EINVAL, "another launch than that of /bin/true without grants");
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (!is_null(fd))
			return diag_fail(d, -EINVAL, "descriptor %d is not /dev/null", fd);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return -errno;
	enter_pid = fork();
	if (enter_pid == 0) {
		close(sock[0]);
		for (const char *s = script; *s; s++)
			play(sock[1], *s);
		_exit(0);
	}
	close(sock[1]);
	ret->report = sock[0];
	return 0;
}

void spawned_done(struct spawned *s)
{
	int status = 0;

	if (s->report >= 0)
		close(s->report);
	if (enter_pid > 0) {
		kill(enter_pid, SIGKILL);
		waitpid(enter_pid, &status, 0);
	}
	/* A release that did not come. */
	ended = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* In the child: the attempt, with what the test wants to see of the end of enter put beside a success. */
static int attempt(struct doctor_attempt *a)
{
	int r = doctor_launch(a);

	if (ended)
		return snprintf(a->step, sizeof(a->step), "enter ended with %d", ended), -(a->error = EBADMSG);
	return r;
}

static const struct {
	const char *script;
	int error;
	const char *step;
} launches[] = {
	{ "irg0", 0, "" },
	{ "r0", 0, "" },
	{ "irg1", EIO, "run /bin/true in the sandbox" },
	{ "if", EPERM, "mount /proc and mask it" },
	{ "irf", EPERM, "mount /proc and mask it" },
	{ "ie", EIO, "mount /proc and mask it" },
	{ "", ECONNRESET, "hear from stockade-enter" },
	{ "ir", ECONNRESET, "hear from stockade-enter" },
	{ "irg", ECONNRESET, "hear from stockade-enter" },
	{ "x", EPROTO, "hear from stockade-enter" },
	{ "irs", ETIMEDOUT, "hear from stockade-enter" },
	{ "!", ENOENT, "stockade-enter is not there" },
};

static void each_end_of_the_launch_is_named_with_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(launches); i++) {
		struct doctor_attempt a;
		script = launches[i].script;
		doctor_try_as_started(attempt, &a);
		if (a.error != launches[i].error || strcmp(a.step, launches[i].step) != 0)
			fail_msg("'%s': %d (%s)", script, a.error, a.step);
	}
}

static void what_is_wrong_before_a_launch_is_said_whole_and_is_no_refusal_of_the_kernel(void **state)
{
	struct doctor_attempt a;

	script = "irg0";
	assert_int_equal(setenv("XDG_STATE_HOME", "/proc/none", 1), 0);
	doctor_try_as_started(attempt, &a);
	assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
	assert_int_equal(a.error, ENOENT);
	assert_true(a.said);
	if (!strstr(a.step, "cannot make the directory /proc/none/stockade") || !strstr(a.step, "~/.local/state"))
		fail_msg("%s", a.step);
	script = "if";
	doctor_try_as_started(attempt, &a);
	assert_false(a.said);
}

static int count_descriptors(struct doctor_attempt *a)
{
	int n = 0, before = 0;

	for (int fd = 0; fd < 256; fd++)
		before += fcntl(fd, F_GETFD) >= 0;
	script = "irg0";
	if (doctor_launch(a) < 0)
		return -EIO;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	a->error = n == before ? 0 : EMFILE;
	return -a->error;
}

static void a_launch_leaves_no_descriptor_open(void **state)
{
	struct doctor_attempt a;

	(void)state;
	doctor_try_as_started(count_descriptors, &a);
	assert_int_equal(a.error, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)
	const struct CMUnitTest tests[] = {
		T(each_end_of_the_launch_is_named_with_its_reason),
		T(what_is_wrong_before_a_launch_is_said_whole_and_is_no_refusal_of_the_kernel),
		T(a_launch_leaves_no_descriptor_open),
	};
	if (become_unprivileged() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
