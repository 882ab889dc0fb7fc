/* SPDX-License-Identifier: Apache-2.0 */
/* json_file - see json_file.h */
#include "supervisor/json_file.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"

enum { SHOWN_MAX = 256 };

struct frame {
	json_t *value;
	void *iter; /* objects: jansson keeps the order of the file */
	size_t index;
	bool keyed; /* objects: the member's key has been passed */
};

struct scan {
	struct json_file *file;
	const char *p, *end;
	unsigned line;
	size_t cap;
	struct frame stack[JSON_FILE_DEPTH_MAX];
	size_t depth;
};

static unsigned line_at(const char *bytes, const char *at)
{
	unsigned line = 1;

	for (const char *p = bytes; p < at; p++)
		line += *p == '\n';
	return line;
}

/* What a person's editor hides and jansson words badly. */
static int check_bytes(const char *name, const char *bytes, size_t n, struct diag *d)
{
	const char *nul = memchr(bytes, '\0', n);
	uint32_t cp;

	if (n >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
		return diag_fail(d, -EINVAL, "%s:1: begins with a byte order mark; save it as UTF-8 without one", name);
	if (nul)
		return diag_fail(
			d, -EINVAL, "%s:%u: holds a NUL byte; this is no text file", name, line_at(bytes, nul));
	for (size_t i = 0, len; i < n; i += len) {
		len = utf8_decode((const unsigned char *)bytes + i, n - i, &cp);
		if (!len)
			return diag_fail(d, -EINVAL, "%s:%u: is not valid UTF-8 (byte %02x)", name,
				line_at(bytes, bytes + i), (unsigned char)bytes[i]);
	}
	return 0;
}

static int place_add(struct scan *s, const json_t *parent, size_t index)
{
	struct json_file *f = s->file;

	if (GROW(f->places, f->n_places, s->cap) < 0)
		return -ENOMEM;
	f->places[f->n_places++] = (struct json_place){ .parent = parent, .index = index, .line = s->line };
	return 0;
}

static struct frame *top(struct scan *s)
{
	return s->depth ? &s->stack[s->depth - 1] : NULL;
}

/* The value that begins here, as jansson built it. */
static json_t *current_value(struct scan *s)
{
	struct frame *f = top(s);

	if (!f)
		return s->file->root;
	return json_is_array(f->value) ? json_array_get(f->value, f->index) : json_object_iter_value(f->iter);
}

/* A list's item is noted where it begins, an object's member was noted at its key. */
static int value_begins(struct scan *s)
{
	struct frame *f = top(s);

	if (f && json_is_object(f->value))
		return 0;
	return place_add(s, f ? f->value : NULL, f ? f->index : 0);
}

static int container_begins(struct scan *s)
{
	json_t *v = current_value(s);
	int r = value_begins(s);

	if (r < 0)
		return r;
	if (s->depth == JSON_FILE_DEPTH_MAX)
		return -E2BIG;
	s->stack[s->depth++] = (struct frame){ .value = v, .iter = json_object_iter(v) };
	return 0;
}

static int string_passes(struct scan *s)
{
	struct frame *f = top(s);
	int r = 0;

	if (f && json_is_object(f->value) && !f->keyed) {
		f->keyed = true;
		r = place_add(s, f->value, f->index);
	} else {
		r = value_begins(s);
	}
	for (s->p++; s->p < s->end && *s->p != '"'; s->p++)
		s->p += *s->p == '\\';
	s->p++;
	return r;
}

static void member_ends(struct scan *s)
{
	struct frame *f = top(s);

	if (!f)
		return;
	f->index++;
	f->keyed = false;
	if (json_is_object(f->value))
		f->iter = json_object_iter_next(f->value, f->iter);
}

static int token_passes(struct scan *s)
{
	int r = 0;

	switch (*s->p) {
	case '\n':
		s->line++;
		break;
	case ' ':
	case '\t':
	case '\r':
	case ':':
		break;
	case ',':
		member_ends(s);
		break;
	case '{':
	case '[':
		r = container_begins(s);
		break;
	case '}':
	case ']':
		s->depth -= s->depth > 0;
		break;
	case '"':
		return string_passes(s);
	default:
		r = value_begins(s);
		while (s->p < s->end && !strchr(" \t\r\n,]}", *s->p))
			s->p++;
		return r;
	}
	s->p++;
	return r;
}

static int compare_places(const void *a, const void *b)
{
	const struct json_place *x = a, *y = b;

	if (x->parent != y->parent)
		return (uintptr_t)x->parent < (uintptr_t)y->parent ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int places_fill(struct json_file *f, const char *bytes, size_t n, struct diag *d)
{
	struct scan s = { .file = f, .p = bytes, .end = bytes + n, .line = 1 };
	int r = 0;

	while (r == 0 && s.p < s.end)
		r = token_passes(&s);
	if (r == -E2BIG)
		return diag_fail(d, -EINVAL,
			"%s:%u: values are nested deeper than %d; nothing in such a file needs that", f->name, s.line,
			JSON_FILE_DEPTH_MAX);
	if (r < 0)
		return diag_fail(d, r, "%s: %s", f->name, strerror(-r));
	if (f->n_places > 1)
		qsort(f->places, f->n_places, sizeof(*f->places), compare_places);
	return 0;
}

/* What a person most likely did; jansson only says what it expected. The offset of an error is behind what it read. */
static const char *json_hint(const json_error_t *e, const char *bytes, size_t n)
{
	static const char *const blank = " \t\r\n";
	const char *near = strstr(e->text, "near '");
	size_t at = e->position > 0 ? (size_t)e->position : 0, used;
	char c = near ? near[strlen("near '")] : '\0';

	for (used = 0; used < n && strchr(blank, bytes[used]) && bytes[used]; used++)
		;
	if (used == n)
		return "; the file is empty";
	if (c == '/' || c == '#')
		return "; JSON has no comments";
	if (c == '\'')
		return "; strings stand in double quotes";
	if (strncmp(e->text, "control character", strlen("control character")) == 0)
		return "; inside a string, write a tab as \\t and a line's end as \\n";
	if (c != '}' && c != ']')
		return "";
	for (at = at <= n && at > 0 ? at - 1 : 0; at > 0 && strchr(blank, bytes[at - 1]) && bytes[at - 1]; at--)
		;
	return at > 0 && bytes[at - 1] == ',' ? "; take away the comma before it" : "";
}

static int refuse(const char *name, const char *bytes, size_t n, const json_error_t *e, struct diag *d)
{
	char text[SHOWN_MAX];
	const char *key = strstr(e->text, "near '");

	switch (json_error_code(e)) {
	case json_error_duplicate_key:
		text_escape_str(key ? key + strlen("near '") : "", text, sizeof(text));
		text[strcspn(text, "'")] = '\0';
		return diag_fail(d, -EINVAL, "%s:%d: the key %s is given twice; keep one", name, e->line, text);
	case json_error_out_of_memory:
		return diag_fail(d, -ENOMEM, "%s: %s", name, strerror(ENOMEM));
	case json_error_stack_overflow:
		return diag_fail(d, -EINVAL,
			"%s:%d: values are nested deeper than %d; nothing in such a file needs that", name, e->line,
			JSON_FILE_DEPTH_MAX);
	default:
		return diag_fail(d, -EINVAL, "%s:%d: this is not JSON: %s%s", name, e->line,
			text_escape_str(e->text, text, sizeof(text)), json_hint(e, bytes, n));
	}
}

int json_file_parse(const char *name, const char *bytes, size_t n, struct json_file *ret, struct diag *d)
{
	_cleanup_json_file_ struct json_file f = { .name = name };
	json_error_t e;
	int r = check_bytes(name, bytes, n, d);

	if (r < 0)
		return r;
	f.root = json_loadb(bytes, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!f.root)
		return refuse(name, bytes, n, &e, d);
	r = places_fill(&f, bytes, n, d);
	if (r < 0)
		return r;
	*ret = f;
	f = (struct json_file){ 0 };
	return 0;
}

unsigned json_file_line(const struct json_file *f, const json_t *parent, size_t index)
{
	const struct json_place wanted = { .parent = parent, .index = index };
	const struct json_place *at = NULL;

	if (f->n_places)
		at = bsearch(&wanted, f->places, f->n_places, sizeof(wanted), compare_places);
	return at ? at->line : 0;
}

unsigned json_file_key_line(const struct json_file *f, const json_t *object, const char *key)
{
	json_t *o = (json_t *)(uintptr_t)object;
	size_t index = 0;

	for (void *i = json_object_iter(o); i; i = json_object_iter_next(o, i), index++)
		if (!strcmp(json_object_iter_key(i), key))
			return json_file_line(f, object, index);
	return 0;
}

const char *json_file_type(const json_t *v)
{
	static const char *const words[] = {
		[JSON_OBJECT] = "an object",
		[JSON_ARRAY] = "a list",
		[JSON_STRING] = "a string",
		[JSON_INTEGER] = "an integer",
		[JSON_REAL] = "a number with a fraction",
		[JSON_TRUE] = "true",
		[JSON_FALSE] = "false",
		[JSON_NULL] = "null",
	};

	return v ? words[json_typeof(v)] : "nothing";
}

void json_file_done(struct json_file *f)
{
	json_decref(f->root);
	free(f->places);
	*f = (struct json_file){ 0 };
}
