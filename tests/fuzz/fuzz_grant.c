/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_grant - any bytes as the file of a grant: taken, over, or refused in one line that is fit for a terminal
 *
 * Promises: no input crashes; what is taken has begun, is not over and lasts no longer than any grant may.
 */
#include <stdlib.h>
#include <string.h>
#include "supervisor/scope_grant.h"
#include "tests/fuzz/fuzz.h"

static const struct scope_clock now = {
	.boot_us = 60000000000, .wall_s = 1790000000, .boot = "aaaa-bbbb", .time_namespace = 77
};

static void check_grant(const struct scope_grant *g)
{
	if (g->made_us > now.boot_us || g->until_us <= now.boot_us || !scopes_name_valid(g->scope) || !g->server ||
		!g->profile || !g->user || !g->by)
		abort();
	if (scope_grant_until(g, SCOPES_TIME_MAX) != g->until_us || scope_grant_until(g, 0) != g->made_us)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_scope_grant_ struct scope_grant g = { 0 };
	struct diag d = { "" };
	int r = scope_grant_parse((const char *)data, size, &now, &g, &d);

	if (r < 0)
		check_words(d.text);
	else if (r == 0)
		check_grant(&g);
	else if (r != SCOPE_GRANT_NONE || g.server)
		abort();
	return 0;
}
