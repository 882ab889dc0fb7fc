/* SPDX-License-Identifier: Apache-2.0 */
/* literals - strings that are found anywhere in the folded text, each sought at the rarest of its bytes */
#include <string.h>
#include "scan/work.h"

struct literal {
	const char *text;
	uint8_t n, anchor; /* its length, and where the byte is that it is sought by */
	uint16_t rule;
};
#include "scan_literals.inc"

static void hit(struct scan *s, const struct literal *l, size_t at)
{
	if (l->rule != SECRET_LITERAL) {
		found_folded(s, l->rule, at, l->n);
		return;
	}
	if (s->n_secrets < SECRETS_MAX)
		s->secrets[s->n_secrets++] = (struct secret_place){ (uint32_t)at, (uint32_t)(at + l->n) };
}

static void sort_secrets(struct scan *s)
{
	for (size_t i = 1; i < s->n_secrets; i++)
		for (size_t j = i; j > 0 && s->secrets[j].at < s->secrets[j - 1].at; j--) {
			struct secret_place t = s->secrets[j];
			s->secrets[j] = s->secrets[j - 1];
			s->secrets[j - 1] = t;
		}
}

/* The next byte from there on that any is sought by. */
static size_t next_anchor(const struct scan *s, size_t i)
{
	const unsigned char *p = (const unsigned char *)s->folded;

	while (s->folded_len - i >= 4 &&
		!(literal_any[p[i]] | literal_any[p[i + 1]] | literal_any[p[i + 2]] | literal_any[p[i + 3]]))
		i += 4;
	while (i < s->folded_len && !literal_any[p[i]])
		i++;
	return i;
}

void scan_literals(struct scan *s)
{
	s->n_secrets = 0;
	for (size_t i = next_anchor(s, 0); i < s->folded_len; i = next_anchor(s, i + 1)) {
		unsigned char c = (unsigned char)s->folded[i];
		for (size_t k = literal_first[c]; k < literal_first[c + 1]; k++) {
			const struct literal *l = &literals[k];
			size_t at = i - l->anchor;
			if (i < l->anchor || s->folded_len - at < l->n)
				continue;
			/* A byte tells most of them from the text, sooner than a call does. */
			if (s->folded[at + l->n - 1] == l->text[l->n - 1] && memcmp(s->folded + at, l->text, l->n) == 0)
				hit(s, l, at);
		}
	}
	sort_secrets(s);
}
