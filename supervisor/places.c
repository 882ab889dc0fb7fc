/* SPDX-License-Identifier: Apache-2.0 */
/* places - see places.h */
#include "supervisor/places.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "supervisor/keys.h"

#define DEFAULT "the default"
#define CUT	", cut by "

/* Its row; NULL: there is no such key. */
static const struct key_row *row_of(const struct places *p, const char *key, size_t n)
{
	for (size_t i = 0; p->table && i < p->table->n; i++)
		if (strncmp(p->table->rows[i].path, key, n) == 0 && !p->table->rows[i].path[n])
			return &p->table->rows[i];
	return NULL;
}

/* Where the place of that row is kept. */
static int slot_of(struct places *p, const struct key_row *row, char ***ret)
{
	if (!row)
		return -EINVAL;
	if (!p->v)
		p->v = calloc(p->table->n, sizeof(*p->v));
	if (!p->v)
		return -ENOMEM;
	*ret = &p->v[row - p->table->rows];
	return 0;
}

int places_note(struct places *p, const struct key_row *row, const char *where)
{
	char **at;
	int r = slot_of(p, row, &at);

	if (r < 0 || *at)
		return r;
	*at = strdup(where);
	return *at ? 0 : -ENOMEM;
}

int places_set(struct places *p, const char *key, const char *where)
{
	char **at, *copy;
	int r = slot_of(p, row_of(p, key, strlen(key)), &at);

	if (r < 0)
		return r;
	copy = strdup(where);
	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

int place_cut(char **where, const char *key, const char *by)
{
	size_t n = *where ? strlen(*where) : 0, tail = strlen(CUT) + strlen(by);
	char *both = NULL;
	int r;

	if (n > tail && strncmp(*where + n - tail, CUT, strlen(CUT)) == 0 && strcmp(*where + n - strlen(by), by) == 0)
		return 0;
	if (*where)
		r = asprintf(&both, "%s" CUT "%s", *where, by);
	else if (key)
		r = asprintf(&both, DEFAULT " (%s)" CUT "%s", key, by);
	else
		r = asprintf(&both, DEFAULT CUT "%s", by);
	if (r < 0)
		return -ENOMEM;
	free(*where);
	*where = both;
	return 0;
}

int places_cut(struct places *p, const char *key, const char *by)
{
	char **at;
	int r = slot_of(p, row_of(p, key, strlen(key)), &at);

	return r < 0 ? r : place_cut(at, key, by);
}

/* The next key of the list: its length, 0 at the end. */
static size_t next_key(const char **keys)
{
	*keys += strspn(*keys, " ");
	return strcspn(*keys, " ");
}

static const char *set_by(const struct places *p, const struct key_row *row)
{
	return p->v ? p->v[row - p->table->rows] : NULL;
}

/* Those that somebody set, each with its place; or the names of all others. */
static int put_words(const struct places *p, const char *keys, bool defaults, struct buf *b)
{
	size_t n, put = 0;
	int r = 0;

	for (; r == 0 && (n = next_key(&keys)) > 0; keys += n) {
		const struct key_row *row = row_of(p, keys, n);
		const char *where = row ? set_by(p, row) : NULL;
		const char *first = b->len ? "; " DEFAULT " (" : DEFAULT " (";

		if (!row && p->table)
			return -EINVAL;
		if (!where != defaults)
			continue;
		r = defaults ? buf_printf(b, "%s%.*s", put ? ", " : first, (int)n, keys)
			     : buf_printf(b, "%s%s", put ? "; " : "", where);
		put++;
	}
	return r == 0 && defaults && put ? buf_putc(b, ')') : r;
}

int places_words(const struct places *p, const char *keys, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PLACES_WORDS_MAX);
	int r = put_words(p, keys, false, &b);

	if (r == 0)
		r = put_words(p, keys, true, &b);
	if (r == 0 && !b.len)
		return -EINVAL;
	*ret = r == 0 ? strdup(b.data) : NULL;
	return r == 0 && !*ret ? -ENOMEM : r;
}

void places_done(struct places *p)
{
	for (size_t i = 0; p->v && i < p->table->n; i++)
		free(p->v[i]);
	free(p->v);
	*p = (struct places){ 0 };
}
