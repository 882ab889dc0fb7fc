/* SPDX-License-Identifier: Apache-2.0 */
/* pin_show - see pin_show.h */
#include "supervisor/pin_show.h"
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/canonical.h"

enum { NAME_MAX_SHOWN = 256, PATH_WIDTH = 12, SHOWN_TEXT_MAX = 4 * DEFINITION_BYTES_MAX };

static const char INDENT[] = "    ", DEEPER[] = "        ";

void pin_show_name(const struct definition *f, char *ret, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHOWN_TEXT_MAX);
	const char *kind = definition_kind_words(f->kind);
	char digest[CANONICAL_DIGEST_HEX] = "";
	size_t shown = NAME_MAX_SHOWN;

	if (f->kind == DEFINITION_INSTRUCTIONS) {
		snprintf(ret, size, "the instructions");
		return;
	}
	/* The backslashes are those of canonical JSON, where one that is meant is written as two. */
	if (text_escape(&b, f->name, strlen(f->name), TEXT_KEEP_BACKSLASH) == 0 && b.len <= NAME_MAX_SHOWN) {
		snprintf(ret, size, "%s '%s'", kind, b.data);
		return;
	}
	while (shown > 0 && shown < b.len && ((unsigned char)b.data[shown] & 0xc0) == 0x80)
		shown--;
	/* Another name may begin like this one. */
	(void)!canonical_digest_text(f->name, digest);
	snprintf(ret, size, "%s '%.*s...' (%zu bytes, digest %.16s...)", kind, (int)shown, b.data ? b.data : "",
		strlen(f->name), digest);
}

json_t *pin_show_name_json(const struct definition *f)
{
	_cleanup_free_ char *plain = pin_plain_name(f->name);

	/* What no call can write stands as it is spelt. */
	return json_string(plain ? plain : f->name);
}

/* What the escape stands for where that is plain text; NUL where it stays as it is spelt. */
static char plain_escape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return ' ';
	case '"':
		return '"';
	default:
		return '\0';
	}
}

int pin_show_text(const char *lexeme, struct buf *ret)
{
	_cleanup_buf_ struct buf plain = BUF_INIT(SHOWN_TEXT_MAX);
	size_t n = strlen(lexeme);
	bool string = n >= 2 && lexeme[0] == '"';
	const char *p = lexeme + string, *end = lexeme + n - string;
	int r = 0;

	while (r == 0 && p < end) {
		char meant = *p == '\\' && p + 1 < end ? plain_escape(p[1]) : '\0';
		if (meant) {
			r = buf_putc(&plain, meant);
			p += 2;
		} else if (*p == '\\' && p + 1 < end) {
			r = buf_append(&plain, p, 2);
			p += 2;
		} else {
			r = buf_putc(&plain, *p++);
		}
	}
	return r ? r
		 : text_escape(ret, plain.data ? plain.data : "", plain.len, TEXT_KEEP_NEWLINE | TEXT_KEEP_BACKSLASH);
}

void pin_show_lines(FILE *out, const char *text, const char *indent)
{
	for (const char *p = text; *p; p++) {
		putc(*p, out);
		if (*p == '\n')
			fputs(indent, out);
	}
	putc('\n', out);
}

static bool is_name(const struct definition *f, const char *path)
{
	return strcmp(path, f->kind == DEFINITION_TEMPLATE ? "uriTemplate" : "name") == 0;
}

static int show_field(FILE *out, const struct definition_field *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT(SHOWN_TEXT_MAX), path = BUF_INIT(SHOWN_TEXT_MAX);
	int r = pin_show_text(f->value, &text);

	if (r == 0)
		r = text_escape(&path, f->path, strlen(f->path), TEXT_KEEP_BACKSLASH);
	if (r < 0)
		return r;
	if (*f->path)
		fprintf(out, "%s%-*s  ", INDENT, PATH_WIDTH, path.data);
	else
		fputs(INDENT, out);
	pin_show_lines(out, text.data ? text.data : "", *f->path ? DEEPER : INDENT);
	return 0;
}

int pin_show_definition(FILE *out, const struct definition *f)
{
	char name[PIN_NAME_ROOM];
	int r = 0;

	pin_show_name(f, name, sizeof(name));
	fprintf(out, "%s\n", name);
	for (size_t i = 0; r == 0 && i < f->n; i++)
		if (!is_name(f, f->fields[i].path))
			r = show_field(out, &f->fields[i]);
	return r;
}

int pin_show_listing(FILE *out, const char *name, const struct pin_listing *l)
{
	const struct definitions *all = &l->set.definitions;
	char shown[128];
	int r = 0;

	fprintf(out, "%s defines %zu things", text_escape_str(name, shown, sizeof(shown)), all->n);
	/* Escaped by the shim. */
	if (l->server)
		fprintf(out, "; it calls itself %s %s", l->server, l->version ? l->version : "");
	if (l->protocol)
		fprintf(out, ", protocol %s", l->protocol);
	fputs(". All below are the server's own words.\n\n", out);
	for (size_t i = 0; r == 0 && i < all->n; i++)
		r = pin_show_definition(out, &all->v[i]);
	putc('\n', out);
	return r ? r : pin_show_findings(out, &l->found);
}

int pin_show_findings(FILE *out, const struct definitions *l)
{
	char name[PIN_NAME_ROOM], path[NAME_MAX_SHOWN], shown[NAME_MAX_SHOWN];
	bool any = false;

	for (size_t i = 0; i < l->n; i++)
		for (size_t j = 0; j < l->v[i].n_findings; j++) {
			const struct definition_finding *f = &l->v[i].findings[j];
			if (!any)
				fputs("The scan found what does not belong into a definition:\n", out);
			any = true;
			pin_show_name(&l->v[i], name, sizeof(name));
			/* Escaped already; once more costs a backslash and trusts nobody. */
			fprintf(out, "  %-6s %s: %s in %s, %s: %s\n", definition_severity_name(f->severity), f->rule,
				f->title, name, text_escape_str(f->path, path, sizeof(path)),
				text_escape_str(f->shown, shown, sizeof(shown)));
		}
	if (any)
		putc('\n', out);
	return ferror(out) ? -EIO : 0;
}

static int add_findings(json_t *all, const struct definition *d)
{
	for (size_t i = 0; i < d->n_findings; i++) {
		const struct definition_finding *f = &d->findings[i];
		json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "rule", f->rule, "severity",
			definition_severity_name(f->severity), "title", f->title, "kind",
			definition_kind_words(d->kind), "name", pin_show_name_json(d), "path", f->path, "shown",
			f->shown);
		if (json_array_append_new(all, one) < 0)
			return -ENOMEM;
	}
	return 0;
}

json_t *pin_show_findings_json(const struct definitions *l)
{
	json_t *all = json_array();
	int r = all ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < l->n; i++)
		r = add_findings(all, &l->v[i]);
	if (r == 0)
		return all;
	json_decref(all);
	return NULL;
}

json_t *pin_show_text_json(const char *lexeme)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHOWN_TEXT_MAX);

	if (!lexeme)
		return json_null();
	return pin_show_text(lexeme, &b) == 0 ? json_string(b.data ? b.data : "") : NULL;
}

json_t *pin_show_definition_json(const struct definition *f)
{
	char hex[2 * DEFINITION_DIGEST_BYTES + 1];
	json_t *fields = json_object();

	for (size_t i = 0; i < DEFINITION_DIGEST_BYTES; i++)
		snprintf(hex + 2 * i, 3, "%02x", f->digest[i]);
	for (size_t i = 0; fields && i < f->n; i++) {
		if (json_object_set_new(fields, f->fields[i].path, pin_show_text_json(f->fields[i].value)) == 0)
			continue;
		json_decref(fields);
		fields = NULL;
	}
	return fields ? json_pack("{s:s, s:o, s:s, s:o}", "kind", definition_kind_words(f->kind), "name",
				pin_show_name_json(f), "digest", hex, "fields", fields)
		      : NULL;
}

/* What the scan found is not in the set, which is what the file has. */
static json_t *listed_json(const struct pin_listing *l, size_t i)
{
	const struct definitions one = { .v = &l->found.v[i], .n = i < l->found.n ? 1 : 0 };
	json_t *object = pin_show_definition_json(&l->set.definitions.v[i]);

	if (object && json_object_set_new(object, "findings", pin_show_findings_json(&one)) == 0)
		return object;
	json_decref(object);
	return NULL;
}

json_t *pin_show_json(const struct pin_listing *l)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < l->set.definitions.n; i++) {
		if (json_array_append_new(all, listed_json(l, i)) == 0)
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}
