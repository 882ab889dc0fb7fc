/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor_launch - a whole sandbox around /bin/true, built by the installed programs
 *
 * The other checks try the kernel from this process. Where a security module gives user namespaces to stockade-enter
 * alone, only a launch can tell. Nothing is asked and nothing recorded: what runs is root's own /bin/true, granted
 * nothing.
 */
#include "supervisor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "supervisor/effective.h"
#include "supervisor/spawn.h"
#include "wire/control.h"
#include "wire/report.h"

/* For each of the four reports; together less than doctor_child's alarm, which would leave a hung enter behind. */
enum { PATIENCE_MS = 2000 };

static int fail_words(struct doctor_attempt *a, int r, const char *words)
{
	a->error = -r;
	snprintf(a->step, sizeof(a->step), "%.*s", (int)sizeof(a->step) - 1, words);
	return r;
}

/* The shim must not read what is meant for whoever comes after us. */
static int leave_stdio(struct doctor_attempt *a)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			return doctor_step_failed(a, "open /dev/null");
	return 0;
}

static int release(int sock)
{
	struct control c = { .type = CONTROL_RELEASE };
	struct wire_writer w = { 0 };
	int r = control_encode(&c, &w);

	if (r == 0)
		r = io_send_msg(sock, w.buf.data, w.buf.len, NULL, 0);
	wire_writer_done(&w);
	return r;
}

static int read_report(int sock, struct report *ret)
{
	char bytes[REPORT_BYTES_MAX];
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int fd = -1, ready = poll(&p, 1, PATIENCE_MS);
	size_t n_fds = 1;
	long n;

	if (ready <= 0)
		return ready < 0 ? -errno : -ETIMEDOUT;
	n = io_recv_msg(sock, bytes, sizeof(bytes), &fd, &n_fds);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	return report_decode(bytes, (size_t)n, ret);
}

/* Reads reports until /bin/true has ended or a stage has failed. */
static int watch(struct doctor_attempt *a, const struct spawned *s)
{
	struct report r = { 0 };
	int e = 0;

	while (e == 0) {
		e = read_report(s->report, &r);
		if (e == 0 && r.type == REPORT_FAILED)
			return fail_words(a, r.error ? -r.error : -EIO, enter_stage_words(r.stage));
		if (e == 0 && r.type == REPORT_READY)
			e = release(s->report);
		if (e == 0 && r.type == REPORT_EXITED)
			return r.status == 0 ? 0 : fail_words(a, -EIO, "run /bin/true in the sandbox");
	}
	return fail_words(a, e, "hear from stockade-enter");
}

int doctor_launch(struct doctor_attempt *a)
{
	static char *const no_environment[] = { NULL };
	_cleanup_paths_ struct paths paths = { 0 };
	_cleanup_grants_ struct grants grants = { 0 };
	struct effective e = { 0 };
	struct spawned s = SPAWNED_NONE;
	struct effective_args args = {
		.paths = &paths, .grants = &grants, .environ = no_environment, .workspace = "/usr", .trial = true
	};
	struct diag d = { 0 };
	int r = leave_stdio(a);

	if (r < 0)
		return r;
	r = paths_init(&paths, &d);
	if (r == 0)
		r = strv_add(&grants.command, "/bin/true");
	if (r == 0)
		r = effective_build(&args, &e, &d);
	a->said = r < 0;
	if (r == 0)
		r = spawn_session(&e, &s, &d);
	r = r < 0 ? fail_words(a, r, d.text) : watch(a, &s);
	spawned_done(&s);
	effective_done(&e);
	return r;
}
