/* SPDX-License-Identifier: Apache-2.0 */
/* strv - see strv.h */
#include "base/strv.h"
#include <errno.h>
#include <stdarg.h>
#include <string.h>

int strv_add_take(struct strv *s, char *str)
{
	_cleanup_free_ char *own = str;
	char **v;

	if (!own)
		return -ENOMEM;
	if (s->n >= STRV_MAX)
		return -E2BIG;
	/* Grow at powers of two only: n and n + 1 always leave room for the NULL. */
	if ((s->n & (s->n + 1)) == 0) {
		v = reallocarray(s->v, 2 * s->n + 2, sizeof(*v));
		if (!v)
			return -ENOMEM;
		s->v = v;
	}
	s->v[s->n++] = STEAL_PTR(own);
	s->v[s->n] = NULL;
	return 0;
}

int strv_add(struct strv *s, const char *str)
{
	return strv_add_take(s, strdup(str));
}

int strv_addf(struct strv *s, const char *fmt, ...)
{
	char *str = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&str, fmt, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : strv_add_take(s, str);
}

int strv_extend(struct strv *s, char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = strv_add(s, v[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

bool strv_contains(const struct strv *s, const char *str)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i], str) == 0)
			return true;
	return false;
}

static char **env_find(const struct strv *s, const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->v[i], name, len) == 0 && s->v[i][len] == '=')
			return &s->v[i];
	return NULL;
}

const char *strv_env_get(const struct strv *s, const char *name)
{
	char **slot = env_find(s, name);

	return slot ? *slot + strlen(name) + 1 : NULL;
}

int strv_env_set(struct strv *s, const char *name, const char *value)
{
	char **slot = env_find(s, name);
	char *entry = NULL;

	if (asprintf(&entry, "%s=%s", name, value) < 0)
		return -ENOMEM;
	if (!slot)
		return strv_add_take(s, entry);
	free(*slot);
	*slot = entry;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strv_sort(struct strv *s)
{
	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), compare);
}

void strv_done(struct strv *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i]);
	free(s->v);
	*s = (struct strv){ 0 };
}
