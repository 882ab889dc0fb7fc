/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_rules - what a person wants to hear of at once: the policy's audit.alerts, or CONFIG/alerts.json of the user's
 *
 * Process:  supervisor
 * Owns:     its strings; free with alert_rules_done
 * Returns:  0, -errno with words; a rule that cannot be kept denies the launch
 * Limits:   ALERT_RULES_MAX rules, ALERT_COUNT_MAX events a rule, ALERT_EXEC_MAX words of a hook
 */
#pragma once
#include "audit/export/severity.h"
#include "base/strv.h"
#include "supervisor/keys.h"
#include "supervisor/paths.h"
#include "wire/event.h"

enum { ALERT_RULES_MAX = 64, ALERT_COUNT_MAX = 1000, ALERT_EXEC_MAX = 16, ALERT_WITHIN_MAX = 86400 };

struct alert_rule {
	char *name;
	char *event, *server, *tool; /* globs; NULL: any. event only where new_host stands for it */
	enum event_decision decision;
	bool new_host;	/* a server's first connection to a host */
	uint64_t count; /* so many within so many seconds */
	uint64_t within_s;
	enum severity severity;
	bool syslog;	  /* told to the system's log at once */
	struct strv exec; /* a program and its words; none: nothing is executed */
	char *where;	  /* "FILE:LINE (audit.alerts "denials")" */
};

struct alert_rules {
	struct alert_rule *v;
	size_t n;
	char *where; /* "FILE:LINE (audit.alerts)"; NULL: there is no such list */
};

/* The rows of the format below a prefix: "audit.alerts" in the policy, "alerts" in the user's file. */
/* clang-format off: a table */
#define ALERT_ROWS(prefix, offset)                                                                                     \
	{ prefix, KEY_LIST, alert_set_rules, offset }, { prefix "[].name", KEY_STRING, alert_set_name },               \
		{ prefix "[].when", KEY_SECTION }, { prefix "[].when.event", KEY_STRING, alert_set_event },            \
		{ prefix "[].when.decision", KEY_STRING, alert_set_decision },                                         \
		{ prefix "[].when.server", KEY_STRING, alert_set_glob, offsetof(struct alert_rule, server) },          \
		{ prefix "[].when.tool", KEY_STRING, alert_set_glob, offsetof(struct alert_rule, tool) },              \
		{ prefix "[].when.new", KEY_STRING, alert_set_new },                                                   \
		{ prefix "[].when.count", KEY_INTEGER, alert_set_count },                                              \
		{ prefix "[].when.within", KEY_STRING, alert_set_within },                                             \
		{ prefix "[].severity", KEY_STRING, alert_set_severity },                                              \
		{ prefix "[].syslog", KEY_BOOLEAN, alert_set_syslog },                                                 \
	{                                                                                                              \
		prefix "[].exec", KEY_STRINGS, alert_set_exec                                                          \
	}
/* clang-format on */

int alert_set_rules(const struct key *k) _must_check_;
int alert_set_name(const struct key *k) _must_check_;
int alert_set_event(const struct key *k) _must_check_;
int alert_set_decision(const struct key *k) _must_check_;
int alert_set_glob(const struct key *k) _must_check_;
int alert_set_new(const struct key *k) _must_check_;
int alert_set_count(const struct key *k) _must_check_;
int alert_set_within(const struct key *k) _must_check_;
int alert_set_severity(const struct key *k) _must_check_;
int alert_set_syslog(const struct key *k) _must_check_;
int alert_set_exec(const struct key *k) _must_check_;

/* CONFIG/alerts.json, which must be this user's or root's, and what it executes as well; nothing when there is none. */
int alert_rules_read_own(const struct paths *p, struct alert_rules *ret, struct diag *d) _must_check_;
void alert_rules_done(struct alert_rules *r);
#define _cleanup_alert_rules_ _cleanup_(alert_rules_done)
