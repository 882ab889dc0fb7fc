/* SPDX-License-Identifier: Apache-2.0 */
/* report_print - the report as a table: server, what changes, by which rule (report.h) */
#include <errno.h>
#include <string.h>
#include "supervisor/policy_test/report.h"

enum { SERVER_WIDTH = 20, WHAT_WIDTH = 56 };

struct printer {
	FILE *out;
	bool colour;
	size_t rows;
};

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* Nothing is cut: what is longer than its column pushes the rest to a line of its own. */
enum sign { GAINED = '+', LOST = '-', RECORDED = '~' };

static void row(struct printer *p, const char *server, enum sign sign, const char *what, const char *rule)
{
	int width = (int)strlen(what);

	p->rows++;
	fprintf(p->out, "  %s%-*s%s  %c %s", p->colour ? "\033[1m" : "", SERVER_WIDTH, server,
		p->colour ? "\033[0m" : "", (char)sign, what);
	if (rule && width > WHAT_WIDTH)
		fprintf(p->out, "\n  %-*s      by %s", SERVER_WIDTH, "", rule);
	else if (rule)
		fprintf(p->out, "%*s  %s", WHAT_WIDTH - width, "", rule);
	fputc('\n', p->out);
}

static void head(struct printer *p, const char *title)
{
	fprintf(p->out, "\n%s%s%s\n", p->colour ? "\033[1m" : "", title, p->colour ? "\033[0m" : "");
	p->rows = 0;
}

static void nothing(struct printer *p, const char *words)
{
	if (p->rows == 0)
		fprintf(p->out, "  %s\n", words);
}

static enum sign sign_of(const json_t *change)
{
	if (json_is_true(json_object_get(change, "recorded")))
		return RECORDED;
	return json_is_true(json_object_get(change, "worse")) ? LOST : GAINED;
}

static void print_server(struct printer *p, const json_t *o)
{
	const char *server = text_of(o, "server"), *refused = text_of(o, "refused"), *was = text_of(o, "refused_now");
	const json_t *c;
	size_t i;

	if (refused && !was)
		row(p, server, LOST, refused, NULL);
	if (!refused && was)
		row(p, server, GAINED, "is refused no more", NULL);
	json_array_foreach(json_object_get(o, "changes"), i, c)
		row(p, server, sign_of(c), text_of(c, "what"), text_of(c, "rule"));
}

static void print_servers(struct printer *p, const json_t *list)
{
	size_t i, written = 0, dead = 0;
	const json_t *o;

	head(p, "Profiles");
	json_array_foreach(list, i, o)
	{
		print_server(p, o);
		written += strcmp(text_of(o, "judged"), "as written") == 0;
		dead += text_of(o, "refused") && text_of(o, "refused_now");
	}
	nothing(p, json_array_size(list) ? "none of them changes" : "there is none");
	if (written)
		fprintf(p->out,
			"  (%zu of %zu need parameters and were looked at as they are written: paths that a parameter "
			"names are judged with the approval)\n",
			written, json_array_size(list));
	if (dead)
		fprintf(p->out, "  (%zu of %zu start nothing here under either policy: 'stockade check' says why)\n",
			dead, json_array_size(list));
}

static void print_approvals(struct printer *p, const json_t *list)
{
	size_t i, stand = 0, other = 0;
	const json_t *o;

	head(p, "Approvals");
	json_array_foreach(list, i, o)
	{
		const char *word = text_of(o, "outcome");
		char what[256];
		stand += strcmp(word, "stands") == 0;
		other += strcmp(word, "unused") == 0 || strstr(word, "already");
		if (strcmp(word, "asks") != 0 && strcmp(word, "refused") != 0)
			continue;
		snprintf(what, sizeof(what), "%.16s %s: %.200s", text_of(o, "id"),
			*word == 'a' ? "would ask anew" : "would be refused", text_of(o, "why"));
		row(p, text_of(o, "server"), LOST, what, text_of(o, "rule"));
	}
	fprintf(p->out, "  %zu stand; %zu start nothing without a question now, which stays so\n", stand, other);
}

static long long number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static void print_log_rows(struct printer *p, const json_t *list, enum sign sign)
{
	const json_t *o;
	size_t i;

	json_array_foreach(list, i, o)
	{
		const char *now = text_of(o, "now");
		char what[512];
		snprintf(what, sizeof(what), "%s %.300s: %lld time%s, last %s%s%s", text_of(o, "kind"),
			text_of(o, "what"), number(o, "count"), number(o, "count") == 1 ? "" : "s", text_of(o, "last"),
			now ? ", now " : "", now ? now : "");
		row(p, text_of(o, "server"), sign, what, text_of(o, "rule"));
	}
}

static void print_log(struct printer *p, const json_t *log)
{
	const json_t *recorded = json_object_get(log, "recorded");

	head(p, "Recorded, let through then and now, and denied");
	print_log_rows(p, json_object_get(log, "denied"), LOST);
	nothing(p, "nothing of it would be denied");
	if (json_array_size(recorded)) {
		head(p, "Recorded, and let through for no other reason than to be recorded");
		print_log_rows(p, recorded, RECORDED);
	}
	fprintf(p->out,
		"  %lld sessions, %lld records, %lld of them launches, calls and connections that were let through\n",
		number(log, "sessions"), number(log, "records"), number(log, "asked"));
	if (number(log, "more"))
		fprintf(p->out, "  %lld more would be denied than there are rows\n", number(log, "more"));
	if (number(log, "unjudged"))
		fprintf(p->out, "  %lld records are of servers whose profile is not here any more: not judged\n",
			number(log, "unjudged"));
	if (number(log, "damaged"))
		fprintf(p->out,
			"  %lld lines are damaged, the first at %s: left out ('stockade audit verify' says more)\n",
			number(log, "damaged"), text_of(log, "damaged_at"));
}

int report_print(FILE *out, const json_t *report, bool colour)
{
	struct printer p = { .out = out, .colour = colour };
	const json_t *log = json_object_get(report, "log"), *note;
	size_t i;

	fprintf(out, "%s in the place of %s\n", text_of(report, "file"),
		text_of(report, "policy") ? text_of(report, "policy") : "no policy: there is none now");
	print_servers(&p, json_object_get(report, "servers"));
	print_approvals(&p, json_object_get(report, "approvals"));
	if (json_is_object(log))
		print_log(&p, log);
	json_array_foreach(json_object_get(report, "notes"), i, note)
		fprintf(out, "\nnote: %s\n", json_string_value(note));
	fprintf(out, "\n%s\n",
		json_is_true(json_object_get(report, "worse"))
			? "Something that is allowed now would be denied, or asked about."
			: "Nothing that is allowed now would be denied.");
	return ferror(out) ? -EIO : 0;
}
