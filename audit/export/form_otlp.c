/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form_otlp - OpenTelemetry's logs as OTLP/JSON: one LogsData a line, the body of a request to /v1/logs as well
 *
 * Field names in lowerCamelCase, 64 bit integers as decimal strings, enums as numbers (OTLP specification, "JSON
 * Protobuf Encoding"). Each member is an attribute stockade.KEY, numbers as intValue; an object is given as its JSON.
 */
#include "audit/export/form.h"

#include <inttypes.h>

static json_t *attribute(const char *prefix, const char *key, json_t *any_value)
{
	json_t *name = json_sprintf("%s%s", prefix, key);

	return json_pack("{s:o, s:o}", "key", name, "value", any_value);
}

static json_t *string_value(const char *text)
{
	return json_pack("{s:s}", "stringValue", text);
}

static json_t *any_value(const json_t *v)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FORM_RECORD_MAX);

	if (json_is_integer(v))
		return json_pack("{s:o}", "intValue", json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(v)));
	if (json_is_boolean(v))
		return json_pack("{s:b}", "boolValue", json_is_true(v));
	return form_value(v, &text) < 0 ? NULL : string_value(text.data ? text.data : "");
}

static json_t *attributes(const struct line *l)
{
	json_t *all = json_array(), *value;
	const char *key;
	int r = all ? 0 : -1;

	json_object_foreach(l->root, key, value)
	{
		if (r == 0 && strcmp(key, "v") != 0)
			r = json_array_append_new(all, attribute("stockade.", key, any_value(value)));
	}
	if (r == 0)
		return all;
	json_decref(all);
	return NULL;
}

static json_t *record(const struct form_record *r)
{
	char nano[32];

	snprintf(nano, sizeof nano, "%" PRIu64, r->line->us * 1000);
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:o, s:o}", "timeUnixNano", nano, "observedTimeUnixNano", nano,
		"severityNumber", (int)severities[r->severity].otlp, "severityText", severities[r->severity].name,
		"eventName", r->line->event, "body", string_value(r->words), "attributes", attributes(r->line));
}

static json_t *resource(const struct line *l)
{
	return json_pack("{s:[o, o, o]}", "attributes", attribute("", "service.name", string_value("stockade")),
		attribute("", "service.version", string_value(STOCKADE_VERSION)),
		attribute("", "host.name", string_value(line_text(l, "host"))));
}

int form_otlp(const struct form_record *r, struct buf *b)
{
	_cleanup_free_ char *text = NULL;
	json_t *root = json_pack("{s:[{s:o, s:[{s:{s:s, s:s}, s:[o]}]}]}", "resourceLogs", "resource",
		resource(r->line), "scopeLogs", "scope", "name", "stockade.audit", "version", STOCKADE_VERSION,
		"logRecords", record(r));
	int e;

	text = root ? json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(root);
	if (!text)
		return -ENOMEM;
	e = buf_puts(b, text);
	return e < 0 ? e : buf_putc(b, '\n');
}
