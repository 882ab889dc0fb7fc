/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show_text - one record of the log as a line for a person
 *
 * Process:  supervisor
 */
#include "audit/show.h"

#include <errno.h>
#include <inttypes.h>

#include "base/text.h"

enum {
	SHOWN_MAX = 1024, /* bytes of one field on the screen */
	SHOWN_ARGS_MAX = 256,
	SHOWN_SESSION = 8, /* characters of the session's id */
	COLUMN_SERVER = 12,
	COLUMN_EVENT = 16,
	COLUMN_DECISION = 5,
};

enum field_form { FORM_TEXT, FORM_CUT, FORM_NUMBER, FORM_MICROSECONDS };

/* What follows the columns, in this order. */
static const struct {
	const char *key, *label;
	enum field_form form;
} fields[] = {
	{ "side", "from", FORM_TEXT },
	{ "subject", "subject", FORM_TEXT },
	{ "scope", "scope", FORM_TEXT },
	{ "address", "address", FORM_TEXT },
	{ "status", "status", FORM_TEXT },
	{ "reason", "reason", FORM_TEXT },
	{ "rule", "rule", FORM_TEXT },
	{ "peer_name", "peer", FORM_TEXT },
	{ "peer_version", "version", FORM_TEXT },
	{ "protocol", "protocol", FORM_TEXT },
	{ "arg_keys", "keys", FORM_TEXT },
	{ "arg_hash", "arguments", FORM_TEXT },
	{ "args", "arguments", FORM_CUT },
	{ "bytes", "bytes", FORM_NUMBER },
	{ "bytes_in", "in", FORM_NUMBER },
	{ "bytes_out", "out", FORM_NUMBER },
	{ "latency_us", "took", FORM_MICROSECONDS },
	{ "count", "count", FORM_NUMBER },
	{ "coalesced", "events", FORM_NUMBER },
	{ "records", "records", FORM_NUMBER },
	{ "calls", "calls", FORM_NUMBER },
	{ "denied", "denied", FORM_NUMBER },
	{ "dropped", "dropped", FORM_NUMBER },
	{ "torn_bytes", "torn", FORM_NUMBER },
};

/* Who and what, once a session: its other records carry the same. */
static const char *const identity[] = { "user", "client", "version", "approval", "channel", "plan", "host" };

static const struct {
	const char *decision, *colour;
} colours[] = { { "allow", "\033[32m" }, { "deny", "\033[1;31m" }, { "drop", "\033[33m" },
	{ "would deny", "\033[33m" } };

static const char *colour_of(const char *decision)
{
	for (size_t i = 0; i < ARRAY_LEN(colours); i++) {
		if (strcmp(decision, colours[i].decision) == 0)
			return colours[i].colour;
	}
	return "";
}

/* In quotes when it has a blank, a quote or an equals sign: a value cannot pass for two. Backslashes are doubled by the
 * escaping, so that \" stands for a quote alone. Returns the columns used. */
static int print_word(FILE *out, const char *value, size_t max)
{
	char shown[SHOWN_MAX];
	int columns = 0;

	text_escape_str(value, shown, max);
	if (!strpbrk(shown, " \"="))
		return fprintf(out, "%s", shown);
	(void)fputc('"', out);
	for (const char *p = shown; *p; p++)
		columns += fprintf(out, *p == '"' ? "\\%c" : "%c", *p);
	(void)fputc('"', out);
	return columns + 2;
}

static void print_column(FILE *out, const char *value, int width)
{
	int used = print_word(out, value, SHOWN_MAX);

	(void)fprintf(out, "%*s", used < width ? width - used : 0, "");
}

static void print_value(FILE *out, const char *label, const char *value, size_t max)
{
	if (!*value)
		return;
	(void)fprintf(out, " %s=", label);
	(void)print_word(out, value, max);
}

static void print_field(FILE *out, const struct line *l, size_t i)
{
	uint64_t n = line_number(l, fields[i].key);

	switch (fields[i].form) {
	case FORM_TEXT:
		print_value(out, fields[i].label, line_text(l, fields[i].key), SHOWN_MAX);
		break;
	case FORM_CUT:
		print_value(out, fields[i].label, line_text(l, fields[i].key), SHOWN_ARGS_MAX);
		break;
	case FORM_NUMBER:
		if (n > 0)
			(void)fprintf(out, " %s=%" PRIu64, fields[i].label, n);
		break;
	case FORM_MICROSECONDS:
		if (n > 0)
			(void)fprintf(out, " %s=%" PRIu64 ".%03" PRIu64 "ms", fields[i].label, n / 1000, n % 1000);
		break;
	}
}

/* What the record is about: a tool, a method, or a host and its port. */
static const char *subject_of(const struct line *l, char *buf, size_t size)
{
	const char *host = *line_text(l, "name") ? line_text(l, "name") : line_text(l, "address");

	if (*line_text(l, "tool") || *line_text(l, "method"))
		return *line_text(l, "tool") ? line_text(l, "tool") : line_text(l, "method");
	if (!line_number(l, "port"))
		return line_text(l, "name");
	snprintf(buf, size, strchr(host, ':') ? "[%s]:%" PRIu64 : "%s:%" PRIu64, host, line_number(l, "port"));
	return buf;
}

static void print_columns(FILE *out, const struct line *l, bool colour)
{
	const char *ts = line_text(l, "ts"), *decision = line_text(l, "decision");
	char about[SHOWN_MAX];
	const char *subject = subject_of(l, about, sizeof(about));
	char session[SHOWN_SESSION + 1];

	/* The time stamp was parsed; it is digits, dashes, colons and a T. */
	(void)fprintf(out, "%.10s %.12s ", ts, ts + 11);
	print_column(out, line_text(l, "server"), COLUMN_SERVER);
	(void)snprintf(session, sizeof session, "%s", l->session);
	(void)fputc(' ', out);
	print_column(out, session, SHOWN_SESSION);
	(void)fputc(' ', out);
	print_column(out, l->event, COLUMN_EVENT);
	(void)fprintf(out, " %s", colour ? colour_of(decision) : "");
	print_column(out, decision, COLUMN_DECISION);
	(void)fputs(colour && *colour_of(decision) ? "\033[0m" : "", out);
	if (*subject) {
		(void)fputc(' ', out);
		(void)print_word(out, subject, SHOWN_MAX);
	}
}

int show_text(const struct line *l, bool colour, FILE *out)
{
	const json_t *detail = json_object_get(l->root, "detail");

	print_columns(out, l, colour);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		print_field(out, l, i);
	for (size_t i = 0; i < ARRAY_LEN(identity) && strcmp(l->event, "session.open") == 0; i++)
		print_value(out, identity[i], line_text(l, identity[i]), SHOWN_MAX);
	if (detail) {
		/* Escaped by the writer of JSON: ASCII without controls. */
		_cleanup_free_ char *text = json_dumps(detail, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
		(void)fprintf(out, " detail=%s", text ? text : "?");
	}
	if (!l->hash_ok)
		(void)fprintf(out, " %s(altered: its hash is not that of its bytes)%s", colour ? "\033[1;31m" : "",
			colour ? "\033[0m" : "");
	return fputc('\n', out) == EOF ? -EIO : 0;
}
