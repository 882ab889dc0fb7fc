/* SPDX-License-Identifier: Apache-2.0 */
/* policy_mode - see policy_mode.h */
#include "supervisor/policy/policy_mode.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/parse.h"
#include "supervisor/policy/policy_keys.h"

enum { DAY_S = 86400 };

int policy_set_mode(const struct key *k)
{
	static const char *const words[] = { "enforce", "observe" };
	struct policy_mode *m = KEY_FIELD(k, struct policy_mode);
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	if (r < 0 || i == 0)
		return r;
	m->observe = true;
	return key_where(k, k->line, words[i], &m->where);
}

int policy_set_observe_until(const struct key *k)
{
	struct policy_mode *m = KEY_FIELD(k, struct policy_mode);
	const char *text = json_string_value(k->v);

	if (parse_time(text, &m->until_s) < 0)
		return key_fail(k, "must be a date or a UTC time, such as \"2026-10-01\" or \"2027-04-01T00:00:00Z\"");
	m->until = strdup(text);
	return m->until ? key_where(k, k->line, text, &m->until_where) : -ENOMEM;
}

int policy_mode_check(const struct policy_mode *m, int64_t now, struct diag *d)
{
	/* With "enforce" it may stay in the file: nothing is less strict for it. */
	if (!m->observe)
		return 0;
	if (!m->until)
		return diag_fail(d, -EINVAL,
			"%s needs \"observe_until\": a time of at most %d days from now, after which everything is "
			"enforced",
			m->where, POLICY_OBSERVE_DAYS);
	if (m->until_s - now > (int64_t)POLICY_OBSERVE_DAYS * DAY_S)
		return diag_fail(d, -EINVAL, "%s is more than %d days away: observing is for a time that ends",
			m->until_where, POLICY_OBSERVE_DAYS);
	return 0;
}

bool policy_mode_observes(const struct policy_mode *m, int64_t now)
{
	return m->observe && now < m->until_s;
}

void policy_mode_done(struct policy_mode *m)
{
	free(m->where);
	free(m->until);
	free(m->until_where);
	*m = (struct policy_mode){ 0 };
}
