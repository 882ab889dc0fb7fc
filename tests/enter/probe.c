/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - the server of the tests: looks at the sandbox from inside and says what it found, one "name value" a line
 *
 * Usage:    probe COMMAND [ARGUMENT ...]; every command is a row of the table at the end
 *
 * Static, so that it needs no mount but its own file. Run outside, it is the control.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/cleanup.h"

enum { FDS_MAX = 1024, FORKS_MAX = 200, ORPHAN_MS = 30000 };
#define DIRTY (0xdead00000000UL)

static void say(const char *name, const char *value)
{
	printf("%s %s\n", name, value);
}

static void say_number(const char *name, long long value)
{
	printf("%s %lld\n", name, value);
}

/* The errno of a call, by name; "ok" when it worked. */
static void say_result(const char *name, long result)
{
	say(name, result >= 0 ? "ok" : strerrorname_np(errno));
}

static int facts_descriptors(void)
{
	printf("fds");
	for (int fd = 0; fd < FDS_MAX; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf(" %d", fd);
	printf("\n");
	return 0;
}

static void copy_lines(const char *path, const char *const *prefixes)
{
	char line[512];
	_cleanup_fclose_ FILE *f = fopen(path, "re");

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; prefixes[i]; i++)
			if (strncmp(line, prefixes[i], strlen(prefixes[i])) == 0)
				fputs(line, stdout);
}

static int facts_status(void)
{
	static const char *const wanted[] = { "Cap", "NoNewPrivs", "Seccomp:", "SigBlk", "SigIgn", "SigCgt", "NSpid",
		NULL };

	say_number("uid", getuid());
	say_number("euid", geteuid());
	say_number("gid", getgid());
	say_number("pid", getpid());
	say_number("session-leader", getsid(0) == getpid());
	say_number("groups", getgroups(0, NULL));
	copy_lines("/proc/self/status", wanted);
	return 0;
}

static void say_limit(const char *name, __rlimit_resource_t what)
{
	struct rlimit l = { 0 };

	if (getrlimit(what, &l) == 0)
		printf("%s %ju %ju\n", name, (uintmax_t)l.rlim_cur, (uintmax_t)l.rlim_max);
}

static int facts_world(void)
{
	char name[HOST_NAME_MAX + 1] = "", cwd[512] = "";
	mode_t mask = umask(0);

	umask(mask);
	if (gethostname(name, sizeof(name)) < 0 || !getcwd(cwd, sizeof(cwd)))
		return 1;
	say("hostname", name);
	say("cwd", cwd);
	printf("umask %03o\n", mask);
	say_limit("core", RLIMIT_CORE);
	say_limit("nofile", RLIMIT_NOFILE);
	say_limit("nproc", RLIMIT_NPROC);
	say_limit("msgqueue", RLIMIT_MSGQUEUE);
	say_limit("memlock", RLIMIT_MEMLOCK);
	say_limit("as", RLIMIT_AS);
	for (char **v = environ; *v; v++)
		say("env", *v);
	return 0;
}

/* "ns-mnt mnt:[4026531841]": which namespace of each kind this is. */
static int facts_namespaces(void)
{
	static const char *const kinds[] = { "user", "mnt", "pid", "net", "ipc", "uts", "cgroup" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		char path[64], name[16], link[64] = "";
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		snprintf(name, sizeof(name), "ns-%s", kinds[i]);
		if (readlink(path, link, sizeof(link) - 1) < 0)
			return 1;
		say(name, link);
	}
	return 0;
}

static int facts_mounts(void)
{
	char line[1024], where[512], flags[256];
	_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %511s %255s", where, flags) == 2)
			printf("mount %s %s\n", where, flags);
	return 0;
}

static int facts_root(void)
{
	struct dirent *d;
	_cleanup_closedir_ DIR *dir = opendir("/");

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.' || strlen(d->d_name) > 2)
			say("root", d->d_name);
	return 0;
}

static int try_loopback(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, outside = a;
	socklen_t n = sizeof(a);
	int server = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

	say_result("bind", bind(server, (struct sockaddr *)&a, n));
	say_result("listen", listen(server, 1));
	if (getsockname(server, (struct sockaddr *)&a, &n) < 0)
		return 1;
	say_result("connect-loopback", connect(client, (struct sockaddr *)&a, n));
	outside.sin_addr.s_addr = htonl(0xc0000201);
	outside.sin_port = htons(9);
	close(client);
	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	say_result("connect-outside", connect(client, (struct sockaddr *)&outside, n));
	return 0;
}

static int try_interfaces(void)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index; i++)
		say("interface", i->if_name);
	if_freenameindex(all);
	return 0;
}

/* A child is made and ends at once when the flags are let through. */
static long try_clone(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid;
}

static int try_namespaces(void)
{
	struct {
		uint64_t flags, rest[10];
	} clone3_args = { .flags = CLONE_NEWUSER };
	long pid;

	say_result("clone-plain", try_clone(0));
	say_result("clone-newuser", try_clone(CLONE_NEWUSER));
	say_result("clone-dirty", try_clone(CLONE_NEWUSER | DIRTY));
	pid = syscall(SYS_clone3, &clone3_args, sizeof(clone3_args));
	if (pid == 0)
		_exit(0);
	say_result("clone3", pid);
	say_result("setns", setns(0, CLONE_NEWUSER));
	say_result("unshare-newuser", unshare(CLONE_NEWUSER));
	return 0;
}

static int try_calls(void)
{
	char page[64];
	struct {
		long pid, iov, n;
	} unused = { 0 };

	say_result("mount", syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, NULL));
	say_result("umount", syscall(SYS_umount2, "/proc/keys", 0));
	say_result("pivot_root", syscall(SYS_pivot_root, ".", "."));
	say_result("chroot", chroot("/"));
	say_result("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
	say_result("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
	say_result("ptrace", syscall(SYS_ptrace, 16, 1, 0, 0));
	say_result("process_vm_readv", syscall(SYS_process_vm_readv, 1, &unused, 0, &unused, 0, 0));
	say_result("keyctl", syscall(SYS_keyctl, 0, -3, 0));
	say_result("bpf", syscall(SYS_bpf, 0, page, sizeof(page)));
	say_result("io_uring_setup", syscall(SYS_io_uring_setup, 1, page));
	say_result("perf_event_open", syscall(SYS_perf_event_open, page, 0, -1, -1, 0));
	say_result("userfaultfd", syscall(SYS_userfaultfd, 0));
	say_result("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", page, page, 0));
	say_result("unknown-call", syscall(1023));
	say_result("tiocsti", ioctl(0, TIOCSTI, "x"));
	say_result("tiocsti-dirty", syscall(SYS_ioctl, 0, DIRTY | TIOCSTI, "x"));
	say_result("tioclinux", ioctl(0, TIOCLINUX, "x"));
	say_result("personality-ask", personality(0xffffffff));
	say_result("personality-rie", personality(READ_IMPLIES_EXEC));
	say_result("prctl-mm", prctl(PR_SET_MM, 0, 0, 0, 0));
	say_result("prctl-ptracer", prctl(PR_SET_PTRACER, 1, 0, 0, 0));
	say_result("prctl-name", prctl(PR_SET_NAME, "probe"));
	return 0;
}

static int try_sockets(void)
{
	int pair[2];

	say_result("socket-inet6", socket(AF_INET6, SOCK_STREAM, 0));
	say_result("socket-route", socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
	say_result("socket-netfilter", socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
	say_result("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
	say_result("socket-unix-dirty", syscall(SYS_socket, DIRTY | AF_UNIX, SOCK_STREAM, 0));
	say_result("socket-vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	say_result("socket-alg", socket(AF_ALG, SOCK_SEQPACKET, 0));
	say_result("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
	say_result("socketpair-stream", socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	say_result("socketpair-dgram", socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	return 0;
}

static long try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd;
}

static int try_files(void)
{
	say_result("write-root", try_open("/new", O_WRONLY | O_CREAT));
	say_result("write-usr", try_open("/usr/new", O_WRONLY | O_CREAT));
	say_result("write-tmp", try_open("/tmp/new", O_WRONLY | O_CREAT));
	say_result("write-shm", try_open("/dev/shm/new", O_WRONLY | O_CREAT));
	say_result("write-scratch", try_open("/scratch/new", O_WRONLY | O_CREAT));
	say_result("write-null", try_open("/dev/null", O_WRONLY));
	say_result("truncate-null", try_open("/dev/null", O_WRONLY | O_CREAT | O_TRUNC));
	say_result("touch-null", utimensat(AT_FDCWD, "/dev/null", NULL, 0));
	say_result("read-urandom", try_open("/dev/urandom", O_RDONLY));
	say_result("open-tty", try_open("/dev/tty", O_RDWR));
	say_result("sysctl", try_open("/proc/sys/kernel/hostname", O_WRONLY));
	say_result("init-mem", try_open("/proc/1/mem", O_RDONLY));
	say_result("init-environ", try_open("/proc/1/environ", O_RDONLY));
	say_result("init-root", try_open("/proc/1/root/etc", O_RDONLY));
	say_result("init-exe", try_open("/proc/1/exe", O_RDONLY));
	say_result("sysrq", try_open("/proc/sysrq-trigger", O_WRONLY));
	say_result("dotdot", try_open("/../../home", O_RDONLY));
	say_result("isatty-null", isatty(open("/dev/null", O_RDWR | O_CLOEXEC)) ? 0 : -1);
	/* A whiteout needs no capability, so what refuses it is Landlock. */
	say_result("mknod-whiteout", mknod("/tmp/whiteout", S_IFCHR | 0600, makedev(0, 0)));
	say_result("kill-init", kill(1, 0));
	return 0;
}

/* Whether the entries of /proc beyond the table can still be read: the number of those with bytes in them. */
static int try_proc(void)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char byte;
		_cleanup_close_ int fd = openat(dirfd(dir), d->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (d->d_type == DT_REG && fd >= 0 && read(fd, &byte, 1) == 1)
			say("readable", d->d_name);
	}
	return 0;
}

static int try_forks(void)
{
	pid_t self = getpid();
	int n = 0;

	while (n < FORKS_MAX) {
		pid_t pid = fork();
		if (pid == 0) {
			/* For the control: there is no PID 1 that takes them along. */
			if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == self)
				pause();
			_exit(0);
		}
		if (pid < 0)
			break;
		n++;
	}
	say_result("fork", n == FORKS_MAX ? 0 : -1);
	say_number("forked", n);
	return 0;
}

static int try_fill(void)
{
	static char block[65536];
	int fd = open("/tmp/big", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	long long total = 0;
	ssize_t n;

	while ((n = write(fd, block, sizeof(block))) > 0)
		total += n;
	say_result("fill", n);
	say_number("filled", total);
	return 0;
}

/* An orphan that ends must not stay a zombie: PID 1 reaps it. */
static int try_orphan(void)
{
	int fds[2];
	pid_t orphan = 0, pid;

	if (pipe(fds) < 0)
		return 1;
	pid = fork();
	if (pid == 0) {
		orphan = fork();
		if (orphan == 0)
			_exit(0);
		_exit(write(fds[1], &orphan, sizeof(orphan)) == sizeof(orphan) ? 0 : 1);
	}
	waitpid(pid, NULL, 0);
	if (read(fds[0], &orphan, sizeof(orphan)) != sizeof(orphan))
		return 1;
	for (int i = 0; i < ORPHAN_MS && kill(orphan, 0) == 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	say_result("orphan", kill(orphan, 0));
	return 0;
}

/* Leaves a process behind that holds stdout, in its own session, deaf to SIGTERM and SIGHUP. */
static int leave_daemon(void)
{
	if (fork() == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		for (;;)
			pause();
	}
	say("daemon", "left");
	return 0;
}

static int sleep_long(void)
{
	say("sleeping", "1");
	fflush(stdout);
	while (pause() < 0)
		;
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} commands[] = {
	{ "descriptors", facts_descriptors },
	{ "status", facts_status },
	{ "world", facts_world },
	{ "own-namespaces", facts_namespaces },
	{ "mounts", facts_mounts },
	{ "root", facts_root },
	{ "loopback", try_loopback },
	{ "interfaces", try_interfaces },
	{ "namespaces", try_namespaces },
	{ "calls", try_calls },
	{ "sockets", try_sockets },
	{ "files", try_files },
	{ "proc", try_proc },
	{ "forks", try_forks },
	{ "fill", try_fill },
	{ "orphan", try_orphan },
	{ "daemon", leave_daemon },
	{ "sleep", sleep_long },
};

/* "connect ADDRESS:PORT", "listen ADDRESS:PORT", "datagram ADDRESS:PORT": IPv4, or IPv6 without brackets; the port is
 * after the last colon. */
static int try_address(const char *what, const char *arg)
{
	const char *colon = strrchr(arg, ':');
	char text[64], name[96];
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr *at = (struct sockaddr *)&in;
	socklen_t len = sizeof(in);
	long r;

	if (!colon || (size_t)(colon - arg) >= sizeof(text))
		return 99;
	snprintf(text, sizeof(text), "%.*s", (int)(colon - arg), arg);
	in.sin_port = in6.sin6_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(AF_INET, text, &in.sin_addr) != 1) {
		if (inet_pton(AF_INET6, text, &in6.sin6_addr) != 1)
			return 99;
		at = (struct sockaddr *)&in6;
		len = sizeof(in6);
	}
	_cleanup_close_ int fd =
		socket(at->sa_family, (strcmp(what, "datagram") == 0 ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	if (fd < 0)
		r = -1;
	else if (strcmp(what, "listen") == 0)
		r = bind(fd, at, len) < 0 ? -1 : listen(fd, 1);
	else if (strcmp(what, "datagram") == 0)
		r = sendto(fd, "x", 1, 0, at, len);
	else
		r = connect(fd, at, len);
	snprintf(name, sizeof(name), "%s %s", what, arg);
	say_result(name, r);
	return 0;
}

/* "hold ADDRESS:PORT": listens there until the end of stdin. */
static int hold_listener(const char *arg)
{
	const char *colon = strrchr(arg, ':');
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	in.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : ""));
	say_result("hold", bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ? -1 : listen(fd, 8));
	fflush(stdout);
	return read(0, &byte, 1) == 0 ? 0 : 1;
}

/* "open PATH", "write PATH", "exec PATH", "rename PATH", "exit N": one attempt on a path the test has prepared. */
static int attempt(const char *what, const char *arg)
{
	char moved[512];

	snprintf(moved, sizeof(moved), "%s.moved", arg);
	if (strcmp(what, "open") == 0)
		say_result(what, try_open(arg, O_RDONLY));
	else if (strcmp(what, "write") == 0)
		say_result(what, try_open(arg, O_WRONLY));
	else if (strcmp(what, "create") == 0)
		say_result(what, try_open(arg, O_WRONLY | O_CREAT));
	else if (strcmp(what, "rename") == 0)
		say_result(what, rename(arg, moved));
	else if (strcmp(what, "exec") == 0)
		say_result(what, execl(arg, arg, "root", NULL));
	else if (strcmp(what, "cat") == 0) {
		char text[256] = "";
		_cleanup_close_ int fd = open(arg, O_RDONLY | O_CLOEXEC);
		say_number("bytes", fd < 0 ? -1 : read(fd, text, sizeof(text) - 1));
		say("text", text);
	} else if (strcmp(what, "hold") == 0)
		return hold_listener(arg);
	else if (strcmp(what, "connect") == 0 || strcmp(what, "listen") == 0 || strcmp(what, "datagram") == 0)
		return try_address(what, arg);
	else if (strcmp(what, "exit") == 0)
		return atoi(arg);
	else
		return 99;
	return 0;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t k = 0;
		while (k < ARRAY_LEN(commands) && strcmp(commands[k].name, argv[i]) != 0)
			k++;
		int r = k < ARRAY_LEN(commands) ? commands[k].run() : i + 1 < argc ? attempt(argv[i], argv[i + 1]) : 99;
		if (r != 0)
			return r;
		i += k == ARRAY_LEN(commands);
		fflush(stdout);
	}
	return 0;
}
