/* SPDX-License-Identifier: Apache-2.0 */
/* alert_show - see alert_show.h */
#include "supervisor/alerts/alert_show.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"

enum { SENTENCE_MAX = 4096 };

static int put_word(struct buf *b, const char *before, const char *word)
{
	int r = word ? buf_puts(b, before) : 0;

	return r < 0 || !word ? r : text_escape(b, word, strlen(word), 0);
}

static int put_when(struct buf *b, const struct alert_rule *r)
{
	int e = buf_printf(b, "%s: ", r->name);

	if (e == 0 && (r->count > 1))
		e = buf_printf(
			b, "%llu within %llu s of ", (unsigned long long)r->count, (unsigned long long)r->within_s);
	if (e == 0)
		e = r->new_host ? buf_puts(b, "the first connection to a host") : put_word(b, "", r->event);
	if (e == 0)
		e = put_word(b, ", decided ", event_decision_name(r->decision));
	if (e == 0)
		e = put_word(b, ", of server ", r->server);
	return e < 0 ? e : put_word(b, ", of tool ", r->tool);
}

static json_t *sentence(const struct alert_rule *r)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SENTENCE_MAX);
	int e = put_when(&b, r);

	if (e == 0)
		e = buf_printf(&b, ": recorded as %s", severities[r->severity].name);
	if (e == 0 && r->syslog)
		e = buf_puts(&b, ", told to the system's log");
	if (e == 0 && r->exec.n > 0)
		e = put_word(&b, ", executes ", r->exec.v[0]);
	if (e == 0)
		e = buf_printf(&b, "; %s", r->where);
	return e < 0 ? NULL : json_string(b.data);
}

int alert_show(const struct paths *p, const struct alert_rules *policy, json_t **ret, struct diag *d)
{
	_cleanup_alert_rules_ struct alert_rules own = { 0 };
	const struct alert_rules *rules = policy->where ? policy : &own;
	int r = policy->where ? 0 : alert_rules_read_own(p, &own, d);

	*ret = r < 0 ? NULL : json_array();
	for (size_t i = 0; *ret && i < rules->n; i++) {
		if (json_array_append_new(*ret, sentence(&rules->v[i])) == 0)
			continue;
		json_decref(*ret);
		*ret = NULL;
	}
	return r < 0 || *ret ? r : -ENOMEM;
}
