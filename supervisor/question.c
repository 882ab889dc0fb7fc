/* SPDX-License-Identifier: Apache-2.0 */
/*
 * question - see question.h
 *
 * One description, drawn twice: question_json makes every string fit to be shown (redacted, escaped), and the text is
 * printed from that JSON alone. So a launch that waits shows in `stockade approve` exactly what it would show itself.
 */
#include "supervisor/question.h"
#include <errno.h>
#include <string.h>
#include "supervisor/json_list.h"
#include "supervisor/question_words.h"

/* NULL rather than a list that lacks one: a danger that is not shown is one that is approved. */
static json_t *danger_names(unsigned danger)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < question_dangers_n; i++)
		if (danger & question_dangers[i].bit)
			array = json_list_add(array, json_string(question_dangers[i].name));
	return array;
}

/* The text of a line: a passed variable shows its name alone, whatever came with it. */
static char *line_text(const struct effective_line *l)
{
	_cleanup_free_ char *name = NULL;

	if (l->kind != LINE_ENV_PASS)
		return question_shown(l->text);
	name = strndup(l->text, strcspn(l->text, "="));
	return name ? question_shown(name) : NULL;
}

static json_t *line_json(const struct effective_line *l)
{
	_cleanup_free_ char *text = line_text(l), *where = l->where ? question_shown(l->where) : NULL;

	if (!text || (l->where && !where))
		return NULL;
	return json_pack("{s:s, s:s, s:s*, s:o*, s:o}", "kind", question_kinds[l->kind].name, "text", text, "where",
		where, "quiet", l->quiet ? json_true() : NULL, "dangers", danger_names(l->danger));
}

/* The command goes by members of its own, quoted; here only what is dangerous about it. */
static json_t *lines_json(const struct effective *e)
{
	json_t *array = json_array();

	for (size_t i = 0; i < e->n_lines; i++) {
		if (e->lines[i].kind == LINE_COMMAND)
			continue;
		if (json_array_append_new(array, line_json(&e->lines[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

/* What is dangerous about the command. *ret_where: who gave it, borrowed; NULL: not known. */
static unsigned command_danger(const struct effective *e, const char **ret_where)
{
	unsigned danger = 0;

	*ret_where = NULL;
	for (size_t i = 0; i < e->n_lines; i++) {
		if (e->lines[i].kind != LINE_COMMAND)
			continue;
		danger |= e->lines[i].danger;
		*ret_where = e->lines[i].where;
	}
	return danger;
}

/* With what the policy says of it. */
static json_t *who_asks(const struct effective *e)
{
	_cleanup_free_ char *rule = e->client_rule ? question_shown(e->client_rule) : NULL;
	_cleanup_free_ char *refused = e->client_refused ? question_shown(e->client_refused) : NULL;
	json_t *c = client_json(&e->client);
	int r = rule ? json_object_set_new(c, "rule", json_string(rule)) : 0;

	if (refused)
		r |= json_object_set_new(c, "refused", json_string(refused));
	if (r == 0)
		return c;
	json_decref(c);
	return NULL;
}

json_t *question_json(const struct effective *e, const json_t *earlier)
{
	_cleanup_free_ char *name = question_shown(e->name), *subject = question_shown(e->subject),
			    *command = question_command(&e->cmd.argv);
	_cleanup_free_ char *file = e->profile.file ? question_shown(e->profile.file) : NULL;
	const char *from;
	unsigned danger = command_danger(e, &from);
	_cleanup_free_ char *where = from ? question_shown(from) : NULL;
	json_t *asked, *signers, *lines = lines_json(e),
				 *changes = earlier ? question_changes(earlier, e->canonical) : json_null();

	if (!name || !subject || !command || !lines || !changes || (e->profile.file && !file) || (from && !where)) {
		json_decref(lines);
		json_decref(changes);
		return NULL;
	}
	/* Nobody asked where nobody looked who did. */
	signers = e->profile.vouched.n ? vouched_json(&e->profile.vouched) : json_null();
	asked = e->client.kind != CLIENT_UNKNOWN || e->client.why ? who_asks(e) : json_null();
	return json_pack("{s:s, s:s, s:s, s:s?, s:I, s:s, s:s*, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "name", name,
		"subject", subject, "digest", e->digest, "profile", file, "version", (json_int_t)e->profile.version,
		"command", command, "command_where", where, "command_dangers", danger_names(danger), "dangers",
		danger_names(e->danger), "never_remember", e->never_remember, "lines", lines, "changes", changes,
		"client", asked, "signers", signers);
}

int question_print(FILE *out, const struct effective *e, const struct question_options *o)
{
	json_t *q = question_json(e, o->earlier);
	int r = q ? question_render(out, q, o) : -ENOMEM;

	json_decref(q);
	return r;
}
