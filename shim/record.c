/* SPDX-License-Identifier: Apache-2.0 */
/* record - see record.h */
#include "shim/record.h"
#include <string.h>
#include "base/io.h"
#include "base/text.h"
#include "shim/words.h"
#include "wire/stream.h"

/* Of what is recorded none goes by here: so no record can have the value of a secret. */
int record_send(struct shim *s, const struct event *e)
{
	_cleanup_buf_ struct buf room = BUF_INIT(2 * SHIM_LINE_MAX);
	struct event clean;
	int r = words_clean_event(s, e, &clean, &room);

	return r < 0 ? r : stream_send_event(s->records, r ? &clean : e);
}

/* Plain names, all of printable ASCII, are most of what there is. */
static bool copy_plain(char *ret, size_t size, struct slice text)
{
	if (text.n >= size)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < 0x20 || text.p[i] > 0x7e || text.p[i] == '\\')
			return false;
		ret[i] = text.p[i];
	}
	ret[text.n] = '\0';
	return true;
}

void record_text(char *ret, size_t size, struct slice text)
{
	char plain[EVENT_KEYS_MAX];
	size_t n = text.n < sizeof(plain) - 1 ? text.n : sizeof(plain) - 1;

	if (copy_plain(ret, size, text))
		return;
	while (n < text.n && n > 0 && (text.p[n] & 0xc0) == 0x80)
		n--;
	for (size_t i = 0; i < n; i++)
		plain[i] = text.p[i] ? text.p[i] : ' ';
	plain[n] = '\0';
	text_escape_str(plain, ret, size);
}

int record_foreign(struct shim *s, char *ret, size_t size, struct slice text)
{
	_cleanup_buf_ struct buf room = BUF_INIT(2 * SHIM_LINE_MAX);

	/* What stands in the record as it came is looked at when that is sent. */
	if (copy_plain(ret, size, text))
		return 0;
	int r = words_clean_canonical(s, &text, &room);
	if (r == 0)
		record_text(ret, size, text);
	return r;
}

void record_words(char *ret, size_t size, const char *words)
{
	size_t n = words ? utf8_cut(words, strlen(words), size - 1) : 0;

	if (n > 0)
		memcpy(ret, words, n);
	ret[n] = '\0';
}

int record_refused(struct shim *s, enum event_side side, const char *reason, uint64_t bytes)
{
	struct event e = { .type = EVENT_REFUSED, .decision = EVENT_DROP, .side = side, .bytes = bytes };

	record_words(e.reason, sizeof(e.reason), reason);
	return record_send(s, &e);
}

int record_ending(
	struct shim *s, const struct pending_entry *p, enum event_side side, const char *status, uint64_t bytes)
{
	return record_ending_by(s, p, side, status, NULL, bytes);
}

int record_ending_by(struct shim *s, const struct pending_entry *p, enum event_side side, const char *status,
	const char *rule, uint64_t bytes)
{
	bool call = p->method && p->method->gate == GATE_TOOL;
	struct event e = {
		.type = call ? EVENT_RESULT : EVENT_RESPONSE, .side = side, .call_id = p->call_id, .bytes = bytes
	};
	int r;

	e.latency_us = io_now_us() - p->since_us;
	r = record_foreign(s, e.method, sizeof(e.method), (struct slice){ p->name, strlen(p->name) });
	if (r == 0 && p->tool)
		r = record_foreign(s, e.tool, sizeof(e.tool), (struct slice){ p->tool, strlen(p->tool) });
	if (r < 0)
		return r;
	record_words(e.status, sizeof(e.status), status);
	record_words(e.rule, sizeof(e.rule), rule);
	return record_send(s, &e);
}

int record_client_eof(struct shim *s)
{
	struct event e = { .type = EVENT_CLIENT_EOF, .side = EVENT_FROM_CLIENT, .count = s->calls.n };

	return record_send(s, &e);
}
