/* SPDX-License-Identifier: Apache-2.0 */
/* pin_gate - see pin_gate.h */
#include "supervisor/pin_gate.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "scan_rules.inc"
#include "supervisor/pin_show.h"

enum { ACCEPTS_MAX = 1024 };

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
	if (policy->persons.findings_where)
		return f->severity >= policy->persons.findings;
	return f->severity >= DEFINITION_HIGH && !strv_contains(accepted, f->rule);
}

/* All that it takes, those that were given included: whoever types only what one refusal names gets another. What has
 * no room stands in the next. */
static void put_accepts(const struct definitions *l, char *ret, size_t size)
{
	_cleanup_strv_ struct strv named = { 0 };
	size_t at = 0;

	*ret = '\0';
	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < l->v[i].n_findings; j++) {
			const struct definition_finding *f = &l->v[i].findings[j];
			size_t n = strlen(f->rule) + sizeof("--accept  ");
			if (f->severity < DEFINITION_HIGH || strv_contains(&named, f->rule) || n > size - at ||
				strv_add(&named, f->rule) < 0)
				continue;
			at += (size_t)snprintf(ret + at, size - at, "%s--accept %s", at ? " " : "", f->rule);
		}
}

static int refuse(const struct definition *at, const struct definition_finding *f, const struct policy *policy,
	const char *name, const char *accepts, struct diag *d)
{
	char where[PIN_NAME_ROOM];

	pin_show_name(at, where, sizeof(where));
	if (policy->persons.findings_where)
		return diag_fail(d, -EPERM,
			"%s: nothing was pinned: %s (%s, severity %s) in %s. %s keeps what has such a finding from "
			"being "
			"pinned, whatever --accept names; ask who manages this machine",
			name, f->title, f->rule, definition_severity_name(f->severity), where,
			policy->persons.findings_where);
	return diag_fail(d, -EPERM,
		"%s: nothing was pinned: %s (%s) in %s. Look at all that was found (--print-digest shows everything); "
		"%s pins it all the same",
		name, f->title, f->rule, where, accepts);
}

int pin_gate(const struct definitions *l, const struct policy *policy, const struct strv *accepted, const char *name,
	struct diag *d)
{
	char accepts[ACCEPTS_MAX];

	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < l->v[i].n_findings; j++) {
			if (!is_in_the_way(&l->v[i].findings[j], policy, accepted))
				continue;
			put_accepts(l, accepts, sizeof(accepts));
			return refuse(&l->v[i], &l->v[i].findings[j], policy, name, accepts, d);
		}
	return 0;
}
