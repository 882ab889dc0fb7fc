/* SPDX-License-Identifier: Apache-2.0 */
/* pin_listing - see pin_listing.h */
#include "supervisor/pin_listing.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/exit.h"
#include "supervisor/session.h"

void pin_listing_done(struct pin_listing *l)
{
	free(l->server);
	free(l->version);
	free(l->protocol);
	definitions_done(&l->found);
	pin_set_done(&l->set);
	buf_done(&l->text);
	*l = (struct pin_listing){ 0 };
}

/* The shim's standard output is where its listing goes, and nobody is at its input. */
static int take_stdio(int listing)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(listing, STDOUT_FILENO) < 0)
		return -errno;
	return 0;
}

/* In the child; its client is the command that waits for it. */
static int run_session(const struct launch *l, int listing)
{
	_cleanup_lineage_ struct lineage own = { 0 };
	struct diag d = { "cannot set up its standard input and output" };
	struct session_args s = { .paths = &l->paths,
		.effective = l->effective,
		.lineage = &own,
		.approval = l->approval.id,
		.channel = l->approval.channel ? l->approval.channel : "" };
	int r = lineage_read(&own, &d);

	if (r == 0)
		r = take_stdio(listing);
	if (r < 0)
		return command_refuse(&d, r);
	return session_run(&s);
}

/* A server may end with any status: it has been listed by then. Of a session that failed nothing is believed, and it
 * has said why. */
static int wait_for(pid_t pid, const char *server, struct diag *d)
{
	char shown[128];
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return diag_fail(d, -errno, "cannot wait for the session: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) != EXIT_REFUSED)
		return 0;
	return diag_fail(d, -EPROTO,
		"%s: the session that listed it did not end in order, so what it listed is not taken",
		text_escape_str(server, shown, sizeof(shown)));
}

static int read_listing(int fd, struct definitions *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(DEFINITIONS_BYTES_MAX);
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_all(fd, &b);

	if (r == 0 && b.len == 0)
		return -ENODATA;
	return r < 0 ? r : definitions_decode(b.data, b.len, ret);
}

/* Through the form that is stored: what is compared and shown is what would be read from the file. */
static int make_set(const struct effective *e, struct definitions *found, struct pin_listing *ret, struct diag *d)
{
	char shown[128];
	int r;

	text_escape_str(e->name, shown, sizeof(shown));
	definitions_sort(found);
	r = pin_text(found, e->subject, &ret->text);
	if (r < 0)
		return diag_fail(d, r, "cannot write down what %s defines: %s", shown, strerror(-r));
	ret->server = STEAL_PTR(found->server);
	ret->version = STEAL_PTR(found->version);
	ret->protocol = STEAL_PTR(found->protocol);
	ret->found = *found;
	*found = (struct definitions){ 0 };
	r = pin_parse("(new)", ret->text.data, ret->text.len, &ret->set, d);
	if (r == 0)
		r = pin_read_texts(&ret->set, d);
	return r < 0 ? diag_fail(d, r, "what %s defines cannot be pinned: its names cannot be told apart", shown) : 0;
}

static int take_result(const struct effective *e, int fd, struct pin_listing *ret, struct diag *d)
{
	_cleanup_definitions_ struct definitions found = { 0 };
	int r = read_listing(fd, &found);
	char name[128], why[DIAG_MAX / 2];

	text_escape_str(e->name, name, sizeof(name));
	if (r == -ENODATA)
		return diag_fail(d, r, "%s: the session ended before the server had listed what it has", name);
	if (r < 0)
		return diag_fail(
			d, r, "%s: the shim handed over what is no listing of this build: %s", name, strerror(-r));
	if (found.failure)
		return diag_fail(d, -EPROTO, "%s: nothing can be pinned: %s", name,
			text_escape_str(found.failure, why, sizeof(why)));
	return make_set(e, &found, ret, d);
}

int pin_listing_run(struct launch *l, struct pin_listing *ret, struct diag *d)
{
	_cleanup_close_ int fd = memfd_create("stockade-definitions", MFD_CLOEXEC);
	sigset_t none;
	pid_t pid;
	int r;

	if (fd < 0)
		return diag_fail(d, -errno, "cannot make room for the listing: %s", strerror(errno));
	l->effective->shim.listing = true;
	/* A launch that waited for its approval has them blocked. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return diag_fail(d, -errno, "cannot start a process: %s", strerror(errno));
	if (pid == 0)
		_exit(run_session(l, fd));
	r = wait_for(pid, l->effective->name, d);
	return r < 0 ? r : take_result(l->effective, fd, ret, d);
}
