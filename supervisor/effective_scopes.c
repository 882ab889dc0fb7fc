/* SPDX-License-Identifier: Apache-2.0 */
/* effective_scopes - see effective_scopes.h */
#include "supervisor/effective_scopes.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/effective_lines.h"
#include "supervisor/json_list.h"

enum { NAMES_MAX = 1 << 20 };

const char *effective_time_words(uint64_t seconds, char ret[SCOPE_TIME_WORDS])
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} rows[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(rows) && (seconds == 0 || seconds % rows[i].seconds))
		i++;
	snprintf(ret, SCOPE_TIME_WORDS, "%" PRIu64 " %s", seconds / rows[i].seconds, rows[i].unit);
	return ret;
}

void effective_scopes_forbid(const struct policy *p, struct scopes *s)
{
	for (size_t i = 0; p->persons.no_grants && i < s->n; i++) {
		free(s->v[i].lift);
		s->v[i].lift = NULL;
	}
}

static int put_globs(struct buf *b, const struct scopes *s, size_t scope)
{
	bool first = true;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_globs; i++) {
		if (s->globs[i].scope != scope)
			continue;
		r = buf_printf(b, "%s%s", first ? "" : ", ", s->globs[i].glob);
		first = false;
	}
	return r == 0 && first ? buf_puts(b, "no tool by a list") : r;
}

/* Who lets it be lifted, and for how long. */
static int lift_where(const struct effective *e, const char *who, char **ret)
{
	_cleanup_free_ char *time = NULL;
	int r = places_words(&e->profile.places, "tools.grant_time", &time);

	*ret = NULL;
	if (r == 0 && asprintf(ret, "%s; %s", who, time) < 0) {
		*ret = NULL;
		r = -ENOMEM;
	}
	return r;
}

static int add_scope(struct effective *e, size_t i)
{
	const struct scopes *s = &e->profile.scopes;
	_cleanup_buf_ struct buf b = BUF_INIT(NAMES_MAX);
	char time[SCOPE_TIME_WORDS];
	int r = put_globs(&b, s, i);

	if (r < 0)
		return r;
	if (s->v[i].lift) {
		_cleanup_free_ char *where = NULL;
		r = lift_where(e, s->v[i].lift, &where);
		return r < 0 ? r
			     : effective_add_line(e, LINE_TOOLS, 0, where,
				       "scope %s is denied, and a person may lift it for at most %s: %s", s->v[i].name,
				       effective_time_words(s->lift_max_s, time), b.data);
	}
	return effective_add_line(e, LINE_TOOLS, 0, s->allowed_where, "scope %s is %s: %s", s->v[i].name,
		s->v[i].allowed ? "allowed" : "denied", b.data);
}

int effective_scopes_lines(struct effective *e)
{
	const struct scopes *s = &e->profile.scopes;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++)
		r = add_scope(e, i);
	if (r == 0 && s->where)
		r = effective_add_line(e, LINE_TOOLS, 0, s->where,
			"a tool needs every scope that lists it, and destructive when none does; what the server says "
			"of it can only add to that");
	if (r == 0 && s->where && e->policy.persons.no_grants)
		r = effective_add_line(
			e, LINE_TOOLS, 0, e->policy.persons.no_grants, "no scope may be lifted on this machine");
	return r;
}

static json_t *names(const struct scopes *s, uint32_t set)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < s->n; i++)
		if (set >> i & 1)
			array = json_list_add(array, json_string(s->v[i].name));
	return array;
}

static json_t *lists(const struct scopes *s)
{
	json_t *o = json_object();
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_globs; i++) {
		const char *name = s->v[s->globs[i].scope].name;
		if (!json_object_get(o, name))
			r = json_object_set_new(o, name, json_array());
		r = r ? r : json_array_append_new(json_object_get(o, name), json_string(s->globs[i].glob));
	}
	if (r == 0)
		return o;
	json_decref(o);
	return NULL;
}

int effective_scopes_canonical(json_t *protocol, const struct scopes *s)
{
	uint32_t lifted = scopes_liftable(s);
	json_t *o;

	if (!s->where)
		return 0;
	o = json_pack("{s:o, s:o, s:o, s:I}", "tools", lists(s), "allowed", names(s, scopes_allowed(s)), "grants",
		names(s, lifted), "grant_time", lifted ? (json_int_t)s->lift_max_s : (json_int_t)0);
	return json_object_set_new(protocol, "scopes", o) < 0 ? -ENOMEM : 0;
}
