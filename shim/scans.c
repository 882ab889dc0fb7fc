/* SPDX-License-Identifier: Apache-2.0 */
/* scans - see scans.h */
#include "shim/scans.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shim/keyed.h"
#include "shim/policy.h"
#include "shim/record.h"

enum { FIRST_SLOTS = 256 };
_Static_assert((int)SCANS_SEVERITIES == SCAN_HIGH + 1, "records for every severity");
_Static_assert((int)SCANS_DIGEST_BYTES == (int)KEYED_BYTES, "no server can choose definitions that share a digest");

static const struct {
	enum method_result list;
	enum scan_kind kind;
	const char *method;
} kinds[] = {
	{ RESULT_TOOLS, SCAN_TOOL, "tools/list" },
	{ RESULT_RESOURCES, SCAN_RESOURCE, "resources/list" },
	{ RESULT_TEMPLATES, SCAN_TEMPLATE, "resources/templates/list" },
	{ RESULT_PROMPTS, SCAN_PROMPT, "prompts/list" },
	{ RESULT_HELLO, SCAN_INSTRUCTIONS, NULL },
};

static void forget(struct scans *k)
{
	free(k->known);
	k->known = NULL;
	k->n = k->cap = 0;
	k->forgotten++;
}

void scans_trim(struct shim *s)
{
	scan_free(s->scans.scan);
	s->scans.scan = NULL;
}

void scans_done(struct shim *s)
{
	scans_trim(s);
	forget(&s->scans);
}

/* A name is never taken for an item. */
static void digest(
	const struct shim *s, enum keyed_of of, enum scan_kind kind, struct slice text, uint8_t ret[SCANS_DIGEST_BYTES])
{
	keyed_digest(s->schemas.secret, (uint64_t)of + kind, text, ret);
}

/* The slot of that digest, or the empty one where it belongs. */
static struct scans_entry *find(struct scans_entry *slots, size_t cap, const uint8_t *wanted)
{
	uint64_t hash;

	memcpy(&hash, wanted, sizeof(hash));
	for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1))
		if (slots[i].verdict == SCANS_UNKNOWN || memcmp(slots[i].digest, wanted, SCANS_DIGEST_BYTES) == 0)
			return &slots[i];
}

static enum scans_verdict recall(const struct scans *k, const uint8_t *wanted)
{
	return k->n ? (enum scans_verdict)find(k->known, k->cap, wanted)->verdict : SCANS_UNKNOWN;
}

/* Never more than half full, so that a look-up meets an empty slot. */
static int insert(struct scans *k, const uint8_t *wanted, enum scans_verdict verdict)
{
	struct scans_entry *e;

	if (2 * (k->n + 1) > k->cap) {
		size_t cap = k->cap ? 2 * k->cap : FIRST_SLOTS;
		struct scans_entry *slots = calloc(cap, sizeof(*slots));
		if (!slots)
			return -ENOMEM;
		for (size_t i = 0; i < k->cap; i++)
			if (k->known[i].verdict)
				*find(slots, cap, k->known[i].digest) = k->known[i];
		free(k->known);
		k->known = slots;
		k->cap = cap;
	}
	e = find(k->known, k->cap, wanted);
	k->n += e->verdict == SCANS_UNKNOWN;
	memcpy(e->digest, wanted, SCANS_DIGEST_BYTES);
	e->verdict = (uint8_t)verdict;
	return 0;
}

/* What was withheld stays known: what may be used unlisted passes where nothing is known of it. */
static int forget_clean(struct scans *k)
{
	_cleanup_free_ struct scans_entry *old = STEAL_PTR(k->known);
	size_t cap = k->cap, withheld = 0;
	int r = 0;

	forget(k);
	for (size_t i = 0; i < cap; i++)
		withheld += old[i].verdict == SCANS_WITHHELD;
	k->crowded = k->crowded || withheld > SCANS_WITHHELD_MAX;
	for (size_t i = 0; r == 0 && !k->crowded && i < cap; i++)
		if (old[i].verdict == SCANS_WITHHELD)
			r = insert(k, old[i].digest, SCANS_WITHHELD);
	return r;
}

static int remember(struct scans *k, const uint8_t *wanted, enum scans_verdict verdict)
{
	int r = k->n >= SCANS_KNOWN_MAX ? forget_clean(k) : 0;

	return r ? r : insert(k, wanted, verdict);
}

/* All findings of one rule in one definition, in one record. */
static int record_rule(struct shim *s, struct event e, const struct scan_findings *f, size_t at)
{
	const struct scan_finding *first = &f->at[at];

	for (size_t i = at; i < f->n; i++)
		if (f->at[i].rule == first->rule)
			e.count += f->at[i].count;
	record_words(e.rule, sizeof(e.rule), first->rule->id);
	record_words(e.status, sizeof(e.status), scan_severity_name(first->rule->severity));
	record_words(e.subject, sizeof(e.subject), first->path);
	record_words(e.reason, sizeof(e.reason), first->rule->title);
	return record_send(s, &e);
}

static bool was_before(const struct scan_findings *f, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (f->at[i].rule == f->at[at].rule)
			return true;
	return false;
}

static int record_last(struct shim *s, struct event e, enum scan_severity severity)
{
	record_words(e.status, sizeof(e.status), scan_severity_name(severity));
	record_words(e.reason, sizeof(e.reason),
		"more findings of this severity than are recorded in one session; no others of it follow");
	return record_send(s, &e);
}

/* A server that changes its list without end must not fill the log: then one record says that no more follow. Small
 * findings in any number take none of the records of grave ones. */
static int record_findings(
	struct shim *s, const char *method, struct slice name, const struct scan_findings *f, bool withheld)
{
	struct event e = {
		.type = EVENT_SCAN, .side = EVENT_FROM_SERVER, .decision = withheld ? EVENT_DROP : EVENT_NONE
	};
	int r = 0;

	record_words(e.method, sizeof(e.method), method);
	record_text(e.tool, sizeof(e.tool), name);
	for (size_t i = 0; r == 0 && i < f->n; i++) {
		enum scan_severity severity = f->at[i].rule->severity;
		uint32_t *records = &s->scans.records[severity];
		if (was_before(f, i) || *records == SCANS_RECORDS_MAX)
			continue;
		r = ++*records < SCANS_RECORDS_MAX ? record_rule(s, e, f, i) : record_last(s, e, severity);
	}
	return r;
}

struct scan *scans_new(const struct shim_config *c)
{
	struct scan *scan = scan_new();

	if (scan && scan_set_others(scan, (const char *const *)c->scan.others.v, c->scan.others.n) == 0)
		return scan;
	scan_free(scan);
	return NULL;
}

int scans_note_own(struct shim *s, struct scan **scan, struct slice tools)
{
	struct walk w = walk_array(tools);
	struct slice tool, name;
	int r = 0;

	if (s->config.scan.others.n == 0)
		return 0;
	if (!*scan)
		*scan = scans_new(&s->config);
	if (!*scan)
		return -ENOMEM;
	while (r == 0 && walk_element(&w, &tool)) {
		name = walk_string(walk_get(tool, "name"));
		if (!name.p)
			continue;
		r = policy_unescape(name, &s->subject, &name);
		if (r == 0)
			scan_note_own(*scan, name.p, name.n);
		/* No list of others has such a name. */
		r = r == -E2BIG ? 0 : r;
	}
	return r;
}

/* Is a grave finding in it reason enough? */
static bool may_withhold(const struct shim *s, enum scan_kind kind)
{
	return s->config.scan.withhold || (kind == SCAN_INSTRUCTIONS && !s->config.pins.on);
}

static int judge(struct shim *s, size_t row, struct slice name, struct slice item, bool *ret_withheld)
{
	const struct scan_findings *f;

	if (!s->scans.scan)
		s->scans.scan = scans_new(&s->config);
	if (!s->scans.scan)
		return -ENOMEM;
	f = scan_definition(s->scans.scan, kinds[row].kind, item.p, item.n);
	*ret_withheld = f->worst >= SCAN_HIGH && may_withhold(s, kinds[row].kind);
	return record_findings(s, kinds[row].method, name, f, *ret_withheld);
}

static size_t row_of(enum method_result list)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].list == list)
			return i;
	return ARRAY_LEN(kinds) - 1;
}

/* What the scan says of the item: each is scanned once. */
static int look_at(struct shim *s, size_t row, struct slice name, struct slice item, enum scans_verdict *ret)
{
	uint8_t of_item[SCANS_DIGEST_BYTES];
	bool withheld = false;
	int r;

	digest(s, KEYED_SCAN_ITEM, kinds[row].kind, item, of_item);
	*ret = recall(&s->scans, of_item);
	if (*ret != SCANS_UNKNOWN)
		return 0;
	r = judge(s, row, name, item, &withheld);
	*ret = withheld ? SCANS_WITHHELD : SCANS_CLEAN;
	return r ? r : remember(&s->scans, of_item, *ret);
}

int scans_keep(struct shim *s, enum method_result list, struct slice name, struct slice item, bool *ret)
{
	uint8_t of_name[SCANS_DIGEST_BYTES];
	size_t row = row_of(list);
	enum scans_verdict verdict;
	int r = look_at(s, row, name, item, &verdict);

	*ret = verdict != SCANS_WITHHELD;
	if (r < 0 || !s->config.scan.withhold)
		return r;
	digest(s, KEYED_SCAN_NAME, kinds[row].kind, name, of_name);
	return remember(&s->scans, of_name, verdict);
}

int scans_instructions(struct shim *s, struct slice text, bool *ret)
{
	enum scans_verdict verdict;
	int r = look_at(s, row_of(RESULT_HELLO), SLICE("instructions"), text, &verdict);

	*ret = verdict != SCANS_WITHHELD;
	return r;
}

static enum scans_verdict verdict_on(const struct shim *s, enum scan_kind kind, struct slice name)
{
	uint8_t of_name[SCANS_DIGEST_BYTES];

	digest(s, KEYED_SCAN_NAME, kind, name, of_name);
	return recall(&s->scans, of_name);
}

/* again: what to do about what has not been listed; NULL: nothing is to be done. */
static void follow(const struct shim *s, enum scans_verdict verdict, const char *again, struct decision *d)
{
	if (verdict == SCANS_CLEAN || (verdict == SCANS_UNKNOWN && !again))
		return;
	d->verdict = POLICY_DENY;
	d->rule = s->config.scan.withhold;
	if (verdict == SCANS_WITHHELD) {
		d->reason = "a scan of its definition found what does not belong into it";
		d->advice = "Only a person can allow it; the log of stockade says what was found.";
	} else {
		d->reason = "its definition has not been listed, so that nobody has scanned it";
		d->advice = again;
	}
}

int scans_guard_tool(struct shim *s, struct message *m)
{
	if (s->config.scan.withhold)
		follow(s, verdict_on(s, SCAN_TOOL, m->d.subject), "List the tools and call it again.", &m->d);
	return 0;
}

int scans_guard_prompt(struct shim *s, struct message *m)
{
	if (s->config.scan.withhold)
		follow(s, verdict_on(s, SCAN_PROMPT, m->d.subject), "List the prompts and ask again.", &m->d);
	return 0;
}

int scans_guard_resource(struct shim *s, struct message *m)
{
	if (s->config.scan.withhold)
		follow(s, verdict_on(s, SCAN_RESOURCE, m->d.subject),
			s->scans.crowded ? "List the resources and read it again." : NULL, &m->d);
	return 0;
}

/* A reference to a resource is one to a template, or to a resource without parameters. */
int scans_guard_reference(struct shim *s, struct message *m)
{
	enum scans_verdict template, resource;

	if (strcmp(m->d.what, "prompt") == 0)
		return scans_guard_prompt(s, m);
	if (!s->config.scan.withhold)
		return 0;
	template = verdict_on(s, SCAN_TEMPLATE, m->d.subject);
	resource = verdict_on(s, SCAN_RESOURCE, m->d.subject);
	if (template == SCANS_UNKNOWN || resource == SCANS_WITHHELD)
		template = resource;
	follow(s, template, "List the resource templates and ask again.", &m->d);
	return 0;
}
