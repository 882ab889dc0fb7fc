/* SPDX-License-Identifier: Apache-2.0 */
/* check_matrix - see check_matrix.h */
#include "supervisor/check_matrix.h"
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include "base/glob.h"
#include "base/text.h"
#include "supervisor/pin_store.h"
#include "supervisor/question_words.h"

enum { COLUMN_MAX = 40, RATE_WORDS = 48 };

/* --- rows --- */

enum scope_known check_says(const struct definition *tool)
{
	enum scope_known says = SCOPE_READ;

	for (size_t i = 0; i < tool->n; i++) {
		const char *path = tool->fields[i].path, *value = tool->fields[i].value;
		if (strcmp(value, "null") == 0)
			continue;
		if (strcmp(path, "annotations/destructiveHint") == 0 && strcmp(value, "false") != 0)
			return SCOPE_DESTRUCTIVE;
		if (strcmp(path, "annotations/readOnlyHint") == 0 && strcmp(value, "true") != 0)
			says = SCOPE_WRITE;
	}
	return says;
}

static const char *rate_words(const struct meters_rate *r, char ret[RATE_WORDS])
{
	static const struct {
		uint32_t seconds;
		const char *unit;
	} units[] = { { 1, "s" }, { 60, "min" }, { 3600, "h" }, { 86400, "d" } };

	snprintf(ret, RATE_WORDS, "%" PRIu32 "/%" PRIu32 "s", r->calls, r->period_s);
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (units[i].seconds == r->period_s)
			snprintf(ret, RATE_WORDS, "%" PRIu32 "/%s", r->calls, units[i].unit);
	return ret;
}

struct judged {
	bool allowed;
	uint32_t need, missing;
	const char *rule;   /* that decides */
	const char *lifted; /* a scope that is there by a grant, or that one may lift; NULL */
};

static struct judged judge(const struct matrix_args *a, const char *tool, enum scope_known says)
{
	size_t n = strlen(tool);
	struct judged j = { .need = scopes_need(a->scopes, tool, n, says) };
	const struct shim_judgement rules = shim_rules_judge(a->tools, tool, n);
	uint32_t profile = scopes_allowed(a->scopes);

	j.allowed = rules.allowed;
	j.rule = rules.where;
	j.missing = j.need & ~profile & ~a->lifted;
	if (!j.allowed)
		return j;
	if (j.missing) {
		(void)scopes_why(a->scopes, tool, n, j.missing, &j.rule);
		j.allowed = false;
		j.lifted = j.missing & ~scopes_liftable(a->scopes) ? NULL : "may be lifted";
	} else if (j.need & ~profile) {
		j.lifted = "lifted now";
	}
	return j;
}

static json_t *row_json(const struct matrix_args *a, const char *tool, enum scope_known says)
{
	struct meters_tool m = meters_of(a->meters, tool, strlen(tool));
	struct judged j = judge(a, tool, says);
	char rate[RATE_WORDS], need[SCOPES_WORDS_MAX], missing[SCOPES_WORDS_MAX];

	return json_pack("{s:o, s:s?, s:s?, s:s, s:o, s:s?, s:b, s:s?}", "tool", question_shown_json(tool), "scope",
		a->scopes->where ? scopes_words(a->scopes, j.need, need, sizeof(need)) : NULL, "missing",
		j.missing ? scopes_words(a->scopes, j.missing, missing, sizeof(missing)) : NULL, "decision",
		j.allowed ? "allow" : "deny", "rule", question_shown_json(j.rule), "rate",
		m.rate.calls ? rate_words(&m.rate, rate) : NULL, "confirm", (int)m.confirm.value, "grant", j.lifted);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keep(void *name)
{
	(void)name; /* borrowed */
}

/* seen: the names that have a row, tsearch(3). */
static int add_once(const struct matrix_args *a, json_t *rows, const char *glob, void **seen)
{
	char *const *found = tsearch(glob, seen, by_text);

	if (!found)
		return -ENOMEM;
	if (*found != glob)
		return 0;
	return json_array_append_new(rows, row_json(a, glob, SCOPE_READ)) < 0 ? -ENOMEM : 0;
}

static int add_rules(const struct matrix_args *a, json_t *rows)
{
	void *seen = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->scopes->n_globs; i++)
		r = add_once(a, rows, a->scopes->globs[i].glob, &seen);
	for (size_t i = 0; r == 0 && i < a->tools->n; i++)
		r = add_once(a, rows, a->tools->rules[i].glob, &seen);
	tdestroy(seen, keep);
	return r;
}

/* One that no call can write is denied by every rule, and stands as it is spelt. */
static int add_pin(const struct matrix_args *a, json_t *rows, const struct definition *tool)
{
	_cleanup_free_ char *plain = pin_plain_name(tool->name);

	return json_array_append_new(rows, row_json(a, plain ? plain : tool->name, check_says(tool))) < 0 ? -ENOMEM : 0;
}

static int add_pinned(const struct matrix_args *a, json_t *rows)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->pinned->n; i++)
		if (a->pinned->v[i].kind == DEFINITION_TOOL)
			r = add_pin(a, rows, &a->pinned->v[i]);
	return r;
}

json_t *check_matrix(const struct matrix_args *a)
{
	json_t *rows = json_array();
	int r = !rows ? -ENOMEM : a->pinned ? add_pinned(a, rows) : add_rules(a, rows);

	if (r == 0)
		return rows;
	json_decref(rows);
	return NULL;
}

/* --- words --- */

static const char *text_of(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text ? text : "-";
}

static const char *decision_of(const json_t *row, char *ret, size_t size)
{
	const char *grant = json_string_value(json_object_get(row, "grant"));
	bool allowed = strcmp(text_of(row, "decision"), "allow") == 0;

	snprintf(ret, size, "%s%s%s%s", allowed ? "allowed" : "DENIED", grant ? " (" : "", grant ? grant : "",
		grant ? ")" : "");
	return ret;
}

static const char *const columns[] = { "tool", "scope", "rate", "confirm", "decision" };
enum { COLUMNS = ARRAY_LEN(columns) };

static const char *cell(const json_t *row, size_t i, char *ret, size_t size)
{
	if (!row) {
		static const char *const heads[COLUMNS] = { "TOOL", "SCOPE", "RATE", "CONFIRM", "DECISION" };
		return heads[i];
	}
	if (strcmp(columns[i], "confirm") == 0)
		return json_is_true(json_object_get(row, "confirm")) ? "yes" : "-";
	if (strcmp(columns[i], "decision") == 0)
		return decision_of(row, ret, size);
	return text_of(row, columns[i]);
}

static void measure(const json_t *row, int widths[COLUMNS])
{
	char room[64];

	for (size_t i = 0; i < COLUMNS; i++) {
		size_t n = strlen(cell(row, i, room, sizeof(room)));
		n = n > COLUMN_MAX ? COLUMN_MAX : n;
		widths[i] = (int)n > widths[i] ? (int)n : widths[i];
	}
}

static void print_row(FILE *out, const json_t *row, const int widths[COLUMNS])
{
	char room[64];

	fputs("    ", out);
	for (size_t i = 0; i < COLUMNS; i++)
		fprintf(out, "%-*s  ", widths[i], cell(row, i, room, sizeof(room)));
	fprintf(out, "%s\n", row ? text_of(row, "rule") : "RULE");
}

void check_matrix_print(FILE *out, const json_t *matrix, bool pinned, bool colour)
{
	int widths[COLUMNS] = { 0 };
	const json_t *row;
	size_t i;

	if (json_array_size(matrix) == 0)
		return;
	fprintf(out, "\n  %s%s%s\n", colour ? "\033[1m" : "",
		pinned ? "Every tool that is pinned"
		       : "Every name of a tool that a rule has; which tools there are is known once they are pinned",
		colour ? "\033[0m" : "");
	measure(NULL, widths);
	json_array_foreach((json_t *)(uintptr_t)matrix, i, row) measure(row, widths);
	print_row(out, NULL, widths);
	json_array_foreach((json_t *)(uintptr_t)matrix, i, row) print_row(out, row, widths);
}

/* --- what stands in two scopes --- */

/* Is there a name that both match? Each is walked against the other; '*' is the only character that stands for others.
 */
static bool meet(const char *a, const char *b)
{
	for (; *a && *b && *a != '*' && *b != '*'; a++, b++)
		if (*a != *b)
			return false;
	if (!*a || !*b)
		return strspn(a, "*") == strlen(a) && strspn(b, "*") == strlen(b);
	for (size_t na = strlen(a), nb = strlen(b); na && nb && a[na - 1] != '*' && b[nb - 1] != '*'; na--, nb--)
		if (a[na - 1] != b[nb - 1])
			return false;
	/* Without a star in one of them, that one is a name. */
	if (!strchr(a, '*'))
		return glob_match(b, a, strlen(a));
	if (!strchr(b, '*'))
		return glob_match(a, b, strlen(b));
	return true;
}

static int add_overlap(json_t *array, const struct scopes *s, const struct scope_glob *a, const struct scope_glob *b)
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "a tool that both %s and %s name needs both scopes, '%s' and '%s'", a->where, b->where,
		    s->v[a->scope].name, s->v[b->scope].name) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return json_array_append_new(array, question_shown_json(text)) < 0 ? -ENOMEM : 0;
}

json_t *check_overlaps(const struct scopes *s)
{
	json_t *array = json_array();
	int r = array ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < s->n_globs; i++)
		for (size_t k = i + 1; r == 0 && k < s->n_globs && json_array_size(array) <= CHECK_OVERLAPS_MAX; k++)
			if (s->globs[i].scope != s->globs[k].scope && meet(s->globs[i].glob, s->globs[k].glob))
				r = add_overlap(array, s, &s->globs[i], &s->globs[k]);
	if (r == 0 && json_array_size(array) > CHECK_OVERLAPS_MAX)
		r = json_array_set_new(
			array, CHECK_OVERLAPS_MAX, json_string("and there are more, which are not named here"));
	if (r == 0)
		return array;
	json_decref(array);
	return NULL;
}

/* --- what is lifted now --- */

int check_lifted(const struct paths *p, const char *server, const char *file, const struct scopes *s, uint32_t *ret,
	struct diag *d)
{
	_cleanup_scope_grants_ struct scope_grants l = { 0 };
	_cleanup_free_ char *canonical = realpath(file, NULL);
	struct scope_clock now;
	int r;

	*ret = 0;
	file = canonical ? canonical : file;
	if (!scopes_liftable(s))
		return 0;
	r = scope_clock_init(&now, d);
	r = r < 0 ? r : scope_grant_list(p, &now, &l, d);
	for (size_t i = 0; r == 0 && i < l.n; i++) {
		const struct scope_grant *g = &l.v[i];
		int at = g->damaged || strcmp(g->server, server) || strcmp(g->profile, file) ? -1
											     : scopes_find(s, g->scope);
		if (at >= 0 && s->v[at].lift && scope_grant_until(g, s->lift_max_s) > now.boot_us)
			*ret |= UINT32_C(1) << at;
	}
	return r;
}
