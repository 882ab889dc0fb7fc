/* SPDX-License-Identifier: Apache-2.0 */
/* answers - see answers.h */
#include "shim/answers.h"
#include <string.h>
#include "base/text.h"
#include "shim/protocol.h"

static int put_escaped(struct buf *b, uint32_t cp, const char *p, size_t n)
{
	if (cp == '"' || cp == '\\') {
		int r = buf_putc(b, '\\');
		return r ? r : buf_putc(b, (char)cp);
	}
	if (cp == '\n')
		return buf_puts(b, "\\n");
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029)
		return buf_printf(b, "\\u%04x", cp);
	return buf_append(b, p, n);
}

int answers_put_string(struct buf *b, const char *text, size_t n)
{
	int r = buf_putc(b, '"');

	while (r == 0 && n > 0) {
		uint32_t cp;
		size_t len = utf8_decode((const unsigned char *)text, n, &cp);
		r = len ? put_escaped(b, cp, text, len) : buf_puts(b, "\xef\xbf\xbd");
		len = len ? len : 1;
		text += len;
		n -= len;
	}
	return r ? r : buf_putc(b, '"');
}

#define HEAD "{\"jsonrpc\":\"2.0\","

static int put_head(struct buf *b, struct slice id)
{
	int r = buf_puts(b, HEAD "\"id\":");

	return r ? r : buf_append(b, id.p, id.n);
}

int answers_begin_result(struct buf *b, struct slice id)
{
	int r = put_head(b, id);

	return r ? r : buf_puts(b, ",\"result\":{");
}

int answers_begin_request(struct buf *b, struct slice id, const char *method)
{
	int r = put_head(b, id);

	return r ? r : buf_printf(b, ",\"method\":\"%s\",\"params\":{", method);
}

int answers_begin_notification(struct buf *b, const char *method)
{
	return buf_printf(b, HEAD "\"method\":\"%s\",\"params\":{", method);
}

int answers_end(struct buf *b)
{
	return buf_puts(b, "}}\n");
}

int answers_notification(struct buf *b, const char *method)
{
	return buf_printf(b, HEAD "\"method\":\"%s\"}\n", method);
}

int answers_put_changed(struct buf *b, const char *method, struct slice subscription)
{
	int r;

	if (!subscription.n)
		return answers_notification(b, method);
	r = answers_begin_notification(b, method);
	if (r == 0)
		r = buf_printf(b, "\"_meta\":{\"" META_SUBSCRIPTION "\":%.*s}", (int)subscription.n, subscription.p);
	return r ? r : answers_end(b);
}

int answers_error(struct buf *b, struct slice id, int code, const char *text)
{
	int r = put_head(b, id);

	if (r == 0)
		r = buf_printf(b, ",\"error\":{\"code\":%d,\"message\":", code);
	if (r == 0)
		r = answers_put_string(b, text, strlen(text));
	return r ? r : answers_end(b);
}

int answers_tool_error(struct buf *b, struct slice id, const char *text, bool modern)
{
	int r = answers_begin_result(b, id);

	if (r == 0)
		r = buf_puts(b, "\"content\":[{\"type\":\"text\",\"text\":");
	if (r == 0)
		r = answers_put_string(b, text, strlen(text));
	if (r == 0)
		r = buf_puts(b, "}],\"isError\":true");
	if (r == 0 && modern)
		r = buf_puts(b, ",\"resultType\":\"complete\"");
	return r ? r : answers_end(b);
}

int answers_result(struct buf *b, struct slice id, const char *json)
{
	int r = put_head(b, id);

	return r ? r : buf_printf(b, ",\"result\":%s}\n", json);
}

const char *answers_name(struct slice text, char ret[ANSWER_NAME_MAX])
{
	char plain[ANSWER_NAME_MAX];
	size_t n = text.n < sizeof(plain) - 1 ? text.n : sizeof(plain) - 1;

	for (size_t i = 0; i < n; i++)
		plain[i] = text.p[i] ? text.p[i] : ' ';
	/* Cut in the middle of a character, what is left of it would show as bytes. */
	while (n < text.n && n > 0 && (text.p[n] & 0xc0) == 0x80)
		n--;
	plain[n] = '\0';
	return text_escape_str(plain, ret, ANSWER_NAME_MAX);
}
