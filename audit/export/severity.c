/* SPDX-License-Identifier: Apache-2.0 */
/* severity - see severity.h */
#include "audit/export/severity.h"

#include "audit/line.h"
#include "base/glob.h"

const struct severity_words severities[] = {
	[SEVERITY_EMERGENCY] = { "emergency", 10, 21 },
	[SEVERITY_ALERT] = { "alert", 9, 19 },
	[SEVERITY_CRITICAL] = { "critical", 8, 18 },
	[SEVERITY_ERROR] = { "error", 7, 17 },
	[SEVERITY_WARNING] = { "warning", 6, 13 },
	[SEVERITY_NOTICE] = { "notice", 3, 10 },
	[SEVERITY_INFO] = { "info", 2, 9 },
	[SEVERITY_DEBUG] = { "debug", 0, 5 },
};
_Static_assert(ARRAY_LEN(severities) == SEVERITY_COUNT, "a row for every severity");

/* NULL: any. An alert says its own: its status is the word. */
static const struct {
	const char *event, *decision, *status;
	enum severity severity;
} rows[] = {
	{ "export.dropped", NULL, NULL, SEVERITY_NOTICE },
	{ "export.*", NULL, NULL, SEVERITY_ERROR },
	{ "log.full", NULL, NULL, SEVERITY_CRITICAL },
	{ "log.budget", NULL, NULL, SEVERITY_CRITICAL },
	{ "log.torn", NULL, NULL, SEVERITY_WARNING },
	{ "session.failed", NULL, NULL, SEVERITY_ERROR },
	{ "kill", NULL, "lifted", SEVERITY_NOTICE },
	{ "kill", NULL, NULL, SEVERITY_WARNING },
	{ "alert.hook", NULL, "done", SEVERITY_INFO },
	{ "alert.hook", NULL, NULL, SEVERITY_WARNING },
	{ "pin.changed", NULL, NULL, SEVERITY_ERROR },
	{ "pin.unknown", NULL, NULL, SEVERITY_WARNING },
	{ "scan.finding", NULL, "high", SEVERITY_ERROR },
	{ "scan.finding", NULL, "medium", SEVERITY_WARNING },
	{ "file.planted", NULL, NULL, SEVERITY_WARNING },
	{ "message.refused", NULL, NULL, SEVERITY_WARNING },
	{ "checkpoint", NULL, NULL, SEVERITY_DEBUG },
	{ NULL, "deny", NULL, SEVERITY_WARNING },
	{ NULL, "drop", NULL, SEVERITY_NOTICE },
	{ NULL, "would deny", NULL, SEVERITY_NOTICE },
	{ "session.*", NULL, NULL, SEVERITY_NOTICE },
	{ "consent", NULL, NULL, SEVERITY_NOTICE },
	{ "scope.grant", NULL, NULL, SEVERITY_NOTICE },
	{ "pin.made", NULL, NULL, SEVERITY_NOTICE },
	{ "call.confirm", NULL, NULL, SEVERITY_NOTICE },
};

bool severity_parse(const char *name, enum severity *ret)
{
	for (unsigned i = 0; i < SEVERITY_COUNT; i++) {
		if (strcmp(severities[i].name, name) != 0)
			continue;
		*ret = i;
		return true;
	}
	return false;
}

static bool fits(const char *pattern, const char *text)
{
	return !pattern || glob_match(pattern, text, strlen(text));
}

enum severity severity_of(const struct line *l)
{
	const char *decision = line_text(l, "decision"), *status = line_text(l, "status");
	enum severity own;

	if (strcmp(l->event, "alert") == 0)
		return severity_parse(status, &own) ? own : SEVERITY_WARNING;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (fits(rows[i].event, l->event) && fits(rows[i].decision, decision) && fits(rows[i].status, status))
			return rows[i].severity;
	}
	return SEVERITY_INFO;
}
