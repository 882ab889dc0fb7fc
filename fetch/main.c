/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main - stockade-fetch: gets the bytes of one address for `stockade sync`, and can do nothing else
 *
 * Process:  fetch
 *
 * Stages:   1 read the sealed request   2 stop being root   3 what reads files   4 confine   5 fetch. Should: believe
 * nothing that comes, since whoever started it holds signatures against it. Mustn't: send or read a byte of the network
 * before 4.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "base/io.h"
#include "base/privilege.h"
#include "fetch/confine.h"
#include "fetch/transfer.h"
#include "wire/fds.h"

static int prepare(struct fetch_request *f, struct transfer **ret, struct diag *d)
{
	int r = fetch_request_read(FETCH_FD_REQUEST, f, d);

	if (r < 0)
		return r;
	/* Whoever took this over through what the network sends would hear and speak on the terminal of root's.
	 * Standard input is no terminal already. */
	if (close_range(FETCH_FD_END, UINT_MAX, 0) < 0 || dup2(STDIN_FILENO, STDERR_FILENO) < 0 || setsid() < 0)
		return diag_fail(d, -errno, "cannot let go of other descriptors: %s", strerror(errno));
	r = privilege_drop(f->uid, f->gid);
	if (r < 0)
		return diag_fail(d, r, "cannot become user %u: %s", f->uid, strerror(-r));
	signal(SIGPIPE, SIG_IGN);
	r = transfer_prepare(f, FETCH_FD_BODY, ret, d);
	return r ? r : confine(f, d);
}

int main(void)
{
	_cleanup_fetch_request_ struct fetch_request f = { 0 };
	_cleanup_transfer_ struct transfer *t = NULL;
	struct diag d = { "" };
	enum fetch_status status = prepare(&f, &t, &d) < 0 ? FETCH_FAILED : transfer_run(t, &d);

	/* Whoever does not read the words still has the status. */
	if (status != FETCH_DONE && io_write_full(FETCH_FD_WORDS, d.text, strnlen(d.text, FETCH_WORDS_MAX)) < 0)
		status = FETCH_FAILED;
	_exit(status);
}
