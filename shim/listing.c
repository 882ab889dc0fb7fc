/* SPDX-License-Identifier: Apache-2.0 */
/* listing - see listing.h */
#include "shim/listing.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "shim/answers.h"
#include "shim/define.h"
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/own.h"
#include "shim/policy.h"
#include "shim/protocol.h"
#include "shim/record.h"
#include "shim/scans.h"

#define CLIENT_INFO "{\"name\":\"stockade\",\"version\":\"" STOCKADE_VERSION "\"}"

enum { OFFERS_MAX = 256, PARAMS_MAX = 1024 };

static const struct {
	const char *list, *array, *name, *capability;
} rows[] = {
	[DEFINITION_TOOL] = { "tools/list", "tools", "name", "tools" },
	[DEFINITION_PROMPT] = { "prompts/list", "prompts", "name", "prompts" },
	[DEFINITION_TEMPLATE] = { "resources/templates/list", "resourceTemplates", "uriTemplate", "resources" },
};
_Static_assert(ARRAY_LEN(rows) == DEFINITION_INSTRUCTIONS, "a row for every kind that is listed");

void listing_done(struct listing *l)
{
	definitions_done(&l->found);
	buf_done(&l->cursor);
	scan_free(l->scan);
	l->scan = NULL;
}

/* --- the end --- */

static int hand_over(struct shim *s)
{
	_cleanup_(wire_writer_done) struct wire_writer w = { 0 };
	int r;

	definitions_sort(&s->listing.found);
	r = definitions_encode(&s->listing.found, &w);
	s->listing.step = LISTING_DONE;
	return r ? r : io_write_full(STDOUT_FILENO, w.buf.data, w.buf.len);
}

int listing_fail(struct shim *s, const char *words)
{
	struct definitions *l = &s->listing.found;

	definitions_done(l);
	l->failure = strdup(words);
	return l->failure ? hand_over(s) : -ENOMEM;
}

/* The words with a name of the server's in them. */
static int fail_about(struct shim *s, const char *before, struct slice name, const char *after)
{
	char shown[ANSWER_NAME_MAX], words[ANSWER_TEXT_MAX];

	snprintf(words, sizeof(words), "%s '%s' %s", before, answers_name(name, shown), after);
	return listing_fail(s, words);
}

/* --- asking --- */

static void put_offers(const struct shim_config *c, char ret[OFFERS_MAX])
{
	const struct shim_client *l = &c->client;
	bool form = !l->elicitation.no_form, url = l->elicitation.n > 0;

	snprintf(ret, OFFERS_MAX, "{%s%s%s%s%s}",
		!l->sampling.on	    ? ""
		: l->sampling.tools ? "\"sampling\":{\"tools\":{}}"
				    : "\"sampling\":{}",
		l->sampling.on && (l->elicitation.on || c->roots.n) ? "," : "",
		!l->elicitation.on ? ""
		: form && url	   ? "\"elicitation\":{\"form\":{},\"url\":{}}"
		: url		   ? "\"elicitation\":{\"url\":{}}"
				   : "\"elicitation\":{\"form\":{}}",
		l->elicitation.on && c->roots.n ? "," : "", c->roots.n ? "\"roots\":{\"listChanged\":true}" : "");
}

static int ask_hello(struct shim *s)
{
	char offers[OFFERS_MAX], params[PARAMS_MAX];
	struct own_question q = { .method = "initialize" };

	put_offers(&s->config, offers);
	snprintf(params, sizeof(params),
		"\"protocolVersion\":\"" VERSION_LEGACY "\",\"capabilities\":%s,\"clientInfo\":" CLIENT_INFO, offers);
	q.params = (struct slice){ params, strlen(params) };
	s->legacy = true;
	s->listing.step = LISTING_HELLO;
	return own_ask(s, &q);
}

static int ask_modern(struct shim *s, struct own_question q)
{
	char offers[OFFERS_MAX], meta[PARAMS_MAX];

	put_offers(&s->config, offers);
	snprintf(meta, sizeof(meta),
		"{\"" META_VERSION "\":\"" VERSION_MODERN "\",\"" META_CLIENT "\":" CLIENT_INFO ",\"" META_OFFERS
		"\":%s}",
		offers);
	q.meta = (struct slice){ meta, strlen(meta) };
	return own_ask(s, &q);
}

static int ask_discover(struct shim *s)
{
	struct own_question q = { .method = "server/discover" };

	s->listing.modern = true;
	s->legacy = false;
	s->listing.step = LISTING_DISCOVER;
	return ask_modern(s, q);
}

static int ask_page(struct shim *s)
{
	struct own_question q = { .method = rows[s->listing.kind].list,
		.cursor = { s->listing.cursor.data, s->listing.cursor.len } };

	s->listing.pages++;
	return s->listing.modern ? ask_modern(s, q) : own_ask(s, &q);
}

/* From this kind on the next that the server has. Tools are asked for in any case: some do not announce them. */
static int ask_list(struct shim *s, unsigned kind)
{
	struct listing *l = &s->listing;

	while (kind < ARRAY_LEN(rows) && kind != DEFINITION_TOOL && !l->announced[kind])
		kind++;
	l->kind = kind;
	l->pages = 0;
	buf_clear(&l->cursor);
	if (kind < ARRAY_LEN(rows))
		return ask_page(s);
	l->step = LISTING_SETTLE;
	l->settled_us = s->now_us;
	return 0;
}

/* All lists from the start; of what was found only the instructions stay. */
static int begin_round(struct shim *s)
{
	struct listing *l = &s->listing;
	struct definitions kept = { 0 };
	struct definition *to;
	int r = 0;

	kept.server = STEAL_PTR(l->found.server);
	kept.version = STEAL_PTR(l->found.version);
	kept.protocol = STEAL_PTR(l->found.protocol);
	for (size_t i = 0; r == 0 && i < l->found.n; i++) {
		if (l->found.v[i].kind != DEFINITION_INSTRUCTIONS)
			continue;
		r = definitions_add(&kept, &to);
		if (r == 0) {
			*to = l->found.v[i];
			l->found.v[i] = (struct definition){ 0 };
		}
	}
	definitions_done(&l->found);
	l->found = kept;
	l->kept = l->names = 0;
	for (size_t i = 0; i < kept.n; i++)
		l->kept += definition_size(&kept.v[i]);
	l->changed = false;
	l->rounds++;
	l->step = LISTING_LISTS;
	return r ? r : ask_list(s, DEFINITION_TOOL);
}

int listing_tick(struct shim *s, uint64_t now_us)
{
	struct listing *l = &s->listing;

	if (l->step == LISTING_START) {
		l->began_us = now_us;
		l->cursor = BUF_INIT(SHIM_LINE_MAX);
		return ask_hello(s);
	}
	if (l->step == LISTING_DONE)
		return 0;
	if (now_us > l->began_us + LISTING_TOTAL_US)
		return listing_fail(s, "the server took more than a minute to list what it has");
	if (l->step != LISTING_SETTLE)
		return 0;
	if (l->changed && l->rounds < LISTING_ROUNDS_MAX)
		return begin_round(s);
	if (now_us < l->settled_us + LISTING_SETTLE_US)
		return 0;
	return l->changed ? listing_fail(s, "the server says again and again that its lists have changed")
			  : hand_over(s);
}

/* --- answers --- */

static struct definition *find(struct definitions *l, enum definition_kind kind, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].kind == kind && strcmp(l->v[i].name, name) == 0)
			return &l->v[i];
	return NULL;
}

_Static_assert(DEFINITION_NAME_MAX == 1024 && DEFINITION_NAMES_MAX == 1 << 20, "as the words say");

static const enum scan_kind scan_kinds[] = {
	[DEFINITION_TOOL] = SCAN_TOOL,
	[DEFINITION_PROMPT] = SCAN_PROMPT,
	[DEFINITION_TEMPLATE] = SCAN_TEMPLATE,
	[DEFINITION_INSTRUCTIONS] = SCAN_INSTRUCTIONS,
};
_Static_assert(ARRAY_LEN(scan_kinds) == DEFINITION_KIND_COUNT, "the scan's word for every kind");
_Static_assert((int)DEFINITION_FINDINGS_MAX >= (int)SCAN_FINDINGS_MAX, "all findings fit");
_Static_assert((int)DEFINITION_INFO == (int)SCAN_INFO && (int)DEFINITION_LOW == (int)SCAN_LOW &&
		       (int)DEFINITION_MEDIUM == (int)SCAN_MEDIUM && (int)DEFINITION_HIGH == (int)SCAN_HIGH,
	"the same severities");

static int scan(struct shim *s, struct slice value, struct definition *d)
{
	struct listing *l = &s->listing;
	const struct scan_findings *found;

	if (!l->scan)
		l->scan = scans_new(&s->config);
	if (!l->scan)
		return -ENOMEM;
	found = scan_definition(l->scan, scan_kinds[d->kind], value.p, value.n);
	d->findings = found->n ? calloc(found->n, sizeof(*d->findings)) : NULL;
	if (found->n && !d->findings)
		return -ENOMEM;
	for (; d->n_findings < found->n; d->n_findings++) {
		const struct scan_finding *f = &found->at[d->n_findings];
		struct definition_finding *to = &d->findings[d->n_findings];
		*to = (struct definition_finding){ (enum definition_severity)f->rule->severity, strdup(f->rule->id),
			strdup(f->rule->title), strdup(f->path), strdup(f->shown) };
		if (!to->rule || !to->title || !to->path || !to->shown) {
			d->n_findings++;
			return -ENOMEM;
		}
	}
	return 0;
}

/* Names are what a launch hands to the shim of each pin: there has to be room for all, beside the rules. 1: said why
 * not. */
static int check_name(struct shim *s, struct slice name)
{
	int r = 0;

	s->listing.names += name.n;
	if (name.n > DEFINITION_NAME_MAX)
		r = fail_about(s, "the name", name, "has more than 1024 bytes, too many to be pinned");
	else if (s->listing.names > DEFINITION_NAMES_MAX)
		r = listing_fail(s, "its names together are more than can be pinned (1 MiB)");
	return r == 0 && s->listing.step == LISTING_DONE ? 1 : r;
}

/* Adds it; what is wrong with it has been handed over when that is over afterwards. */
static int take(struct shim *s, enum definition_kind kind, struct slice name, struct slice value)
{
	_cleanup_free_ char *copy = strndup(name.n ? name.p : "", name.n);
	uint8_t digest[DEFINITION_DIGEST_BYTES];
	struct definition *d = copy ? find(&s->listing.found, kind, copy) : NULL;
	int r = copy ? 0 : -ENOMEM;

	if (r == 0 && d) {
		r = define_digest(&s->pins.room, value, digest);
		if (r < 0 || (r == 0 && memcmp(digest, d->digest, sizeof(digest)) == 0))
			return r;
		return fail_about(s, "it lists two things under the name", name, "that are not the same");
	}
	if (r == 0)
		r = check_name(s, name);
	if (r > 0)
		return 0;
	if (r == 0)
		r = definitions_add(&s->listing.found, &d);
	if (r == -E2BIG)
		return listing_fail(s, "it lists more definitions than can be pinned");
	if (r < 0)
		return r;
	d->kind = kind;
	d->name = STEAL_PTR(copy);
	r = define_fields(&s->pins.room, value, d);
	if (r == DEFINE_TOO_LARGE)
		return fail_about(s, "the definition of", name, "is too large to be pinned");
	if (r == 0)
		r = scan(s, value, d);
	if (r < 0)
		return r;
	s->listing.kept += definition_size(d);
	return s->listing.kept <= LISTING_KEPT_MAX ? 0 : listing_fail(s, "its definitions are more than can be pinned");
}

static int take_page(struct shim *s)
{
	const typeof(rows[0]) *row = &rows[s->listing.kind];
	struct slice array = message_get(&s->doc, row->array), item;
	struct walk w = walk_array(array);
	int r = s->listing.kind == DEFINITION_TOOL ? scans_note_own(s, &s->listing.scan, array) : 0;

	if (r < 0)
		return r;
	if (array.n && !walk_is_array(array))
		return fail_about(
			s, "what it answers to", (struct slice){ row->list, strlen(row->list) }, "is not an array");
	while (r == 0 && s->listing.step == LISTING_LISTS && walk_element(&w, &item)) {
		struct slice name = walk_string(walk_get(item, row->name));
		/* What has no plain name is withheld in any case (lists.c). */
		if (name.p && !walk_is_broken(name))
			r = take(s, (enum definition_kind)s->listing.kind, name, item);
	}
	return r;
}

static int on_page(struct shim *s, bool error)
{
	struct listing *l = &s->listing;
	struct slice next = message_get(&s->doc, "nextCursor"),
		     list = { rows[l->kind].list, strlen(rows[l->kind].list) };
	int r;

	/* Half a list is none. */
	if (error && (l->announced[l->kind] || l->pages > 1))
		return fail_about(s, "it answers", list, "with an error");
	if (error)
		return ask_list(s, l->kind + 1);
	if (walk_string(next).p && l->pages >= LISTING_PAGES_MAX)
		return listing_fail(s, "one of its lists has more pages than are read");
	if (next.n && slice_equal(next, (struct slice){ l->cursor.data, l->cursor.len }))
		return fail_about(s, "its answer to", list, "leads to the same page again, so that it has no end");
	r = take_page(s);
	if (r < 0 || l->step != LISTING_LISTS)
		return r;
	if (!walk_string(next).p)
		return ask_list(s, l->kind + 1);
	buf_clear(&l->cursor);
	r = buf_append(&l->cursor, next.p, next.n);
	return r ? r : ask_page(s);
}

/* Foreign text, escaped and cut; heap. */
static char *shown(struct slice text)
{
	char room[ANSWER_NAME_MAX];

	return text.p ? strdup(answers_name(text, room)) : NULL;
}

static int on_hello(struct shim *s)
{
	struct listing *l = &s->listing;
	struct slice info = message_get(&s->doc, "serverInfo"), offers = message_get(&s->doc, "capabilities");
	struct slice instructions = message_get(&s->doc, "instructions");
	int r = 0;

	if (!info.n)
		info = walk_get(message_get(&s->doc, "_meta"), META_SERVER);
	l->found.server = shown(walk_string(walk_get(info, "name")));
	l->found.version = shown(walk_string(walk_get(info, "version")));
	l->found.protocol =
		l->modern ? strdup(VERSION_MODERN) : shown(walk_string(message_get(&s->doc, "protocolVersion")));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		l->announced[i] = walk_get(offers, rows[i].capability).n > 0;
	if (instructions.n)
		r = take(s, DEFINITION_INSTRUCTIONS, (struct slice){ "", 0 }, instructions);
	if (r < 0 || l->step == LISTING_DONE)
		return r;
	if (!l->modern)
		r = own_notify(s, "notifications/initialized");
	return r ? r : begin_round(s);
}

int listing_answered(struct shim *s, const struct message *m, const struct method *method, const char *failure)
{
	bool error = failure || m->envelope->kind == ENVELOPE_ERROR;
	char words[ANSWER_TEXT_MAX];

	if (s->listing.step == LISTING_DONE)
		return 0;
	if (failure) {
		snprintf(words, sizeof(words), "its answer to %s is of no use: %s", method->name, failure);
		return listing_fail(s, words);
	}
	s->listing.read += m->line->n;
	if (s->listing.read > LISTING_READ_MAX)
		return listing_fail(s, "it says more about what it has than is read");
	switch (s->listing.step) {
	case LISTING_HELLO:
		return error ? ask_discover(s) : on_hello(s);
	case LISTING_DISCOVER:
		if (!error)
			return on_hello(s);
		return fail_about(s,
			"it refuses both initialize and server/discover:", walk_string(message_get(&s->doc, "message")),
			"(its words)");
	default:
		return on_page(s, error);
	}
}

int listing_notified(struct shim *s, const struct message *m)
{
	static const char suffix[] = "/list_changed";
	struct slice name = m->envelope->method;
	size_t n = sizeof(suffix) - 1;

	if (name.n > n && memcmp(name.p + name.n - n, suffix, n) == 0)
		s->listing.changed = true;
	return 0;
}

bool listing_answers(const struct method *method)
{
	return strcmp(method->name, "ping") == 0;
}

int listing_answer(struct shim *s, const struct message *m)
{
	int r;

	buf_clear(&s->answer);
	r = answers_result(&s->answer, m->envelope->id, "{}");
	return r ? r : queue_put(&s->to_server, s->answer.data, s->answer.len);
}
