/* SPDX-License-Identifier: Apache-2.0 */
/* policy_persons - see policy_persons.h */
#include "supervisor/policy/policy_persons.h"
#include <stdlib.h>
#include <string.h>
#include "supervisor/policy/policy_keys.h"

int policy_set_findings(const struct key *k)
{
	static const enum definition_severity from[] = { DEFINITION_LOW, DEFINITION_MEDIUM, DEFINITION_HIGH };
	struct policy_persons *p = KEY_FIELD(k, struct policy_persons);
	const char *word = json_string_value(k->v);

	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		if (strcmp(word, definition_severity_name(from[i])) != 0)
			continue;
		p->findings = from[i];
		return key_where(k, k->line, word, &p->findings_where);
	}
	return key_fail(k, "must be \"low\", \"medium\" or \"high\": the severity from which on a finding of the scan "
			   "keeps a server from being pinned");
}

int policy_set_grants(const struct key *k)
{
	const char *word = json_string_value(k->v);

	if (strcmp(word, "never") == 0)
		return key_where(k, k->line, NULL, &KEY_FIELD(k, struct policy_persons)->no_grants);
	return strcmp(word, "profile") == 0 ? 0
					    : key_fail(k, "is \"never\", or \"profile\": what profiles let a person "
							  "lift");
}

void policy_persons_done(struct policy_persons *p)
{
	free(p->no_grants);
	free(p->findings_where);
	*p = (struct policy_persons){ 0 };
}
