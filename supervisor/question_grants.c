/* SPDX-License-Identifier: Apache-2.0 */
/*
 * question_grants - what the server gets, as text (question_grants.h)
 *
 * A list that is too long to read is not read. So rules of one kind that say the same of several names stand together,
 * a label stands once, and where a line comes from is a number of the profile, which the title names. No line is left
 * out for that, and the JSON has each with its whole origin.
 */
#include "supervisor/question_grants.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "supervisor/question_words.h"

#define MARGIN "                    "
enum { LABEL_WIDTH = 15, TEXT_COLUMN = sizeof(MARGIN) - 1 };

/* What it may touch first; notes about this version last. */
static const enum effective_kind order[] = { LINE_SIGNED, LINE_COMMAND, LINE_PROGRAM, LINE_CODE, LINE_CWD, LINE_WRITE,
	LINE_READ, LINE_PROTECT, LINE_DENY, LINE_HOME, LINE_TMP, LINE_UNIX, LINE_NETWORK, LINE_ENV_PASS, LINE_ENV_SET,
	LINE_TOOLS, LINE_RESOURCES, LINE_PROMPTS, LINE_EXTENSIONS, LINE_CLIENT, LINE_TEXT, LINE_SECCOMP, LINE_LIMIT,
	LINE_AUDIT, LINE_CUT, LINE_BASE, LINE_NOTE };
_Static_assert(ARRAY_LEN(order) == LINE_KIND_COUNT, "each kind of line has its place");

struct listing {
	struct render *r;
	const json_t *q, *lines;
	const char *label; /* the last one that was printed */
};

/* The line of the profile that the title names, 0 when it comes from elsewhere. */
static unsigned long profile_line(const struct listing *g, const json_t *line)
{
	const char *profile = render_member(g->q, "profile"), *where = render_member(line, "where");
	size_t n = profile ? strlen(profile) : 0;

	if (!where || n == 0 || strncmp(where, profile, n) != 0 || where[n] != ':' ||
		!isdigit((unsigned char)where[n + 1]))
		return 0;
	return strtoul(where + n + 1, NULL, 10);
}

static void put_label(struct listing *g, const char *label, bool marked)
{
	struct render *r = g->r;
	bool again = !marked && g->label && strcmp(g->label, label) == 0;

	fprintf(r->out, "  %s%c%s %-*s ", marked ? render_colour(r, RED) : "", marked ? '!' : ' ',
		marked ? render_colour(r, PLAIN) : "", LABEL_WIDTH, again ? "" : label);
	/* A note of several lines begins with its label, or two would look like one. */
	g->label = marked || strcmp(label, question_kinds[LINE_NOTE].label) == 0 ? NULL : label;
}

/* A blank and the word, or the word on a line of its own; the column after it. */
static size_t put_word(struct listing *g, size_t column, const char *word, size_t n)
{
	_cleanup_free_ char *copy = strndup(word, n);
	bool first = column == TEXT_COLUMN, fits = column + 1 + n <= g->r->width;

	if (!copy) {
		g->r->error = -ENOMEM;
		return column;
	}
	if (!first)
		fputs(fits ? " " : "\n" MARGIN, g->r->out);
	render_put(g->r, copy);
	return first || !fits ? TEXT_COLUMN + n : column + 1 + n;
}

/* A sentence of ours, over as many lines as it takes. */
static size_t put_words(struct listing *g, size_t column, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (n > 0)
			column = put_word(g, column, text, n);
		text += n + strspn(text + n, " ");
	}
	return column;
}

/* Of rules that stand together their lines; the question has no more than the number of any line's. */
static char *origin_words(const struct listing *g, const char *where, unsigned long first, unsigned long last)
{
	char *numbers;
	int n;

	if (!first || (first == last && g->r->o->all))
		return question_origin(render_member(g->q, "profile"), where);
	n = first == last ? asprintf(&numbers, "line %lu", first) : asprintf(&numbers, "lines %lu-%lu", first, last);
	return n < 0 ? NULL : numbers;
}

static void put_origin(struct listing *g, size_t column, const json_t *line, unsigned long first, unsigned long last)
{
	const char *where = render_member(line, "where");
	bool quiet = json_is_true(json_object_get(line, "quiet")) && !g->r->o->all;
	_cleanup_free_ char *words = where && !quiet ? origin_words(g, where, first, last) : NULL;
	bool fits = words && column + strlen(words) + 4 <= g->r->width;

	if (!where || quiet)
		return;
	if (!words) {
		g->r->error = -ENOMEM;
		return;
	}
	fprintf(g->r->out, "%s%s(", fits ? "  " : "\n" MARGIN, render_colour(g->r, DIM));
	render_put(g->r, words);
	fprintf(g->r->out, ")%s", render_colour(g->r, PLAIN));
}

static void put_line(struct listing *g, const json_t *line)
{
	const json_t *names = json_object_get(line, "dangers");
	const char *text = render_member(line, "text"), *kind = render_member(line, "kind");
	unsigned long at = profile_line(g, line);
	size_t column = TEXT_COLUMN;

	text = text ? text : "";
	put_label(g, render_label(line), render_is_dangerous(names));
	if (kind && strcmp(kind, "note") == 0) {
		column = put_words(g, column, text);
	} else {
		render_put(g->r, text);
		column += strlen(text);
	}
	if (render_has_name(names, "secret"))
		column += (size_t)fprintf(g->r->out, "%s", " (by its name a secret; its value is not shown)");
	put_origin(g, column, line, at, at);
	fputc('\n', g->r->out);
}

/* The length of "allow " or "deny " before a name that stands in a list without passing for two, or for words of ours;
 * else 0. */
static size_t verb_of(const struct listing *g, const json_t *line)
{
	static const char *const verbs[] = { "allow ", "deny " };
	const char *text = render_member(line, "text");

	if (!text || profile_line(g, line) == 0 || json_array_size(json_object_get(line, "dangers")) > 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		size_t n = strlen(verbs[i]);
		if (strncmp(text, verbs[i], n) == 0 && text[n] && !strpbrk(text + n, " ,()"))
			return n;
	}
	return 0;
}

/* Is the line of this kind, and printed at all? */
static bool belongs(const struct listing *g, const json_t *line, const char *kind, bool marked)
{
	const char *own = render_member(line, "kind"), *text = render_member(line, "text");

	return own && strcmp(own, kind) == 0 && render_is_dangerous(json_object_get(line, "dangers")) == marked &&
	       !(text && render_has_name(json_object_get(g->q, "not_enforced"),
				 text)); /* check has a list of its own for them */
}

/* All that begins with the verb of the line at i and follows it; the index of the last. */
static size_t put_names(struct listing *g, size_t i, const char *kind)
{
	const json_t *line = json_array_get(g->lines, i);
	const char *verb = render_member(line, "text");
	size_t n = verb_of(g, line), column, last = i;
	unsigned long from = profile_line(g, line), to = from;

	put_label(g, render_label(line), false);
	column = put_word(g, TEXT_COLUMN, verb, n - 1);
	for (size_t k = i; k < json_array_size(g->lines); k++) {
		const json_t *next = json_array_get(g->lines, k);
		const char *name = render_member(next, "text");
		unsigned long at = profile_line(g, next);
		if (!belongs(g, next, kind, false) || verb_of(g, next) != n || strncmp(name, verb, n) != 0)
			break;
		if (k > i)
			fputc(',', g->r->out);
		column = put_word(g, column + (k > i), name + n, strlen(name + n));
		from = at < from ? at : from;
		to = at > to ? at : to;
		last = k;
	}
	put_origin(g, column, line, from, to);
	fputc('\n', g->r->out);
	return last;
}

static void put_kind(struct listing *g, const char *kind, bool marked)
{
	for (size_t i = 0; i < json_array_size(g->lines); i++) {
		const json_t *line = json_array_get(g->lines, i);
		if (!belongs(g, line, kind, marked))
			continue;
		if (!marked && verb_of(g, line))
			i = put_names(g, i, kind);
		else
			put_line(g, line);
	}
}

/* A file somebody tampered with: it is no kind of ours, and is shown all the same. */
static bool is_known(const json_t *line)
{
	return strcmp(render_label(line), "?") != 0;
}

void render_grants(struct render *r, const json_t *q)
{
	struct listing g = { .r = r, .q = q, .lines = json_object_get(q, "lines") };

	render_heading(r, "What it gets");
	for (int marked = 1; marked >= 0; marked--)
		for (size_t i = 0; i < ARRAY_LEN(order); i++)
			if (order[i] != LINE_BASE || r->o->all)
				put_kind(&g, question_kinds[order[i]].name, marked);
	for (size_t i = 0; i < json_array_size(g.lines); i++)
		if (!is_known(json_array_get(g.lines, i)))
			put_line(&g, json_array_get(g.lines, i));
}
