/* SPDX-License-Identifier: Apache-2.0 */
/* known - see known.h */
#include "dial/known.h"
#include <errno.h>
#include <string.h>

struct pair {
	struct pair *next;
	struct net_address address;
	char name[];
};

struct known {
	struct pair *buckets[KNOWN_BUCKETS];
	size_t n;
};

/* FNV-1a; the names are the profile's or below its wildcards, and KNOWN_MAX bounds what a bad spread can cost. */
static size_t bucket(const char *name)
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	return h % KNOWN_BUCKETS;
}

int known_new(struct known **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void known_free(struct known *k)
{
	for (size_t i = 0; k && i < KNOWN_BUCKETS; i++)
		while (k->buckets[i]) {
			struct pair *p = k->buckets[i];
			k->buckets[i] = p->next;
			free(p);
		}
	free(k);
}

bool known_has(const struct known *k, const char *name, const struct net_address *a)
{
	for (const struct pair *p = k->buckets[bucket(name)]; p; p = p->next)
		if (net_address_equal(&p->address, a) && strcmp(p->name, name) == 0)
			return true;
	return false;
}

int known_add(struct known *k, const char *name, const struct net_address *a)
{
	size_t b = bucket(name), len = strlen(name) + 1;
	struct pair *p;

	if (known_has(k, name, a))
		return 0;
	if (k->n >= KNOWN_MAX)
		return -ENOSPC;
	p = malloc(sizeof(*p) + len);
	if (!p)
		return -ENOMEM;
	p->next = k->buckets[b];
	p->address = *a;
	memcpy(p->name, name, len);
	k->buckets[b] = p;
	k->n++;
	return 0;
}
