/* SPDX-License-Identifier: Apache-2.0 */
/* kill_launch - see kill_launch.h */
#include "supervisor/kill/kill_launch.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/record_alone.h"

/* That it was tried is known to who looks for what happened; a log that takes nothing starts nothing either. */
static int record(
	const struct paths *p, const struct lineage *l, const char *server, const struct kill_entry *e, struct diag *d)
{
	const struct record_alone_args a = { .paths = p, .lineage = l, .server = server, .channel = "" };
	struct event event = { .type = EVENT_KILL, .decision = EVENT_DENY, .status = "not started" };

	kill_entry_by(e, event.reason, sizeof(event.reason));
	text_escape_str(e->file, event.rule, sizeof(event.rule));
	return record_alone(&a, &event, NULL, d);
}

int kill_launch_check(
	const struct paths *p, const struct lineage *l, struct kill_bundle *b, const char *server, struct diag *d)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };
	const struct kill_entry *e;
	char name[128];
	int r = kill_set_read_with(p, b, &set);

	if (r < 0)
		return diag_fail(d, r, "cannot read what is killed: %s", strerror(-r));
	e = kill_set_server(&set, server);
	if (!e)
		return 0;
	r = record(p, l, server, e, d);
	if (r == 0)
		r = kill_set_refuse(e, d);
	diag_prefix(d, "%s: ", text_escape_str(server, name, sizeof(name)));
	return r;
}
