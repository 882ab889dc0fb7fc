/* SPDX-License-Identifier: Apache-2.0 */
/* passphrase - see passphrase.h */
#include "supervisor/signing/passphrase.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include "sign/secret_key.h"

enum { TICK_MS = 200, LINE_TOO_LONG = 1, LINE_ABORTED = 2 };

int passphrase_hide(struct diag *d)
{
	struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0)
		return diag_fail(
			d, -errno, "cannot keep other processes from reading a secret here: %s", strerror(errno));
	return 0;
}

void passphrase_free(char **p)
{
	sign_wiped_free(*p);
	*p = NULL;
}

/* Byte by byte: what follows the line is not ours to take, and no other buffer holds a part of it. 0, LINE_TOO_LONG,
 * -ENODATA at the end without a byte, -errno. */
static int read_line(int fd, char *ret)
{
	size_t n = 0;

	for (;;) {
		char c;
		ssize_t k = read(fd, &c, 1);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (k == 0 && n == 0)
			return -ENODATA;
		if (k == 0 || c == '\n')
			break;
		if (n == SIGN_PASSPHRASE_MAX - 1)
			return LINE_TOO_LONG;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return strlen(ret) == n ? 0 : -EILSEQ;
}

/* --- the terminal --- */

struct silence {
	struct termios before;
	sigset_t signals;
	bool on;
};

static void end_silence(struct silence *s)
{
	if (!s->on)
		return;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &s->before) < 0)
		fputs("stockade: cannot set the terminal back; 'stty echo' does\n", stderr);
	fputc('\n', stderr);
	/* One that came meanwhile is delivered here, with the terminal as it was. */
	sigprocmask(SIG_SETMASK, &s->signals, NULL);
	s->on = false;
}

/* What would end or stop us waits until the terminal shows again what is typed. */
static int begin_silence(struct silence *s)
{
	static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	struct termios quiet;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(held); i++)
		sigaddset(&set, held[i]);
	if (tcgetattr(STDIN_FILENO, &s->before) < 0 || sigprocmask(SIG_BLOCK, &set, &s->signals) < 0)
		return -errno;
	s->on = true;
	quiet = s->before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) < 0 ? -errno : 0;
}

static bool is_interrupted(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1 ||
						sigismember(&set, SIGHUP) == 1 || sigismember(&set, SIGQUIT) == 1);
}

/* A line of the terminal is there whole or not at all, so that reading it does not wait. */
static int ask_once(const char *prompt, char *ret)
{
	_cleanup_(end_silence) struct silence s = { .on = false };
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
	int r = begin_silence(&s);

	if (r < 0)
		return r;
	fprintf(stderr, "%s: ", prompt);
	fflush(stderr);
	while (poll(&p, 1, TICK_MS) == 0 || (p.revents == 0 && errno == EINTR))
		if (is_interrupted())
			return LINE_ABORTED;
	return is_interrupted() ? LINE_ABORTED : read_line(STDIN_FILENO, ret);
}

static int ask(const char *prompt, char *ret, struct diag *d)
{
	int r = ask_once(prompt, ret);

	if (r == 0 && !*ret)
		return diag_fail(d, -EINVAL, "an empty passphrase protects nothing, so nothing was done");
	if (r == LINE_TOO_LONG)
		return diag_fail(d, -E2BIG, "a passphrase has at most %d bytes", SIGN_PASSPHRASE_MAX - 1);
	if (r == LINE_ABORTED || r == -ENODATA)
		return diag_fail(d, -ECANCELED, "no passphrase was typed, so nothing was done");
	return r < 0 ? diag_fail(d, r, "cannot read the passphrase: %s", strerror(-r)) : 0;
}

static int ask_twice(char *ret, struct diag *d)
{
	char *again = sign_wiped_alloc(SIGN_PASSPHRASE_MAX);
	int r = again ? ask("The same once more", again, d) : diag_fail(d, -ENOMEM, "there is no memory");

	if (r == 0 && strcmp(ret, again) != 0)
		r = diag_fail(d, -EINVAL, "the two are not the same, so nothing was done");
	sign_wiped_free(again);
	return r;
}

static int from_terminal(const char *what, bool twice, char *ret, struct diag *d)
{
	char prompt[256];
	int r;

	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return diag_fail(d, -ENOTTY,
			"the passphrase %s is asked on a terminal, and standard input or standard error is none: give "
			"it by "
			"--passphrase-fd N, as in --passphrase-fd 3 3<FILE",
			what);
	snprintf(prompt, sizeof(prompt), "Passphrase %s (not shown)", what);
	r = ask(prompt, ret, d);
	return r == 0 && twice ? ask_twice(ret, d) : r;
}

static int from_descriptor(int fd, char *ret, struct diag *d)
{
	int r = read_line(fd, ret);

	if (r == -ENODATA || (r == 0 && !*ret))
		return diag_fail(
			d, -EINVAL, "descriptor %d holds no passphrase: its first line is taken, and is empty", fd);
	if (r == LINE_TOO_LONG)
		return diag_fail(d, -E2BIG, "a passphrase has at most %d bytes", SIGN_PASSPHRASE_MAX - 1);
	return r < 0 ? diag_fail(d, r, "cannot read the passphrase from descriptor %d: %s", fd,
			       r == -EILSEQ ? "it holds a zero byte" : strerror(-r))
		     : 0;
}

int passphrase_read(const struct option_fd *from, const char *what, bool twice, char **ret, struct diag *d)
{
	_cleanup_passphrase_ char *text = sign_wiped_alloc(SIGN_PASSPHRASE_MAX);
	int r;

	if (!text)
		return diag_fail(d, -ENOMEM, "there is no memory for a passphrase");
	r = from->given ? from_descriptor(from->fd, text, d) : from_terminal(what, twice, text, d);
	if (r == 0)
		*ret = STEAL_PTR(text);
	return r;
}
