/* SPDX-License-Identifier: Apache-2.0 */
/* policy_bundle - see policy_bundle.h */
#include "supervisor/policy/policy_bundle.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/parse.h"
#include "supervisor/policy/policy_keys.h"
#include "wire/fetch.h"

enum { MINUTE = 60, DAY = 86400, EVERY_MAX = 7 * DAY, STALE_MIN = 10 * MINUTE, STALE_MAX = 365 * DAY };

void policy_bundle_done(struct policy_bundle *b)
{
	free(b->url);
	free(b->where);
	free(b->stale_where);
	*b = (struct policy_bundle){ 0 };
}

int policy_set_bundle_url(const struct key *k)
{
	struct policy_bundle *b = KEY_FIELD(k, struct policy_bundle);
	const char *url = json_string_value(k->v);
	uint16_t port;
	const char *wrong = fetch_url_form(url, &port);

	if (wrong)
		return key_fail(k, "%s, as in \"https://it.example.com/stockade/bundle.json\"", wrong);
	b->url = strdup(url);
	return b->url ? key_where(k, k->line, NULL, &b->where) : -ENOMEM;
}

int policy_set_bundle_every(const struct key *k)
{
	struct policy_bundle *b = KEY_FIELD(k, struct policy_bundle);

	if (parse_duration(json_string_value(k->v), MINUTE, EVERY_MAX, &b->every) < 0)
		return key_fail(k, "must be a time from 1min to 7d, as in \"5min\"");
	return 0;
}

int policy_set_bundle_stale(const struct key *k)
{
	struct policy_bundle *b = KEY_FIELD(k, struct policy_bundle);

	if (parse_duration(json_string_value(k->v), STALE_MIN, STALE_MAX, &b->stale) < 0)
		return key_fail(k, "must be a time from 10min to 365d, as in \"72h\"");
	return key_where(k, k->line, NULL, &b->stale_where);
}
