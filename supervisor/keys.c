/* SPDX-License-Identifier: Apache-2.0 */
/* keys - see keys.h */
#include "supervisor/keys.h"
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/places.h"

static const char *const type_words[] = { "an object", "an object", "a string", "a list of strings", "a list",
	"an integer", "true or false", "anything" };
static_assert(ARRAY_LEN(type_words) == KEY_TYPE_COUNT, "a word for each type");

static bool type_fits(enum key_type t, const json_t *v)
{
	switch (t) {
	case KEY_SECTION:
	case KEY_OBJECT:
		return json_is_object(v);
	case KEY_STRING:
		return json_is_string(v);
	case KEY_STRINGS:
	case KEY_LIST:
		return json_is_array(v);
	case KEY_INTEGER:
		return json_is_integer(v);
	case KEY_BOOLEAN:
		return json_is_boolean(v);
	case KEY_ANY:
	case KEY_TYPE_COUNT:
		break;
	}
	return true;
}

__attribute__((format(printf, 3, 0))) static int fail_va(
	const struct key *k, unsigned line, const char *fmt, va_list ap)
{
	char text[DIAG_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	return diag_fail(k->parse->d, -EINVAL, "%s:%u: %s %s", k->parse->file.name, line, k->shown, text);
}

int key_fail(const struct key *k, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_va(k, k->line, fmt, ap);
	va_end(ap);
	return r;
}

int key_fail_at(const struct key *k, unsigned line, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = fail_va(k, line, fmt, ap);
	va_end(ap);
	return r;
}

unsigned key_item_line(const struct key *k, size_t i)
{
	return json_file_line(&k->parse->file, k->v, i);
}

int key_where(const struct key *k, unsigned line, const char *text, char **ret)
{
	char shown[PROFILE_SHOWN_MAX];
	const char *file = k->parse->file.name;
	int n;

	if (text)
		n = asprintf(
			ret, "%s:%u (%s \"%s\")", file, line, k->shown, text_escape_str(text, shown, sizeof(shown)));
	else
		n = asprintf(ret, "%s:%u (%s)", file, line, k->shown);
	if (n < 0)
		*ret = NULL;
	return n < 0 ? -ENOMEM : 0;
}

int key_word(const struct key *k, const char *const *words, size_t n, size_t *ret)
{
	_cleanup_buf_ struct buf list = BUF_INIT(PROFILE_STRING_MAX);
	const char *word = json_string_value(k->v), *near;
	char shown[PROFILE_SHOWN_MAX];
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(words[i], word)) {
			*ret = i;
			return 0;
		}
	near = text_nearest(word, words, n);
	text_escape_str(word, shown, sizeof(shown));
	if (near)
		return key_fail(k, "cannot be \"%s\"; did you mean \"%s\"?", shown, near);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = buf_printf(&list, "%s\"%s\"", i == 0 ? "" : i + 1 == n ? " or " : ", ", words[i]);
	return r < 0 ? r : key_fail(k, "cannot be \"%s\"; it is %s", shown, list.data);
}

/* What follows prefix and a dot in the row's path, when that is one name; else NULL. */
static const char *row_name(const struct key_row *row, const char *prefix)
{
	size_t n = strlen(prefix);
	const char *rest = row->path;

	if (n) {
		if (strncmp(rest, prefix, n) || rest[n] != '.')
			return NULL;
		rest += n + 1;
	}
	return strchr(rest, '.') ? NULL : rest;
}

static const struct key_row *row_find(const struct key_table *t, const char *prefix, const char *name)
{
	for (size_t i = 0; i < t->n; i++) {
		const char *row = row_name(&t->rows[i], prefix);

		if (row && !strcmp(row, name))
			return &t->rows[i];
	}
	return NULL;
}

/* "tool" is "tools" of this object; "read" at the top belongs into filesystem. */
static const char *suggest(const struct key_table *t, const char *prefix, const char *name)
{
	_cleanup_free_ const char **names = calloc(t->n, sizeof(*names));
	const char *near, *last;
	size_t n = 0;

	for (size_t i = 0; names && i < t->n; i++) {
		names[n] = row_name(&t->rows[i], prefix);
		n += names[n] != NULL;
	}
	near = names ? text_nearest(name, names, n) : NULL;
	for (size_t i = 0; !near && i < t->n; i++) {
		last = strrchr(t->rows[i].path, '.');
		if (last && !strcmp(last + 1, name) && !strpbrk(t->rows[i].path, "*["))
			near = t->rows[i].path;
	}
	return near;
}

static int refuse_unknown(struct parse *ps, const char *prefix, const char *shown, const char *name, unsigned line)
{
	const char *foreign = ps->table->foreign ? ps->table->foreign(prefix, name) : NULL;
	const char *near = foreign && !*prefix ? NULL : suggest(ps->table, prefix, name);
	char key[PROFILE_SHOWN_MAX], mend[PROFILE_SHOWN_MAX];

	snprintf(mend, sizeof(mend), "; stockade's %s format has no such key", ps->table->format);
	if (foreign && !near)
		snprintf(mend, sizeof(mend), "%s", foreign);
	if (near)
		snprintf(mend, sizeof(mend), ", did you mean '%s'?", near);
	text_escape_str(name, key, sizeof(key));
	return diag_fail(ps->d, -EINVAL, "%s:%u: unknown key '%s%s%s'%s", ps->file.name, line, shown, *shown ? "." : "",
		key, mend);
}

static int check_strings(const struct key *k)
{
	const json_t *item;
	size_t i;

	if (json_array_size(k->v) > PROFILE_ITEMS_MAX)
		return key_fail(k, "has more than %d items", PROFILE_ITEMS_MAX);
	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		if (k->row->type == KEY_STRINGS && !json_is_string(item))
			return key_fail_at(k, key_item_line(k, i), "must hold strings only, and item %zu is %s", i + 1,
				json_file_type(item));
		if (json_string_length(item) > PROFILE_STRING_MAX)
			return key_fail_at(k, key_item_line(k, i), "has an item (%zu) longer than %d bytes", i + 1,
				PROFILE_STRING_MAX);
	}
	return 0;
}

static int note_place(const struct key *k)
{
	_cleanup_free_ char *where = NULL;
	int r = key_where(k, k->line, NULL, &where);

	return r < 0 ? r : places_note(k->parse->places, k->row, where);
}

static int key_take(const struct key *k)
{
	const struct key_row *row = k->row;
	int r = 0;

	if (!type_fits(row->type, k->v))
		return key_fail(k, "must be %s, not %s", type_words[row->type], json_file_type(k->v));
	if (json_string_length(k->v) > PROFILE_STRING_MAX)
		return key_fail(k, "is longer than %d bytes", PROFILE_STRING_MAX);
	if (json_object_size(k->v) > PROFILE_ITEMS_MAX)
		return key_fail(k, "has more than %d members", PROFILE_ITEMS_MAX);
	if (row->type == KEY_SECTION)
		return key_walk(k->parse, row->path, k->shown, k->v, k->target);
	if (row->type == KEY_STRINGS || row->type == KEY_LIST)
		r = check_strings(k);
	r = r < 0 ? r : row->set(k);
	return r == 0 && k->parse->places ? note_place(k) : r;
}

int key_walk(struct parse *ps, const char *prefix, const char *shown, const json_t *obj, void *target)
{
	json_t *o = (json_t *)(uintptr_t)obj;
	size_t index = 0;

	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i), index++) {
		const char *name = json_object_iter_key(i);
		char path[2 * PROFILE_SHOWN_MAX];
		struct key k = { .parse = ps,
			.row = row_find(ps->table, prefix, name),
			.shown = path,
			.v = json_object_iter_value(i),
			.line = json_file_line(&ps->file, obj, index),
			.target = target };
		int r;

		if (!k.row)
			return refuse_unknown(ps, prefix, shown, name, k.line);
		snprintf(path, sizeof(path), "%s%s%s", shown, *shown ? "." : "", name);
		r = key_take(&k);
		if (r < 0)
			return r;
	}
	return 0;
}
