/* SPDX-License-Identifier: Apache-2.0 */
/* guards - see guards.h */
#include "shim/guards.h"
#include "shim/arguments.h"
#include "shim/confirm.h"
#include "shim/limits.h"
#include "shim/pins.h"
#include "shim/scans.h"
#include "shim/scopes.h"

static const struct {
	enum method_gate gate;
	guard_request_fn *judge;
} of_requests[] = {
	{ GATE_TOOL, scopes_guard }, { GATE_TOOL, pins_guard }, { GATE_PROMPT, pins_guard },
	{ GATE_REFERENCE, pins_guard }, { GATE_TOOL, scans_guard_tool }, { GATE_PROMPT, scans_guard_prompt },
	{ GATE_RESOURCE, scans_guard_resource }, { GATE_REFERENCE, scans_guard_reference },
	{ GATE_TOOL, scopes_guard_said }, { GATE_TOOL, arguments_guard }, { GATE_TOOL, limits_guard },
	{ GATE_TOOL, confirm_guard }, /* last: it parks the call */
};

int guards_request(struct shim *s, const struct message *m, const struct method *method, struct decision *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && method && d->verdict == POLICY_ALLOW && i < ARRAY_LEN(of_requests); i++)
		if (of_requests[i].gate == method->gate)
			r = of_requests[i].judge(s, m, d);
	return r;
}
