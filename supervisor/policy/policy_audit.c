/* SPDX-License-Identifier: Apache-2.0 */
/* policy_audit - see policy_audit.h */
#include "supervisor/policy/policy_audit.h"
#include <stdlib.h>
#include <string.h>
#include "base/parse.h"
#include "supervisor/policy/policy_keys.h"

#define POLICY_AUDIT_AGE_MAX_S (1000ull * 366 * 24 * 3600)

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

int policy_set_audit_delete_after(const struct key *k)
{
	struct policy_audit *p = KEY_FIELD(k, struct policy_audit);
	const char *word = json_string_value(k->v);

	if (parse_duration(word, 1, POLICY_AUDIT_AGE_MAX_S, &p->older_s) < 0)
		return key_fail(
			k, "must be an age such as \"90d\": how long the log of a session is kept after its end");
	return key_where(k, k->line, word, &p->older_where);
}

int policy_set_audit_size(const struct key *k)
{
	struct policy_audit *p = KEY_FIELD(k, struct policy_audit);
	const char *word = json_string_value(k->v);

	if (parse_size(word, 1, INT64_MAX, &p->size) < 0)
		return key_fail(
			k, "must be a size such as \"10GiB\": how much the logs of a user's closed sessions may take");
	return key_where(k, k->line, word, &p->size_where);
}

void policy_audit_done(struct policy_audit *p)
{
	free(p->where);
	free(p->older_where);
	free(p->size_where);
	*p = (struct policy_audit){ 0 };
}
