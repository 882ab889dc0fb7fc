/* SPDX-License-Identifier: Apache-2.0 */
/* pin_store - see pin_store.h */
#include "supervisor/pin_store.h"
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "base/fs.h"
#include "base/text.h"
#include "supervisor/canonical.h"

#define PINS_DIR "pins"
enum { PIN_VERSION = 1, SHOWN_MAX = 512, KEY_HEX = 32 };

/* The words of the file; those for people are definition_kind_words. */
static const char *const kinds[] = {
	[DEFINITION_TOOL] = "tool",
	[DEFINITION_PROMPT] = "prompt",
	[DEFINITION_TEMPLATE] = "template",
	[DEFINITION_INSTRUCTIONS] = "instructions",
};
_Static_assert(ARRAY_LEN(kinds) == DEFINITION_KIND_COUNT, "a word for every kind");

void pin_set_done(struct pin_set *s)
{
	free(s->file);
	free(s->subject);
	free(s->texts);
	definitions_done(&s->definitions);
	*s = (struct pin_set){ 0 };
}

/* --- writing --- */

static void put_hex(const uint8_t *bytes, char ret[2 * DEFINITION_DIGEST_BYTES + 1])
{
	for (size_t i = 0; i < DEFINITION_DIGEST_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

static json_t *fields_json(const struct definition *f)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < f->n; i++) {
		json_t *pair = json_pack("[s, s]", f->fields[i].path, f->fields[i].value);
		if (!pair || json_array_append_new(all, pair) < 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

/* Takes value; NULL: it could not be made. The shim's canonical JSON is UTF-8, so memory is all that can be missing. */
static int put_line(struct buf *b, json_t *value)
{
	_cleanup_free_ char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;
	int r = text ? buf_puts(b, text) : -ENOMEM;

	json_decref(value);
	return r ? r : buf_putc(b, '\n');
}

static json_t *index_json(const struct definitions *l)
{
	char hex[2 * DEFINITION_DIGEST_BYTES + 1];
	json_t *all = json_array();

	for (size_t i = 0; all && i < l->n; i++) {
		put_hex(l->v[i].digest, hex);
		if (json_array_append_new(all, json_pack("[s, s, s]", kinds[l->v[i].kind], l->v[i].name, hex)) == 0)
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}

int pin_text(const struct definitions *l, const char *subject, struct buf *ret)
{
	_cleanup_buf_ struct buf rest = BUF_INIT(PIN_FILE_MAX);
	char digest[CANONICAL_DIGEST_HEX];
	int r = buf_append(&rest, "", 0);

	*ret = BUF_INIT(PIN_FILE_MAX);
	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = put_line(&rest, json_pack("{s:s, s:s, s:o}", "kind", kinds[l->v[i].kind], "name", l->v[i].name,
					    "fields", fields_json(&l->v[i])));
	if (r == 0)
		r = canonical_digest_text(rest.data, digest);
	if (r == 0)
		r = put_line(ret, json_pack("{s:i, s:s, s:s, s:o}", "stockade_pins", PIN_VERSION, "server", subject,
					  "texts", digest, "pins", index_json(l)));
	return r ? r : buf_append(ret, rest.data, rest.len);
}

/* --- reading --- */

static int take_kind(const json_t *value, enum definition_kind *ret)
{
	const char *word = json_string_value(value);

	for (size_t i = 0; word && i < ARRAY_LEN(kinds); i++) {
		if (strcmp(word, kinds[i]) != 0)
			continue;
		*ret = (enum definition_kind)i;
		return 0;
	}
	return -EINVAL;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int take_digest(const json_t *value, uint8_t ret[DEFINITION_DIGEST_BYTES])
{
	const char *hex = json_string_value(value);

	if (!hex || strlen(hex) != 2 * (size_t)DEFINITION_DIGEST_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < DEFINITION_DIGEST_BYTES; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

static int take_fields(const json_t *list, struct definition *f)
{
	size_t n = json_array_size(list);

	if (!json_is_array(list) || n > DEFINITION_FIELDS_MAX)
		return -EINVAL;
	f->fields = n ? calloc(n, sizeof(*f->fields)) : NULL;
	if (n && !f->fields)
		return -ENOMEM;
	for (; f->n < n; f->n++) {
		const json_t *pair = json_array_get(list, f->n);
		const char *path = json_string_value(json_array_get(pair, 0));
		const char *value = json_string_value(json_array_get(pair, 1));
		if (json_array_size(pair) != 2 || !path || !value)
			return -EINVAL;
		f->fields[f->n] = (struct definition_field){ strdup(path), strdup(value) };
		if (!f->fields[f->n].path || !f->fields[f->n].value) {
			f->n++;
			return -ENOMEM;
		}
	}
	return 0;
}

/* One row of the index: kind, name, digest. */
static int take_pin(const json_t *row, struct definition *f)
{
	const char *name = json_string_value(json_array_get(row, 1));
	int r;

	if (json_array_size(row) != 3 || !name)
		return -EINVAL;
	f->name = strdup(name);
	if (!f->name)
		return -ENOMEM;
	r = take_kind(json_array_get(row, 0), &f->kind);
	if (r == 0 && (f->kind == DEFINITION_INSTRUCTIONS) != (*name == '\0'))
		r = -EINVAL;
	return r ? r : take_digest(json_array_get(row, 2), f->digest);
}

static int take_index(const json_t *list, struct pin_set *s)
{
	struct definition *f;
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(list); i++) {
		r = definitions_add(&s->definitions, &f);
		if (r == 0)
			r = take_pin(json_array_get(list, i), f);
	}
	/* Looked up by halves; and of two of one name nobody could say which holds. */
	for (size_t i = 1; r == 0 && i < s->definitions.n; i++)
		if (definition_compare(&s->definitions.v[i - 1], &s->definitions.v[i]) >= 0)
			r = -EINVAL;
	return r;
}

/* What the words say is wrong is where it stopped. */
static int take_head(const json_t *root, const char *rest, struct pin_set *s, const char **ret_why)
{
	const json_t *list = json_object_get(root, "pins");
	const char *subject = json_string_value(json_object_get(root, "server"));
	const char *texts = json_string_value(json_object_get(root, "texts"));
	char digest[CANONICAL_DIGEST_HEX];
	int r = canonical_digest_text(rest, digest);

	*ret_why = "its first line has not the members of a pin file";
	if (r < 0 || json_object_size(root) != 4 || !subject || !texts || !json_is_array(list) ||
		json_integer_value(json_object_get(root, "stockade_pins")) != PIN_VERSION)
		return r < 0 ? r : -EINVAL;
	*ret_why = "its texts are not those that its first line is about";
	if (strcmp(texts, digest) != 0)
		return -EINVAL;
	s->subject = strdup(subject);
	s->texts = strdup(rest);
	if (!s->subject || !s->texts)
		return -ENOMEM;
	*ret_why = "one of its pins is not whole, or they are not in order";
	return take_index(list, s);
}

static int damaged(const char *name, const char *why, struct diag *d)
{
	char shown[SHOWN_MAX];

	return diag_fail(d, -EINVAL,
		"the pin file %s is damaged, and what it pins is not known, so nothing is started: %s. Restore it, or "
		"remove it and pin the server again",
		text_escape_str(name, shown, sizeof(shown)), why);
}

int pin_parse(const char *name, const char *bytes, size_t n, struct pin_set *ret, struct diag *d)
{
	_cleanup_pin_set_ struct pin_set s = { .file = strdup(name) };
	const char *why = "it is not JSON", *end = memchr(bytes, '\n', n);
	json_t *root = end && strlen(bytes) == n
			       ? json_loadb(bytes, (size_t)(end - bytes), JSON_REJECT_DUPLICATES, NULL)
			       : NULL;
	int r = !s.file ? -ENOMEM : root ? take_head(root, end + 1, &s, &why) : -EINVAL;

	json_decref(root);
	if (r == 0)
		r = canonical_digest_text(bytes, s.digest);
	if (r == -ENOMEM)
		return diag_fail(d, r, "out of memory");
	if (r < 0)
		return damaged(name, why, d);
	*ret = s;
	s = (struct pin_set){ 0 };
	return 0;
}

char *pin_plain_name(const char *inside)
{
	_cleanup_free_ char *lexeme = NULL;
	json_t *value;
	char *text;

	if (!strchr(inside, '\\'))
		return strdup(inside);
	if (asprintf(&lexeme, "\"%s\"", inside) < 0) {
		lexeme = NULL;
		return NULL;
	}
	value = json_loads(lexeme, JSON_DECODE_ANY, NULL);
	text = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
	json_decref(value);
	return text;
}

static int fill(const char *line, size_t n, struct definition *f)
{
	json_t *root = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(root, "name"));
	enum definition_kind kind;
	int r = json_object_size(root) == 3 && name ? take_kind(json_object_get(root, "kind"), &kind) : -EINVAL;

	if (r == 0 && (kind != f->kind || strcmp(name, f->name) != 0))
		r = -EINVAL;
	if (r == 0)
		r = take_fields(json_object_get(root, "fields"), f);
	json_decref(root);
	return r;
}

int pin_read_texts(struct pin_set *s, struct diag *d)
{
	const char *p = s->texts;
	int r = p ? 0 : -EINVAL;

	for (size_t i = 0; r == 0 && i < s->definitions.n; i++) {
		const char *end = strchr(p, '\n');
		r = end ? fill(p, (size_t)(end - p), &s->definitions.v[i]) : -EINVAL;
		p = end ? end + 1 : p;
	}
	if (r == 0 && *p)
		r = -EINVAL;
	if (r == -ENOMEM)
		return diag_fail(d, r, "out of memory");
	return r < 0 ? damaged(s->file, "its texts are not those of its pins", d) : 0;
}

void pin_drop_texts(struct pin_set *s)
{
	free(s->texts);
	s->texts = NULL;
}

static int check_subject(const struct pin_set *s, const char *subject, struct diag *d)
{
	char file[SHOWN_MAX], theirs[SHOWN_MAX], ours[SHOWN_MAX];

	if (strcmp(s->subject, subject) == 0)
		return 0;
	return diag_fail(d, -EINVAL,
		"the pin file %s is about %s and not about %s, so nothing is started: put the right file there, or "
		"remove it and pin the server again; where a profile brings it, ask who wrote the profile",
		text_escape_str(s->file, file, sizeof(file)), text_escape_str(s->subject, theirs, sizeof(theirs)),
		text_escape_str(subject, ours, sizeof(ours)));
}

int pin_load_bytes(const char *path, const struct buf *b, const char *subject, struct pin_set *ret, struct diag *d)
{
	_cleanup_pin_set_ struct pin_set s = { 0 };
	int r = pin_parse(path, b->data ? b->data : "", b->len, &s, d);

	if (r == 0)
		r = check_subject(&s, subject, d);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct pin_set){ 0 };
	return 0;
}

/* --- the user's own --- */

int pin_key(const char *name, const char *subject, char ret[PIN_KEY_SIZE])
{
	static const char profile[] = "profile:";
	char digest[CANONICAL_DIGEST_HEX];
	int r;

	/* A profile's name is plain and there is one of it; programs of one name are many. */
	if (strncmp(subject, profile, sizeof(profile) - 1) == 0 && strlen(name) < PIN_KEY_SIZE && !strchr(name, '/')) {
		snprintf(ret, PIN_KEY_SIZE, "%s", name);
		return 0;
	}
	r = canonical_digest_text(subject, digest);
	if (r == 0)
		snprintf(ret, PIN_KEY_SIZE, "command-%.*s", KEY_HEX, digest);
	return r;
}

static int file_name(const char *name, const char *subject, char *ret, size_t size)
{
	char key[PIN_KEY_SIZE];
	int r = pin_key(name, subject, key);

	if (r == 0)
		snprintf(ret, size, "%s.pins", key);
	return r;
}

int pin_open(const struct paths *p, int *ret, struct diag *d)
{
	return paths_open_state(p, PINS_DIR, ret, d);
}

int pin_load(const struct paths *p, const char *name, const char *subject, struct pin_set *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PIN_FILE_MAX);
	_cleanup_close_ int dir = -1;
	_cleanup_free_ char *shown = NULL;
	char file[PIN_KEY_SIZE + 8];
	struct diag why = { "" };
	int r = pin_open(p, &dir, d);

	if (r == 0)
		r = file_name(name, subject, file, sizeof(file));
	if (r < 0)
		return r;
	if (asprintf(&shown, "%s/" PINS_DIR "/%s", p->state, file) < 0)
		return -ENOMEM;
	r = fs_read_trusted(dir, file, FS_TRUST_USER, p->uid, &b, &why);
	if (r == -ENOENT)
		return PIN_NONE;
	if (r < 0)
		return diag_fail(
			d, r, "the pin file %s cannot be used, so nothing is started: %.1024s", shown, why.text);
	return pin_load_bytes(shown, &b, subject, ret, d);
}

int pin_save(const struct paths *p, const char *name, const char *subject, const struct buf *text, struct diag *d)
{
	_cleanup_close_ int dir = -1;
	char file[PIN_KEY_SIZE + 8];
	int r = pin_open(p, &dir, d);

	if (r == 0)
		r = file_name(name, subject, file, sizeof(file));
	return r < 0 ? r : fs_write_atomic(dir, file, text->data, text->len, 0600, d);
}

int pin_to_shim(const struct pin_set *s, char *where, struct shim_pins *ret)
{
	size_t n = s->definitions.n;

	ret->on = true;
	ret->where = where;
	ret->v = n ? calloc(n, sizeof(*ret->v)) : NULL;
	if (!where || (n && !ret->v))
		return -ENOMEM;
	for (; ret->n < n; ret->n++) {
		const struct definition *f = &s->definitions.v[ret->n];
		struct shim_pin *pin = &ret->v[ret->n];
		pin->kind = f->kind;
		memcpy(pin->digest, f->digest, sizeof(pin->digest));
		pin->name = strdup(f->name);
		if (!pin->name)
			return -ENOMEM;
	}
	return 0;
}
