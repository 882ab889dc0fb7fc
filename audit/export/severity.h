/* SPDX-License-Identifier: Apache-2.0 */
/*
 * severity - how grave a record is, and how each standard says so
 *
 * Process:  supervisor
 *
 * The words and numbers are those of RFC 5424 section 6.2.1. What CEF and OpenTelemetry make of them is a table (CEF:
 * 0 to 10; OpenTelemetry: Logs Data Model, Appendix B), and so is which record has which (severity.c).
 */
#pragma once
#include <stdbool.h>
#include "audit/role.h"

struct line;

enum severity {
	SEVERITY_EMERGENCY,
	SEVERITY_ALERT,
	SEVERITY_CRITICAL,
	SEVERITY_ERROR,
	SEVERITY_WARNING,
	SEVERITY_NOTICE,
	SEVERITY_INFO,
	SEVERITY_DEBUG,
	SEVERITY_COUNT
};

struct severity_words {
	const char *name;
	unsigned cef, otlp;
};

extern const struct severity_words severities[SEVERITY_COUNT];

/* "warning" and the like; false for any other word. */
bool severity_parse(const char *name, enum severity *ret);
/* By event, decision and status: the first row that fits. */
enum severity severity_of(const struct line *l);
