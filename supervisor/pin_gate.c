/* SPDX-License-Identifier: Apache-2.0 */
/* pin_gate - see pin_gate.h */
#include "supervisor/pin_gate.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "scan_rules.inc"
#include "supervisor/pin_show.h"

#define ID(name, id, severity, title) id,
static const char *const rules[] = { SCAN_RULES(ID) };
#undef ID

const char *pin_gate_unknown(const struct strv *words, const char **ret_near)
{
	for (size_t i = 0; i < words->n; i++) {
		bool known = false;
		for (size_t k = 0; !known && k < ARRAY_LEN(rules); k++)
			known = strcmp(rules[k], words->v[i]) == 0;
		if (known)
			continue;
		*ret_near = text_nearest(words->v[i], rules, ARRAY_LEN(rules));
		return words->v[i];
	}
	return NULL;
}

static bool is_in_the_way(const struct definition_finding *f, const struct policy *policy, const struct strv *accepted)
{
	if (policy->findings_where)
		return f->severity >= policy->findings;
	return f->severity >= DEFINITION_HIGH && !strv_contains(accepted, f->rule);
}

static int refuse(const struct definition *at, const struct definition_finding *f, const struct policy *policy,
	const char *name, struct diag *d)
{
	char where[PIN_NAME_ROOM];

	pin_show_name(at, where, sizeof(where));
	if (policy->findings_where)
		return diag_fail(d, -EPERM,
			"%s: nothing was pinned: %s (%s, severity %s) in %s. %s keeps what has such a finding from "
			"being "
			"pinned, whatever --accept names; ask who manages this machine",
			name, f->title, f->rule, definition_severity_name(f->severity), where, policy->findings_where);
	return diag_fail(d, -EPERM,
		"%s: nothing was pinned: %s (%s) in %s. Look at it (--print-digest shows everything); --accept %s pins "
		"it "
		"all the same",
		name, f->title, f->rule, where, f->rule);
}

int pin_gate(const struct definitions *l, const struct policy *policy, const struct strv *accepted, const char *name,
	struct diag *d)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < l->v[i].n_findings; j++)
			if (is_in_the_way(&l->v[i].findings[j], policy, accepted))
				return refuse(&l->v[i], &l->v[i].findings[j], policy, name, d);
	return 0;
}
