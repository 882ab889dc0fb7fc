/* SPDX-License-Identifier: Apache-2.0 */
/* question_render - the question as text, from its JSON (question.h) */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/question_grants.h"
#include "supervisor/question_words.h"

enum { WIDTH_DEFAULT = 80, INDENT = 4 };

/* The JSON's strings are in shown form already; a file somebody tampered with still cannot drive the terminal. */
void render_put(struct render *r, const char *s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(QUESTION_TEXT_MAX);

	if (!s)
		return;
	if (text_escape(&b, s, strlen(s), TEXT_KEEP_BACKSLASH) < 0 || fputs(b.data, r->out) < 0)
		r->error = -EIO;
}

const char *render_member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

void render_origin(struct render *r, const json_t *q, const char *where)
{
	_cleanup_free_ char *words = question_origin(render_member(q, "profile"), where);

	if (words)
		render_put(r, words);
	else
		r->error = -ENOMEM;
}

const char *render_colour(const struct render *r, const char *code)
{
	return r->o->colour ? code : "";
}

void render_heading(struct render *r, const char *text)
{
	fprintf(r->out, "\n  %s%s%s\n", render_colour(r, BOLD), text, render_colour(r, PLAIN));
}

bool render_has_name(const json_t *names, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(names, i, v) if (json_is_string(v) && strcmp(json_string_value(v), name) == 0) return true;
	return false;
}

bool render_is_dangerous(const json_t *names)
{
	for (size_t i = 0; i < question_dangers_n; i++)
		if (!question_dangers[i].informational && render_has_name(names, question_dangers[i].name))
			return true;
	return false;
}

const char *render_label(const json_t *line)
{
	const char *kind = render_member(line, "kind");

	for (size_t i = 0; kind && i < LINE_KIND_COUNT; i++)
		if (strcmp(question_kinds[i].name, kind) == 0)
			return question_kinds[i].label;
	return "?";
}

static void title(struct render *r, const json_t *q)
{
	const json_t *changes = json_object_get(q, "changes");
	const char *profile = render_member(q, "profile");

	fprintf(r->out, "%sstockade: '", render_colour(r, BOLD));
	render_put(r, render_member(q, "name"));
	fprintf(r->out, "'%s\n  ", render_colour(r, PLAIN));
	if (profile) {
		fputs("from the profile ", r->out);
		render_put(r, profile);
		if (json_integer_value(json_object_get(q, "version")) > 0)
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
	const char *where = render_member(q, "command_where");

	render_heading(r, "The whole command");
	fprintf(r->out, "%*s%s", INDENT, "", render_colour(r, BOLD));
	render_put(r, render_member(q, "command"));
	fprintf(r->out, "%s\n", render_colour(r, PLAIN));
	if (!r->o->all || !where)
		return;
	fprintf(r->out, "%*s%s(", INDENT, "", render_colour(r, DIM));
	render_origin(r, q, where);
	fprintf(r->out, ")%s\n", render_colour(r, PLAIN));
}

static void client_member(struct render *r, const json_t *c, const char *before, const char *key)
{
	const char *value = render_member(c, key);

	if (!value)
		return;
	fputs(before, r->out);
	render_put(r, value);
}

static void client_line(struct render *r, const json_t *c, const char *before, const char *key)
{
	if (!render_member(c, key))
		return;
	fprintf(r->out, "%*s", INDENT, "");
	client_member(r, c, before, key);
	fputc('\n', r->out);
}

static void client(struct render *r, const json_t *q)
{
	const json_t *c = json_object_get(q, "client");

	if (!json_is_object(c))
		return;
	render_heading(r, "The client that asks for it (identified, not authenticated)");
	fprintf(r->out, "%*s", INDENT, "");
	client_member(r, c, "", "name");
	client_member(r, c, render_member(c, "name") ? ": " : "", "path");
	client_member(r, c, " running ", "script");
	client_member(r, c, " of the AppImage ", "image");
	client_member(r, c, ", ", "package");
	client_member(r, c, " ", "version");
	client_member(r, c, ", ", "digest");
	client_member(r, c, "not known: ", "why");
	fputc('\n', r->out);
	client_line(r, c, "", "how");
	client_line(r, c, "allowed by ", "rule");
	client_line(r, c, "'run' would refuse it: ", "refused");
}

/* One danger and everything that brings it. */
static void danger(struct render *r, const struct question_danger *row, const json_t *q)
{
	const json_t *line;
	size_t i;

	fprintf(r->out, "  %s!%s %s\n", render_colour(r, RED), render_colour(r, PLAIN), row->words);
	if (render_has_name(json_object_get(q, "command_dangers"), row->name))
		fprintf(r->out, "%*sthe command above\n", INDENT + 2, "");
	json_array_foreach(json_object_get(q, "lines"), i, line)
	{
		if (!render_has_name(json_object_get(line, "dangers"), row->name))
			continue;
		fprintf(r->out, "%*s%s ", INDENT + 2, "", render_label(line));
		render_put(r, render_member(line, "text"));
		fputc('\n', r->out);
	}
}

static void dangers(struct render *r, const json_t *q)
{
	const json_t *names = json_object_get(q, "dangers");

	if (!render_is_dangerous(names))
		return;
	fprintf(r->out, "\n  %sDANGEROUS%s\n", render_colour(r, RED), render_colour(r, PLAIN));
	for (size_t i = 0; i < question_dangers_n; i++)
		if (!question_dangers[i].informational && render_has_name(names, question_dangers[i].name))
			danger(r, &question_dangers[i], q);
}

static void changes(struct render *r, const json_t *q)
{
	const json_t *list = json_object_get(q, "changes"), *change;
	size_t i;

	if (!json_is_array(list))
		return;
	render_heading(r, "Changed since the earlier approval");
	json_array_foreach(list, i, change)
	{
		const char *sign = render_member(change, "sign");
		char c = sign && (*sign == '+' || *sign == '-') ? *sign : '~';
		fprintf(r->out, "%*s%c ", INDENT, "", c);
		render_put(r, render_member(change, "text"));
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
		render_colour(r, BOLD), render_colour(r, PLAIN));
	if (json_is_true(json_object_get(q, "never_remember")))
		fputs("  The answer is not remembered, since the program can rewrite itself: each start asks again.\n",
			r->out);
	fputs("  Plan ", r->out);
	render_put(r, render_member(q, "digest"));
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
	render_grants(&r, q);
	client(&r, q);
	if (!o->all) {
		changes(&r, q);
		warning(&r, q);
	}
	if (r.error < 0)
		return r.error;
	return fflush(out) == 0 && !ferror(out) ? 0 : -EIO;
}
