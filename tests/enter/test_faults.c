/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults - every system call of a launch fails once, one after the other; each time no server, or no difference
 *
 * The tests are the supervisor and, with ptrace(2), the tracer of the three processes of stockade-enter, so that the
 * very program that is installed is tested, libraries included, and holds no code for it. A first run counts the calls
 * of each process. Then one launch a call: the call is skipped and answers EPERM. Allowed are two ends: the launch
 * fails (a report, or a process that ends before it announced a PID 1), or the call is in a short table of those that
 * may fail unnoticed and the server sees, line for line, what it saw in the first run.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "base/io.h"
#include "tests/enter/launch.h"

enum { CALLS_MAX = 4096, TRACEES_MAX = 3, DEADLINE_S = 60, NUMBERS_MAX = 512 };

static const char *const who_names[TRACEES_MAX] = { "outer", "PID 1", "PID 2" };

/* The kernel has no way to fail these; what they return is not an errno. */
static const long never_fails[] = { SYS_exit_group, SYS_umask, SYS_getpid, SYS_getuid, SYS_geteuid, SYS_getgid,
	SYS_getegid };

/* Calls that may fail unnoticed, provided that the server finds the same sandbox. */
static const struct {
	long nr;
	const char *why;
} harmless[] = {
	{ SYS_brk, "malloc falls back to mmap" },
	{ SYS_mmap, "malloc tries again elsewhere" },
	{ SYS_munmap, "memory stays mapped until exec" },
	{ SYS_close, "what stays open is closed by DESCRIPTORS, or by exec" },
	{ SYS_madvise, "pages of the program's own file stay resident" },
	{ SYS_set_robust_list, "threads of the C library" },
	{ SYS_openat, "libcap-ng looks at /proc; what it does is verified with the kernel" },
	{ SYS_newfstatat, "the same" },
	{ SYS_read, "the same" },
	{ SYS_recvmsg, "libnl waits for an acknowledgement that it does not look at" },
};

struct tracee {
	pid_t pid;
	bool counting, inside, skip, started, in_main;
	unsigned seen[NUMBERS_MAX]; /* by number: how often it was called */
};

/* The index counts calls of this number: PID 1 waits in a loop, and how often it wakes up differs from run to run. */
struct call {
	unsigned who, index;
	long nr;
	bool before_main; /* the C library's and the libraries' own beginnings */
};

struct trace {
	struct launch l;
	struct tracee tracees[TRACEES_MAX];
	unsigned n_tracees;
	bool inject, injected;
	struct call fails;  /* the call that is to */
	struct call *calls; /* NULL, or where to note them */
	size_t n_calls;
	int end[TRACEES_MAX]; /* wait statuses */
	bool hung;
};

static void be_traced(void)
{
	if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
		_exit(96);
	raise(SIGSTOP);
}

static struct tracee *find_tracee(struct trace *t, pid_t pid)
{
	struct tracee *new = &t->tracees[t->n_tracees];

	for (unsigned i = 0; i < t->n_tracees; i++)
		if (t->tracees[i].pid == pid)
			return &t->tracees[i];
	assert_true(t->n_tracees < TRACEES_MAX);
	/* Only outer begins with an exec of its own; the others are this image from their first call. */
	*new = (struct tracee){ .pid = pid, .counting = t->n_tracees > 0 };
	t->n_tracees++;
	return new;
}

static void on_call_entry(struct trace *t, struct tracee *p, struct user_regs_struct *regs)
{
	unsigned who = (unsigned)(p - t->tracees), index;
	long nr = (long)regs->orig_rax;

	if (!p->counting || nr < 0 || nr >= NUMBERS_MAX)
		return;
	index = p->seen[nr]++;
	/* The first thing that main does. */
	p->in_main |= nr == SYS_getresuid || who > 0;
	if (t->calls && t->n_calls < CALLS_MAX)
		t->calls[t->n_calls++] = (struct call){ who, index, nr, !p->in_main };
	if (t->inject && who == t->fails.who && nr == t->fails.nr && index == t->fails.index) {
		t->injected = p->skip = true;
		regs->orig_rax = (unsigned long long)-1;
		ptrace(PTRACE_SETREGS, p->pid, 0, regs);
	}
}

static void on_call(struct trace *t, struct tracee *p)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, p->pid, 0, &regs) < 0)
		return;
	p->inside = !p->inside;
	if (p->inside) {
		on_call_entry(t, p, &regs);
	} else if (p->skip) {
		p->skip = false;
		regs.rax = (unsigned long long)-EPERM;
		ptrace(PTRACE_SETREGS, p->pid, 0, &regs);
	}
}

/* Stops at calls cost most of a run: only where a call is still to be counted or to fail. */
static enum __ptrace_request how_to_go_on(const struct trace *t, const struct tracee *p)
{
	unsigned who = (unsigned)(p - t->tracees);

	if (!p->started || p->skip || t->calls)
		return PTRACE_SYSCALL;
	return who == t->fails.who && !t->injected ? PTRACE_SYSCALL : PTRACE_CONT;
}

/* Lets the stopped tracee go on; the server itself is not traced any more. */
static void on_stop(struct trace *t, struct tracee *p, int status)
{
	int signal = WSTOPSIG(status), event = status >> 16;

	if (!p->started && signal == SIGSTOP) {
		p->started = true;
		if (p == &t->tracees[0])
			ptrace(PTRACE_SETOPTIONS, p->pid, 0,
				PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
					PTRACE_O_EXITKILL);
		signal = 0;
	} else if (signal == (SIGTRAP | 0x80)) {
		on_call(t, p);
		signal = 0;
	} else if (event == PTRACE_EVENT_EXEC) {
		p->counting = p == &t->tracees[0];
		if (p == &t->tracees[2]) {
			ptrace(PTRACE_DETACH, p->pid, 0, 0);
			return;
		}
		signal = 0;
	} else if (event) {
		signal = 0;
	}
	ptrace(how_to_go_on(t, p), p->pid, 0, signal);
}

/* The supervisor's part, beside the tracer's: waitpid(2) and the socket cannot be waited for at once. */
static void *supervise(void *arg)
{
	struct launch *l = arg;

	while (launch_read_report(l))
		if (l->reports[l->n_reports - 1].type == REPORT_READY && !launch_try_release(l))
			break;
	return NULL;
}

static void run(struct trace *t)
{
	_cleanup_plan_ struct plan p = { 0 };
	_cleanup_scratch_ char *scratch = launch_scratch();
	static const char *const words[] = { "descriptors", "status", "world", "mounts", "root", "interfaces",
		"loopback", "namespaces", "calls", "sockets", "files", "proc", "connect", "198.18.0.16:443" };
	pthread_t supervisor;

	launch_plan(&p, PROBE_BINARY, scratch);
	launch_network(&p, NET_BENCHMARK);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		assert_int_equal(strv_add(&p.argv, words[i]), 0);
	launch_start(&t->l, &p, be_traced);
	assert_int_equal(pthread_create(&supervisor, NULL, supervise, &t->l), 0);
	alarm(DEADLINE_S);
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0) {
			t->hung = errno != ECHILD;
			break;
		}
		struct tracee *who = find_tracee(t, pid);
		if (WIFSTOPPED(status))
			on_stop(t, who, status);
		else
			t->end[who - t->tracees] = status;
	}
	alarm(0);
	for (unsigned i = 0; t->hung && i < t->n_tracees; i++) {
		kill(t->tracees[i].pid, SIGKILL);
		waitpid(t->tracees[i].pid, NULL, __WALL);
	}
	assert_int_equal(pthread_join(supervisor, NULL), 0);
	assert_int_equal(io_read_all(t->l.out, &t->l.output), 0);
}

static void finish(struct trace *t)
{
	/* Everything has been waited for. */
	t->l.outer = t->l.init = 0;
	launch_done(&t->l);
}

static bool may_fail_unnoticed(const struct call *c)
{
	for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
		if (harmless[i].nr == c->nr)
			return true;
	return c->before_main;
}

static bool can_fail(long nr)
{
	for (size_t i = 0; i < ARRAY_LEN(never_fails); i++)
		if (never_fails[i] == nr)
			return false;
	return true;
}

/* NULL when the launch ended as it may, else what is wrong with it. */
static const char *judge(const struct trace *t, const struct trace *first, const struct call *c)
{
	const struct buf *saw = &t->l.output, *should = &first->l.output;

	if (t->hung)
		return "something is left";
	if (!launch_find(&t->l, REPORT_READY) && saw->len > 0)
		return "a server ran before everything was ready";
	/* What was released may have begun before PID 1 failed and took it along: then it saw the beginning of the
	 * same. */
	if (saw->len > should->len || (saw->len > 0 && memcmp(saw->data, should->data, saw->len) != 0))
		return "the server's sandbox is another one";
	/* A process that is killed, or cannot send, ends with a status; the supervisor sees that. */
	if (launch_find(&t->l, REPORT_FAILED) || t->end[0] != 0 || t->end[1] != 0)
		return NULL;
	if (!launch_find(&t->l, REPORT_RUNNING))
		return "no server, and nobody said why";
	if (saw->len != should->len)
		return "the server's sandbox is another one";
	/* A wake-up of PID 1 that this run had no need of: nothing failed. */
	return may_fail_unnoticed(c) || !t->injected ? NULL : "the failure went unnoticed";
}

static void each_call_fails_once_and_no_server_runs_with_less(void **state)
{
	static struct call calls[CALLS_MAX];
	struct trace first = { .calls = calls };
	bool stage_failed[ENTER_STAGE_COUNT] = { 0 };
	size_t wrong = 0;

	run(&first);
	assert_non_null(launch_find(&first.l, REPORT_EXITED));
	assert_int_equal(launch_find(&first.l, REPORT_EXITED)->status, 0);
	assert_true(first.n_calls > 200 && first.n_calls < CALLS_MAX);
	for (size_t i = 0; i < first.n_calls; i++) {
		struct trace t = { .inject = true, .fails = calls[i] };
		const struct report *failed;
		const char *bad;
		if (!can_fail(calls[i].nr))
			continue;
		run(&t);
		bad = judge(&t, &first, &calls[i]);
		failed = launch_find(&t.l, REPORT_FAILED);
		if (failed)
			stage_failed[failed->stage] = true;
		if (bad)
			print_error("%s, call %u (number %ld): %s; %s\n", who_names[calls[i].who], calls[i].index,
				calls[i].nr, bad, failed ? enter_stage_name(failed->stage) : "-");
		wrong += bad != NULL;
		finish(&t);
	}
	finish(&first);
	for (unsigned s = 0; s < ENTER_STAGE_COUNT; s++)
		if (!stage_failed[s] && s != ENTER_STAGE_SOURCES)
			fail_msg("no call of stage %s was made to fail", enter_stage_name(s));
	assert_int_equal(wrong, 0);
}

static void on_alarm(int signal)
{
}

int main(void)
{
	/* Without SA_RESTART: a wait that takes too long is interrupted. */
	struct sigaction alarmed = { .sa_handler = on_alarm };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_fails_once_and_no_server_runs_with_less),
	};

	if (sigaction(SIGALRM, &alarmed, NULL) < 0)
		return 1;
	return cmocka_run_group_tests_name("faults", tests, NULL, NULL);
}
