/* SPDX-License-Identifier: Apache-2.0 */
/* check_tool - see check_tool.h */
#include "supervisor/check_tool.h"
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "base/ascii.h"
#include "schema/schema.h"
#include "schema/tree.h"
#include "supervisor/check_matrix.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/pin_store.h"
#include "supervisor/question_words.h"

struct verdict {
	bool allowed;
	bool by_rule; /* where names a rule */
	const char *where;
	struct schema_error error; /* empty: where says it all */
};

static const struct shim_argument_rule *next(const struct check_call *c, size_t *at)
{
	return shim_arguments_next(c->arguments, c->tool, strlen(c->tool), at);
}

/* Halves of pairs, and numbers that no float holds: what the shim takes and our reader does not becomes what both do.
 */
static void simplify(char *p)
{
	static const char harmless[] = { 'f', 'f', 'f', 'd' };

	for (bool inside = false; *p; p++) {
		size_t n = inside ? 0 : strspn(p, "0123456789+-.eE");
		if (n > 0) {
			memset(p, ' ', n);
			*p = '1';
			p += n - 1;
		} else if (inside && *p == '\\') {
			if (p[1] == 'u' && (p[2] | 32) == 'd' && ascii_hex(p[3]) >= 8)
				memcpy(p + 2, harmless, sizeof(harmless));
			p++;
		} else if (*p == '"') {
			inside = !inside;
		}
	}
}

bool check_tool_takes(const char *args)
{
	_cleanup_free_ char *simple = strdup(args);
	struct tree tree;
	json_t *value;
	bool good;

	tree_init(&tree);
	good = simple && tree_read(&tree, args, strlen(args)) == TREE_OK && tree.nodes[0].type == TREE_OBJECT;
	tree_done(&tree);
	if (!good)
		return false;
	simplify(simple);
	/* It looks for what the other one relies on: no key twice, no broken character. */
	value = json_loads(simple, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	json_decref(value);
	return value;
}

static int judge(const struct shim_argument_rule *rule, const char *args, struct schema_error *ret, struct diag *d)
{
	const struct schema_options o = { .root = "arguments", .rule = true };
	struct schema_checker *checker = schema_checker_new();
	struct schema_compiled *schema = NULL;
	int r = checker ? schema_compile(rule->schema, strlen(rule->schema), &o, &schema, d) : -ENOMEM;

	if (r == 0)
		r = schema_check(schema, checker, args, strlen(args), ret);
	schema_compiled_free(schema);
	schema_checker_free(checker);
	return r;
}

static int by_arguments(const struct check_call *c, struct verdict *v, struct diag *d)
{
	const struct shim_argument_rule *rule;

	for (size_t at = 0; v->allowed && c->args && (rule = next(c, &at));) {
		int r = rule->schema ? judge(rule, c->args, &v->error, d) : 0;
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		v->allowed = false;
		v->by_rule = true;
		v->where = rule->where;
	}
	return 0;
}

static void by_name(const struct check_call *c, struct verdict *v)
{
	struct shim_judgement j = shim_rules_judge(c->tools, c->tool, strlen(c->tool));

	v->allowed = j.allowed;
	v->by_rule = j.where;
	v->where = j.where ? j.where : "no rule restricts its tools";
	if (!j.rule && !v->allowed)
		snprintf(v->error.text, sizeof(v->error.text), "no rule allows it");
}

/* Both as a call writes them. Nearly every name is spelt as it is meant. */
static bool is_name(const char *inside, const char *tool)
{
	_cleanup_free_ char *plain = strchr(inside, '\\') ? pin_plain_name(inside) : NULL;

	return strcmp(plain ? plain : inside, tool) == 0;
}

static bool is_pinned(const struct check_call *c)
{
	for (size_t i = 0; i < c->pins->n; i++)
		if (c->pins->v[i].kind == DEFINITION_TOOL && is_name(c->pins->v[i].name, c->tool))
			return true;
	return false;
}

static void by_kill(const struct check_call *c, struct verdict *v)
{
	if (!v->allowed || !c->killed)
		return;
	v->allowed = false;
	v->by_rule = true;
	v->where = "the kill switch";
	kill_entry_by(c->killed, v->error.text, sizeof(v->error.text));
}

static void by_pins(const struct check_call *c, struct verdict *v)
{
	if (!v->allowed || !c->pins || !c->pins->on || is_pinned(c))
		return;
	v->allowed = false;
	v->by_rule = true;
	v->where = c->pins->where;
	snprintf(v->error.text, sizeof(v->error.text), "it was not there when the definitions were pinned");
}

static enum scope_known says_of(const struct check_call *c)
{
	for (size_t i = 0; c->pinned && i < c->pinned->n; i++)
		if (c->pinned->v[i].kind == DEFINITION_TOOL && is_name(c->pinned->v[i].name, c->tool))
			return check_says(&c->pinned->v[i]);
	return SCOPE_READ;
}

static uint32_t need_of(const struct check_call *c)
{
	return scopes_need(c->scopes, c->tool, strlen(c->tool), says_of(c));
}

static void by_scopes(const struct check_call *c, struct verdict *v)
{
	static const char *const why[] = { [SCOPES_LISTED] = "",
		[SCOPES_UNLISTED] = ", since no list there names it",
		[SCOPES_SAID] = " by what the server said of it when it was pinned" };
	uint32_t missing = need_of(c) & ~scopes_allowed(c->scopes) & ~c->lifted;

	if (!v->allowed || !missing)
		return;
	v->allowed = false;
	v->by_rule = true;
	snprintf(v->error.text, sizeof(v->error.text), "it needs the scope '%s'%s, which %s does not allow%s",
		c->scopes->v[scopes_first(missing)].name,
		why[scopes_why(c->scopes, c->tool, strlen(c->tool), missing, &v->where)], c->scopes->allowed_where,
		missing & ~scopes_liftable(c->scopes) ? "" : "; a person may lift it for a while");
}

static void print_scopes(FILE *out, const struct check_call *c)
{
	char words[SCOPES_WORDS_MAX], lifted[SCOPES_WORDS_MAX];
	uint32_t need = need_of(c), by_grant = need & ~scopes_allowed(c->scopes);

	if (!c->scopes->where)
		return;
	fprintf(out, "It needs the scope%s %s%s%s%s.\n", need & (need - 1) ? "s" : "",
		scopes_words(c->scopes, need, words, sizeof(words)), by_grant ? "; a grant lifts " : "",
		by_grant ? scopes_words(c->scopes, by_grant, lifted, sizeof(lifted)) : "", by_grant ? " now" : "");
	if (!c->pinned)
		fputs("What the server says of it (annotations) may add to that, and is known once it is pinned or "
		      "runs.\n",
			out);
}

static int print_confirm(FILE *out, const struct check_call *c)
{
	struct meters_tool t = meters_of(c->meters, c->tool, strlen(c->tool));
	_cleanup_free_ char *where = t.confirm.value ? question_shown(t.confirm.where) : NULL;

	if (t.confirm.value && !where)
		return -ENOMEM;
	if (where)
		fprintf(out, "A person has to look at each call first (%s).\n", where);
	return 0;
}

/* What the answer leaves open. */
static int print_rest(FILE *out, const struct check_call *c)
{
	const char *strict = shim_arguments_strict(c->arguments, c->tool, strlen(c->tool));
	const struct shim_argument_rule *rule;
	bool any = false;

	for (size_t at = 0; !c->args && (rule = next(c, &at));) {
		_cleanup_free_ char *where = question_shown(rule->where);
		if (!where)
			return -ENOMEM;
		if (rule->schema)
			fprintf(out, "%s %s", any ? "," : "Its arguments must keep to", where);
		any = any || rule->schema;
	}
	if (any)
		fputs(": --args JSON judges those of one call.\n", out);
	if (strict) {
		_cleanup_free_ char *where = question_shown(strict);
		if (!where)
			return -ENOMEM;
		fprintf(out, "No argument passes that its own schema does not name (%s).\n", where);
	}
	if (c->args || strict)
		fputs("What the tool's own inputSchema says of its arguments is known once the server runs and lists "
		      "the tool.\n",
			out);
	return 0;
}

static int print_words(
	FILE *out, const struct check_call *c, const struct verdict *v, const char *tool, const char *where)
{
	int r;

	fprintf(out, "%s: tool '%s' %s%s%s%s\n", v->allowed ? "allowed" : "denied", tool, v->by_rule ? "by " : "since ",
		where, v->error.text[0] ? ": " : "", v->error.text);
	if (v->allowed)
		print_scopes(out, c);
	r = v->allowed ? print_confirm(out, c) : 0;
	return v->allowed && r == 0 ? print_rest(out, c) : r;
}

static json_t *verdict_json(const struct check_call *c, const struct verdict *v, const char *tool, const char *where)
{
	uint32_t need = need_of(c), by_grant = v->allowed ? need & ~scopes_allowed(c->scopes) : 0;
	char words[SCOPES_WORDS_MAX], lifted[SCOPES_WORDS_MAX];
	size_t at = 0;

	return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:b, s:b, s:s?}", "tool", tool, "decision",
		v->allowed ? "allow" : "deny", "rule", where, "scope",
		need ? scopes_words(c->scopes, need, words, sizeof(words)) : NULL, "lifted",
		by_grant ? scopes_words(c->scopes, by_grant, lifted, sizeof(lifted)) : NULL, "arguments_matter",
		next(c, &at) || c->arguments->strict, "confirm",
		(int)meters_of(c->meters, c->tool, strlen(c->tool)).confirm.value, "reason",
		v->error.text[0] ? v->error.text : NULL);
}

int check_tool(FILE *out, const struct check_call *c, bool json, struct diag *d)
{
	_cleanup_free_ char *tool = question_shown(c->tool), *where = NULL;
	struct verdict v = { 0 };
	int r;

	by_name(c, &v);
	by_kill(c, &v);
	by_scopes(c, &v);
	by_pins(c, &v);
	r = by_arguments(c, &v, d);
	if (r < 0)
		return r;
	where = question_shown(v.where);
	if (!tool || !where)
		return diag_fail(d, -ENOMEM, "out of memory");
	if (json)
		r = output_json(out, verdict_json(c, &v, tool, where), "the decision");
	else
		r = print_words(out, c, &v, tool, where);
	if (r < 0)
		return diag_fail(d, r, "out of memory");
	return r != EXIT_OK || v.allowed ? r : EXIT_FINDINGS;
}
