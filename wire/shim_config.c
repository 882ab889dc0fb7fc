/* SPDX-License-Identifier: Apache-2.0 */
/* shim_config - see shim_config.h */
#include "wire/shim_config.h"
#include <errno.h>
#include <string.h>
#include "base/glob.h"

enum {
	SHIM_RULE_MIN = 9,
	SHIM_ARGUMENT_RULE_MIN = 13,
	SHIM_PIN_MIN = 1 + 2 * sizeof(uint32_t) + DEFINITION_DIGEST_BYTES
};

static void put_list(struct wire_writer *w, const struct shim_rules *r)
{
	wire_put_u8(w, r->restricted);
	wire_put_str(w, r->otherwise);
	wire_put_u32(w, (uint32_t)r->n);
	for (size_t i = 0; i < r->n; i++) {
		wire_put_u8(w, r->rules[i].allow);
		wire_put_str(w, r->rules[i].glob);
		wire_put_str(w, r->rules[i].where);
	}
	wire_put_u8(w, r->ceiling != NULL);
}

static void put_rules(struct wire_writer *w, const struct shim_rules *r)
{
	for (; r; r = r->ceiling)
		put_list(w, r);
}

static void put_arguments(struct wire_writer *w, const struct shim_arguments *a)
{
	wire_put_str(w, a->strict);
	wire_put_u32(w, (uint32_t)a->n);
	for (size_t i = 0; i < a->n; i++) {
		wire_put_str(w, a->rules[i].glob);
		wire_put_str(w, a->rules[i].schema);
		wire_put_str(w, a->rules[i].where);
		wire_put_u8(w, a->rules[i].strict);
	}
}

static void put_pins(struct wire_writer *w, const struct shim_pins *p)
{
	wire_put_u8(w, p->on);
	wire_put_str(w, p->where);
	wire_put_u32(w, (uint32_t)p->n);
	for (size_t i = 0; i < p->n; i++) {
		wire_put_u8(w, (uint8_t)p->v[i].kind);
		wire_put_str(w, p->v[i].name);
		wire_put_bytes(w, p->v[i].digest, sizeof(p->v[i].digest));
	}
}

static void put_scan(struct wire_writer *w, const struct shim_scan *s)
{
	wire_put_str(w, s->withhold);
	wire_put_strv(w, s->others.v, s->others.n);
}

int shim_config_encode(const struct shim_config *c, struct wire_writer *w)
{
	wire_begin(w, WIRE_SHIM_CONFIG, SHIM_CONFIG_BYTES_MAX);
	wire_put_str(w, c->name);
	wire_put_u32(w, c->uid);
	wire_put_u32(w, c->gid);
	wire_put_str(w, c->stderr_prefix);
	wire_put_u64(w, c->line_max);
	wire_put_u64(w, c->server_line_max);
	wire_put_u64(w, c->observe_until_us);
	wire_put_u8(w, (uint8_t)c->args);
	wire_put_bytes(w, c->salt, sizeof(c->salt));
	for (size_t i = 0; i < SHIM_SCOPE_COUNT; i++)
		put_rules(w, &c->scope[i]);
	shim_client_put(w, &c->client);
	wire_put_u8(w, c->listing);
	put_pins(w, &c->pins);
	wire_put_strv(w, c->roots.v, c->roots.n);
	put_arguments(w, &c->arguments);
	put_scan(w, &c->scan);
	meters_put(w, &c->meters);
	scopes_put(w, &c->scopes);
	shim_text_put(w, &c->text);
	return wire_finish(w);
}

/* Is there another above it? */
static bool get_list(struct wire_reader *r, struct shim_rules *ret)
{
	uint32_t n;

	ret->restricted = wire_get_u8(r);
	ret->otherwise = wire_get_str(r);
	ret->rules = wire_get_array(r, SHIM_RULE_MIN, SHIM_RULES_MAX, sizeof(*ret->rules), &n);
	for (; ret->n < n && !r->error; ret->n++) {
		struct shim_rule *rule = &ret->rules[ret->n];
		rule->allow = wire_get_u8(r);
		rule->glob = wire_get_str(r);
		rule->where = wire_get_str(r);
		if (!rule->glob || !rule->where)
			wire_refuse(r);
	}
	return wire_get_u8(r) && !r->error;
}

static void get_rules(struct wire_reader *r, struct shim_rules *ret)
{
	for (unsigned i = 0; get_list(r, ret); i++) {
		ret->ceiling = i < SHIM_CEILINGS_MAX ? calloc(1, sizeof(*ret->ceiling)) : NULL;
		if (!ret->ceiling) {
			wire_refuse(r);
			return;
		}
		ret = ret->ceiling;
	}
}

static void get_pins(struct wire_reader *r, struct shim_pins *ret)
{
	uint32_t n;

	ret->on = wire_get_u8(r);
	ret->where = wire_get_str(r);
	ret->v = wire_get_array(r, SHIM_PIN_MIN, DEFINITIONS_MAX, sizeof(*ret->v), &n);
	if ((ret->on && !ret->where) || (n > 0 && !ret->on))
		wire_refuse(r);
	for (; ret->n < n && !r->error; ret->n++) {
		struct shim_pin *p = &ret->v[ret->n];
		p->kind = wire_get_u8(r);
		p->name = wire_get_str(r);
		wire_get_exactly(r, p->digest, sizeof(p->digest));
		if (!p->name || p->kind >= DEFINITION_KIND_COUNT)
			wire_refuse(r);
		/* They are looked up by halves. */
		else if (ret->n > 0 && shim_pin_compare(p - 1, p->kind, p->name, strlen(p->name)) >= 0)
			r->error = -EPROTO;
	}
}

static void get_strv(struct wire_reader *r, struct strv *ret)
{
	uint32_t n = wire_get_count(r, sizeof(uint32_t));

	for (uint32_t i = 0; i < n && !r->error; i++) {
		int e = strv_add_take(ret, wire_get_str(r));
		if (e < 0)
			wire_refuse(r);
	}
}

static void get_scan(struct wire_reader *r, struct shim_scan *ret)
{
	size_t bytes = 0;

	ret->withhold = wire_get_str(r);
	get_strv(r, &ret->others);
	for (size_t i = 0; i < ret->others.n; i++)
		bytes += strlen(ret->others.v[i]);
	if (ret->others.n > SHIM_OTHERS_MAX || bytes > SHIM_OTHERS_BYTES_MAX)
		wire_refuse(r);
}

static void get_arguments(struct wire_reader *r, struct shim_arguments *ret)
{
	uint32_t n;

	ret->strict = wire_get_str(r);
	ret->rules = wire_get_array(r, SHIM_ARGUMENT_RULE_MIN, SHIM_ARGUMENTS_MAX, sizeof(*ret->rules), &n);
	for (; ret->n < n && !r->error; ret->n++) {
		struct shim_argument_rule *rule = &ret->rules[ret->n];
		rule->glob = wire_get_str(r);
		rule->schema = wire_get_str(r);
		rule->where = wire_get_str(r);
		rule->strict = wire_get_u8(r);
		if (!rule->glob || !rule->where)
			wire_refuse(r);
	}
}

int shim_config_decode(const void *bytes, size_t n, struct shim_config *ret)
{
	struct wire_reader r;
	int e = wire_open(&r, bytes, n, WIRE_SHIM_CONFIG);

	*ret = (struct shim_config){ 0 };
	if (e < 0)
		return e;
	ret->name = wire_get_str(&r);
	ret->uid = wire_get_u32(&r);
	ret->gid = wire_get_u32(&r);
	ret->stderr_prefix = wire_get_str(&r);
	ret->line_max = wire_get_u64(&r);
	ret->server_line_max = wire_get_u64(&r);
	ret->observe_until_us = wire_get_u64(&r);
	ret->args = wire_get_u8(&r);
	wire_get_exactly(&r, ret->salt, sizeof(ret->salt));
	for (size_t i = 0; i < SHIM_SCOPE_COUNT; i++)
		get_rules(&r, &ret->scope[i]);
	shim_client_get(&r, &ret->client);
	ret->listing = wire_get_u8(&r);
	get_pins(&r, &ret->pins);
	get_strv(&r, &ret->roots);
	get_arguments(&r, &ret->arguments);
	get_scan(&r, &ret->scan);
	meters_get(&r, &ret->meters);
	scopes_get(&r, &ret->scopes);
	shim_text_get(&r, &ret->text);
	e = wire_close(&r);
	if (e == 0 && (!ret->name || !wire_id_is_safe(ret->uid) || !wire_id_is_safe(ret->gid) || !ret->stderr_prefix ||
			      ret->line_max == 0 || ret->line_max > SHIM_LINE_MAX ||
			      ret->server_line_max > SHIM_LINE_MAX || ret->args > SHIM_ARGS_FULL))
		e = -EPROTO;
	if (e < 0)
		shim_config_done(ret);
	return e;
}

static void list_done(struct shim_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->rules[i].glob);
		free(r->rules[i].where);
	}
	free(r->rules);
	free(r->otherwise);
}

void shim_rules_done(struct shim_rules *r)
{
	struct shim_rules *above = r->ceiling;

	list_done(r);
	*r = (struct shim_rules){ 0 };
	while (above) {
		struct shim_rules *next = above->ceiling;
		list_done(above);
		free(above);
		above = next;
	}
}

static int list_copy(const struct shim_rules *from, struct shim_rules *to)
{
	*to = (struct shim_rules){ .restricted = from->restricted };
	to->otherwise = from->otherwise ? strdup(from->otherwise) : NULL;
	to->rules = from->n ? calloc(from->n, sizeof(*to->rules)) : NULL;
	if ((from->otherwise && !to->otherwise) || (from->n && !to->rules))
		return -ENOMEM;
	for (; to->n < from->n; to->n++) {
		struct shim_rule *r = &to->rules[to->n];
		*r = (struct shim_rule){ from->rules[to->n].allow, strdup(from->rules[to->n].glob),
			strdup(from->rules[to->n].where) };
		if (!r->glob || !r->where) {
			to->n++;
			return -ENOMEM;
		}
	}
	return 0;
}

int shim_rules_copy(const struct shim_rules *from, struct shim_rules *ret)
{
	int r = list_copy(from, ret);

	for (; r == 0 && (from = from->ceiling); ret = ret->ceiling) {
		ret->ceiling = calloc(1, sizeof(*ret->ceiling));
		r = ret->ceiling ? list_copy(from, ret->ceiling) : -ENOMEM;
		if (r < 0)
			break;
	}
	return r;
}

void shim_arguments_done(struct shim_arguments *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->rules[i].glob);
		free(a->rules[i].schema);
		free(a->rules[i].where);
	}
	free(a->rules);
	free(a->strict);
	*a = (struct shim_arguments){ 0 };
}

static void pins_done(struct shim_pins *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i].name);
	free(p->v);
	free(p->where);
	*p = (struct shim_pins){ 0 };
}

int shim_pin_compare(const struct shim_pin *p, enum definition_kind kind, const char *name, size_t len)
{
	size_t own = strlen(p->name), n = own < len ? own : len;
	int order = p->kind != kind ? (p->kind < kind ? -1 : 1) : 0;

	if (order == 0 && n > 0)
		order = memcmp(p->name, name, n);
	return order ? order : own < len ? -1 : own > len;
}

const struct shim_pin *shim_pins_find(
	const struct shim_pins *p, enum definition_kind kind, const char *name, size_t len)
{
	size_t from = 0, to = p->n;

	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = shim_pin_compare(&p->v[middle], kind, name, len);
		if (order == 0)
			return &p->v[middle];
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return NULL;
}

void shim_config_done(struct shim_config *c)
{
	pins_done(&c->pins);
	for (size_t i = 0; i < SHIM_SCOPE_COUNT; i++)
		shim_rules_done(&c->scope[i]);
	strv_done(&c->roots);
	shim_arguments_done(&c->arguments);
	free(c->scan.withhold);
	strv_done(&c->scan.others);
	meters_done(&c->meters);
	shim_client_done(&c->client);
	scopes_done(&c->scopes);
	shim_text_done(&c->text);
	free(c->name);
	free(c->stderr_prefix);
	*c = (struct shim_config){ 0 };
}

/* The first rule of the sort that matches, or NULL. */
static const struct shim_rule *match(const struct shim_rules *r, bool allow, const char *name, size_t len)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->rules[i].allow == allow && glob_match(r->rules[i].glob, name, len))
			return &r->rules[i];
	return NULL;
}

const struct shim_rule *shim_rules_match(const struct shim_rules *r, const char *name, size_t len, bool *ret_allowed)
{
	const struct shim_rule *rule = match(r, false, name, len);

	if (rule) {
		*ret_allowed = false;
		return rule;
	}
	rule = match(r, true, name, len);
	*ret_allowed = rule || !r->restricted;
	return rule;
}

static struct shim_judgement judge_list(const struct shim_rules *r, const char *name, size_t len)
{
	struct shim_judgement j = { 0 };

	j.rule = shim_rules_match(r, name, len, &j.allowed);
	j.where = j.rule ? j.rule->where : r->otherwise;
	return j;
}

struct shim_judgement shim_rules_judge(const struct shim_rules *r, const char *name, size_t len)
{
	for (const struct shim_rules *above = r->ceiling; above; above = above->ceiling) {
		struct shim_judgement j = judge_list(above, name, len);
		j.by_ceiling = true;
		if (!j.allowed)
			return j;
	}
	return judge_list(r, name, len);
}

const struct shim_argument_rule *shim_arguments_next(
	const struct shim_arguments *a, const char *tool, size_t len, size_t *at)
{
	while (*at < a->n) {
		const struct shim_argument_rule *rule = &a->rules[(*at)++];
		if (glob_match(rule->glob, tool, len))
			return rule;
	}
	return NULL;
}

const char *shim_arguments_strict(const struct shim_arguments *a, const char *tool, size_t len)
{
	const struct shim_argument_rule *rule;

	for (size_t at = 0; (rule = shim_arguments_next(a, tool, len, &at));)
		if (rule->strict)
			return rule->where;
	return a->strict;
}
