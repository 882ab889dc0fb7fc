/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lockdown - what a helper gives up, layer by layer, and how a filter is loaded
 *
 * Each look runs twice, in a child of its own: locked down and not. The filter here allows everything, so that what is
 * refused is refused by the layer that the case is about; what the real filters refuse is in the tests of each confine.
 */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/landlock.h"
#include "base/lockdown.h"

enum { CANNOT = 200, FILES = 16, FEWER = 8, CHILD_FILES = 64 };

static const struct sock_filter everything[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
static const struct seccomp_filter open_filter = { "everything", everything, ARRAY_LEN(everything) };

/* getppid(2) is refused, all else is not. */
static const struct sock_filter but_one[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static const struct seccomp_filter one_less = { "but one", but_one, ARRAY_LEN(but_one) };

static const struct lockdown bare = { .filter = &open_filter };

/* What a child saw once it was locked down (with NULL: not); its errno where that is the answer. */
static int in_child(const struct lockdown *l, int (*look)(void))
{
	struct diag d = { "" };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(l && lockdown_apply(l, &d) < 0 ? CANNOT : look());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int no_new_privileges(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

static int dumpable(void)
{
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

static int death_signal(void)
{
	int signal = -1;

	return prctl(PR_GET_PDEATHSIG, &signal) < 0 ? CANNOT : signal;
}

static int limit_of(__rlimit_resource_t what)
{
	struct rlimit l;

	if (getrlimit(what, &l) < 0 || l.rlim_cur != l.rlim_max)
		return CANNOT;
	return l.rlim_max < CANNOT ? (int)l.rlim_max : CANNOT + 1;
}

static int core_limit(void)
{
	return limit_of(RLIMIT_CORE);
}

static int file_limit(void)
{
	return limit_of(RLIMIT_NOFILE);
}

static void it_can_gain_nothing_by_exec_and_nobody_reads_its_memory(void **state)
{
	assert_int_equal(in_child(NULL, no_new_privileges), 0);
	assert_int_equal(in_child(&bare, no_new_privileges), 1);
	assert_int_equal(in_child(NULL, dumpable), 1);
	assert_int_equal(in_child(&bare, dumpable), 0);
}

static void it_dies_with_its_parent_where_that_is_asked_for(void **state)
{
	struct lockdown tied = bare;

	tied.dies_with_parent = true;
	assert_int_equal(in_child(&bare, death_signal), 0);
	assert_int_equal(in_child(&tied, death_signal), SIGKILL);
}

static void set_limit(__rlimit_resource_t what, rlim_t n)
{
	const struct rlimit l = { n, n };

	if (setrlimit(what, &l) < 0)
		_exit(CANNOT);
}

/* The same under a ceiling that the caller had before. */
static int below(rlim_t core, rlim_t files, const struct lockdown *l, int (*look)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		set_limit(RLIMIT_CORE, core);
		set_limit(RLIMIT_NOFILE, files);
		_exit(in_child(l, look));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void limits_are_lowered_and_never_raised(void **state)
{
	struct lockdown few = bare;

	few.files = FILES;
	assert_int_equal(below(0, CHILD_FILES, &bare, core_limit), 0);
	assert_int_equal(below(0, CHILD_FILES, &bare, file_limit), CHILD_FILES);
	assert_int_equal(below(0, CHILD_FILES, &few, file_limit), FILES);
	assert_int_equal(below(0, FEWER, &few, file_limit), FEWER);
	/* One byte and not none: a handler of core_pattern would still get a dump at 0. */
	if (geteuid() == 0)
		assert_int_equal(below(1 << 20, CHILD_FILES, &bare, core_limit), 1);
}

static int open_to_read(void)
{
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? errno : 0;
}

static int open_directory(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 ? errno : 0;
}

static int open_granted_directory(void)
{
	return open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC) < 0 ? errno : 0;
}

static int make_file(void)
{
	return open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600) < 0 ? errno : 0;
}

static int start_program(void)
{
	char *argv[] = { (char *)(uintptr_t) "/bin/true", NULL };

	execv(argv[0], argv);
	return errno;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
}

static uint16_t port_of_listener, port_of_another;

static int connect_to_listener(void)
{
	struct sockaddr_in at = loopback(port_of_listener);

	return connect(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&at, sizeof(at)) < 0 ? errno
													       : 0;
}

static int bind_anywhere(void)
{
	struct sockaddr_in at = loopback(0);

	return bind(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), (struct sockaddr *)&at, sizeof(at)) < 0 ? errno : 0;
}

static struct sockaddr_un abstract_listener;
static socklen_t abstract_len;

static int connect_to_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (struct sockaddr *)&abstract_listener, abstract_len) < 0 ? errno : 0;
}

static int signal_parent(void)
{
	return kill(getppid(), 0) < 0 ? errno : 0;
}

static int listen_there(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	port_of_listener = ntohs(at.sin_port);
	return fd;
}

/* The kernel gives it a name of its own (unix(7), autobind). */
static int listen_abstract(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	abstract_listener = (struct sockaddr_un){ .sun_family = AF_UNIX };
	assert_int_equal(bind(fd, (struct sockaddr *)&abstract_listener, sizeof(sa_family_t)), 0);
	assert_int_equal(listen(fd, 8), 0);
	abstract_len = sizeof(abstract_listener);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&abstract_listener, &abstract_len), 0);
	return fd;
}

static void every_right_that_landlock_knows_is_gone(void **state)
{
	static const struct {
		const char *what;
		int (*look)(void);
		int abi, error;
	} cases[] = {
		{ "reading a file", open_to_read, 1, EACCES },
		{ "reading a directory", open_directory, 1, EACCES },
		{ "making a file", make_file, 1, EACCES },
		{ "starting a program", start_program, 1, EACCES },
		{ "connecting", connect_to_listener, 4, EACCES },
		{ "binding", bind_anywhere, 4, EACCES },
		{ "an abstract socket", connect_to_abstract, 6, EPERM },
		{ "a signal", signal_parent, 6, EPERM },
	};
	_cleanup_close_ int tcp = listen_there(), local = listen_abstract();

	assert_true(tcp >= 0 && local >= 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int without = in_child(NULL, cases[i].look), with = in_child(&bare, cases[i].look);
		if (without != 0)
			fail_msg("%s fails unconfined too: %s", cases[i].what, strerror(without));
		if (landlock_abi() >= cases[i].abi && with != cases[i].error)
			fail_msg("%s, locked down: %d", cases[i].what, with);
	}
}

/* A port of somebody who listens, made while this process still may. */
static int connect_to_another(void)
{
	port_of_listener = port_of_another;
	return connect_to_listener();
}

/* /etc may be read, and the listener may be connected to. */
static int allow_some(int ruleset, const void *ctx)
{
	_cleanup_close_ int fd = open(ctx, O_PATH | O_CLOEXEC);
	int r = fd < 0 ? -errno : landlock_allow_path(ruleset, fd, 1 << 2 /* READ_FILE */);

	return r < 0 ? r : landlock_allow_port(ruleset, port_of_listener, LANDLOCK_CONNECT_TCP);
}

static void what_allow_adds_is_left_and_nothing_beside_it(void **state)
{
	const struct lockdown some = { .filter = &open_filter, .allow = allow_some, .ctx = "/etc" };
	_cleanup_close_ int another = listen_there();
	port_of_another = port_of_listener;
	_cleanup_close_ int granted = listen_there();
	assert_true(another >= 0 && granted >= 0);

	assert_int_equal(in_child(NULL, connect_to_another), 0);
	assert_int_equal(in_child(&some, open_to_read), 0);
	assert_int_equal(in_child(&some, connect_to_listener), 0);
	assert_int_equal(in_child(&some, open_granted_directory), EACCES);
	assert_int_equal(in_child(&some, make_file), EACCES);
	assert_int_equal(in_child(&some, start_program), EACCES);
	if (landlock_abi() >= 4) {
		assert_int_equal(in_child(&some, bind_anywhere), EACCES);
		assert_int_equal(in_child(&some, connect_to_another), EACCES);
	}
}

static int ask_for_parent(void)
{
	return syscall(SYS_getppid) < 0 ? errno : 0;
}

static void the_filter_is_in_force(void **state)
{
	const struct lockdown l = { .filter = &one_less };

	assert_int_equal(in_child(&bare, ask_for_parent), 0);
	assert_int_equal(in_child(&l, ask_for_parent), ENOTTY);
}

static int refuse(int ruleset, const void *ctx)
{
	return -EXDEV;
}

/* The error and its words, from a child. 0: as expected. */
static int fails_with(const struct lockdown *l, int error, const char *words)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct diag d = { "" };
		int r = lockdown_apply(l, &d);
		if (r != error || !strstr(d.text, words))
			fprintf(stderr, "%d: %s\n", r, d.text);
		_exit(r == error && strstr(d.text, words) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void a_layer_that_cannot_be_put_up_is_an_error_with_words(void **state)
{
	static const struct seccomp_filter empty = { "empty", everything, 0 };
	static const struct sock_filter no_end[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0) };
	static const struct seccomp_filter endless = { "no end", no_end, ARRAY_LEN(no_end) };
	const struct lockdown refused = { .filter = &open_filter, .allow = refuse };
	const struct lockdown nowhere = { .filter = &open_filter, .allow = allow_some, .ctx = "/nonexistent" };
	const struct lockdown without = { .filter = &empty }, bad = { .filter = &endless };

	assert_int_equal(fails_with(&refused, -EXDEV, "cannot apply Landlock: Invalid cross-device link"), 0);
	assert_int_equal(fails_with(&nowhere, -ENOENT, "cannot apply Landlock"), 0);
	assert_int_equal(fails_with(&without, -EINVAL, "cannot load the system call filter"), 0);
	assert_int_equal(fails_with(&bad, -EINVAL, "run stockade doctor"), 0);
}

/* Root may load one without: the case is about everybody else. */
static int load_without_no_new_privileges(void)
{
	if (geteuid() == 0 && setresuid(61817, 61817, 61817) < 0)
		return CANNOT;
	return -seccomp_load(&open_filter);
}

static void a_filter_needs_no_new_privileges(void **state)
{
	assert_int_equal(in_child(NULL, load_without_no_new_privileges), EACCES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_can_gain_nothing_by_exec_and_nobody_reads_its_memory),
		cmocka_unit_test(it_dies_with_its_parent_where_that_is_asked_for),
		cmocka_unit_test(limits_are_lowered_and_never_raised),
		cmocka_unit_test(every_right_that_landlock_knows_is_gone),
		cmocka_unit_test(what_allow_adds_is_left_and_nothing_beside_it),
		cmocka_unit_test(the_filter_is_in_force),
		cmocka_unit_test(a_layer_that_cannot_be_put_up_is_an_error_with_words),
		cmocka_unit_test(a_filter_needs_no_new_privileges),
	};

	return cmocka_run_group_tests_name("lockdown", tests, NULL, NULL);
}
