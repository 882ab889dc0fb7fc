/* SPDX-License-Identifier: Apache-2.0 */
/* shim_client - see shim_client.h */
#include "wire/shim_client.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "wire/net.h"

/* A name, a byte and a port. */
enum { HOST_BYTES_MIN = 4 + 1 + 4 };

static const char *const context_words[] = {
#define X(name, word) word,
	SHIM_CONTEXTS(X)
#undef X
};
_Static_assert(ARRAY_LEN(context_words) == SHIM_CONTEXT_COUNT, "a word for every context");

static const char *const level_words[] = {
#define X(name, word) word,
	SHIM_LEVELS(X)
#undef X
};
_Static_assert(ARRAY_LEN(level_words) == SHIM_LEVEL_COUNT, "a word for every level");

const char *shim_context_word(enum shim_context c)
{
	return (unsigned)c < SHIM_CONTEXT_COUNT ? context_words[c] : "unknown";
}

const char *shim_level_word(enum shim_level l)
{
	return (unsigned)l < SHIM_LEVEL_COUNT ? level_words[l] : "unknown";
}

int shim_client_add_host(struct shim_client *c, const char *name, bool below, uint16_t port)
{
	struct shim_elicitation *e = &c->elicitation;
	struct shim_host *more;

	if (e->n >= SHIM_HOSTS_MAX)
		return -E2BIG;
	more = reallocarray(e->hosts, e->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	e->hosts = more;
	more += e->n++;
	*more = (struct shim_host){ strdup(name), below, port };
	return more->name ? 0 : -ENOMEM;
}

const char *shim_host_text(const struct shim_host *h, char ret[SHIM_HOST_TEXT])
{
	snprintf(ret, SHIM_HOST_TEXT, "%s%.253s:%u", h->below ? "*." : "", h->name, (unsigned)h->port);
	return ret;
}

static bool has_punycode(const char *labels, size_t n)
{
	for (size_t i = 0; i + 4 <= n; i++)
		if ((i == 0 || labels[i - 1] == '.') && memcmp(labels + i, "xn--", 4) == 0)
			return true;
	return false;
}

static bool covers(const struct shim_host *h, const char *name)
{
	size_t n = strlen(name), own = strlen(h->name);

	if (!h->below)
		return strcmp(name, h->name) == 0;
	return n > own + 1 && name[n - own - 1] == '.' && strcmp(name + n - own, h->name) == 0 &&
	       !has_punycode(name, n - own - 1);
}

const struct shim_host *shim_client_host(const struct shim_client *c, const char *name, uint16_t port)
{
	for (size_t i = 0; i < c->elicitation.n; i++)
		if (c->elicitation.hosts[i].port == port && covers(&c->elicitation.hosts[i], name))
			return &c->elicitation.hosts[i];
	return NULL;
}

void shim_client_put(struct wire_writer *w, const struct shim_client *c)
{
	wire_put_u8(w, c->sampling.on);
	wire_put_u8(w, c->sampling.tools);
	wire_put_u8(w, (uint8_t)c->sampling.context);
	meters_put_rate(w, &c->sampling.rate);
	meters_put_bound(w, &c->sampling.max_tokens);
	wire_put_u8(w, c->elicitation.on);
	wire_put_u8(w, c->elicitation.no_form);
	meters_put_rate(w, &c->elicitation.rate);
	wire_put_u32(w, (uint32_t)c->elicitation.n);
	for (size_t i = 0; i < c->elicitation.n; i++) {
		wire_put_str(w, c->elicitation.hosts[i].name);
		wire_put_u8(w, c->elicitation.hosts[i].below);
		wire_put_u32(w, c->elicitation.hosts[i].port);
	}
	wire_put_u8(w, c->logging.off);
	wire_put_u8(w, (uint8_t)c->logging.level);
	wire_put_str(w, c->logging.where);
	meters_put_rate(w, &c->logging.rate);
}

static void get_hosts(struct wire_reader *r, struct shim_elicitation *ret)
{
	uint32_t n;

	ret->hosts = wire_get_array(r, HOST_BYTES_MIN, SHIM_HOSTS_MAX, sizeof(*ret->hosts), &n);
	for (; ret->n < n && !r->error; ret->n++) {
		struct shim_host *h = &ret->hosts[ret->n];
		uint32_t port;
		h->name = wire_get_str(r);
		h->below = wire_get_u8(r);
		port = wire_get_u32(r);
		h->port = (uint16_t)port;
		if (!h->name || !net_name_valid(h->name) || port == 0 || port > UINT16_MAX)
			wire_refuse(r);
	}
}

void shim_client_get(struct wire_reader *r, struct shim_client *ret)
{
	*ret = (struct shim_client){ 0 };
	ret->sampling.on = wire_get_u8(r);
	ret->sampling.tools = wire_get_u8(r);
	ret->sampling.context = wire_get_u8(r);
	meters_get_rate(r, &ret->sampling.rate);
	meters_get_bound(r, SHIM_TOKENS_MAX, &ret->sampling.max_tokens);
	ret->elicitation.on = wire_get_u8(r);
	ret->elicitation.no_form = wire_get_u8(r);
	meters_get_rate(r, &ret->elicitation.rate);
	get_hosts(r, &ret->elicitation);
	ret->logging.off = wire_get_u8(r);
	ret->logging.level = wire_get_u8(r);
	ret->logging.where = wire_get_str(r);
	meters_get_rate(r, &ret->logging.rate);
	if (ret->sampling.context >= SHIM_CONTEXT_COUNT || ret->logging.level >= SHIM_LEVEL_COUNT ||
		((ret->logging.off || ret->logging.level) && !ret->logging.where))
		wire_refuse(r);
}

/* Each string is copied or gone, so that the copy can be freed whatever came of it. */
static int own(char **text)
{
	if (!*text)
		return 0;
	*text = strdup(*text);
	return *text ? 0 : -ENOMEM;
}

int shim_client_copy(const struct shim_client *from, struct shim_client *ret)
{
	int r;

	*ret = *from;
	ret->elicitation.hosts = NULL;
	ret->elicitation.n = 0;
	r = own(&ret->sampling.rate.where);
	r |= own(&ret->sampling.max_tokens.where);
	r |= own(&ret->elicitation.rate.where);
	r |= own(&ret->logging.where);
	r |= own(&ret->logging.rate.where);
	for (size_t i = 0; r == 0 && i < from->elicitation.n; i++) {
		const struct shim_host *h = &from->elicitation.hosts[i];
		r = shim_client_add_host(ret, h->name, h->below, h->port);
	}
	return r ? -ENOMEM : 0;
}

void shim_client_done(struct shim_client *c)
{
	for (size_t i = 0; i < c->elicitation.n; i++)
		free(c->elicitation.hosts[i].name);
	free(c->elicitation.hosts);
	free(c->elicitation.rate.where);
	free(c->sampling.rate.where);
	free(c->sampling.max_tokens.where);
	free(c->logging.where);
	free(c->logging.rate.where);
	*c = (struct shim_client){ 0 };
}
