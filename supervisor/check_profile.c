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

/* --- what it says, each with where that stands: split() puts the places into an object of their own --- */

static json_t *entry(const char *text, const char *where)
{
	return json_pack("{s:o, s:o}", "text", question_shown_json(text), "where", question_shown_json(where));
}

static json_t *items(const struct profile_items *v)
{
	json_t *array = json_array();

	for (size_t i = 0; array && i < v->n; i++) {
		_cleanup_free_ char *text = NULL;
		if (asprintf(&text, "%s%s", v->v[i].optional ? "?" : "", v->v[i].value) < 0)
			text = NULL;
		array = json_list_add(array, text ? entry(text, v->v[i].where) : NULL);
	}
	return array;
}

/* key: that lists what is allowed. */
static json_t *rules(const struct profile *p, const struct shim_rules *r, const char *key)
{
	_cleanup_free_ char *rest = NULL;
	json_t *array = json_array();

	for (size_t i = 0; array && i < r->n; i++) {
		_cleanup_free_ char *text = NULL;
		if (asprintf(&text, "%s %s", r->rules[i].allow ? "allow" : "deny", r->rules[i].glob) < 0)
			text = NULL;
		array = json_list_add(array, text ? entry(text, r->rules[i].where) : NULL);
	}
	if (!r->otherwise && places_words(&p->places, key, &rest) < 0)
		return json_list_add(array, NULL);
	return json_list_add(array,
		entry(r->restricted ? "deny all others" : "allow all others", r->otherwise ? r->otherwise : rest));
}

static int add_arguments(json_t *array, const struct shim_arguments *a)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < a->n; i++) {
		_cleanup_free_ char *words = NULL;
		r = effective_argument_words(&a->rules[i], &words);
		if (r == 0)
			r = json_array_append_new(array, entry(words, a->rules[i].where));
	}
	return r == 0 && a->strict ? json_array_append_new(array, entry(EFFECTIVE_STRICT_WORDS, a->strict)) : r;
}

static json_t *wall(const struct effective_line *line)
{
	_cleanup_buf_ struct buf b = BUF_INIT(QUESTION_TEXT_MAX);
	int r = buf_puts(&b, line->text);

	for (size_t i = 0; r == 0 && i < question_dangers_n; i++)
		if (line->danger & question_dangers[i].bit)
			r = buf_printf(&b, " - DANGEROUS: %s", question_dangers[i].words);
	return r < 0 ? NULL : entry(b.data, line->where);
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
	       json_object_set_new(o, "recorded", walls_of(e, LINE_AUDIT)) |
	       json_object_set_new(o, "cut", walls_of(e, LINE_CUT));
}

static json_t *params(const struct profile *p)
{
	json_t *array = json_array();

	for (size_t i = 0; i < p->n_params; i++) {
		const struct profile_param *x = &p->params[i];
		json_t *o = json_pack("{s:o, s:s, s:b, s:b, s:o, s:o, s:o, s:o}", "name", question_shown_json(x->name),
			"type", type_words[x->type], "required", x->required, "many", x->many, "within",
			strings(&x->within), "choices", strings(&x->choices), "default",
			x->required ? json_null() : strings(&x->fallback), "where", question_shown_json(x->where));
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
	int r = json_object_set_new(o, "tools", rules(p, &p->tools, "tools.allow")) |
		add_arguments(json_object_get(o, "tools"), &p->arguments) |
		json_object_set_new(o, "matrix", matrix_of(e, lifted)) |
		json_object_set_new(o, "overlaps", check_overlaps(&p->scopes)) |
		json_object_set_new(o, "resources", rules(p, &p->resources, "resources.allow")) |
		json_object_set_new(o, "prompts", rules(p, &p->prompts, "prompts.allow")) |
		json_object_set_new(o, "scan", json_string(p->scan_withhold ? "withhold" : "record"));

	/* Without a rule: none, which is no grant. */
	return p->extensions.n == 0
		       ? r
		       : r | json_object_set_new(o, "extensions", rules(p, &p->extensions, "extensions.allow"));
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

/* The places of an array of entries; in *texts what they say. NULL: out of memory. */
static json_t *split_list(const json_t *entries, json_t **texts)
{
	json_t *places = json_array();
	const json_t *v;
	size_t i;

	*texts = json_array();
	json_array_foreach((json_t *)(uintptr_t)entries, i, v)
	{
		if (!places || !*texts)
			break;
		*texts = json_list_add(*texts, json_incref(json_object_get(v, "text")));
		places = json_list_add(places, json_incref(json_object_get(v, "where")));
	}
	if (places && *texts)
		return places;
	json_decref(places);
	json_decref(*texts);
	return NULL;
}

static bool holds_entries(const json_t *v)
{
	return json_object_get(json_array_get(v, 0), "where") && json_object_get(json_array_get(v, 0), "text");
}

/* Texts stay where they are, their places get the same names in another object. */
static int split(json_t *o, json_t *where)
{
	const char *name;
	json_t *v, *texts;
	void *tmp;
	int r = 0;

	json_object_foreach_safe(o, tmp, name, v)
	{
		if (json_is_object(v)) {
			r |= json_object_set_new(where, name, json_object());
			r |= r ? 0 : split(v, json_object_get(where, name));
		} else if (holds_entries(v)) {
			r |= json_object_set_new(where, name, split_list(v, &texts));
			r |= r ? 0 : json_object_set_new(o, name, texts);
		}
	}
	return r;
}

/* What is no list: a member, that of which object, and the keys that it is from. */
static const struct {
	const char *section, *name, *keys;
} values[] = {
	{ NULL, "cwd", "cwd" },
	{ "filesystem", "protect", "filesystem.protect" },
	{ "filesystem", "home", "filesystem.home" },
	{ "filesystem", "tmp", "filesystem.tmp" },
	{ NULL, "af_unix", "ipc.unix seccomp" },
	{ NULL, "seccomp", "seccomp" },
	{ "limits", "processes", "limits.processes" },
	{ "limits", "files", "limits.files" },
	{ "limits", "message", "limits.message" },
	{ NULL, "scan", "tools.scan" },
	{ NULL, "sampling", "client.sampling" },
	{ NULL, "elicitation", "client.elicitation" },
	{ NULL, "pins", "pins" },
};

static int place_values(const struct profile *p, json_t *where)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(values); i++) {
		_cleanup_free_ char *words = NULL;
		json_t *to = values[i].section ? json_object_get(where, values[i].section) : where;
		r = places_words(&p->places, values[i].keys, &words);
		if (r == 0)
			r = json_object_set_new(to, values[i].name, question_shown_json(words));
	}
	return r;
}

static json_t *facts(struct effective *e, uint32_t lifted)
{
	json_t *o = grants(&e->profile), *where = json_object();

	if (o && where && add_rules(o, e, lifted) == 0 && add_walls(o, e) == 0 && split(o, where) == 0 &&
		place_values(&e->profile, where) == 0 && json_object_set(o, "where", where) == 0) {
		json_decref(where);
		return o;
	}
	json_decref(where);
	json_decref(o);
	return NULL;
}

/* --- words --- */

static const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* The page that is printed. */
struct page {
	FILE *out;
	const json_t *o;
	const struct effective *e;
};

static const json_t *member_of(const json_t *o, const char *section, const char *name)
{
	return json_object_get(section ? json_object_get(o, section) : o, name);
}

static void print_origin(const struct page *g, const char *where)
{
	_cleanup_free_ char *words = where ? question_origin(text_of(g->o, "profile"), where) : NULL;

	if (words)
		fprintf(g->out, "  (%s)", words);
	fputc('\n', g->out);
}

/* keys: of the profile that the text is from. */
static void print_value(const struct page *g, const char *label, const char *text, const char *keys)
{
	_cleanup_free_ char *where = NULL, *shown = NULL;

	if (places_words(&g->e->profile.places, keys, &where) == 0)
		shown = question_shown(where);
	fprintf(g->out, "  %-14s %s", label, text);
	print_origin(g, shown);
}

/* none: what there is to say of an empty list, which is from that key; NULL: nothing. */
static void print_list(const struct page *g, const char *label, const char *section, const char *name, const char *none,
	const char *key)
{
	const json_t *list = member_of(g->o, section, name),
		     *places = member_of(json_object_get(g->o, "where"), section, name);

	if (json_array_size(list) == 0 && none)
		print_value(g, label, none, key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		fprintf(g->out, "  %-14s %s", i ? "" : label, json_string_value(json_array_get(list, i)));
		print_origin(g, json_string_value(json_array_get(places, i)));
	}
}

static void print_joined(FILE *out, const char *words, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		fprintf(out, "%s%s", i ? ", " : words, json_string_value(json_array_get(list, i)));
}

static void print_params(const struct page *g)
{
	FILE *out = g->out;
	const json_t *p;
	size_t i;

	fputs("\n  Parameters, given with --set\n", out);
	json_array_foreach(json_object_get(g->o, "parameters"), i, p)
	{
		fprintf(out, "    %s: %s%s, %s", text_of(p, "name"),
			json_is_true(json_object_get(p, "many")) ? "one or more of type " : "", text_of(p, "type"),
			json_is_true(json_object_get(p, "required")) ? "REQUIRED" : "optional");
		print_joined(out, "; must lie within ", json_object_get(p, "within"));
		print_joined(out, "; one of ", json_object_get(p, "choices"));
		print_joined(out, "; default ", json_object_get(p, "default"));
		print_origin(g, text_of(p, "where"));
	}
}

static void print_files(const struct page *g)
{
	const json_t *f = json_object_get(g->o, "filesystem");
	char text[128];

	if (text_of(g->o, "cwd"))
		print_value(g, "  works in", text_of(g->o, "cwd"), "cwd");
	print_list(g, "  reads", "filesystem", "read", "nothing of yours", "filesystem.read");
	print_list(g, "  WRITES", "filesystem", "write", "nothing of yours", "filesystem.write");
	print_list(g, "  hidden", "filesystem", "deny", NULL, NULL);
	snprintf(text, sizeof(text), "%s; protection of what your tools execute: %s", text_of(f, "home"),
		json_is_true(json_object_get(f, "protect")) ? "on" : "OFF");
	print_value(g, "  home", text, "filesystem.home filesystem.protect");
}

static void print_walls(const struct page *g)
{
	bool af_unix = json_is_true(json_object_get(g->o, "af_unix"));
	char text[128];

	print_list(g, "  sets", NULL, "set", NULL, NULL);
	print_list(g, "  passes", NULL, "pass", NULL, NULL);
	print_list(g, "  sockets", NULL, "unix", NULL, NULL);
	print_list(g, "  network", NULL, "network", NULL, NULL);
	snprintf(text, sizeof(text), "%s%s", text_of(g->o, "seccomp"), af_unix ? "; may open unix sockets" : "");
	print_value(g, "  system calls", text, g->e->profile.unix_sockets.n ? "seccomp ipc.unix" : "seccomp");
	print_list(g, "  limits", NULL, "bounds", NULL, NULL);
}

static void print_protocol(const struct page *g)
{
	char text[PROFILE_PINS_MAX + 128];

	print_list(g, "  tools", NULL, "tools", NULL, NULL);
	print_value(g, "  scan", text_of(g->o, "scan"), "tools.scan");
	print_list(g, "  taken out", NULL, "text", NULL, NULL);
	if (text_of(g->o, "pins")) {
		snprintf(text, sizeof(text), "by %s, beside the profile: what has no pin there is withheld",
			text_of(g->o, "pins"));
		print_value(g, "  held", text, "pins");
	}
	print_list(g, "  resources", NULL, "resources", NULL, NULL);
	print_list(g, "  prompts", NULL, "prompts", NULL, NULL);
	print_list(g, "  extensions", NULL, "extensions", NULL, NULL);
	print_list(g, "  client", NULL, "client", NULL, NULL);
	print_list(g, "  roots", NULL, "roots", NULL, NULL);
	if (json_array_size(json_object_get(g->o, "roots")))
		fprintf(g->out, "  %-14s (roots replace a server's own list)\n", "");
}

static void print_grants(const struct page *g)
{
	fputs("\n  What it grants; ${name} is the value of the parameter\n", g->out);
	print_list(g, "  command", NULL, "command", NULL, NULL);
	print_files(g);
	print_walls(g);
	print_protocol(g);
	print_list(g, "  signatures", NULL, "signed", NULL, NULL);
	print_list(g, "  note", NULL, "notes", NULL, NULL);
	print_list(g, "  recorded", NULL, "recorded", NULL, NULL);
	print_list(g, "  not granted", NULL, "cut", NULL, NULL);
	print_list(g, "  not enforced", NULL, "not_enforced", NULL, NULL);
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
	const struct page g = { out, o, e };

	fprintf(out, "%s: the profile %s, as it is written\n", text_of(o, "server"), text_of(o, "profile"));
	if (text_of(o, "description"))
		fprintf(out, "  %s\n", text_of(o, "description"));
	print_params(&g);
	print_grants(&g);
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
