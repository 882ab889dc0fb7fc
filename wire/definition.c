/* SPDX-License-Identifier: Apache-2.0 */
/* definition - see definition.h */
#include "wire/definition.h"
#include <errno.h>
#include <string.h>

enum {
	FIELD_MIN = 2 * sizeof(uint32_t),
	FINDING_MIN = 1 + 4 * sizeof(uint32_t),
	ITEM_MIN = 1 + 4 * sizeof(uint32_t) + DEFINITION_DIGEST_BYTES
};

static const char *const kinds[] = {
	[DEFINITION_TOOL] = "tool",
	[DEFINITION_PROMPT] = "prompt",
	[DEFINITION_TEMPLATE] = "resource template",
	[DEFINITION_INSTRUCTIONS] = "instructions",
};
_Static_assert(ARRAY_LEN(kinds) == DEFINITION_KIND_COUNT, "words for every kind");

const char *definition_kind_words(enum definition_kind k)
{
	return (unsigned)k < DEFINITION_KIND_COUNT ? kinds[k] : "definition";
}

static const char *const severities[] = {
	[DEFINITION_INFO] = "info",
	[DEFINITION_LOW] = "low",
	[DEFINITION_MEDIUM] = "medium",
	[DEFINITION_HIGH] = "high",
};
_Static_assert(ARRAY_LEN(severities) == DEFINITION_SEVERITY_COUNT, "a name for every severity");

const char *definition_severity_name(enum definition_severity v)
{
	return (unsigned)v < DEFINITION_SEVERITY_COUNT ? severities[v] : "unknown";
}

static void put_definition(struct wire_writer *w, const struct definition *d)
{
	wire_put_u8(w, (uint8_t)d->kind);
	wire_put_str(w, d->name);
	wire_put_bytes(w, d->digest, sizeof(d->digest));
	wire_put_u32(w, (uint32_t)d->n);
	for (size_t i = 0; i < d->n; i++) {
		wire_put_str(w, d->fields[i].path);
		wire_put_str(w, d->fields[i].value);
	}
	wire_put_u32(w, (uint32_t)d->n_findings);
	for (size_t i = 0; i < d->n_findings; i++) {
		wire_put_u8(w, (uint8_t)d->findings[i].severity);
		wire_put_str(w, d->findings[i].rule);
		wire_put_str(w, d->findings[i].title);
		wire_put_str(w, d->findings[i].path);
		wire_put_str(w, d->findings[i].shown);
	}
}

int definitions_encode(const struct definitions *l, struct wire_writer *w)
{
	wire_begin(w, WIRE_DEFINITIONS, DEFINITIONS_BYTES_MAX);
	wire_put_str(w, l->failure);
	wire_put_str(w, l->server);
	wire_put_str(w, l->version);
	wire_put_str(w, l->protocol);
	wire_put_u32(w, (uint32_t)l->n);
	for (size_t i = 0; i < l->n; i++)
		put_definition(w, &l->v[i]);
	return wire_finish(w);
}

static void get_fields(struct wire_reader *r, struct definition *d)
{
	uint32_t n;

	d->fields = wire_get_array(r, FIELD_MIN, DEFINITION_FIELDS_MAX, sizeof(*d->fields), &n);
	for (; d->n < n && !r->error; d->n++) {
		struct definition_field *f = &d->fields[d->n];
		f->path = wire_get_str(r);
		f->value = wire_get_str(r);
		if (!f->path || !f->value)
			wire_refuse(r);
	}
}

static void get_findings(struct wire_reader *r, struct definition *d)
{
	uint32_t n;

	d->findings = wire_get_array(r, FINDING_MIN, DEFINITION_FINDINGS_MAX, sizeof(*d->findings), &n);
	for (; d->n_findings < n && !r->error; d->n_findings++) {
		struct definition_finding *f = &d->findings[d->n_findings];
		f->severity = wire_get_u8(r);
		f->rule = wire_get_str(r);
		f->title = wire_get_str(r);
		f->path = wire_get_str(r);
		f->shown = wire_get_str(r);
		if (f->severity >= DEFINITION_SEVERITY_COUNT || !f->rule || !f->title || !f->path || !f->shown)
			wire_refuse(r);
	}
}

static void get_definition(struct wire_reader *r, struct definition *d)
{
	d->kind = wire_get_u8(r);
	d->name = wire_get_str(r);
	wire_get_exactly(r, d->digest, sizeof(d->digest));
	get_fields(r, d);
	get_findings(r, d);
	if (!r->error && (d->kind >= DEFINITION_KIND_COUNT || !d->name))
		r->error = -EPROTO;
}

int definitions_decode(const void *bytes, size_t n, struct definitions *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_DEFINITIONS);
	uint32_t count;

	*ret = (struct definitions){ 0 };
	if (e < 0)
		return e;
	ret->failure = wire_get_str(&r);
	ret->server = wire_get_str(&r);
	ret->version = wire_get_str(&r);
	ret->protocol = wire_get_str(&r);
	count = wire_get_count(&r, ITEM_MIN);
	for (uint32_t i = 0; i < count && !r.error; i++) {
		struct definition *d;
		e = definitions_add(ret, &d);
		if (e < 0)
			r.error = e == -E2BIG ? -EPROTO : e;
		else
			get_definition(&r, d);
	}
	e = wire_close(&r);
	if (e < 0)
		definitions_done(ret);
	return e;
}

int definitions_add(struct definitions *l, struct definition **ret)
{
	if (l->n >= DEFINITIONS_MAX)
		return -E2BIG;
	/* Doubled at each power of two. */
	if ((l->n & (l->n - 1)) == 0) {
		struct definition *v = reallocarray(l->v, l->n ? 2 * l->n : 1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		l->v = v;
	}
	*ret = &l->v[l->n++];
	**ret = (struct definition){ 0 };
	return 0;
}

static size_t size_of(const char *s)
{
	return sizeof(uint32_t) + strlen(s);
}

size_t definition_size(const struct definition *d)
{
	size_t n = ITEM_MIN + strlen(d->name);

	for (size_t i = 0; i < d->n; i++)
		n += size_of(d->fields[i].path) + size_of(d->fields[i].value);
	for (size_t i = 0; i < d->n_findings; i++) {
		const struct definition_finding *f = &d->findings[i];
		n += 1 + size_of(f->rule) + size_of(f->title) + size_of(f->path) + size_of(f->shown);
	}
	return n;
}

int definition_compare(const struct definition *a, const struct definition *b)
{
	return a->kind != b->kind ? (a->kind < b->kind ? -1 : 1) : strcmp(a->name, b->name);
}

static int compare(const void *a, const void *b)
{
	return definition_compare(a, b);
}

void definitions_sort(struct definitions *l)
{
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

void definitions_done(struct definitions *l)
{
	for (size_t i = 0; i < l->n; i++) {
		for (size_t j = 0; j < l->v[i].n; j++) {
			free(l->v[i].fields[j].path);
			free(l->v[i].fields[j].value);
		}
		free(l->v[i].fields);
		for (size_t j = 0; j < l->v[i].n_findings; j++) {
			free(l->v[i].findings[j].rule);
			free(l->v[i].findings[j].title);
			free(l->v[i].findings[j].path);
			free(l->v[i].findings[j].shown);
		}
		free(l->v[i].findings);
		free(l->v[i].name);
	}
	free(l->v);
	free(l->failure);
	free(l->server);
	free(l->version);
	free(l->protocol);
	*l = (struct definitions){ 0 };
}
