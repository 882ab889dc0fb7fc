/* SPDX-License-Identifier: Apache-2.0 */
/* names - see names.h */
#include "gateway/names.h"
#include <errno.h>
#include <search.h>
#include <string.h>

static int compare_text(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static int compare_address(const void *a, const void *b)
{
	const struct name_set *x = a, *y = b;

	if (x->address.family != y->address.family)
		return x->address.family < y->address.family ? -1 : 1;
	return memcmp(x->address.bytes, y->address.bytes, sizeof(x->address.bytes));
}

static void free_name(void *p)
{
	free(((struct name *)p)->text);
	free(p);
}

static void free_set(void *p)
{
	free(((struct name_set *)p)->names);
	free(p);
}

static struct name *find(const struct names *n, const char *text)
{
	struct name key = { .text = (char *)(uintptr_t)text };
	struct name **found = tfind(&key, &n->by_text, compare_text);

	return found ? *found : NULL;
}

const struct name_set *names_at(const struct names *n, const struct net_address *a)
{
	struct name_set key = { .address = *a };
	struct name_set **found = tfind(&key, &n->by_address, compare_address);

	return found ? *found : NULL;
}

static struct name_set *set_at(struct names *n, const struct net_address *a)
{
	struct name_set *s, **found;

	s = (struct name_set *)(uintptr_t)names_at(n, a);
	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->address = *a;
	found = tsearch(s, &n->by_address, compare_address);
	if (!found)
		free(s);
	return found ? s : NULL;
}

int names_add(struct names *n, const struct name *name, const struct net_address *a)
{
	struct name_set *s;
	const struct name **v;

	if (n->n_pairs >= NAMES_ADDRESSES_MAX + NET_GRANTS_MAX)
		return NAMES_FULL;
	s = set_at(n, a);
	if (!s)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++)
		if (s->names[i] == name)
			return 0;
	v = reallocarray(s->names, s->n + 1, sizeof(const struct name *)); /* a set holds few: the names of one host */
	if (!v)
		return -ENOMEM;
	s->names = v;
	v[s->n++] = name;
	n->n_pairs++;
	return 0;
}

static int insert(struct names *n, const char *text, const struct net_address *a, const struct name **ret)
{
	struct name *name = calloc(1, sizeof(*name));
	int r = 0;

	if (!name)
		return -ENOMEM;
	name->address = *a;
	name->text = strdup(text);
	if (!name->text || !tsearch(name, &n->by_text, compare_text)) {
		free_name(name);
		return -ENOMEM;
	}
	if (a->family)
		r = names_add(n, name, a);
	*ret = name;
	return r;
}

/* Two grants may name one host; its address is that of the first, as in net_layout. */
static int add_fixed(struct names *n)
{
	const struct name *name;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < n->config->n_grants; i++) {
		const struct net_grant *g = &n->config->grants[i];
		struct net_address a = { 0 };
		if (g->kind != NET_NAME || find(n, g->name))
			continue;
		if (n->config->addresses != NET_REAL)
			a = net_layout_fixed(n->layout, i);
		r = insert(n, g->name, &a, &name);
	}
	return r;
}

int names_init(struct names *n, const struct net_config *c, const struct net_layout *l)
{
	*n = (struct names){ .config = c, .layout = l };
	return add_fixed(n);
}

void names_done(struct names *n)
{
	tdestroy(n->by_address, free_set);
	tdestroy(n->by_text, free_name);
	*n = (struct names){ 0 };
}

bool names_granted(const struct names *n, const char *name)
{
	uint32_t grant = net_match_name(n->config, name, 0);

	if (grant == NET_NO_GRANT)
		return false;
	/* A resolver would add the host's search domains to one label, and another name would be looked up than was
	 * asked. */
	return n->config->grants[grant].kind != NET_ANY_NAME || strchr(name, '.');
}

int names_map(struct names *n, const char *text, const struct name **ret)
{
	struct net_address a = { 0 };
	int r;

	*ret = NULL;
	if (!names_granted(n, text))
		return NAMES_DENIED;
	*ret = find(n, text);
	if (*ret)
		return 0;
	if (n->n_wildcard >= n->config->limits.names)
		return NAMES_FULL;
	if (n->config->addresses != NET_REAL) {
		a = net_layout_nth(n->layout, (uint64_t)NET_FIXED_NAMES_FIRST + n->config->n_grants + n->n_wildcard);
		if (!a.family)
			return NAMES_FULL;
	}
	r = insert(n, text, &a, ret);
	if (r == 0)
		n->n_wildcard++;
	return r;
}
