/* SPDX-License-Identifier: Apache-2.0 */
/* consent_ask - the question on the terminal of the launch itself (consent.h) */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include "supervisor/command.h"
#include "supervisor/consent.h"
#include "supervisor/question.h"

enum { ANSWER_MAX = 64, ASK_TICK_MS = 200, TRIES = 3 };

bool consent_terminal_is_ours(void)
{
	pid_t group = getpgrp(), session = getsid(0);

	/* Standard error carries the question: redirected, nobody would see it. */
	for (int fd = 0; fd <= 2; fd++)
		if (isatty(fd) != 1 || tcgetsid(fd) != session || tcgetpgrp(fd) != group)
			return false;
	return true;
}

/* The caller may have blocked them for its signalfd: Ctrl-C at the question is a No. */
static bool is_interrupted(void)
{
	sigset_t set;

	return sigpending(&set) == 0 &&
	       (sigismember(&set, SIGINT) == 1 || sigismember(&set, SIGTERM) == 1 || sigismember(&set, SIGHUP) == 1);
}

/* One line without its newline; -ENODATA at the end or an interrupt, -E2BIG for a long one, -ESTALE. */
static int read_line(const struct consent_still *still, char *ret, size_t size)
{
	size_t n = 0;

	for (;;) {
		struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
		char c;

		if (is_interrupted())
			return -ENODATA;
		if (still && !still->wanted(still->arg))
			return -ESTALE;
		if (poll(&p, 1, ASK_TICK_MS) <= 0)
			continue;
		ssize_t k = read(STDIN_FILENO, &c, 1);
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return -ENODATA;
		if (c == '\n')
			break;
		if (n + 1 >= size) {
			/* The rest of the line is no answer to whoever reads this terminal next: a shell, most likely.
			 */
			tcflush(STDIN_FILENO, TCIFLUSH);
			return -E2BIG;
		}
		ret[n++] = c;
	}
	ret[n] = '\0';
	return 0;
}

int consent_read_line_while(const char *prompt, const struct consent_still *still, char *ret, size_t size)
{
	/* What was typed before the question stood there is no answer to it; what is typed once the words are out is.
	 */
	tcflush(STDIN_FILENO, TCIFLUSH);
	fputs(prompt, stderr);
	fflush(stderr);
	return read_line(still, ret, size);
}

int consent_read_line(const char *prompt, char *ret, size_t size)
{
	return consent_read_line_while(prompt, NULL, ret, size);
}

int consent_yes_or_no(const char *prompt)
{
	char line[ANSWER_MAX];

	for (int i = 0; i < TRIES; i++) {
		int r = consent_read_line(prompt, line, sizeof(line));
		if (r < 0 || line[0] == '\0' || strcasecmp(line, "n") == 0 || strcasecmp(line, "no") == 0)
			return CONSENT_REFUSED;
		if (strcasecmp(line, "y") == 0 || strcasecmp(line, "yes") == 0)
			return CONSENT_APPROVED;
		fputs("Please answer yes or no.\n", stderr);
	}
	return CONSENT_REFUSED;
}

unsigned consent_width(void)
{
	struct winsize ws;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 ? ws.ws_col : 0;
}

int consent_ask_terminal(const struct approvals *all, const struct effective *e, struct diag *d)
{
	const struct approval *earlier = consent_earlier(all, e->subject, e->digest);
	struct question_options o = { .colour = command_colour(stderr),
		.width = consent_width(),
		.earlier = earlier ? earlier->canonical : NULL };
	int r = question_print(stderr, e, &o);

	if (r < 0)
		return diag_fail(d, r, "cannot show the question: %s", strerror(-r));
	return consent_yes_or_no("Start it? [y/N] ");
}
