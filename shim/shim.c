/* SPDX-License-Identifier: Apache-2.0 */
/* shim - see shim.h */
#include "shim/shim.h"
#include "shim/arguments.h"
#include "shim/keys.h"
#include "shim/limits.h"
#include "shim/lists.h"
#include "shim/scans.h"
#include "shim/scopes.h"

enum { EDITED_KEEP = 64 << 10 };

void shim_init(struct shim *s, uint64_t secret)
{
	s->rare = (struct rare){ .fd = -1 };
	lines_init(&s->from_client, s->config.line_max);
	lines_init(&s->from_server, s->config.server_line_max ? s->config.server_line_max : s->config.line_max);
	queue_init(&s->to_client, &s->client_out);
	queue_init(&s->to_server, &s->server_in);
	json_doc_init(&s->doc, SHIM_LINE_MAX, secret);
	keys_watch(&s->watch, secret);
	s->doc.keys.watch = &s->watch;
	schemas_init(&s->schemas, secret);
	own_init(&s->own, secret);
	pins_init(&s->pins);
	blake2s_key_init(&s->salt, s->config.salt, sizeof(s->config.salt));
	s->edited = BUF_INIT(2 * SHIM_LINE_MAX);
	s->subject = BUF_INIT(SHIM_SUBJECT_MAX);
	s->unusable_words = BUF_INIT(SHIM_UNUSABLE_MAX * (EVENT_TEXT_MAX + SCHEMAS_WHY_MAX));
	s->answer = BUF_INIT(SHIM_ANSWER_MAX);
}

void shim_done(struct shim *s)
{
	rare_done(&s->rare);
	lines_done(&s->from_client);
	lines_done(&s->from_server);
	queue_done(&s->to_client);
	queue_done(&s->to_server);
	json_doc_done(&s->doc);
	schemas_done(&s->schemas);
	task_tools_done(&s->tasks);
	arguments_done(s);
	scans_done(s);
	for (size_t i = 0; i < ARRAY_LEN(s->listed); i++)
		listed_done(&s->listed[i]);
	listed_done(&s->own_listed);
	buf_done(&s->edited);
	buf_done(&s->subject);
	buf_done(&s->unusable_words);
	buf_done(&s->answer);
	waiting_done(&s->waiting);
	pending_done(&s->calls);
	pending_done(&s->asks);
	own_done(&s->own);
	parked_done(&s->parked);
	pins_done(&s->pins);
	listing_done(&s->listing);
	confirms_done(&s->confirms);
	rates_done(&s->rates);
	scopes_state_done(&s->scopes);
	kills_done(&s->kills);
	text_out_done(&s->text);
	shim_config_done(&s->config);
}

void shim_wake_at(struct shim *s, uint64_t at_us)
{
	if (!s->wake_us || at_us < s->wake_us)
		s->wake_us = at_us;
}

int shim_run_timers(struct shim *s)
{
	int r;

	if (!s->wake_us || s->now_us < s->wake_us)
		return 0;
	/* Each says when it is next. */
	s->wake_us = 0;
	r = limits_expire(s);
	if (r == 0)
		r = scopes_tick(s);
	if (r == 0)
		r = lists_observe_tick(s);
	if (r == 0)
		r = confirm_tick(s);
	return r ? r : logs_tick(s);
}

void shim_trim(struct shim *s)
{
	lines_trim(&s->from_client);
	lines_trim(&s->from_server);
	queue_trim(&s->to_client);
	queue_trim(&s->to_server);
	json_doc_trim(&s->doc);
	scans_trim(s);
	if (s->edited.cap > EDITED_KEEP)
		buf_done(&s->edited);
}
