/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form_rfc5424 - The Syslog Protocol (RFC 5424), without the frame around a message
 *
 * HEADER: facility "log audit", the record's time and host, the session's id as PROCID, the event as MSGID.
 * STRUCTURED-DATA: one element with a parameter for each member. 32473 is the enterprise number for documentation (RFC
 * 5612): nobody's, so that the element's name can clash with nobody's.
 */
#include "audit/export/form.h"

#define SD_ID "stockade@32473"

enum { HOSTNAME_MAX = 255, MSGID_MAX = 32, PROCID_MAX = 128, SD_NAME_MAX = 32 };

static const char bom[] = "\xef\xbb\xbf";

/* PRINTUSASCII (%d33-126) of at most max bytes, or "-" for nothing; what is not allowed becomes '?'. */
static int put_word(struct buf *b, const char *text, size_t max, const char *forbidden)
{
	int r = *text ? 0 : buf_putc(b, '-');

	for (size_t i = 0; r == 0 && text[i] && i < max; i++) {
		bool fine = text[i] > 32 && text[i] < 127 && !strchr(forbidden, text[i]);
		r = buf_putc(b, text[i]);
		if (r == 0 && !fine)
			b->data[b->len - 1] = '?';
	}
	return r;
}

static int put_header(const struct form_record *r, struct buf *b)
{
	const struct {
		const char *text;
		size_t max;
	} words[] = {
		{ line_text(r->line, "ts"), RECORD_TIME_LEN },
		{ line_text(r->line, "host"), HOSTNAME_MAX },
		{ "stockade", HOSTNAME_MAX },
		{ r->line->session, PROCID_MAX },
		{ r->line->event, MSGID_MAX },
	};
	int e = buf_printf(b, "<%u>1", FORM_FACILITY * 8 + r->severity);

	for (size_t i = 0; e == 0 && i < ARRAY_LEN(words); i++) {
		e = buf_putc(b, ' ');
		if (e == 0)
			e = put_word(b, words[i].text, words[i].max, "");
	}
	return e;
}

/* PARAM-VALUE: '"', '\' and ']' have a backslash before them (section 6.3.3). */
static int put_param(struct buf *b, const char *key, const json_t *value)
{
	int r = buf_putc(b, ' ');

	if (r == 0)
		r = put_word(b, key, SD_NAME_MAX, "=]\"");
	if (r == 0)
		r = buf_puts(b, "=\"");
	if (r == 0)
		r = form_escape(value, 0, "\"\\]", b);
	return r < 0 ? r : buf_putc(b, '"');
}

static bool is_ascii(const char *s)
{
	while (*s && (unsigned char)*s < 128)
		s++;
	return *s == '\0';
}

int form_rfc5424(const struct form_record *r, struct buf *b)
{
	const char *key;
	json_t *value;
	int e = put_header(r, b);

	if (e == 0)
		e = buf_puts(b, " [" SD_ID);
	json_object_foreach(r->line->root, key, value)
	{
		if (e == 0 && strcmp(key, "v") != 0)
			e = put_param(b, key, value);
	}
	if (e == 0)
		e = buf_puts(b, "] ");
	/* MSG-UTF8 begins with the mark, MSG-ANY must not. */
	if (e == 0 && !is_ascii(r->words))
		e = buf_puts(b, bom);
	return e < 0 ? e : buf_puts(b, r->words);
}
