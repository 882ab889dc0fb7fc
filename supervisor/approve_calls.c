/* SPDX-License-Identifier: Apache-2.0 */
/* approve_calls - see approve_calls.h */
#include "supervisor/approve_calls.h"
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "supervisor/command.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"

enum { SHOWN = 512, ANSWER_MAX = 64, TRIES = 3, INDENT = 2, DEPTH_MAX = 64, BLANKS = 4 + INDENT * DEPTH_MAX };

/* Escapes make at most ten bytes of one, and each bracket and comma may bring a line of blanks. */
#define SHOWN_ARGS_MAX ((size_t)CONFIRM_ARGS_MAX * (BLANKS + 12))

static int put_line_feed(struct buf *b, size_t depth)
{
	return buf_printf(b, "\n%*s", (int)(4 + INDENT * (depth < DEPTH_MAX ? depth : DEPTH_MAX)), "");
}

/* A string with its quotes, as it is spelt; the length is returned. */
static size_t string_length(const char *p)
{
	size_t n = 1;

	while (p[n] && p[n] != '"')
		n += p[n] == '\\' && p[n + 1] ? 2 : 1;
	return p[n] ? n + 1 : n;
}

static int put_structure(struct buf *b, const char *p, size_t *depth)
{
	bool opens = *p == '{' || *p == '[', closes = *p == '}' || *p == ']';
	bool empty = opens && (p[1] == '}' || p[1] == ']');
	int r = 0;

	/* Nothing stands before a bracket that closes what was never opened. */
	if (closes && *depth > 0) {
		--*depth;
		r = p[-1] != '{' && p[-1] != '[' ? put_line_feed(b, *depth) : 0;
	}
	if (r == 0)
		r = text_escape(b, p, 1, TEXT_KEEP_BACKSLASH);
	if (opens)
		++*depth;
	if (r == 0 && ((opens && !empty) || *p == ','))
		r = put_line_feed(b, *depth);
	return r == 0 && *p == ':' ? buf_putc(b, ' ') : r;
}

/* Line feeds and blanks between the tokens, and nothing else is added, taken away or spelt in another way: a
 * backslash is one of the JSON's own, so no escape of ours can be forged. */
static int lay_out(const char *json, struct buf *b)
{
	size_t depth = 0;
	int r = 0;

	for (const char *p = json; r == 0 && *p;) {
		size_t n = *p == '"' ? string_length(p) : 1;
		r = *p == '"' || !strchr("{}[],:", *p) ? text_escape(b, p, n, TEXT_KEEP_BACKSLASH)
						       : put_structure(b, p, &depth);
		p += n;
	}
	return r;
}

static void put_row(const char *label, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CALL_FILE_MAX);

	if (text_escape(&b, text, strlen(text), TEXT_KEEP_BACKSLASH) == 0)
		fprintf(stderr, "  %-10s %s\n", label, b.data ? b.data : "");
}

/* The length of the value that begins there. */
static size_t value_length(const char *json)
{
	size_t depth = 0, n = 0;

	while (json[n]) {
		bool closes = json[n] == '}' || json[n] == ']';
		if (depth == 0 && (closes || json[n] == ','))
			return n;
		depth += json[n] == '{' || json[n] == '[';
		depth -= closes;
		n += json[n] == '"' ? string_length(json + n) : 1;
	}
	return n;
}

/* Arguments are an object; what goes along with them makes a list of two (wire/confirm.h). also: NULL, nothing does. */
static int part(const struct call_entry *e, char **ret_args, char **ret_also)
{
	const char *text = e->arguments, *end = text + strlen(text);
	size_t n = *text == '[' ? value_length(text + 1) : 0;
	bool two = n > 0 && text[n + 1] == ',' && end[-1] == ']';

	*ret_also = two ? strndup(text + n + 2, (size_t)(end - 1 - (text + n + 2))) : NULL;
	*ret_args = two ? strndup(text + 1, n) : strdup(text);
	return *ret_args && (*ret_also || !two) ? 0 : -ENOMEM;
}

/* json NULL: there is no such row. */
static int put_json(const char *label, const char *json)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHOWN_ARGS_MAX);
	bool none = json && (!*json || strcmp(json, "null") == 0);
	int r = !json ? 0 : none ? buf_puts(&b, "none") : lay_out(json, &b);

	if (r == 0 && json)
		fprintf(stderr, "  %s\n    %s\n", label, b.data);
	return r;
}

int approve_calls_show(const struct call_entry *e)
{
	_cleanup_free_ char *args = NULL, *also = NULL;
	int r = part(e, &args, &also);

	fputs("\nA call that a person has to look at\n\n", stderr);
	put_row("server", e->server);
	put_row("tool", e->tool);
	if (r == 0)
		r = put_json("arguments", args);
	if (r == 0)
		r = put_json("goes along", also);
	if (r < 0) {
		command_error("cannot show the arguments: %s", strerror(-r));
		return EXIT_REFUSED;
	}
	put_row("rule", e->rule);
	put_row("client", e->client);
	fputc('\n', stderr);
	return EXIT_OK;
}

void approve_calls_list(const struct call_list *l, size_t first)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct call_entry *e = &l->v[i];
		char server[SHOWN], tool[SHOWN];
		if (e->damaged) {
			fprintf(stderr, "%3zu  a call (damaged)\n", first + i);
			continue;
		}
		fprintf(stderr, "%3zu  %s: a call of %s, waiting for %lld s\n", first + i,
			text_escape_str(e->server, server, sizeof(server)),
			text_escape_str(e->tool, tool, sizeof(tool)), (long long)(time(NULL) - e->when));
	}
}

int approve_calls_answer(const struct approve_waiting *w, const struct call_entry *e, enum asker_say say)
{
	static const char *const words[] = { [ASKER_NO] = "denied",
		[ASKER_ONCE] = "let through this once",
		[ASKER_SESSION] = "let through, and with these arguments until the session ends" };
	struct diag d = { "out of memory" };
	char tool[SHOWN];

	if (call_answer(w->paths, e, say, "approve", w->lineage, &d) < 0)
		return command_refuse(&d, 0);
	fprintf(stderr, "%s: %s.\n", text_escape_str(e->tool, tool, sizeof(tool)), words[say]);
	return say == ASKER_NO ? EXIT_REFUSED : EXIT_OK;
}

struct asked {
	const struct approve_waiting *w;
	const struct call_entry *call;
};

static bool is_wanted(const void *arg)
{
	const struct asked *a = arg;

	return call_waits(a->w->paths, a->call);
}

/* For a call that waits no longer it is of no importance: whoever is told finds that out. */
static enum asker_say read_say(const struct approve_waiting *w, const struct call_entry *e)
{
	const struct asked asked = { w, e };
	const struct consent_still still = { is_wanted, &asked };
	static const struct {
		const char *word;
		enum asker_say say;
	} rows[] = { { "", ASKER_NO }, { "n", ASKER_NO }, { "no", ASKER_NO }, { "y", ASKER_ONCE },
		{ "yes", ASKER_ONCE }, { "s", ASKER_SESSION }, { "session", ASKER_SESSION } };
	char line[ANSWER_MAX];

	for (int i = 0; i < TRIES; i++) {
		int r = consent_read_line_while(
			"Let it through? [y] once, [s] with these arguments until the session ends, [N] no: ", &still,
			line, sizeof(line));
		if (r == -ESTALE)
			fputc('\n', stderr);
		if (r < 0)
			return ASKER_NO;
		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			if (strcasecmp(line, rows[k].word) == 0)
				return rows[k].say;
		fputs("Please answer y, s or n.\n", stderr);
	}
	return ASKER_NO;
}

int approve_calls_ask(const struct approve_waiting *w, const struct call_entry *e)
{
	int status;

	if (e->damaged) {
		command_error(
			"the waiting call cannot be answered: %s. It is denied when its time is over", e->damaged);
		return EXIT_REFUSED;
	}
	status = approve_calls_show(e);
	return status == EXIT_OK ? approve_calls_answer(w, e, read_say(w, e)) : status;
}

json_t *approve_calls_json(const struct call_entry *e, size_t number)
{
	_cleanup_free_ char *args = NULL, *also = NULL;
	char since[OUTPUT_TIME_SIZE];

	if (e->damaged)
		return json_pack(
			"{s:I, s:s, s:s}", "number", (json_int_t)number, "kind", "call", "damaged", e->damaged);
	if (part(e, &args, &also) < 0)
		return NULL;
	return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s*, s:s, s:s, s:s, s:I}", "number", (json_int_t)number,
		"kind", "call", "session", e->session, "server", e->server, "tool", e->tool, "arguments", args,
		"goes_along", also, "rule", e->rule, "lineage", e->client, "waiting_since", output_time(e->when, since),
		"seconds_waiting", (json_int_t)(time(NULL) - e->when));
}
