/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive - starts commands over and over, interleaved, and prints what it measured as JSON lines
 *
 *   drive first RUNS  CMD... --- CMD... [--- ...]   ns from before vfork to the time that probe writes to stderr
 *   drive init RUNS   CMD... --- ...                ns from before vfork to the answer to `initialize`
 *   drive call RUNS   CMD... --- ...                ns for one tools/call, RUNS calls a variant
 *   drive full RUNS   CMD... --- ...                the same with ten arguments
 *
 * Each output line: {"variant":i,"ns":n}, after one run of each that is not counted. `call` keeps itself and what it
 * starts on core 0 and stockade's supervisor on core 1, takes turns in blocks, and keeps core 1 awake: in a virtual
 * machine a core that has gone idle takes 50 us to wake, ten times what is measured. Core 0 always has one of the
 * processes to run.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { VARIANTS_MAX = 8, READ_MAX = 1 << 16, CALL_WARM = 200, CALL_BLOCKS = 20, CALL_MAX = 1024, WAIT_MS = 60000 };

struct child {
	pid_t pid;
	int in, out, err;
};

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "drive: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void start(char **argv, struct child *c)
{
	extern char **environ;
	int in[2], out[2], err[2];
	posix_spawn_file_actions_t a;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("pipe");
	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_adddup2(&a, in[0], 0);
	posix_spawn_file_actions_adddup2(&a, out[1], 1);
	posix_spawn_file_actions_adddup2(&a, err[1], 2);
	if (posix_spawnp(&c->pid, argv[0], &a, NULL, argv, environ))
		die(argv[0]);
	posix_spawn_file_actions_destroy(&a);
	close(in[0]);
	close(out[1]);
	close(err[1]);
	c->in = in[1];
	c->out = out[0];
	c->err = err[0];
}

static void end(struct child *c)
{
	close(c->in);
	close(c->out);
	close(c->err);
	kill(c->pid, SIGTERM);
	waitpid(c->pid, NULL, 0);
}

/* One line from fd into line (without the LF); stops the benchmark when none comes. */
static void read_line(int fd, char *line, size_t size)
{
	size_t n = 0;
	bool ended = false;

	while (!ended) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (poll(&p, 1, WAIT_MS) <= 0)
			die("no answer");
		ssize_t r = read(fd, line + n, n < size - 1 ? size - 1 - n : 0);
		if (r <= 0)
			die("end of file where a line should be");
		ended = memchr(line + n, '\n', (size_t)r);
		n += (size_t)r;
		if (!ended && n >= size - 1)
			n = 0; /* a long result: only its end matters */
	}
	line[n] = '\0';
}

static void send_line(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("write");
}

static const char hello[] = "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
			    "\"2025-06-18\",\"capabilities\":{},"
			    "\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}\n";

static long long measure_first(char **argv)
{
	static char line[READ_MAX];
	struct child c;
	long long before = now_ns(), at;
	char *digits;

	start(argv, &c);
	for (;;) {
		read_line(c.err, line, sizeof(line));
		/* The relay puts "[probe] " before the server's words. */
		digits = strstr(line, "] ");
		digits = digits ? digits + 2 : line;
		at = strtoll(digits, NULL, 10);
		if (at > before)
			break;
		fprintf(stderr, "drive: %s", line);
	}
	end(&c);
	return at - before;
}

static long long measure_init(char **argv)
{
	static char line[READ_MAX];
	struct child c;
	long long before = now_ns(), after;

	start(argv, &c);
	send_line(c.in, hello);
	read_line(c.out, line, sizeof(line));
	after = now_ns();
	if (!strstr(line, "protocolVersion")) {
		fprintf(stderr, "drive: unexpected answer: %s", line);
		exit(1);
	}
	end(&c);
	return after - before;
}

static void pin(pid_t pid, int core)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(core, &one);
	sched_setaffinity(pid, sizeof(one), &one);
}

static bool is_stockade(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash ? slash + 1 : path, "stockade") == 0;
}

/* Runs only where nothing else wants to, and gives way at once to what is in the same session (autogroup, sched(7)). */
static pid_t keep_awake(int core)
{
	const struct sched_param none = { 0 };
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(0, core);
	if (sched_setscheduler(0, SCHED_IDLE, &none) < 0 || getppid() != parent)
		_exit(1);
	for (;;)
		__asm__ volatile("pause");
}

/* What a call with everything on holds: arguments for each property of the probe's tool. */
static const char all_arguments[] = "\"owner\":\"example\",\"repo\":\"stockade\",\"title\":\"The list is empty\","
				    "\"body\":\"It was not yesterday.\",\"labels\":[\"bug\"],\"milestone\":7,"
				    "\"state\":\"open\",\"locked\":false,\"assignee\":\"somebody\",\"score\":0.5";

static void measure_calls(char **argv, unsigned variant, long runs, const char *arguments)
{
	static char line[READ_MAX];
	char call[CALL_MAX];
	struct child c;

	pin(0, 0);
	start(argv, &c);
	send_line(c.in, hello);
	read_line(c.out, line, sizeof(line));
	send_line(c.in, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");
	if (*arguments) {
		send_line(c.in, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n");
		read_line(c.out, line, sizeof(line));
	}
	/* The supervisor alone: it writes the log beside the messages, it is not in their way. */
	if (is_stockade(argv[0]))
		pin(c.pid, 1);
	for (long i = -CALL_WARM; i < runs; i++) {
		snprintf(call, sizeof(call),
			"{\"jsonrpc\":\"2.0\",\"id\":%ld,\"method\":\"tools/"
			"call\",\"params\":{\"name\":\"t\",\"arguments\":{%s}}}\n",
			i + CALL_WARM + 2, arguments);
		long long before = now_ns();
		send_line(c.in, call);
		read_line(c.out, line, sizeof(line));
		long long after = now_ns();
		if (strstr(line, "isError")) {
			fprintf(stderr, "drive: a call was denied: %s", line);
			exit(1);
		}
		if (i >= 0)
			printf("{\"variant\":%u,\"ns\":%lld}\n", variant, after - before);
	}
	end(&c);
}

/* Blocks in turn: a machine that slows down slows all of them. */
static void all_calls(char ***variant, unsigned n, long runs, const char *arguments)
{
	pid_t awake = keep_awake(1);

	for (long block = 0; block < CALL_BLOCKS; block++)
		for (unsigned v = 0; v < n; v++)
			measure_calls(variant[v], v, runs / CALL_BLOCKS, arguments);
	kill(awake, SIGKILL);
	waitpid(awake, NULL, 0);
}

static void all_launches(char ***variant, unsigned n, long runs, long long (*measure)(char **argv))
{
	for (long i = -1; i < runs; i++)
		for (unsigned v = 0; v < n; v++) {
			long long ns = measure(variant[v]);
			if (i >= 0)
				printf("{\"variant\":%u,\"ns\":%lld}\n", v, ns);
		}
}

int main(int argc, char **argv)
{
	char **variant[VARIANTS_MAX];
	unsigned n = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: drive first|init|call|full RUNS CMD... [--- CMD...]...\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	variant[n++] = argv + 3;
	for (int i = 3; i < argc && n < VARIANTS_MAX; i++)
		if (strcmp(argv[i], "---") == 0) {
			argv[i] = NULL;
			variant[n++] = argv + i + 1;
		}
	long runs = strtol(argv[2], NULL, 10);
	if (strcmp(argv[1], "call") == 0 || strcmp(argv[1], "full") == 0)
		all_calls(variant, n, runs, strcmp(argv[1], "full") == 0 ? all_arguments : "");
	else
		all_launches(variant, n, runs, strcmp(argv[1], "first") == 0 ? measure_first : measure_init);
	return 0;
}
