/* SPDX-License-Identifier: Apache-2.0 */
/* policy_audit - see policy_audit.h */
#include "supervisor/policy/policy_audit.h"
#include <stdlib.h>
#include <string.h>
#include "supervisor/policy/policy_keys.h"

int policy_set_audit_to(const struct key *k)
{
	struct policy_audit *p = KEY_FIELD(k, struct policy_audit);
	const char *word = json_string_value(k->v);

	if (strcmp(word, "user") != 0 && strcmp(word, "collector") != 0)
		return key_fail(k,
			"is \"user\": each user's own directory, or \"collector\": the machine's, which users "
			"cannot write");
	p->collector = strcmp(word, "collector") == 0;
	return key_where(k, k->line, word, &p->where);
}

void policy_audit_done(struct policy_audit *p)
{
	free(p->where);
	*p = (struct policy_audit){ 0 };
}
