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
};

enum field_form { FORM_TEXT, FORM_CUT, FORM_NUMBER, FORM_MICROSECONDS };

/* What follows the columns, in this order. */
static const struct {
	const char *key, *label;
	enum field_form form;
} fields[] = {
	{ "side", "from", FORM_TEXT },
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
} colours[] = { { "allow", "\033[32m" }, { "deny", "\033[1;31m" }, { "drop", "\033[33m" } };

static const char *colour_of(const char *decision)
{
	for (size_t i = 0; i < ARRAY_LEN(colours); i++) {
		if (strcmp(decision, colours[i].decision) == 0)
			return colours[i].colour;
	}
	return "";
}

static void print_value(FILE *out, const char *label, const char *value, size_t max)
{
	char shown[SHOWN_MAX];
	bool quoted;

	if (!*value)
		return;
	text_escape_str(value, shown, max);
	quoted = strpbrk(shown, " \"") != NULL;
	(void)fprintf(out, " %s=%s%s%s", label, quoted ? "\"" : "", shown, quoted ? "\"" : "");
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

static void print_columns(FILE *out, const struct line *l, bool colour)
{
	const char *ts = line_text(l, "ts"), *decision = line_text(l, "decision");
	const char *subject = *line_text(l, "tool") ? line_text(l, "tool") : line_text(l, "method");
	char server[SHOWN_MAX], event[SHOWN_MAX], shown[SHOWN_MAX], session[SHOWN_MAX], verdict[SHOWN_MAX];

	/* The time stamp was parsed; it is digits, dashes, colons and a T. */
	(void)fprintf(out, "%.10s %.12s %-12s %.*s %-16s", ts, ts + 11, text_escape_str(line_text(l, "server"), server, sizeof server),
		SHOWN_SESSION, text_escape_str(l->session, session, sizeof session), text_escape_str(l->event, event, sizeof event));
	(void)fprintf(out, " %s%-5s%s", colour ? colour_of(decision) : "", text_escape_str(decision, verdict, sizeof verdict),
		colour && *colour_of(decision) ? "\033[0m" : "");
	if (*subject)
		(void)fprintf(out, " %s", text_escape_str(subject, shown, sizeof shown));
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
		(void)fprintf(out, " %s(altered: its hash is not that of its bytes)%s", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "");
	return fputc('\n', out) == EOF ? -EIO : 0;
}
