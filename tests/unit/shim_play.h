/* SPDX-License-Identifier: Apache-2.0 */
/* shim_play - conversations with a shim in this process: who says what, who hears what, what is recorded */
#pragma once
#include "tests/unit/shim_unit.h"

#define J      "{\"jsonrpc\":\"2.0\","
#define ID(id) J "\"id\":" #id ","
#define C      EVENT_FROM_CLIENT
#define S      EVENT_FROM_SERVER
#define MODERN "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}"

/* Somebody says a line. NULL: nothing is heard; "=": the same line; "~a~b": a line that holds these parts. */
struct step {
	enum event_side side;
	const char *says, *client, *server;
	const char *record; /* "type decision reason"; parts of it may be missing at the end, unless it ends in '$';
			       NULL: none */
};

static inline void expect_heard(const struct step *step, const char *who, const char *want, const char *got_)
{
	char copy[1024], *rest = copy;

	if (!want && *got_)
		fail_msg("%s: the %s hears %s", step->says, who, got_);
	if (!want)
		return;
	if (*want != '~') {
		want = strcmp(want, "=") == 0 ? step->says : want;
		if (strncmp(got_, want, strlen(want)) != 0 || strcmp(got_ + strlen(want), "\n") != 0)
			fail_msg("%s: the %s hears '%s', not '%s'", step->says, who, got_, want);
		return;
	}
	assert_in_range(snprintf(copy, sizeof(copy), "%s", want + 1), 1, sizeof(copy) - 1);
	for (char *part; (part = strsep(&rest, "~"));)
		if (!strstr(got_, part))
			fail_msg("%s: the %s hears '%s', without '%s'", step->says, who, got_, part);
}

static inline void expect_record(struct desk *t, const struct step *step)
{
	struct event e;
	char text[1024] = "";

	/* Of several the last counts: how it ended. */
	while (recorded(t, &e))
		snprintf(text, sizeof(text), "%s %s %s", event_name(e.type),
			event_decision_name(e.decision) ? event_decision_name(e.decision) : "-",
			*e.reason ? e.reason : e.status);
	size_t n = step->record ? strlen(step->record) : 0;
	bool whole = n > 0 && step->record[n - 1] == '$';
	if (!step->record ? *text != '\0'
			  : strncmp(text, step->record, n - whole) != 0 || (whole && text[n - 1] != '\0'))
		fail_msg("%s: recorded is '%s', not '%s'", step->says, text, step->record ? step->record : "nothing");
}

static inline void play(struct desk *t, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(give(t, steps[i].side, steps[i].says), 0);
		expect_heard(&steps[i], "client", steps[i].client, got(t, t->client));
		expect_heard(&steps[i], "server", steps[i].server, got(t, t->server));
		expect_record(t, &steps[i]);
	}
}
#define PLAY(t, ...)                                                                                                   \
	do {                                                                                                           \
		static const struct step steps_[] = { __VA_ARGS__ };                                                   \
		play(t, steps_, ARRAY_LEN(steps_));                                                                    \
	} while (0)
