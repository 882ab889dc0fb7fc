/* SPDX-License-Identifier: Apache-2.0 */
/* tell - what the supervisor gets to know: reports, and the thing that a stage failed at */
#include <stdio.h>
#include "base/io.h"
#include "enter/enter.h"

int enter_fail(struct enter *e, int err, const char *detail)
{
	snprintf(e->detail, sizeof(e->detail), "%s", detail ? detail : "");
	return err;
}

int enter_tell(int sock, const struct report *r, const int *fds, size_t n_fds)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int e = report_encode(r, &w);

	return e < 0 ? e : io_send_msg(sock, w.buf.data, w.buf.len, fds, n_fds);
}
