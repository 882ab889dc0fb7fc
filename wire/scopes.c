/* SPDX-License-Identifier: Apache-2.0 */
/* scopes - see scopes.h */
#include "wire/scopes.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/glob.h"

/* A name, a byte and a name; a number and two names. */
enum { SCOPE_BYTES_MIN = 4 + 1 + 4, GLOB_BYTES_MIN = 4 + 4 + 4 };

static const char *const known[] = {
	[SCOPE_READ] = "read",
	[SCOPE_WRITE] = "write",
	[SCOPE_DESTRUCTIVE] = "destructive",
};
_Static_assert(ARRAY_LEN(known) == SCOPE_KNOWN, "a name for every known scope");
_Static_assert(SCOPES_MAX >= (int)SCOPE_KNOWN && SCOPES_MAX <= 32, "a set of scopes is 32 bits");

void scopes_put(struct wire_writer *w, const struct scopes *s)
{
	wire_put_str(w, s->where);
	wire_put_str(w, s->allowed_where);
	wire_put_u64(w, s->lift_max_s);
	wire_put_u32(w, (uint32_t)s->n);
	for (size_t i = 0; i < s->n; i++) {
		wire_put_str(w, s->v[i].name);
		wire_put_u8(w, s->v[i].allowed);
		wire_put_str(w, s->v[i].lift);
	}
	wire_put_u32(w, (uint32_t)s->n_globs);
	for (size_t i = 0; i < s->n_globs; i++) {
		wire_put_u32(w, s->globs[i].scope);
		wire_put_str(w, s->globs[i].glob);
		wire_put_str(w, s->globs[i].where);
	}
}

static void get_scopes(struct wire_reader *r, struct scopes *ret)
{
	uint32_t n;

	ret->v = wire_get_array(r, SCOPE_BYTES_MIN, SCOPES_MAX, sizeof(*ret->v), &n);
	for (; ret->n < n && !r->error; ret->n++) {
		struct scope *x = &ret->v[ret->n];
		x->name = wire_get_str(r);
		x->allowed = wire_get_u8(r);
		x->lift = wire_get_str(r);
		if (!x->name || !scopes_name_valid(x->name) ||
			(ret->n < SCOPE_KNOWN && strcmp(x->name, known[ret->n]) != 0))
			wire_refuse(r);
	}
}

static void get_globs(struct wire_reader *r, struct scopes *ret)
{
	uint32_t n;

	ret->globs = wire_get_array(r, GLOB_BYTES_MIN, SCOPES_GLOBS_MAX, sizeof(*ret->globs), &n);
	for (; ret->n_globs < n && !r->error; ret->n_globs++) {
		struct scope_glob *x = &ret->globs[ret->n_globs];
		x->scope = wire_get_u32(r);
		x->glob = wire_get_str(r);
		x->where = wire_get_str(r);
		if (x->scope >= ret->n || !x->glob || !x->where)
			wire_refuse(r);
	}
}

void scopes_get(struct wire_reader *r, struct scopes *ret)
{
	ret->where = wire_get_str(r);
	ret->allowed_where = wire_get_str(r);
	ret->lift_max_s = wire_get_u64(r);
	get_scopes(r, ret);
	get_globs(r, ret);
	/* The known ones are what annotations lead to, so they are there whenever there are any. */
	if (ret->where ? ret->n < SCOPE_KNOWN || !ret->allowed_where : ret->n || ret->n_globs)
		wire_refuse(r);
	if (ret->lift_max_s > SCOPES_TIME_MAX)
		wire_refuse(r);
}

static char *copy(const char *s, int *error)
{
	char *c = s ? strdup(s) : NULL;

	*error |= s && !c;
	return c;
}

int scopes_copy(const struct scopes *from, struct scopes *ret)
{
	int error = 0;

	*ret = (struct scopes){ .where = copy(from->where, &error),
		.allowed_where = copy(from->allowed_where, &error),
		.lift_max_s = from->lift_max_s };
	ret->v = from->n ? calloc(from->n, sizeof(*ret->v)) : NULL;
	ret->globs = from->n_globs ? calloc(from->n_globs, sizeof(*ret->globs)) : NULL;
	if ((from->n && !ret->v) || (from->n_globs && !ret->globs))
		return -ENOMEM;
	for (; ret->n < from->n; ret->n++) {
		const struct scope *x = &from->v[ret->n];
		ret->v[ret->n] = (struct scope){ copy(x->name, &error), x->allowed, copy(x->lift, &error) };
	}
	for (; ret->n_globs < from->n_globs; ret->n_globs++) {
		const struct scope_glob *x = &from->globs[ret->n_globs];
		ret->globs[ret->n_globs] =
			(struct scope_glob){ x->scope, copy(x->glob, &error), copy(x->where, &error) };
	}
	return error ? -ENOMEM : 0;
}

void scopes_done(struct scopes *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].lift);
	}
	for (size_t i = 0; i < s->n_globs; i++) {
		free(s->globs[i].glob);
		free(s->globs[i].where);
	}
	free(s->v);
	free(s->globs);
	free(s->where);
	free(s->allowed_where);
	*s = (struct scopes){ 0 };
}

bool scopes_name_valid(const char *name)
{
	size_t n = strlen(name);

	return n > 0 && n <= SCOPES_NAME_MAX && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

int scopes_find(const struct scopes *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

static int add(struct scopes *s, const char *name)
{
	struct scope *more;

	if (s->n >= SCOPES_MAX)
		return -E2BIG;
	more = reallocarray(s->v, s->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->v = more;
	more[s->n] = (struct scope){ .name = strdup(name) };
	return more[s->n].name ? (int)s->n++ : -ENOMEM;
}

int scopes_add(struct scopes *s, const char *name)
{
	int r = 0;

	while (r >= 0 && s->n < SCOPE_KNOWN)
		r = add(s, known[s->n]);
	if (r < 0)
		return r;
	r = scopes_find(s, name);
	return r >= 0 ? r : add(s, name);
}

int scopes_add_glob(struct scopes *s, uint32_t scope, const char *glob, char *where)
{
	_cleanup_free_ char *own = where;
	struct scope_glob *more;
	char *text;

	if (s->n_globs >= SCOPES_GLOBS_MAX)
		return -E2BIG;
	more = reallocarray(s->globs, s->n_globs + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->globs = more;
	text = strdup(glob);
	if (!text)
		return -ENOMEM;
	more[s->n_globs++] = (struct scope_glob){ scope, text, STEAL_PTR(own) };
	return 0;
}

/* The strictest of the known ones in the set, as a bit; 0: none of them. */
static uint32_t strictest(uint32_t set)
{
	for (unsigned i = SCOPE_KNOWN; i-- > 0;)
		if (set >> i & 1)
			return UINT32_C(1) << i;
	return 0;
}

uint32_t scopes_need(const struct scopes *s, const char *tool, size_t len, enum scope_known says)
{
	uint32_t set = 0, said = UINT32_C(1) << says;

	if (!s->where)
		return 0;
	for (size_t i = 0; i < s->n_globs; i++)
		if (!(set >> s->globs[i].scope & 1) && glob_match(s->globs[i].glob, tool, len))
			set |= UINT32_C(1) << s->globs[i].scope;
	if (set == 0)
		return UINT32_C(1) << SCOPE_DESTRUCTIVE;
	return says > SCOPE_READ && said > strictest(set) ? set | said : set;
}

uint32_t scopes_allowed(const struct scopes *s)
{
	uint32_t set = 0;

	for (size_t i = 0; i < s->n; i++)
		set |= (uint32_t)s->v[i].allowed << i;
	return set;
}

uint32_t scopes_liftable(const struct scopes *s)
{
	uint32_t set = 0;

	for (size_t i = 0; i < s->n; i++)
		set |= (uint32_t)(s->v[i].lift != NULL) << i;
	return set;
}

const char *scopes_rule(const struct scopes *s, const char *tool, size_t len, uint32_t scope)
{
	for (size_t i = 0; i < s->n_globs; i++)
		if (s->globs[i].scope == scope && glob_match(s->globs[i].glob, tool, len))
			return s->globs[i].where;
	return NULL;
}

unsigned scopes_first(uint32_t set)
{
	unsigned i = 0;

	while (!(set >> i & 1))
		i++;
	return i;
}

enum scopes_why scopes_why(
	const struct scopes *s, const char *tool, size_t len, uint32_t missing, const char **ret_rule)
{
	unsigned first = scopes_first(missing);
	const char *rule = scopes_rule(s, tool, len, first);

	*ret_rule = rule ? rule : s->where;
	if (rule)
		return SCOPES_LISTED;
	return scopes_need(s, tool, len, SCOPE_READ) >> first & 1 ? SCOPES_UNLISTED : SCOPES_SAID;
}

const char *scopes_words(const struct scopes *s, uint32_t set, char *ret, size_t size)
{
	size_t at = 0;

	*ret = '\0';
	for (size_t i = 0; i < s->n && at < size; i++)
		if (set >> i & 1)
			at += (size_t)snprintf(ret + at, size - at, "%s%s", at ? "," : "", s->v[i].name);
	return ret;
}
