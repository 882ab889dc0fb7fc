/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form_cef - ArcSight's Common Event Format, version 0
 *
 * Header: '|' and '\' have a backslash before them. Extension: '=' and '\' have, a newline is \n. The keys of the
 * dictionary where there is one for a member (the table), else stockadeKey. externalId is last: a blank at the end of
 * the last value would be lost, and it has none.
 */
#include "audit/export/form.h"

#include <ctype.h>

#include "base/text.h"

enum { KEY_MAX = 64 };

/* The dictionary's key for a member; for the numbered keys a label says what they hold. NULL: said elsewhere. */
static const struct {
	const char *member, *key, *label;
} keys[] = {
	{ "v", NULL, NULL },
	{ "ts", NULL, NULL },	 /* rt */
	{ "event", NULL, NULL }, /* the header */
	{ "source", "cat", NULL },
	{ "host", "dvchost", NULL },
	{ "user", "suser", NULL },
	{ "client", "sproc", NULL },
	{ "decision", "act", NULL },
	{ "status", "outcome", NULL },
	{ "reason", "reason", NULL },
	{ "name", "dhost", NULL },
	{ "port", "dpt", NULL },
	{ "bytes_in", "in", NULL },
	{ "bytes_out", "out", NULL },
	{ "count", "cnt", NULL },
	{ "server", "cs1", "server" },
	{ "tool", "cs2", "tool" },
	{ "rule", "cs3", "rule" },
	{ "method", "cs4", "method" },
	{ "session", "cs5", "session" },
	{ "hash", "cs6", "hash" },
	{ "seq", "cn1", "seq" },
};

/* Newlines are the only control that the format has an escape for. */
static int put_extension_value(struct buf *b, const json_t *value)
{
	_cleanup_buf_ struct buf text = BUF_INIT(FORM_RECORD_MAX);
	int r = form_escape(value, TEXT_KEEP_NEWLINE, "=\\", &text);

	for (size_t i = 0; r == 0 && i < text.len; i++)
		r = text.data[i] == '\n' ? buf_puts(b, "\\n") : buf_putc(b, text.data[i]);
	return r;
}

static int put_pair(struct buf *b, const char *key, const json_t *value)
{
	int r = buf_puts(b, key);

	if (r == 0)
		r = buf_putc(b, '=');
	if (r == 0)
		r = put_extension_value(b, value);
	return r < 0 ? r : buf_putc(b, ' ');
}

/* "latency_us" is stockadeLatencyUs: letters and digits alone. */
static int put_own(struct buf *b, const char *member, const json_t *value)
{
	char key[KEY_MAX] = "stockade";
	size_t at = strlen(key);
	bool upper = true;

	for (const char *p = member; *p && at < sizeof key - 1; p++) {
		if (isalnum((unsigned char)*p))
			key[at++] = (char)(upper ? toupper((unsigned char)*p) : *p);
		upper = !isalnum((unsigned char)*p);
	}
	key[at] = '\0';
	return put_pair(b, key, value);
}

/* dst is for IPv4 alone. */
static int put_address(struct buf *b, const json_t *value)
{
	const char *text = json_string_value(value);
	int r = 0;

	if (!text || !strchr(text, ':'))
		return put_pair(b, "dst", value);
	r = buf_puts(b, "c6a3Label=Destination IPv6 Address ");
	return r < 0 ? r : put_pair(b, "c6a3", value);
}

static int put_member(struct buf *b, const char *member, const json_t *value)
{
	size_t i = 0;
	int r = 0;

	while (i < ARRAY_LEN(keys) && strcmp(keys[i].member, member) != 0)
		i++;
	if (strcmp(member, "address") == 0)
		return put_address(b, value);
	if (i == ARRAY_LEN(keys))
		return put_own(b, member, value);
	if (keys[i].label)
		r = buf_printf(b, "%sLabel=%s ", keys[i].key, keys[i].label);
	return r < 0 ? r : keys[i].key ? put_pair(b, keys[i].key, value) : 0;
}

static int put_header(const struct form_record *r, struct buf *b)
{
	int e = buf_printf(b, "CEF:0|stockade|stockade|%s|", STOCKADE_VERSION);

	if (e == 0)
		e = form_escape(json_object_get(r->line->root, "event"), 0, "|\\", b);
	if (e == 0)
		e = buf_putc(b, '|');
	/* The words are escaped already. */
	if (e == 0)
		e = form_special(r->words, strlen(r->words), "|\\", b);
	return e < 0 ? e : buf_printf(b, "|%u|", severities[r->severity].cef);
}

int form_cef(const struct form_record *r, struct buf *b)
{
	const char *key;
	json_t *value;
	int e = put_header(r, b);

	if (e == 0)
		e = buf_printf(b, "rt=%llu ", (unsigned long long)(r->line->us / 1000));
	json_object_foreach(r->line->root, key, value)
	{
		if (e == 0)
			e = put_member(b, key, value);
	}
	return e < 0 ? e : buf_printf(b, "externalId=%.32s:%llu\n", r->line->session, (unsigned long long)r->line->seq);
}
