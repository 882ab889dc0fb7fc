/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net - both ends of connections on loopback: the host's, and that of a server which reaches it directly or through
 * stockade
 *
 *   net serve               listens on 127.0.0.1, writes the port as a line to stdout, serves until it is killed
 *   net relay PORT          the same, and carries each connection on to PORT by read and write alone
 *   net splice PORT         the same, by splice(2) through pipes of PIPE bytes
 *   net first PORT N        ns from connect(2) to the first byte, the median of N connections one after the other
 *   net many PORT N         ns a connection, of N with IN_FLIGHT at once
 *   net up|down PORT MIB    ns for MIB mebibytes one way, up: to the host
 *
 * What is measured goes to stderr as one line, since stdout of what stockade starts is for messages. Then the end of
 * stdin is awaited, so that whoever measures can look at the processes. The first byte of a connection says what it is
 * for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 256 << 10, IN_FLIGHT = 16, BACKLOG = 1024, MIB = 1 << 20, PIPE = 1 << 20 };
enum { WANT_ECHO = 'e', WANT_SINK = 's', WANT_SOURCE = 'r' };

static char block[BLOCK];

static void die(const char *what)
{
	fprintf(stderr, "net: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* --- the host's end --- */

static void serve_one(int fd)
{
	char want;

	if (recv(fd, &want, 1, 0) != 1)
		return;
	if (want == WANT_SOURCE) {
		while (send(fd, block, sizeof(block), MSG_NOSIGNAL) > 0)
			;
		return;
	}
	while (want == WANT_SINK && recv(fd, block, sizeof(block), 0) > 0)
		;
	(void)!send(fd, &want, 1, MSG_NOSIGNAL);
}

static int connected(unsigned port);

/* Carries what is there from one end to the other; whether there will be more. */
typedef bool (*carry_fn)(int from, int to, const int pipes[2]);

static bool by_copy(int from, int to, const int pipes[2])
{
	ssize_t n = recv(from, block, sizeof(block), 0);

	(void)pipes;
	return n > 0 && send(to, block, (size_t)n, MSG_NOSIGNAL) == n;
}

static bool by_splice(int from, int to, const int pipes[2])
{
	ssize_t n = splice(from, NULL, pipes[1], NULL, PIPE, SPLICE_F_MOVE), left = n;

	while (left > 0) {
		ssize_t out = splice(pipes[0], NULL, to, NULL, (size_t)left, SPLICE_F_MOVE);
		if (out <= 0)
			return false;
		left -= out;
	}
	return n > 0;
}

/* Without half of what the gateway does: what any relay costs. What is left in the pipes ends with them. */
static void relay_one(int fd, unsigned port, carry_fn carry)
{
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN }, { .fd = connected(port), .events = POLLIN } };
	const int ends[2] = { fd, p[1].fd };
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) || fcntl(pipes[1], F_SETPIPE_SZ, PIPE) < 0)
		die("pipe");
	while ((p[0].fd >= 0 || p[1].fd >= 0) && poll(p, 2, -1) > 0)
		for (int i = 0; i < 2; i++) {
			if (p[i].fd < 0 || !p[i].revents || carry(ends[i], ends[!i], pipes))
				continue;
			shutdown(ends[!i], SHUT_WR);
			shutdown(ends[i], SHUT_RD);
			p[i].fd = -1;
		}
	close(ends[1]);
	close(pipes[0]);
	close(pipes[1]);
}

static _Noreturn void serve(unsigned onward, carry_fn carry)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) || listen(fd, BACKLOG) ||
		getsockname(fd, (struct sockaddr *)&at, &n))
		die("cannot listen");
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		if (peer < 0)
			die("accept");
		if (onward)
			relay_one(peer, onward, carry);
		else
			serve_one(peer);
		close(peer);
	}
}

/* --- the server's end --- */

static int connected(unsigned port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("cannot connect");
	return fd;
}

static int dial(unsigned port, char want)
{
	int fd = connected(port);

	if (send(fd, &want, 1, MSG_NOSIGNAL) != 1)
		die("cannot send");
	return fd;
}

static void await_byte(int fd)
{
	char byte;

	if (recv(fd, &byte, 1, 0) != 1)
		die("no byte came");
	close(fd);
}

static int compare(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return x < y ? -1 : x > y;
}

static long long first(unsigned port, long n)
{
	long long *took = calloc((size_t)n, sizeof(*took)), median;

	if (!took)
		die("memory");
	for (long i = 0; i < n; i++) {
		long long before = now_ns();
		await_byte(dial(port, WANT_ECHO));
		took[i] = now_ns() - before;
	}
	qsort(took, (size_t)n, sizeof(*took), compare);
	median = took[n / 2];
	free(took);
	return median;
}

static long long many(unsigned port, long n)
{
	struct pollfd p[IN_FLIGHT];
	long long before = now_ns();
	long begun = 0, done = 0;

	for (int i = 0; i < IN_FLIGHT; i++, begun++)
		p[i] = (struct pollfd){ .fd = dial(port, WANT_ECHO), .events = POLLIN };
	while (done < n && poll(p, IN_FLIGHT, -1) > 0)
		for (int i = 0; i < IN_FLIGHT; i++) {
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			await_byte(p[i].fd);
			done++;
			p[i].fd = begun < n ? dial(port, WANT_ECHO) : -1;
			begun++;
		}
	return (now_ns() - before) / n;
}

static long long up(unsigned port, long mib)
{
	long long before = now_ns();
	int fd = dial(port, WANT_SINK);

	for (long long left = (long long)mib * MIB; left > 0;) {
		ssize_t n = send(fd, block, left < BLOCK ? (size_t)left : BLOCK, MSG_NOSIGNAL);
		if (n < 0)
			die("send");
		left -= n;
	}
	shutdown(fd, SHUT_WR);
	await_byte(fd);
	return now_ns() - before;
}

static long long down(unsigned port, long mib)
{
	long long before = now_ns();
	int fd = dial(port, WANT_SOURCE);

	for (long long left = (long long)mib * MIB; left > 0;) {
		ssize_t n = recv(fd, block, BLOCK, 0);
		if (n <= 0)
			die("recv");
		left -= n;
	}
	before = now_ns() - before;
	close(fd);
	return before;
}

static const struct {
	const char *name;
	long long (*measure)(unsigned port, long n);
} modes[] = { { "first", first }, { "many", many }, { "up", up }, { "down", down } };

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && strcmp(argv[1], "serve") == 0)
		serve(0, NULL);
	if (argc == 3 && strcmp(argv[1], "relay") == 0)
		serve((unsigned)strtoul(argv[2], NULL, 10), by_copy);
	if (argc == 3 && strcmp(argv[1], "splice") == 0)
		serve((unsigned)strtoul(argv[2], NULL, 10), by_splice);
	for (size_t i = 0; argc == 4 && i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(argv[1], modes[i].name) != 0)
			continue;
		fprintf(stderr, "%lld ns\n",
			modes[i].measure((unsigned)strtoul(argv[2], NULL, 10), strtol(argv[3], NULL, 10)));
		while (read(0, block, sizeof(block)) > 0)
			;
		return 0;
	}
	fprintf(stderr, "usage: net serve | net relay|splice PORT | net first|many|up|down PORT N\n");
	return 2;
}
