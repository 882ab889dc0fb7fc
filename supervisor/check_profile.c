/* SPDX-License-Identifier: Apache-2.0 */
/* check_profile - see check_profile.h */
#include "supervisor/check_profile.h"
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "base/buf.h"
#include "supervisor/effective_client.h"
#include "supervisor/check_matrix.h"
#include "supervisor/effective_lines.h"
#include "supervisor/json_list.h"
#include "supervisor/question_words.h"
#include "supervisor/signing/signing_lines.h"

static const char *const type_words[] = {
	[PARAM_STRING] = "string",
	[PARAM_DIRECTORY] = "directory",
	[PARAM_FILE] = "file",
	[PARAM_INTEGER] = "integer",
	[PARAM_BOOLEAN] = "boolean",
	[PARAM_HOST] = "host",
};
static_assert(ARRAY_LEN(type_words) == PARAM_TYPE_COUNT, "each type of parameter has a word");

const struct profile_param *check_profile_needs(const struct profile *p)
{
	for (size_t i = 0; i < p->n_params; i++)
		if (p->params[i].required)
			return &p->params[i];
	return NULL;
}

static json_t *strings(const struct strv *v)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < v->n; i++)
		array = json_list_add(array, question_shown_json(v->v[i]));
	return array;
}

static json_t *items(const struct profile_items *v)
{
	json_t *array = json_array();

	for (size_t i = 0; i < v->n; i++) {
		_cleanup_free_ char *text = NULL;
		if (asprintf(&text, "%s%s", v->v[i].optional ? "?" : "", v->v[i].value) < 0 ||
			json_array_append_new(array, question_shown_json(text)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *rules(const struct shim_rules *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->n; i++) {
		_cleanup_free_ char *text = NULL;
		if (asprintf(&text, "%s %s", r->rules[i].allow ? "allow" : "deny", r->rules[i].glob) < 0 ||
			json_array_append_new(array, question_shown_json(text)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	if (json_array_append_new(array, json_string(r->restricted ? "deny all others" : "allow all others")) == 0)
		return array;
	json_decref(array);
	return NULL;
}

static int add_arguments(json_t *array, const struct shim_arguments *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n; i++) {
		_cleanup_free_ char *words = NULL;
		r = effective_argument_words(&a->rules[i], &words);
		if (r == 0)
			r = json_array_append_new(array, question_shown_json(words));
	}
	return r == 0 && a->strict ? json_array_append_new(array, json_string(EFFECTIVE_STRICT_WORDS)) : r;
}

static json_t *wall(const struct effective_line *line)
{
	_cleanup_buf_ struct buf b = BUF_INIT(QUESTION_TEXT_MAX);
	int r = buf_puts(&b, line->text);

	for (size_t i = 0; r == 0 && i < question_dangers_n; i++)
		if (line->danger & question_dangers[i].bit)
			r = buf_printf(&b, " - DANGEROUS: %s", question_dangers[i].words);
	return r < 0 ? NULL : question_shown_json(b.data);
}

static json_t *walls_of(const struct effective *e, enum effective_kind kind)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < e->n_lines; i++)
		if (e->lines[i].kind == kind)
			array = json_list_add(array, wall(&e->lines[i]));
	return array;
}

/* Takes more, also when it fails. */
static int extend(json_t *array, json_t *more)
{
	int r = more ? json_array_extend(array, more) : -1;

	json_decref(more);
	return r;
}

/* In the words of a plan, so that the two cannot say different things. */
static int add_walls(json_t *o, struct effective *e)
{
	int r = effective_add_walls(e);

	if (r == 0)
		r = effective_protocol_walls(e);
	if (r == 0)
		r = effective_pins_line(e);
	if (r == 0)
		r = effective_client_lines(e);
	if (r == 0)
		r = signing_add_lines(e);
	if (r < 0)
		return r;
	return json_object_set_new(o, "signed", walls_of(e, LINE_SIGNED)) |
	       json_object_set_new(o, "notes", walls_of(e, LINE_NOTE)) |
	       json_object_set_new(o, "network", walls_of(e, LINE_NETWORK)) |
	       extend(json_object_get(o, "tools"), walls_of(e, LINE_TOOLS)) |
	       json_object_set_new(o, "text", walls_of(e, LINE_TEXT)) |
	       json_object_set_new(o, "client", walls_of(e, LINE_CLIENT)) |
	       json_object_set_new(o, "bounds", walls_of(e, LINE_LIMIT)) |
	       json_object_set_new(o, "recorded", walls_of(e, LINE_AUDIT));
}

static json_t *params(const struct profile *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->n_params; i++) {
		const struct profile_param *x = &p->params[i];
		json_t *o = json_pack("{s:o, s:s, s:b, s:b, s:o, s:o, s:o}", "name", question_shown_json(x->name),
			"type", type_words[x->type], "required", x->required, "many", x->many, "within",
			strings(&x->within), "choices", strings(&x->choices), "default",
			x->required ? json_null() : strings(&x->fallback));
		if (json_array_append_new(array, o) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *matrix_of(const struct effective *e, uint32_t lifted)
{
	const struct profile *p = &e->profile;
	const struct matrix_args a = { .tools = &p->tools,
		.meters = &p->meters,
		.scopes = &p->scopes,
		.pinned = e->pinned ? &e->pins.definitions : NULL,
		.lifted = lifted };

	return check_matrix(&a);
}

static int add_rules(json_t *o, const struct effective *e, uint32_t lifted)
{
	const struct profile *p = &e->profile;
	int r = json_object_set_new(o, "tools", rules(&p->tools)) |
		add_arguments(json_object_get(o, "tools"), &p->arguments) |
		json_object_set_new(o, "matrix", matrix_of(e, lifted)) |
		json_object_set_new(o, "overlaps", check_overlaps(&p->scopes)) |
		json_object_set_new(o, "resources", rules(&p->resources)) |
		json_object_set_new(o, "prompts", rules(&p->prompts)) |
		json_object_set_new(o, "scan", json_string(p->scan_withhold ? "withhold" : "record"));

	/* Without a rule: none, which is no grant. */
	return p->extensions.n > 0 ? r | json_object_set_new(o, "extensions", rules(&p->extensions)) : r;
}

static json_t *grants(const struct profile *p)
{
	json_t *limits = json_pack("{s:I, s:I, s:I}", "processes", (json_int_t)p->limit_processes, "files",
		(json_int_t)p->limit_files, "message", (json_int_t)p->limit_message);
	json_t *files = json_pack("{s:o, s:o, s:o, s:b, s:s, s:I}", "read", items(&p->fs_read), "write",
		items(&p->fs_write), "deny", items(&p->fs_deny), "protect", p->protect, "home",
		p->home == HOME_PRIVATE ? "private" : "empty", "tmp", (json_int_t)p->tmp_size);

	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:n}",
		"server", question_shown_json(p->name), "profile", question_shown_json(p->file), "description",
		question_shown_json(p->description), "parameters", params(p), "command", items(&p->command), "cwd",
		question_shown_json(p->cwd.value), "filesystem", files, "set", items(&p->env_set), "pass",
		items(&p->env_pass), "unix", items(&p->unix_sockets), "af_unix", profile_opens_unix(p), "seccomp",
		question_shown_json(p->seccomp), "limits", limits, "sampling", p->client.sampling.on, "elicitation",
		p->client.elicitation.on, "roots", items(&p->roots), "not_enforced", strings(&p->not_enforced), "pins",
		question_shown_json(p->pins), "digest");
}

static json_t *facts(struct effective *e, uint32_t lifted)
{
	json_t *o = grants(&e->profile);

	if (o && add_rules(o, e, lifted) == 0 && add_walls(o, e) == 0)
		return o;
	json_decref(o);
	return NULL;
}

/* --- words --- */

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static void print_list(FILE *out, const char *label, const json_t *list, const char *none)
{
	if (json_array_size(list) == 0 && none)
		fprintf(out, "  %-14s %s\n", label, none);
	for (size_t i = 0; i < json_array_size(list); i++)
		fprintf(out, "  %-14s %s\n", i ? "" : label, json_string_value(json_array_get(list, i)));
}

static void print_joined(FILE *out, const char *words, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		fprintf(out, "%s%s", i ? ", " : words, json_string_value(json_array_get(list, i)));
}

static void print_params(FILE *out, const json_t *list)
{
	const json_t *p;
	size_t i;

	fputs("\n  Parameters, given with --set\n", out);
	json_array_foreach(list, i, p)
	{
		fprintf(out, "    %s: %s%s, %s", text_of(p, "name"),
			json_is_true(json_object_get(p, "many")) ? "one or more of type " : "", text_of(p, "type"),
			json_is_true(json_object_get(p, "required")) ? "REQUIRED" : "optional");
		print_joined(out, "; must lie within ", json_object_get(p, "within"));
		print_joined(out, "; one of ", json_object_get(p, "choices"));
		print_joined(out, "; default ", json_object_get(p, "default"));
		fputc('\n', out);
	}
}

static void print_grants(FILE *out, const json_t *o)
{
	const json_t *f = json_object_get(o, "filesystem");

	fputs("\n  What it grants; ${name} is the value of the parameter\n", out);
	print_list(out, "  command", json_object_get(o, "command"), NULL);
	if (text_of(o, "cwd"))
		fprintf(out, "  %-14s %s\n", "  works in", text_of(o, "cwd"));
	print_list(out, "  reads", json_object_get(f, "read"), "nothing of yours");
	print_list(out, "  WRITES", json_object_get(f, "write"), "nothing of yours");
	print_list(out, "  hidden", json_object_get(f, "deny"), NULL);
	fprintf(out, "  %-14s %s; protection of what your tools execute: %s\n", "  home", text_of(f, "home"),
		json_is_true(json_object_get(f, "protect")) ? "on" : "OFF");
	print_list(out, "  sets", json_object_get(o, "set"), NULL);
	print_list(out, "  passes", json_object_get(o, "pass"), NULL);
	print_list(out, "  sockets", json_object_get(o, "unix"), NULL);
	print_list(out, "  network", json_object_get(o, "network"), NULL);
	fprintf(out, "  %-14s %s%s\n", "  system calls", text_of(o, "seccomp"),
		json_is_true(json_object_get(o, "af_unix")) ? "; may open unix sockets" : "");
	print_list(out, "  limits", json_object_get(o, "bounds"), NULL);
	print_list(out, "  tools", json_object_get(o, "tools"), NULL);
	fprintf(out, "  %-14s %s\n", "  scan", json_string_value(json_object_get(o, "scan")));
	print_list(out, "  taken out", json_object_get(o, "text"), NULL);
	if (text_of(o, "pins"))
		fprintf(out, "  %-14s by %s, beside the profile: what has no pin there is withheld\n", "  held",
			text_of(o, "pins"));
	print_list(out, "  resources", json_object_get(o, "resources"), NULL);
	print_list(out, "  prompts", json_object_get(o, "prompts"), NULL);
	print_list(out, "  extensions", json_object_get(o, "extensions"), NULL);
	print_list(out, "  client", json_object_get(o, "client"), NULL);
	print_list(out, "  roots", json_object_get(o, "roots"), NULL);
	if (json_array_size(json_object_get(o, "roots")))
		fprintf(out, "  %-14s (roots replace a server's own list)\n", "");
	print_list(out, "  signatures", json_object_get(o, "signed"), NULL);
	print_list(out, "  note", json_object_get(o, "notes"), NULL);
	print_list(out, "  recorded", json_object_get(o, "recorded"), NULL);
	print_list(out, "  not enforced", json_object_get(o, "not_enforced"), NULL);
}

static void print_overlaps(FILE *out, const json_t *list)
{
	if (json_array_size(list) > 0)
		fputs("\n  Scopes that overlap\n", out);
	for (size_t i = 0; i < json_array_size(list); i++)
		fprintf(out, "    - %s\n", json_string_value(json_array_get(list, i)));
}

/* The profile may have been named by its file, so that no command line is put together here. */
static void print_needs(FILE *out, const struct profile *p)
{
	static const char *const example[PARAM_TYPE_COUNT] = {
		[PARAM_DIRECTORY] = "/path/of/a/directory",
		[PARAM_FILE] = "/path/of/a/file",
	};

	fputs("\n  No plan and no digest before each parameter that is REQUIRED has a value. What it would get here "
	      "and "
	      "now:\n  the same words and",
		out);
	for (size_t i = 0; i < p->n_params; i++)
		if (p->params[i].required)
			fprintf(out, " --set %s=%s", p->params[i].name,
				example[p->params[i].type] ? example[p->params[i].type] : "VALUE");
	fputc('\n', out);
}

static void print_words(FILE *out, const struct effective *e, const json_t *o)
{
	fprintf(out, "%s: the profile %s, as it is written\n", text_of(o, "server"), text_of(o, "profile"));
	if (text_of(o, "description"))
		fprintf(out, "  %s\n", text_of(o, "description"));
	print_params(out, json_object_get(o, "parameters"));
	print_grants(out, o);
	check_matrix_print(out, json_object_get(o, "matrix"), e->pinned, false);
	print_overlaps(out, json_object_get(o, "overlaps"));
	print_needs(out, &e->profile);
}

int check_profile_print(FILE *out, struct effective *e, uint32_t lifted, bool json)
{
	json_t *o = facts(e, lifted);
	int r = o ? 0 : -ENOMEM;

	if (r == 0 && json)
		r = json_dumpf(o, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) < 0 || fputc('\n', out) == EOF ? -EIO : 0;
	else if (r == 0)
		print_words(out, e, o);
	json_decref(o);
	return r < 0 ? r : ferror(out) ? -EIO : 0;
}
