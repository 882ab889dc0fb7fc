/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_conversations - every method of every protocol version passes the shim with the meaning it had: the files of
 * tests/conversations, once as they are and once with members that no version knows in every message
 */
#include "tests/unit/talk.h"
#include <dirent.h>

enum { METHODS_MAX = 512, ASKED_MAX = 64 };

static const char *const versions[] = { "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28" };
static const char MODERN_VERSION[] = "2026-07-28";

/* Where parsers lose something: spellings of numbers, the order of keys, large integers, empty things and keys. */
static const char STRANGE[] = "{\"zz\":[0.1000,1.0,-0.0,1e400,1E+2,9007199254740993,-12345678901234567890123456789,5e-"
			      "324,0],\"aa\":{\"\":null,"
			      "\"b\":[],\"a\":{},\"10\":1,\"9\":2},\"\xc3\xa9\\u00ea\":\"\\ud83e\\udd80 "
			      "\xf0\x9f\xa6\x80 \\\\u00e9 \\\"\\/\\n\\t\","
			      "\"__proto__\":{\"x\":[true,false,null,[[[]]]]}}";

/* Which methods were in a conversation, and how they were answered. */
enum { SAID = 1 << 0, RESULT = 1 << 1, ERROR = 1 << 2 };

struct seen {
	const char *version;
	char side[8], kind[16], method[64];
	unsigned how;
};

struct asked {
	char id[80], method[64];
	enum event_side side;
};

struct run {
	bool strange;
	size_t scenes, lines;
	struct seen seen[METHODS_MAX];
	size_t n_seen;
	struct asked asked[ASKED_MAX]; /* of this scene */
	size_t n_asked;
};

static struct seen *seen_at(
	struct run *run, const char *version, const char *side, const char *kind, const char *method)
{
	for (size_t i = 0; i < run->n_seen; i++) {
		struct seen *s = &run->seen[i];
		if (strcmp(s->version, version) == 0 && strcmp(s->side, side) == 0 && strcmp(s->kind, kind) == 0 &&
			strcmp(s->method, method) == 0)
			return s;
	}
	return NULL;
}

static void note(
	struct run *run, const char *version, const char *side, const char *kind, const char *method, unsigned how)
{
	struct seen *s = seen_at(run, version, side, kind, method);

	if (!s) {
		assert_true(run->n_seen < METHODS_MAX);
		s = &run->seen[run->n_seen++];
		for (size_t i = 0; i < ARRAY_LEN(versions); i++)
			if (strcmp(versions[i], version) == 0)
				s->version = versions[i];
		snprintf(s->side, sizeof(s->side), "%s", side);
		snprintf(s->kind, sizeof(s->kind), "%s", kind);
		snprintf(s->method, sizeof(s->method), "%s", method);
	}
	s->how |= how;
}

static const char *side_name(enum event_side side)
{
	return side == EVENT_FROM_CLIENT ? "client" : "server";
}

/* A value's own text, cut to the room there is. */
static void copy_value(char *ret, size_t size, const char *value)
{
	size_t n = value ? (size_t)(tokens_skip(value) - value) : 0;
	bool quoted = n > 1 && *value == '"';

	snprintf(ret, size, "%.*s", (int)(quoted ? n - 2 : n), value ? value + quoted : "");
}

static struct asked *asked_of(struct run *run, enum event_side side, const char *message)
{
	char id[sizeof(run->asked[0].id)];

	copy_value(id, sizeof(id), tokens_get(message, "id"));
	for (size_t i = run->n_asked; i > 0; i--)
		if (run->asked[i - 1].side == side && strcmp(run->asked[i - 1].id, id) == 0)
			return &run->asked[i - 1];
	return NULL;
}

static enum event_side other(enum event_side side)
{
	return side == EVENT_FROM_CLIENT ? EVENT_FROM_SERVER : EVENT_FROM_CLIENT;
}

static void note_inputs(struct run *run, const char *version, const char *result)
{
	const char *at = tokens_get(result, "inputRequests"), *value;
	char method[64];
	struct token key;

	while (at && tokens_member(&at, &key, &value)) {
		copy_value(method, sizeof(method), tokens_get(value, "method"));
		note(run, version, "server", "input", method, SAID);
	}
}

/* What this line is: remembered, so that its answer is that to this method. */
static void note_said(struct run *run, const struct scene *s, const struct said *d)
{
	const char *method = tokens_get(d->says, "method"), *result = tokens_get(d->says, "result");
	struct asked *asked;
	char name[64];

	if (method) {
		bool request = tokens_get(d->says, "id") != NULL;
		copy_value(name, sizeof(name), method);
		note(run, s->version, side_name(d->side), request ? "request" : "notification", name, SAID);
		if (!request)
			return;
		assert_true(run->n_asked < ASKED_MAX);
		asked = &run->asked[run->n_asked++];
		asked->side = d->side;
		snprintf(asked->method, sizeof(asked->method), "%s", name);
		copy_value(asked->id, sizeof(asked->id), tokens_get(d->says, "id"));
		return;
	}
	asked = asked_of(run, other(d->side), d->says);
	if (!asked)
		return;
	note(run, s->version, side_name(asked->side), "request", asked->method, result ? RESULT : ERROR);
	note_inputs(run, s->version, result);
}

/* Puts a member at the end of the object that begins there. */
static char *with_member(char *text, const char *object, const char *member)
{
	const char *end = tokens_skip(object) - 1, *last = object + 1;
	size_t size = strlen(text) + strlen(member) + 2;
	bool empty = token_next(&last).sort == '}';
	char *out = malloc(size);

	assert_non_null(out);
	snprintf(out, size, "%.*s%s%s%s", (int)(end - text), text, empty ? "" : ",", member, end);
	free(text);
	return out;
}

static bool is_list(const char *method)
{
	static const char *const lists[] = { "tools/list", "resources/list", "resources/templates/list",
		"prompts/list" };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (strcmp(method, lists[i]) == 0)
			return true;
	return false;
}

/* The message with members that no version knows: where objects are open, and in _meta. */
static char *with_strange(const char *says, bool closed)
{
	char *text = copied(says), member[sizeof(STRANGE) + 64];
	const char *part = tokens_get(text, "method") ? "params" : tokens_get(text, "result") ? "result" : "error";

	if (!tokens_get(text, part))
		text = with_member(text, text, "\"params\":{}");
	if (strcmp(part, "error") == 0) {
		snprintf(member, sizeof(member), "\"data\":%s", STRANGE);
		return tokens_get(tokens_get(text, part), "data") ? text
								  : with_member(text, tokens_get(text, part), member);
	}
	snprintf(member, sizeof(member), "\"example.org/odd\":%s", STRANGE);
	if (!closed)
		text = with_member(text, tokens_get(text, part), member);
	if (!tokens_get(tokens_get(text, part), "_meta"))
		text = with_member(text, tokens_get(text, part), "\"_meta\":{}");
	return with_member(text, tokens_get(tokens_get(text, part), "_meta"), member);
}

static struct desk *desk_for(const struct scene *s)
{
	static struct shim_host host = { WORDS("example.org"), false, 443 };
	struct shim_config c = { .name = WORDS("demo") };
	struct desk *t;
	struct diag d = { 0 };

	c.client.sampling = (struct shim_sampling){ .on = !s->strict, .tools = true };
	c.client.elicitation = (struct shim_elicitation){ .on = !s->strict, .hosts = &host, .n = 1 };
	t = desk_new(&c);
	if (!s->strict)
		assert_int_equal(strv_add(&t->s.config.roots, "/home/u"), 0);
	assert_int_equal(text_out_init(&t->s.text, &t->s.config.text, &d), 0);
	return t;
}

/* Dropped, answered, or an error in a result's place: what is heard of it is not what was said with something changed.
 */
static bool is_refused(const struct said *d)
{
	bool error = tokens_get(d->says, "error") != NULL;

	return d->back || (d->instead && (!*d->instead || (tokens_get(d->instead, "error") != NULL) != error));
}

static void play_line(struct run *run, struct desk *t, const struct scene *s, const struct said *d)
{
	bool plain = is_refused(d);
	const struct asked *asked =
		plain || tokens_get(d->says, "method") ? NULL : asked_of(run, other(d->side), d->says);
	bool closed = asked && is_list(asked->method) && tokens_get(d->says, "result");
	const char *want = d->instead ? d->instead : d->back ? NULL : d->says;
	_cleanup_free_ char *says = run->strange && !plain ? with_strange(d->says, false) : copied(d->says);
	_cleanup_free_ char *heard = run->strange && !plain ? with_strange(want, closed) : copied(want);
	bool client = d->side == EVENT_FROM_CLIENT;

	if (!plain)
		note_said(run, s, d);
	assert_int_equal(give(t, d->side, says), 0);
	talk_check_heard(s, d, client ? "server" : "client", heard, got(t, client ? t->server : t->client));
	talk_check_heard(s, d, client ? "client" : "server", d->back, got(t, client ? t->client : t->server));
	forget(t);
	run->lines++;
}

static void play_scene(struct scene *s, void *arg)
{
	struct run *run = arg;
	struct desk *t = desk_for(s);

	run->n_asked = 0;
	for (size_t i = 0; i < s->n; i++)
		play_line(run, t, s, &s->said[i]);
	run->scenes++;
	text_out_done(&t->s.text);
	desk_free(t);
}

static int is_talk(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && strcmp(e->d_name + n - 5, ".talk") == 0;
}

/* Plays everything there is for every version. */
static void play_all(struct run *run)
{
	struct dirent **files;
	char path[512];
	int n = scandir(STOCKADE_CONVERSATIONS, &files, is_talk, alphasort);

	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", STOCKADE_CONVERSATIONS, files[i]->d_name);
		for (size_t v = 0; v < ARRAY_LEN(versions); v++)
			talk_play(path, versions[v], play_scene, run);
		free(files[i]);
	}
	free(files);
	printf("%zu scenes, %zu messages, %zu methods by version and side\n", run->scenes, run->lines, run->n_seen);
}

static struct run *run_new(bool strange)
{
	struct run *run = calloc(1, sizeof(*run));

	assert_non_null(run);
	run->strange = strange;
	return run;
}

static void what_is_said_in_a_conversation_is_heard_as_it_was_said(void **state)
{
	_cleanup_free_ struct run *run = run_new(false);

	play_all(run);
	assert_in_range(run->scenes, 80, SIZE_MAX);
}

static void what_no_version_knows_passes_wherever_an_object_is_open(void **state)
{
	_cleanup_free_ struct run *run = run_new(true);

	play_all(run);
}

/* A row of methods.txt: what the official schema of that version names. */
struct official {
	char version[16], side[8], kind[16], method[64];
};

static size_t read_official(struct official *ret, size_t max)
{
	FILE *f = fopen(STOCKADE_CONVERSATIONS "/methods.txt", "re");
	char line[256];
	size_t n = 0;

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		assert_true(n < max);
		if (sscanf(line, "%15s %7s %15s %63s", ret[n].version, ret[n].side, ret[n].kind, ret[n].method) != 4)
			fail_msg("methods.txt: '%s'", line);
		n++;
	}
	fclose(f);
	return n;
}

static void every_method_of_every_version_is_in_a_conversation_with_each_kind_of_answer(void **state)
{
	static struct official official[METHODS_MAX];
	_cleanup_free_ struct run *run = run_new(false);
	size_t n = read_official(official, METHODS_MAX);

	play_all(run);
	for (size_t i = 0; i < n; i++) {
		const struct official *o = &official[i];
		const struct seen *s = seen_at(run, o->version, o->side, o->kind, o->method);
		unsigned want = strcmp(o->kind, "request") == 0 ? SAID | RESULT | ERROR : SAID;
		if (!s || (s->how & want) != want)
			fail_msg("%s: the %s's %s %s has no conversation with%s%s%s", o->version, o->side, o->kind,
				o->method, s ? "" : " itself", s && !(s->how & RESULT) ? " a result" : "",
				s && !(s->how & ERROR) ? " an error" : "");
	}
}

static bool names(const struct official *o, const struct method *m, unsigned era)
{
	bool input = strcmp(o->kind, "input") == 0;

	return (strcmp(o->version, MODERN_VERSION) == 0 ? ERA_MODERN : ERA_LEGACY) == era && !input &&
	       strcmp(o->side, side_name(m->from)) == 0 && (strcmp(o->kind, "request") == 0) == m->request &&
	       strcmp(o->method, m->name) == 0;
}

static void the_table_of_methods_and_the_official_lists_say_the_same(void **state)
{
	static struct official official[METHODS_MAX];
	size_t n = read_official(official, METHODS_MAX), n_methods, found;
	const struct method *table = methods_table(&n_methods);

	for (unsigned era = ERA_LEGACY; era <= ERA_MODERN; era <<= 1)
		for (size_t m = 0; m < n_methods; m++) {
			found = 0;
			for (size_t i = 0; i < n; i++)
				found += names(&official[i], &table[m], era);
			if ((found > 0) != ((table[m].eras & era) > 0))
				fail_msg("%s %s of the %s: in %s", era == ERA_MODERN ? "modern" : "legacy",
					table[m].name, side_name(table[m].from),
					found ? "methods.txt alone" : "the table alone");
		}
	for (size_t i = 0; i < n; i++) {
		const struct official *o = &official[i];
		const struct method *m =
			methods_find(strcmp(o->side, "client") == 0 ? EVENT_FROM_CLIENT : EVENT_FROM_SERVER,
				strcmp(o->kind, "notification") != 0, slice_of(o->method));
		if (!m)
			fail_msg("%s: the table has no %s %s of the %s", o->version, o->kind, o->method, o->side);
	}
}

static void the_comparison_forgets_nothing(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} cases[] = {
		{ "{\"a\":1,\"b\":2}", "{ \"a\" : 1, \"b\":2 }", true },
		{ "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", false },
		{ "[1.0]", "[1]", false },
		{ "[-0.0]", "[0.0]", false },
		{ "[0.1000]", "[0.1]", false },
		{ "[1e400]", "[1E400]", false },
		{ "[9007199254740993]", "[9007199254740992]", false },
		{ "[\"\\u00e9\\ud83e\\udd80\\/\"]", "[\"\xc3\xa9\xf0\x9f\xa6\x80/\"]", true },
		{ "[\"\\\\u00e9\"]", "[\"\xc3\xa9\"]", false },
		{ "[\"a\"]", "[\"a \"]", false },
		{ "[\"\\ud800\"]", "[\"\\ud801\"]", false },
		{ "[null]", "[\"null\"]", false },
		{ "[1]", "[\"1\"]", false },
		{ "[]", "{}", false },
		{ "[1]", "[1,1]", false },
		{ "{\"a\":1}", "{\"a\":1,\"a\":1}", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (tokens_same(cases[i].a, cases[i].b) != cases[i].same)
			fail_msg("'%s' and '%s'", cases[i].a, cases[i].b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_in_a_conversation_is_heard_as_it_was_said),
		cmocka_unit_test(what_no_version_knows_passes_wherever_an_object_is_open),
		cmocka_unit_test(every_method_of_every_version_is_in_a_conversation_with_each_kind_of_answer),
		cmocka_unit_test(the_table_of_methods_and_the_official_lists_say_the_same),
		cmocka_unit_test(the_comparison_forgets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
