/* SPDX-License-Identifier: Apache-2.0 */
/* pin_diff - see pin_diff.h */
#include "supervisor/pin_diff.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/pin_show.h"
#include "supervisor/pin_weigh.h"
#include "supervisor/word_diff.h"

enum { TEXT_MAX = 8 * DEFINITION_BYTES_MAX };

void pin_diff_done(struct pin_diff *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].fields);
	free(d->v);
	*d = (struct pin_diff){ 0 };
}

/* --- fields --- */

/* A field under the key that it is compared by: its path, or, where a list is a set, that of the list and its value. */
struct keyed {
	const struct definition_field *field;
	size_t set; /* length of the path of the list; 0: no set */
};

static int compare_keyed(const struct keyed *a, const struct keyed *b)
{
	size_t n = a->set ? a->set : strlen(a->field->path), m = b->set ? b->set : strlen(b->field->path);
	int order = memcmp(a->field->path, b->field->path, n < m ? n : m);

	if (order == 0)
		order = n < m ? -1 : n > m;
	if (order == 0)
		order = (a->set > 0) - (b->set > 0);
	return order || !a->set ? order : strcmp(a->field->value, b->field->value);
}

static int compare(const void *a, const void *b)
{
	return compare_keyed(a, b);
}

static int key_fields(const struct definition *d, struct keyed **ret)
{
	struct keyed *v = calloc(d->n ? d->n : 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++)
		v[i] = (struct keyed){ &d->fields[i], pin_set_path(d->fields[i].path) };
	if (d->n > 1)
		qsort(v, d->n, sizeof(*v), compare);
	*ret = v;
	return 0;
}

/* The length of the path up to the innermost property that it lies in; 0: in none. */
static size_t property_end(const char *path)
{
	static const char into[] = "/properties/";
	const char *at = NULL;

	for (const char *p = path; (p = strstr(p, into)); p++)
		at = p + sizeof(into) - 1;
	return at ? (size_t)(at - path) + strcspn(at, "/") : 0;
}

static bool has_below(const struct definition *d, const char *path, size_t n)
{
	for (size_t i = 0; i < d->n; i++)
		if (strncmp(d->fields[i].path, path, n) == 0 &&
			(d->fields[i].path[n] == '/' || d->fields[i].path[n] == '\0'))
			return true;
	return false;
}

/* Does the new schema take no names but those that it has, where that property stood? */
static bool is_closed(const struct pin_change *c, const char *path, size_t n)
{
	static const char *const closing[] = { "/additionalProperties", "/unevaluatedProperties" };
	const char *name = memrchr(path, '/', n);
	size_t holder = (size_t)(name - path) - strlen("/properties");

	for (size_t i = 0; i < c->new->n; i++) {
		const struct definition_field *f = &c->new->fields[i];
		for (size_t k = 0; strncmp(f->path, path, holder) == 0 && k < ARRAY_LEN(closing); k++)
			if (strcmp(f->path + holder, closing[k]) == 0 && strcmp(f->value, "false") == 0)
				return true;
	}
	return false;
}

static struct pin_weight weigh(const struct pin_change *c, const char *path, const char *old, const char *new)
{
	size_t n = property_end(path);

	if (n && !has_below(c->old, path, n))
		return (struct pin_weight){ true, "a new argument" };
	if (n && !has_below(c->new, path, n) && !pin_is_turned(path))
		return is_closed(c, path, n)
			       ? (struct pin_weight){ false, "an argument that is gone" }
			       : (struct pin_weight){ true,
					 "an argument that is gone: under its name anything may be sent" };
	return pin_weigh(path, old, new);
}

/* Room was made for all of both. */
static void add_field(struct pin_change *c, const char *path, const char *from, const char *to)
{
	struct pin_weight w = weigh(c, path, from, to);

	c->fields[c->n++] = (struct pin_field_change){ path, from, to, w.matters, w.words };
	c->matters = c->matters || w.matters;
}

static int compare_fields(struct pin_change *c)
{
	_cleanup_free_ struct keyed *old = NULL, *new = NULL;
	size_t i = 0, j = 0, n = c->old->n, m = c->new->n;
	int r = key_fields(c->old, &old);

	if (r == 0)
		r = key_fields(c->new, &new);
	if (r < 0)
		return r;
	c->fields = calloc(n + m + 1, sizeof(*c->fields));
	if (!c->fields)
		return -ENOMEM;
	while (i < n || j < m) {
		int order = i == n ? 1 : j == m ? -1 : compare_keyed(&old[i], &new[j]);
		const char *from = order <= 0 ? old[i].field->value : NULL,
			   *to = order >= 0 ? new[j].field->value : NULL;
		if (!from || !to || strcmp(from, to) != 0)
			add_field(c, from ? old[i].field->path : new[j].field->path, from, to);
		i += order <= 0;
		j += order >= 0;
	}
	/* The order of a list is all that is left. */
	c->matters = c->matters || c->n == 0;
	return 0;
}

/* --- definitions --- */

static int add_change(struct pin_diff *d, const struct definition *old, const struct definition *new)
{
	struct pin_change c = { .kind = !old ? PIN_NEW : !new ? PIN_GONE : PIN_CHANGED, .old = old, .new = new };
	struct pin_change *v = reallocarray(d->v, d->n + 1, sizeof(*v));
	int r = 0;

	if (!v)
		return -ENOMEM;
	d->v = v;
	c.matters = c.kind == PIN_NEW;
	if (c.kind == PIN_CHANGED)
		r = compare_fields(&c);
	d->v[d->n++] = c;
	d->count[c.kind]++;
	d->matters = d->matters || c.matters;
	return r;
}

int pin_diff(const struct definitions *old, const struct definitions *new, struct pin_diff *ret)
{
	size_t i = 0, j = 0;
	int r = 0;

	*ret = (struct pin_diff){ 0 };
	while (r == 0 && (i < old->n || j < new->n)) {
		int order = i == old->n ? 1 : j == new->n ? -1 : definition_compare(&old->v[i], &new->v[j]);
		if (order < 0)
			r = add_change(ret, &old->v[i++], NULL);
		else if (order > 0)
			r = add_change(ret, NULL, &new->v[j++]);
		else if (memcmp(old->v[i].digest, new->v[j].digest, DEFINITION_DIGEST_BYTES) != 0)
			r = add_change(ret, &old->v[i++], &new->v[j++]);
		else
			i++, j++;
	}
	if (r < 0)
		pin_diff_done(ret);
	return r;
}

/* --- words --- */

static const struct {
	const char *word, *words;
} kinds[] = {
	[PIN_CHANGED] = { "changed", "changed: withheld" },
	[PIN_NEW] = { "new", "new: withheld" },
	[PIN_GONE] = { "gone", "gone" },
};
_Static_assert(ARRAY_LEN(kinds) == PIN_CHANGE_KIND_COUNT, "words for every kind");

static const char INDENT[] = "        ";

static int text_of(const char *lexeme, struct buf *ret)
{
	*ret = BUF_INIT(TEXT_MAX);
	return pin_show_text(lexeme ? lexeme : "", ret);
}

static int print_field(FILE *out, const struct pin_field_change *f, bool colour)
{
	_cleanup_buf_ struct buf old = { 0 }, new = { 0 }, marked = BUF_INIT(TEXT_MAX), path = BUF_INIT(TEXT_MAX);
	int r = text_of(f->old, &old);

	if (r == 0)
		r = text_of(f->new, &new);
	if (r == 0)
		r = text_escape(&path, f->path, strlen(f->path), TEXT_KEEP_BACKSLASH);
	if (r == 0)
		r = word_diff(old.data ? old.data : "", new.data ? new.data : "", colour, &marked);
	if (r < 0)
		return r;
	fprintf(out, "  %c %s%s%s\n", f->matters ? '!' : ' ', path.data ? path.data : "", *f->path ? ": " : "",
		f->words);
	fputs(INDENT, out);
	pin_show_lines(out, marked.data, INDENT);
	return 0;
}

/* The i-th field: of what is new, or gone, all are. */
static struct pin_field_change field_at(const struct pin_change *c, size_t i)
{
	const struct definition_field *f;

	if (c->kind == PIN_CHANGED)
		return c->fields[i];
	f = c->kind == PIN_NEW ? &c->new->fields[i] : &c->old->fields[i];
	return c->kind == PIN_NEW ? (struct pin_field_change){ f->path, NULL, f->value, true, "new" }
				  : (struct pin_field_change){ f->path, f->value, NULL, false, "gone" };
}

static int print_change(FILE *out, const struct pin_change *c, bool colour)
{
	char name[PIN_NAME_ROOM];
	int r = 0;

	pin_show_name(c->new ? c->new : c->old, name, sizeof(name));
	fprintf(out, "%c %s: %s\n", c->matters ? '!' : ' ', name, kinds[c->kind].words);
	for (size_t i = 0; r == 0 && i < c->n; i++)
		r = print_field(out, &c->fields[i], colour);
	if (c->kind == PIN_CHANGED && c->n == 0)
		fputs("    the order of a list, which a digest counts and words do not show\n", out);
	for (size_t i = 0; c->kind == PIN_NEW && r == 0 && i < c->new->n; i++) {
		const struct pin_field_change f = field_at(c, i);
		r = print_field(out, &f, colour);
	}
	return r;
}

int pin_diff_print(FILE *out, const struct pin_diff *d, bool colour)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->n; i++)
		r = print_change(out, &d->v[i], colour);
	if (r == 0)
		fprintf(out, "%zu changed, %zu new, %zu gone%s.\n", d->count[PIN_CHANGED], d->count[PIN_NEW],
			d->count[PIN_GONE], d->n ? "; '!' marks what matters" : "");
	return r;
}

static json_t *field_json(const struct pin_field_change *f)
{
	return json_pack("{s:s, s:o, s:o, s:b, s:s}", "path", f->path, "old", pin_show_text_json(f->old), "new",
		pin_show_text_json(f->new), "matters", f->matters, "words", f->words);
}

static json_t *fields_json(const struct pin_change *c)
{
	size_t n = c->kind == PIN_CHANGED ? c->n : c->kind == PIN_NEW ? c->new->n : c->old->n;
	json_t *all = json_array();

	for (size_t i = 0; all && i < n; i++) {
		const struct pin_field_change f = field_at(c, i);
		if (json_array_append_new(all, field_json(&f)) < 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static json_t *change_json(const struct pin_change *c)
{
	const struct definition *d = c->new ? c->new : c->old;

	return json_pack("{s:s, s:s, s:o, s:b, s:o}", "change", kinds[c->kind].word, "kind",
		definition_kind_words(d->kind), "name", pin_show_name_json(d), "matters", c->matters, "fields",
		fields_json(c));
}

json_t *pin_diff_json(const struct pin_diff *d)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < d->n; i++) {
		if (json_array_append_new(all, change_json(&d->v[i])) == 0)
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}
