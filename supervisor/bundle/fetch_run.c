/* SPDX-License-Identifier: Apache-2.0 */
/* fetch_run - see fetch_run.h */
#include "supervisor/bundle/fetch_run.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/io.h"
#include "base/text.h"
#include "wire/fds.h"

#define PROGRAM STOCKADE_LIBEXECDIR "/stockade-fetch"
/* FD_FLOOR: above the child's numbers, so that putting one in its place overwrites none that is still needed. */
enum { SHOWN = 300, FD_FLOOR = 16, GRACE_S = 15, SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

struct wiring {
	int null, request, body, words[2];
};

static void wiring_done(struct wiring *w)
{
	int *all = (int *)w;

	for (size_t i = 0; i < sizeof(*w) / sizeof(int); i++)
		if (all[i] >= 0)
			close(all[i]);
}

static int lift(int *fd)
{
	int high = fcntl(*fd, F_DUPFD_CLOEXEC, FD_FLOOR);

	if (high < 0)
		return -errno;
	close(*fd);
	*fd = high;
	return 0;
}

static int wire_up(const struct fetch_request *f, struct wiring *w)
{
	_cleanup_(wire_writer_done) struct wire_writer m = { 0 };
	int *all = (int *)w, r = fetch_request_encode(f, &m);

	if (r == 0)
		r = io_memfd_sealed("fetch-request", m.buf.data, m.buf.len, &w->request);
	if (r < 0)
		return r;
	w->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	w->body = memfd_create("fetch-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (w->null < 0 || w->body < 0 || pipe2(w->words, O_CLOEXEC) < 0)
		return -errno;
	for (size_t i = 0; r == 0 && i < sizeof(*w) / sizeof(int); i++)
		r = lift(&all[i]);
	return r;
}

/* A positive errno, as posix_spawn(3). */
static int start(const struct wiring *w, pid_t *ret)
{
	const int fds[] = { w->null, w->null, STDERR_FILENO, w->request, w->body, w->words[1] };
	char *argv[] = { (char *)(uintptr_t) "stockade-fetch", NULL }, *envp[] = { NULL };
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return r;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(fds); i++)
		if (fds[i] != (int)i)
			r = posix_spawn_file_actions_adddup2(&actions, fds[i], (int)i);
	if (r == 0)
		r = posix_spawn(ret, PROGRAM, &actions, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&actions);
	return r;
}

/* 0: there is none. Never more than the program's own limit and some grace. */
static int left_ms(uint64_t deadline, uint32_t seconds)
{
	uint64_t now = io_now_us(), most = ((uint64_t)seconds + GRACE_S) * 1000,
		 left = deadline > now ? (deadline - now) / 1000 : 0;

	return (int)(left < most ? left : most);
}

/* It has its own limits of time; one that hangs beyond them (in a plug-in that resolves names) is ended, and so is one
 * that is at work when all of the time is over: a server that sends a few bytes now and then could hold it for long. */
static int wait_for(pid_t pid, uint32_t seconds, uint64_t deadline)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int status, n;

	do
		n = pidfd < 0 ? 0 : poll(&p, 1, left_ms(deadline, seconds));
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : FETCH_FAILED;
}

/* Sealed now that nobody writes any more, so that what is judged is what was read. */
static int take_body(int fd, struct buf *ret)
{
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return -errno;
	return io_memfd_read(fd, ret);
}

static int failed(const struct fetch_request *f, int status, int words, struct diag *d)
{
	char text[FETCH_WORDS_MAX + 1] = "", shown[FETCH_WORDS_MAX], url[SHOWN];
	ssize_t n = read(words, text, FETCH_WORDS_MAX);

	text[n > 0 ? n : 0] = '\0';
	text_escape_str(f->url, url, sizeof(url));
	return diag_fail(d, status == FETCH_ABSENT ? FETCH_ABSENT : -EIO, "cannot fetch %s: %s", url,
		n > 0 ? text_escape_str(text, shown, sizeof(shown))
		      : "stockade-fetch was ended before it could say why");
}

int fetch_run(const struct fetch_request *f, uint64_t deadline, struct buf *ret, struct diag *d)
{
	_cleanup_(wiring_done) struct wiring w = { -1, -1, -1, { -1, -1 } };
	int r = wire_up(f, &w), status;
	pid_t pid;

	if (r < 0)
		return diag_fail(d, r, "cannot prepare to fetch: %s", strerror(-r));
	r = start(&w, &pid);
	if (r)
		return diag_fail(d, -r,
			"cannot start " PROGRAM ": %s; reinstall stockade, its programs belong together", strerror(r));
	close(w.words[1]);
	w.words[1] = -1;
	status = wait_for(pid, f->seconds, deadline);
	if (status != FETCH_DONE)
		return failed(f, status, w.words[0], d);
	r = take_body(w.body, ret);
	return r ? diag_fail(d, r, "cannot read what was fetched: %s", strerror(-r)) : 0;
}
