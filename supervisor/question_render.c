/* SPDX-License-Identifier: Apache-2.0 */
/* question_render - the question as text, from its JSON (question.h) */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/question.h"
#include "supervisor/question_words.h"

enum { WIDTH_DEFAULT = 80, LABEL_WIDTH = 15, INDENT = 4 };

#define BOLD  "\033[1m"
#define RED   "\033[1;31m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

struct render {
	FILE *out;
	const struct question_options *o;
	unsigned width;
	int error;
};

/* The JSON's strings are in shown form already; a file somebody tampered with still cannot drive the terminal. */
static void put(struct render *r, const char *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(QUESTION_TEXT_MAX);

	if (!s)
		return;
	if (text_escape(&b, s, strlen(s), TEXT_KEEP_BACKSLASH) < 0 || fputs(b.data, r->out) < 0)
		r->error = -EIO;
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const char *colour(const struct render *r, const char *code)
{
	return r->o->colour ? code : "";
}

static void heading(struct render *r, const char *text)
{
	fprintf(r->out, "\n  %s%s%s\n", colour(r, BOLD), text, colour(r, PLAIN));
}

static bool has_name(const json_t *names, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(names, i, v) if (json_is_string(v) && strcmp(json_string_value(v), name) == 0) return true;
	return false;
}

static bool is_dangerous(const json_t *names)
{
	for (size_t i = 0; i < question_dangers_n; i++)
		if (!question_dangers[i].informational && has_name(names, question_dangers[i].name))
			return true;
	return false;
}

static const char *label_of(const json_t *line)
{
	const char *kind = member(line, "kind");

	for (size_t i = 0; kind && i < LINE_KIND_COUNT; i++)
		if (strcmp(question_kinds[i].name, kind) == 0)
			return question_kinds[i].label;
	return "?";
}

static void title(struct render *r, const json_t *q)
{
	const json_t *changes = json_object_get(q, "changes");
	const char *profile = member(q, "profile");

	fprintf(r->out, "%sstockade: '", colour(r, BOLD));
	put(r, member(q, "name"));
	fprintf(r->out, "'%s\n  ", colour(r, PLAIN));
	if (profile) {
		fputs("from the profile ", r->out);
		put(r, profile);
		fprintf(r->out, ", version %lld", (long long)json_integer_value(json_object_get(q, "version")));
	} else {
		fputs("without a profile: it gets what the command line grants", r->out);
	}
	if (r->o->all)
		fputs("\n", r->out);
	else if (json_is_array(changes))
		fputs("\n  It was approved before and has changed since.\n", r->out);
	else
		fputs("\n  It has not been approved before.\n", r->out);
}

static void command(struct render *r, const json_t *q)
{
	heading(r, "The whole command");
	fprintf(r->out, "%*s%s", INDENT, "", colour(r, BOLD));
	put(r, member(q, "command"));
	fprintf(r->out, "%s\n", colour(r, PLAIN));
}

/* One danger and everything that brings it. */
static void danger(struct render *r, const struct question_danger *row, const json_t *q)
{
	const json_t *line;
	size_t i;

	fprintf(r->out, "  %s!%s %s\n", colour(r, RED), colour(r, PLAIN), row->words);
	if (has_name(json_object_get(q, "command_dangers"), row->name))
		fprintf(r->out, "%*sthe command above\n", INDENT + 2, "");
	json_array_foreach(json_object_get(q, "lines"), i, line)
	{
		if (!has_name(json_object_get(line, "dangers"), row->name))
			continue;
		fprintf(r->out, "%*s%s ", INDENT + 2, "", label_of(line));
		put(r, member(line, "text"));
		fputc('\n', r->out);
	}
}

static void dangers(struct render *r, const json_t *q)
{
	const json_t *names = json_object_get(q, "dangers");

	if (!is_dangerous(names))
		return;
	fprintf(r->out, "\n  %sDANGEROUS%s\n", colour(r, RED), colour(r, PLAIN));
	for (size_t i = 0; i < question_dangers_n; i++)
		if (!question_dangers[i].informational && has_name(names, question_dangers[i].name))
			danger(r, &question_dangers[i], q);
}

static void grant(struct render *r, const json_t *line)
{
	const json_t *names = json_object_get(line, "dangers");
	const char *text = member(line, "text"), *where = member(line, "where");
	bool marked = is_dangerous(names), fits;

	fprintf(r->out, "  %s%c%s %-*s ", marked ? colour(r, RED) : "", marked ? '!' : ' ',
		marked ? colour(r, PLAIN) : "", LABEL_WIDTH, label_of(line));
	put(r, text);
	if (has_name(names, "secret"))
		fputs(" (by its name a secret; its value is not shown)", r->out);
	fits = text && where && INDENT + LABEL_WIDTH + strlen(text) + strlen(where) + 5 < r->width;
	if (where) {
		if (!fits)
			fprintf(r->out, "\n%*s", INDENT + LABEL_WIDTH, "");
		fprintf(r->out, "%s  (", colour(r, DIM));
		put(r, where);
		fprintf(r->out, ")%s", colour(r, PLAIN));
	}
	fputc('\n', r->out);
}

/* What is dangerous first, and notes about this version last. */
static void grants(struct render *r, const json_t *q)
{
	const json_t *line;
	size_t i;

	heading(r, "What it gets");
	for (int pass = 0; pass < 3; pass++)
		json_array_foreach(json_object_get(q, "lines"), i, line)
		{
			const char *kind = member(line, "kind");
			bool note = kind && strcmp(kind, "note") == 0, base = kind && strcmp(kind, "base") == 0;
			if (has_name(json_object_get(q, "not_enforced"),
				    member(line, "text") ? member(line, "text") : ""))
				continue; /* check has a list of its own for them */
			int place = note ? 2 : is_dangerous(json_object_get(line, "dangers")) ? 0 : 1;
			if (place == pass && (!base || r->o->all))
				grant(r, line);
		}
}

static void changes(struct render *r, const json_t *q)
{
	const json_t *list = json_object_get(q, "changes"), *change;
	size_t i;

	if (!json_is_array(list))
		return;
	heading(r, "Changed since the earlier approval");
	json_array_foreach(list, i, change)
	{
		const char *sign = member(change, "sign");
		char c = sign && (*sign == '+' || *sign == '-') ? *sign : '~';
		fprintf(r->out, "%*s%c ", INDENT, "", c);
		put(r, member(change, "text"));
		fputc('\n', r->out);
	}
}

static void warning(struct render *r, const json_t *q)
{
	fprintf(r->out,
		"\n  %sWarning:%s this starts a program on your machine, and that may be dangerous. stockade holds it "
		"to what stands\n"
		"  above; within that it can do whatever its authors, or whoever changed its code, want. Say yes only "
		"if you know where\n"
		"  this command comes from and want every line of it.\n",
		colour(r, BOLD), colour(r, PLAIN));
	if (json_is_true(json_object_get(q, "never_remember")))
		fputs("  The answer is not remembered, since the program can rewrite itself: each start asks again.\n",
			r->out);
	fputs("  Plan ", r->out);
	put(r, member(q, "digest"));
	fputc('\n', r->out);
}

int question_render(FILE *out, const json_t *q, const struct question_options *o)
{
	struct render r = { .out = out, .o = o, .width = o->width ? o->width : WIDTH_DEFAULT };

	if (!json_is_object(q))
		return -EINVAL;
	title(&r, q);
	command(&r, q);
	dangers(&r, q);
	grants(&r, q);
	if (!o->all) {
		changes(&r, q);
		warning(&r, q);
	}
	if (r.error < 0)
		return r.error;
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
