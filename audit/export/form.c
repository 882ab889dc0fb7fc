/* SPDX-License-Identifier: Apache-2.0 */
/* form - what the forms share (form.h) */
#include "audit/export/form.h"

#include "base/text.h"

static const char *const subjects[] = { "tool", "name", "address", "method", "subject" };

static int put_escaped(struct buf *b, const char *before, const char *text)
{
	int r = buf_puts(b, before);

	return r < 0 ? r : text_escape(b, text, strlen(text), 0);
}

static const char *subject_of(const struct line *l)
{
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		if (*line_text(l, subjects[i]))
			return line_text(l, subjects[i]);
	}
	return "";
}

int form_words(const struct line *l, struct buf *b)
{
	const struct {
		const char *before, *text;
	} parts[] = {
		{ "", line_text(l, "server") },
		{ ": ", l->event },
		{ " ", subject_of(l) },
		{ ": ", line_text(l, "decision") },
		{ ", ", line_text(l, "status") },
		{ ": ", line_text(l, "reason") },
		{ ", by ", line_text(l, "rule") },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++) {
		if (*parts[i].text)
			r = put_escaped(b, b->len > 0 ? parts[i].before : "", parts[i].text);
	}
	return r;
}

int form_value(const json_t *v, struct buf *b)
{
	if (json_is_string(v))
		return buf_append(b, json_string_value(v), json_string_length(v));
	_cleanup_free_ char *text = json_dumps(v, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);

	return text ? buf_puts(b, text) : -ENOMEM;
}

int form_special(const char *p, size_t n, const char *special, struct buf *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (strchr(special, p[i]))
			r = buf_putc(b, '\\');
		if (r == 0)
			r = buf_putc(b, p[i]);
	}
	return r;
}

int form_escape(const json_t *v, unsigned text_flags, const char *special, struct buf *b)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(FORM_RECORD_MAX), shown = BUF_INIT(FORM_RECORD_MAX);
	int r = form_value(v, &plain);

	if (r == 0)
		r = text_escape(&shown, plain.data ? plain.data : "", plain.len, text_flags);
	return r < 0 ? r : form_special(shown.data ? shown.data : "", shown.len, special, b);
}
