/* SPDX-License-Identifier: Apache-2.0 */
/* found - see found.h */
#include "supervisor/inventory/found.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/privilege.h"
#include "base/text.h"
#include "supervisor/inventory/wrapped.h"

#define PROGRAM STOCKADE_LIBEXECDIR "/stockade-inventory"

enum { ARGUMENTS_MAX = 1024, CHUNK = 64 << 10, NOT_EXECUTED = 127, END_MS = 2000 };

static const char *const state_names[] = {
	[FOUND_RAW] = "raw",
	[FOUND_WRAPPED] = "wrapped",
	[FOUND_REMOTE] = "remote",
	[FOUND_UNREAD] = "unread",
};
_Static_assert(ARRAY_LEN(state_names) == FOUND_STATE_COUNT, "a name for every state");

const char *found_state_name(enum found_state s)
{
	return state_names[s];
}

static void found_done(struct found *f)
{
	free(f->user);
	free(f->client);
	free(f->file);
	free(f->name);
	free(f->project);
	free(f->unread);
	free(f->url);
	free(f->profile);
	free(f->package);
	free(f->version);
	strv_done(&f->words);
	strv_done(&f->variables);
}

void found_list_done(struct found_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		found_done(&l->v[i]);
	free(l->v);
	*l = (struct found_list){ 0 };
}

/* --- what is handed over --- */

static int set(char **field, const char *text)
{
	free(*field);
	*field = strdup(text);
	return *field ? 0 : -ENOMEM;
}

/* The reader says in words that there are more; one that was made to say more is stopped here. */
static int add(struct strv *l, const char *text)
{
	return l->n < FOUND_WORDS_MAX ? strv_add(l, text) : -EPROTO;
}

static int take_fact(struct found *f, char letter, const char *text)
{
	uint64_t line = 0;

	switch (letter) {
	case 'E':
		return set(&f->client, text);
	case 'F':
		return set(&f->file, text);
	case 'N':
		return set(&f->name, text);
	case 'P':
		return set(&f->project, text);
	case 'U':
		return set(&f->url, text);
	case 'X':
		return set(&f->unread, text);
	case 'W':
		return add(&f->words, text);
	case 'V':
		return strv_contains(&f->variables, text) ? 0 : add(&f->variables, text);
	case 'D':
		f->off = true;
		return 0;
	case 'L':
		if (parse_u64(text, 0, UINT32_MAX, &line) < 0)
			return -EPROTO;
		f->line = (unsigned)line;
		return 0;
	default:
		return -EPROTO;
	}
}

/* first: where this user's begin in the list. One user's entries take no room from another's. */
static int finish(struct found *f, const char *user, size_t first, struct found_list *l)
{
	int r = f->client && f->file && (f->name || f->unread) ? 0 : -EPROTO;

	if (r == 0)
		r = set(&f->user, user);
	if (r == 0)
		r = wrapped_judge(f);
	if (r == 0)
		r = l->n - first < FOUND_MAX ? GROW(l->v, l->n, l->room) : -E2BIG;
	if (r < 0)
		return r;
	l->v[l->n++] = *f;
	*f = (struct found){ 0 };
	return 0;
}

static int take_lines(char *text, const char *user, struct found_list *l, struct found *f)
{
	char *save = NULL;
	size_t first = l->n;
	int r = 0;

	for (char *line = strtok_r(text, "\n", &save); r == 0 && line; line = strtok_r(NULL, "\n", &save)) {
		if (strcmp(line, ".") == 0)
			r = finish(f, user, first, l);
		else if (line[0] && line[1] == ' ')
			r = take_fact(f, line[0], line + 2);
		else
			r = -EPROTO;
	}
	/* One that does not end was cut. */
	return r == 0 && f->client ? -EPROTO : r;
}

int found_parse(const char *text, size_t n, const char *user, struct found_list *l, struct diag *d)
{
	_cleanup_free_ char *copy = strndup(text, n);
	struct found f = { 0 };
	/* What the reader writes is escaped. What is not comes from who took it over, and would end up in JSON. */
	int r = !copy ? -ENOMEM : strlen(copy) == n && utf8_valid(copy, n) ? take_lines(copy, user, l, &f) : -EPROTO;

	found_done(&f);
	if (r == -E2BIG)
		return diag_fail(d, r, "the configurations of %s name more than %d servers", user, FOUND_MAX);
	if (r == -EPROTO)
		return diag_fail(d, r, "what was read of the configurations of %s is out of form", user);
	return r;
}

/* --- the program that reads them --- */

static _Noreturn void become_reader(const struct found_user *u, char *const *argv, int out)
{
	char *none[] = { NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || chdir("/") < 0)
		_exit(NOT_EXECUTED);
	/* Unless it is us, by us: whose files are read is whose rights they are read with. Whoever has these rights may
	 * take the process over before it is confined, and would type on our terminal (ioctl_tty(2), TIOCSTI). */
	if (!u->own && (dup2(null, 2) < 0 || setsid() < 0 || privilege_drop(u->uid, u->gid) < 0))
		_exit(NOT_EXECUTED);
	execve(PROGRAM, argv, u->own ? environ : none);
	_exit(NOT_EXECUTED);
}

/* -ETIMEDOUT: a file system that does not answer, of whoever made it. */
static int read_until(int fd, uint64_t until, struct buf *b)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = io_now_us();
		int r = now < until ? poll(&p, 1, (int)((until - now) / 1000 + 1)) : 0;
		ssize_t n;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (r == 0 && io_now_us() >= until)
			return -ETIMEDOUT;
		if (r <= 0)
			continue;
		if (buf_reserve(b, CHUNK) < 0)
			return b->len + CHUNK > b->max ? -E2BIG : -ENOMEM;
		n = read(fd, b->data + b->len, CHUNK);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		b->len += (size_t)n;
	}
}

static bool ends(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, END_MS) > 0;
}

/* All that it says has been read; whoever took it over could keep it from ending. -ETIMEDOUT: it cannot be ended before
 * a file system answers that its user has made (FUSE), and nobody waits for that. */
static int end(pid_t pid, bool at_once, int *ret_status)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (at_once || pidfd < 0 || !ends(pidfd))
		kill(pid, SIGKILL);
	if (pidfd >= 0 && !ends(pidfd))
		return -ETIMEDOUT;
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int failed(const struct found_user *u, int r, int status, struct diag *d)
{
	if (r == -ETIMEDOUT)
		return diag_fail(d, r, "the configurations of %s could not be read within %d s", u->name, FOUND_WAIT_S);
	if (r == -E2BIG)
		return diag_fail(d, r, "the configurations of %s say more than %d MiB", u->name, FOUND_BYTES_MAX >> 20);
	if (r < 0)
		return diag_fail(d, r, "cannot read the configurations of %s: %s", u->name, strerror(-r));
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_EXECUTED)
		return diag_fail(d, -EPERM,
			"cannot become %s to read the configurations, or " PROGRAM
			" is not there: is stockade installed whole?",
			u->name);
	return diag_fail(d, -EIO, "the program that reads the configurations of %s ended with %s %d", u->name,
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static int run(const struct found_user *u, char *const *argv, struct buf *b, struct diag *d)
{
	int ends[2], status = 0, r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return diag_fail(d, -errno, "cannot make a pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		become_reader(u, argv, ends[1]);
	close(ends[1]);
	r = pid < 0 ? -errno : read_until(ends[0], io_now_us() + (uint64_t)FOUND_WAIT_S * US_PER_S, b);
	close(ends[0]);
	if (pid > 0) {
		int ended = end(pid, r < 0, &status);
		r = r < 0 ? r : ended;
	}
	return r < 0 || status != 0 ? failed(u, r, status, d) : 0;
}

/* --- a project that is the home has the user's own files once more --- */

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_own(const struct found_list *l, size_t first, const struct found *f)
{
	for (size_t i = first; i < l->n; i++) {
		const struct found *own = &l->v[i];
		if (!own->project && own->line == f->line && is_same(own->name, f->name) &&
			is_same(own->client, f->client) && is_same(own->file, f->file))
			return true;
	}
	return false;
}

/* Of those from the first on. */
static void drop_again(struct found_list *l, size_t first, const char *home)
{
	for (size_t i = first; i < l->n;) {
		struct found *f = &l->v[i];
		if (!is_same(f->project, home) || !is_own(l, first, f)) {
			i++;
			continue;
		}
		found_done(f);
		memmove(f, f + 1, (--l->n - i) * sizeof(*f));
	}
}

/* execve(2) changes no word. */
static char *word(const char *text)
{
	return (char *)(uintptr_t)text;
}

int found_read(const struct found_user *u, const struct strv *projects, struct found_list *l, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FOUND_BYTES_MAX);
	char *argv[ARGUMENTS_MAX];
	size_t n = 0;
	int r;

	argv[n++] = word("stockade-inventory");
	if (u->system)
		argv[n++] = word("--system");
	if (u->own)
		argv[n++] = word("--environment");
	argv[n++] = word(u->home);
	for (size_t i = 0; i < projects->n && n < ARRAY_LEN(argv) - 1; i++)
		argv[n++] = projects->v[i];
	argv[n] = NULL;
	r = run(u, argv, &b, d);
	size_t first = l->n;
	r = r < 0 ? r : found_parse(b.data ? b.data : "", b.len, u->name, l, d);
	if (r == 0)
		drop_again(l, first, u->home);
	return r;
}
