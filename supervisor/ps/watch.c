/* SPDX-License-Identifier: Apache-2.0 */
/* watch - see watch.h */
#include "supervisor/ps/watch.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/output.h"

enum { FRAME_MAX = 4 << 20, COLUMNS_DEFAULT = 80, ROWS_DEFAULT = 24 };

/* ECMA-48, and xterm's private modes 25 (cursor) and 1049 (other screen). */
static const char enter[] = "\033[?1049h\033[?25l", leave[] = "\033[?25h\033[?1049l";

struct watch {
	const struct paths *paths;
	const struct watch_options *o;
	bool terminal;
	int signals;
	sigset_t before;
};

/* --- a frame --- */

/* Characters that take two columns; a little wide, so that a line is rather too short than broken. */
static unsigned columns_of(uint32_t cp)
{
	return cp >= 0x1100 && !(cp >= 0x2000 && cp < 0x2e80) ? 2 : 1;
}

/* Bytes of the line that fit. */
static size_t cut(const char *line, size_t n, unsigned columns)
{
	size_t at = 0, used = 0;

	while (at < n) {
		uint32_t cp = 0;
		size_t len = utf8_decode((const unsigned char *)line + at, n - at, &cp);
		used += len ? columns_of(cp) : 1;
		if (used > columns)
			break;
		at += len ? len : 1;
	}
	return at;
}

static size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text += strcspn(text, "\n") + 1)
		n++;
	return n;
}

static int put_line(struct buf *b, const char *line, size_t n, unsigned columns, bool last)
{
	int r = buf_append(b, line, cut(line, n, columns));

	if (r == 0)
		r = buf_puts(b, "\033[K");
	return r < 0 || last ? r : buf_puts(b, "\r\n");
}

int watch_frame(const char *text, unsigned columns, unsigned rows, struct buf *ret)
{
	size_t lines = count_lines(text), shown = lines <= rows ? lines : rows - 1;
	char more[64];
	int r = buf_puts(ret, "\033[H");

	for (size_t i = 0; r == 0 && i < shown; i++) {
		size_t n = strcspn(text, "\n");
		r = put_line(ret, text, n, columns, i + 1 == lines);
		text += n + 1;
	}
	if (r == 0 && shown < lines) {
		snprintf(more, sizeof(more), "... and %zu more", lines - shown);
		r = put_line(ret, more, strlen(more), columns, true);
	}
	return r < 0 ? r : buf_puts(ret, "\033[J");
}

static int draw(const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FRAME_MAX);
	struct winsize size = { 0 };
	bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1;
	int r = watch_frame(text, known ? size.ws_col : COLUMNS_DEFAULT, known ? size.ws_row : ROWS_DEFAULT, &b);

	return r < 0 ? r : io_write_full(STDOUT_FILENO, b.data, b.len);
}

/* --- what is shown --- */

static int print_people(const struct watch *w, struct listed *l, FILE *out)
{
	char when[OUTPUT_TIME_SIZE];

	fprintf(out, "%s  %zu session%s%s\n", output_time((int64_t)(l->wall_us / US_PER_S), when), l->sessions.n,
		l->sessions.n == 1 ? "" : "s",
		l->launches.n || l->calls.n ? "  ('stockade approve' shows what waits)" : "");
	if (!listed_none(l))
		listed_print(l, out);
	if (!w->terminal)
		fputc('\n', out);
	return 0;
}

static int print_json(struct listed *l, FILE *out)
{
	json_t *all = listed_json(l);
	int r = all && json_dumpf(all, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 ? 0 : -ENOMEM;

	fputc('\n', out);
	json_decref(all);
	return r;
}

/* One tick, as one write. */
static int tick(const struct watch *w, struct diag *d)
{
	_cleanup_listed_ struct listed l = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	FILE *out;
	int r = listed_read(w->paths, &l, d);

	if (r < 0)
		return r;
	out = open_memstream(&text, &n);
	if (!out)
		return -errno;
	r = w->o->json ? print_json(&l, out) : print_people(w, &l, out);
	if (fclose(out) != 0 && r == 0)
		r = -ENOMEM;
	if (r == 0)
		r = w->terminal ? draw(text) : io_write_full(STDOUT_FILENO, text, n);
	return r < 0 ? diag_fail(d, r, "the list cannot be shown: %s", strerror(-r)) : 0;
}

/* --- the terminal and the signals --- */

static int put(const struct watch *w, const char *sequence)
{
	return w->terminal ? io_write_full(STDOUT_FILENO, sequence, strlen(sequence)) : 0;
}

static int begin(struct watch *w, struct diag *d)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(taken); i++)
		sigaddset(&set, taken[i]);
	if (sigprocmask(SIG_BLOCK, &set, &w->before) < 0)
		return diag_fail(d, -errno, "signals cannot be blocked: %s", strerror(errno));
	w->signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (w->signals < 0)
		return diag_fail(d, -errno, "signals cannot be waited for: %s", strerror(errno));
	return put(w, enter);
}

/* 1: draw again, 0: it is over. */
static int on_signal(struct watch *w)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return -EIO;
	if (info.ssi_signo == SIGWINCH)
		return 1;
	if (info.ssi_signo != SIGTSTP && info.ssi_signo != SIGCONT)
		return 0;
	int r = 0;
	if (info.ssi_signo == SIGTSTP) {
		r = put(w, leave);
		(void)raise(SIGSTOP);
	}
	/* Whoever had the terminal meanwhile has drawn on it, also where SIGSTOP came from somebody else. */
	r = r < 0 ? r : put(w, enter);
	return r < 0 ? r : 1;
}

/* Until the moment: 1; 0: it is over, or nobody reads any more. */
static int rest(struct watch *w, uint64_t until)
{
	for (;;) {
		struct pollfd p[] = { { .fd = w->signals, .events = POLLIN }, { .fd = STDOUT_FILENO } };
		uint64_t now = io_now_us();
		int n = now >= until ? 0 : poll(p, ARRAY_LEN(p), (int)((until - now) / 1000) + 1);
		if (n == 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[0].revents)
			return on_signal(w);
		if (n > 0 && p[1].revents & (POLLERR | POLLNVAL | POLLHUP))
			return 0;
	}
}

int watch_run(const struct paths *p, const struct watch_options *o, struct diag *d)
{
	struct watch w = { .paths = p, .o = o, .terminal = !o->json && isatty(STDOUT_FILENO), .signals = -1 };
	uint64_t until = io_now_us();
	int r = begin(&w, d), more = 1;

	while (r == 0 && more > 0) {
		r = tick(&w, d);
		if (io_now_us() >= until)
			until = io_now_us() + o->interval * US_PER_S;
		more = r < 0 ? r : rest(&w, until);
		r = more < 0 ? more : r;
	}
	(void)!put(&w, leave);
	if (w.signals >= 0)
		close(w.signals);
	(void)sigprocmask(SIG_SETMASK, &w.before, NULL);
	return r == -EPIPE ? 0 : r;
}
