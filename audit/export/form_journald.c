/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form_journald - Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS), as systemd-journal-remote(8) takes it
 *
 * The known fields of systemd.journal-fields(7), then STOCKADE_KEY for each member, as it is: what holds a control is
 * written in the binary form, name, newline, 64 bit little-endian size, bytes.
 */
#include "audit/export/form.h"

#include <ctype.h>

enum { FIELD_NAME_MAX = 64 };

static bool is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)p[i] < 32 && p[i] != '\t')
			return false;
	}
	return true;
}

static int put_size(struct buf *b, uint64_t n)
{
	char bytes[8];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(n >> 8 * i);
	return buf_append(b, bytes, sizeof bytes);
}

static int put_field(struct buf *b, const char *name, const char *value, size_t n)
{
	bool plain = is_plain(value, n);
	int r = buf_puts(b, name);

	if (r == 0)
		r = buf_putc(b, plain ? '=' : '\n');
	if (r == 0 && !plain)
		r = put_size(b, n);
	if (r == 0)
		r = buf_append(b, value, n);
	return r < 0 ? r : buf_putc(b, '\n');
}

static int put_text(struct buf *b, const char *name, const char *value)
{
	return *value ? put_field(b, name, value, strlen(value)) : 0;
}

static int put_number(struct buf *b, const char *name, uint64_t n)
{
	return buf_printf(b, "%s=%llu\n", name, (unsigned long long)n);
}

/* Upper case, digits and underscores. */
static int put_member(struct buf *b, const char *key, const json_t *value)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FORM_RECORD_MAX);
	char name[FIELD_NAME_MAX + 1] = "STOCKADE_";
	size_t at = strlen(name);
	int r = form_value(value, &text);

	for (const char *p = key; *p && at < FIELD_NAME_MAX; p++)
		name[at++] = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
	name[at] = '\0';
	return r < 0 ? r : put_field(b, name, text.data ? text.data : "", text.len);
}

int form_journald(const struct form_record *r, struct buf *b)
{
	const char *key;
	json_t *value;
	int e = put_number(b, "__REALTIME_TIMESTAMP", r->line->us);

	if (e == 0)
		e = put_number(b, "PRIORITY", r->severity);
	if (e == 0)
		e = put_number(b, "SYSLOG_FACILITY", FORM_FACILITY);
	if (e == 0)
		e = put_text(b, "SYSLOG_IDENTIFIER", "stockade");
	if (e == 0)
		e = put_text(b, "_HOSTNAME", line_text(r->line, "host"));
	if (e == 0)
		e = put_text(b, "MESSAGE", r->words);
	json_object_foreach(r->line->root, key, value)
	{
		if (e == 0 && strcmp(key, "v") != 0)
			e = put_member(b, key, value);
	}
	return e < 0 ? e : buf_putc(b, '\n');
}
