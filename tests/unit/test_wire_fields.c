/* SPDX-License-Identifier: Apache-2.0 */
/* test_wire_fields - every field of a message arrives, and every value that none may have is refused (test_wire has
 * what holds for all messages alike) */
#include "tests/unit/unit.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include "wire/control.h"
#include "wire/dial.h"
#include "wire/event.h"
#include "wire/plan.h"
#include "wire/report.h"
#include "wire/shim_config.h"

#define T(text) ((char *)(uintptr_t)(text))

static bool same(const struct strv *a, const struct strv *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return a->n == b->n;
}

/* Nothing in it is zero, and no two fields are alike: what is lost or swapped on the way shows. */
static void make_plan(struct plan *p)
{
	const struct plan_mount mounts[] = {
		{ PLAN_BIND, PLAN_WRITE, T("/from"), T("/to"), 11, 12, S_IFDIR, 0701, 13, T("a") },
		{ PLAN_FILE, PLAN_OPTIONAL, T("/s"), T("/file"), 21, 22, S_IFREG, 0444, 23, T("text") },
		{ PLAN_SYMLINK, PLAN_NOEXEC, T("/t"), T("/link"), 31, 32, S_IFLNK, 0777, 33, T("where") },
	};

	*p = (struct plan){ .name = strdup("name"),
		.uid = 1000,
		.gid = 1001,
		.drop_root = true,
		.exec_path = strdup("/bin/exec"),
		.cwd = strdup("/cwd"),
		.hostname = strdup("host"),
		.seccomp = strdup("default"),
		.allow_unix = true,
		.root_size = 101,
		.limits = { .processes = 102, .files = 103, .memory = 104 } };
	assert_int_equal(strv_add(&p->argv, "one") | strv_add(&p->argv, "two") | strv_add(&p->envp, "E=v"), 0);
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		assert_int_equal(plan_add_mount(p, &mounts[i]), 0);
	p->network = (struct plan_network){ .on = true, .stub = { 4, { 1, 2, 3, 4 } }, .n_routes = 1, .n_sockets = 1 };
	p->network.routes = calloc(1, sizeof(*p->network.routes));
	p->network.sockets = calloc(1, sizeof(*p->network.sockets));
	assert_true(p->network.routes && p->network.sockets);
	p->network.routes[0] = (struct net_route){ { 4, { 10, 0, 0, 0 } }, 8 };
	p->network.sockets[0] = (struct net_socket){ NET_SOCKET_LISTEN, { 4, { 5, 6, 7, 8 } }, 443, 0, 0 };
}

static void every_field_of_a_plan_arrives(void **state)
{
	_cleanup_plan_ struct plan sent, got;
	struct wire_writer w;

	make_plan(&sent);
	assert_int_equal(plan_encode(&sent, &w), 0);
	assert_int_equal(plan_decode(w.buf.data, w.buf.len, &got), 0);
	wire_writer_done(&w);
	assert_string_equal(got.name, "name");
	assert_int_equal(got.uid, 1000);
	assert_int_equal(got.gid, 1001);
	assert_true(got.drop_root && got.allow_unix && got.network.on);
	assert_string_equal(got.exec_path, "/bin/exec");
	assert_string_equal(got.cwd, "/cwd");
	assert_string_equal(got.hostname, "host");
	assert_string_equal(got.seccomp, "default");
	assert_true(same(&got.argv, &sent.argv) && same(&got.envp, &sent.envp));
	assert_int_equal(got.root_size, 101);
	assert_int_equal(got.limits.processes, 102);
	assert_int_equal(got.limits.files, 103);
	assert_int_equal(got.limits.memory, 104);
	assert_true(net_address_equal(&got.network.stub, &sent.network.stub));
	assert_int_equal(got.network.n_routes, 1);
	assert_true(net_address_equal(&got.network.routes[0].address, &sent.network.routes[0].address));
	assert_int_equal(got.network.routes[0].prefix, 8);
	assert_int_equal(got.network.n_sockets, 1);
	assert_int_equal(got.network.sockets[0].kind, NET_SOCKET_LISTEN);
	assert_true(net_address_equal(&got.network.sockets[0].address, &sent.network.sockets[0].address));
	assert_int_equal(got.network.sockets[0].port, 443);
	assert_int_equal(got.n_mounts, 3);
	for (size_t i = 0; i < got.n_mounts; i++) {
		const struct plan_mount *a = &sent.mounts[i], *b = &got.mounts[i];
		assert_int_equal(b->kind, a->kind);
		assert_int_equal(b->flags, a->flags);
		assert_string_equal(b->source, a->source);
		assert_string_equal(b->target, a->target);
		assert_int_equal(b->dev, a->dev);
		assert_int_equal(b->ino, a->ino);
		assert_int_equal(b->type, a->type);
		assert_int_equal(b->mode, a->mode);
		assert_int_equal(b->size, a->size);
		assert_string_equal(b->content, a->content);
	}
}

static void no_name(struct plan *p)
{
	free(STEAL_PTR(p->name));
}

static void no_hostname(struct plan *p)
{
	free(STEAL_PTR(p->hostname));
}

static void no_exec(struct plan *p)
{
	free(STEAL_PTR(p->exec_path));
}

static void no_cwd(struct plan *p)
{
	free(STEAL_PTR(p->cwd));
}

static void no_gid(struct plan *p)
{
	p->gid = (gid_t)-1;
}

static void relative_source(struct plan *p)
{
	p->mounts[0].source[0] = 'f';
}

static void no_target(struct plan *p)
{
	free(STEAL_PTR(p->mounts[2].target));
}

static void odd_socket(struct plan *p)
{
	p->network.sockets[0].kind = NET_SOCKET_KIND_COUNT;
}

static void sockets_without_network(struct plan *p)
{
	p->network.on = false;
	p->network.n_routes = 0;
}

static void routes_without_network(struct plan *p)
{
	p->network.on = false;
	p->network.n_sockets = 0;
}

static void crowd_of_routes(struct plan *p)
{
	p->network.n_routes = NET_ROUTES_MAX + 1;
	p->network.routes = reallocarray(p->network.routes, p->network.n_routes, sizeof(*p->network.routes));
	assert_non_null(p->network.routes);
	for (size_t i = 1; i < p->network.n_routes; i++)
		p->network.routes[i] = p->network.routes[0];
}

static void crowd_of_sockets(struct plan *p)
{
	p->network.n_sockets = NET_SOCKETS_MAX + 1;
	p->network.sockets = reallocarray(p->network.sockets, p->network.n_sockets, sizeof(*p->network.sockets));
	assert_non_null(p->network.sockets);
	for (size_t i = 1; i < p->network.n_sockets; i++)
		p->network.sockets[i] = p->network.sockets[0];
}

static void a_plan_with_a_value_that_none_may_have_is_refused(void **state)
{
	static void (*const spoil[])(struct plan *) = { no_name, no_hostname, no_exec, no_cwd, no_gid, relative_source,
		no_target, odd_socket, sockets_without_network, routes_without_network, crowd_of_routes,
		crowd_of_sockets };

	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		_cleanup_plan_ struct plan p, got;
		struct wire_writer w;
		make_plan(&p);
		spoil[i](&p);
		assert_int_equal(plan_encode(&p, &w), 0);
		int r = plan_decode(w.buf.data, w.buf.len, &got);
		if (r != -EPROTO || got.name || got.mounts || got.network.routes)
			fail_msg("case %zu: %d", i, r);
		wire_writer_done(&w);
	}
}

/* Behind it there is only the count of the mounts, which is none. */
static void a_socket_of_a_plan_has_a_port(void **state)
{
	_cleanup_plan_ struct plan p, got;
	struct wire_writer w;
	size_t n;

	make_plan(&p);
	n = p.n_mounts;
	p.n_mounts = 0;
	assert_int_equal(plan_encode(&p, &w), 0);
	p.n_mounts = n;
	w.buf.data[w.buf.len - 6] = 1;
	assert_int_equal(plan_decode(w.buf.data, w.buf.len, &got), -EPROTO);
	w.buf.data[w.buf.len - 6] = 0;
	assert_int_equal(plan_decode(w.buf.data, w.buf.len, &got), 0);
	assert_int_equal(got.network.sockets[0].port, 443);
	wire_writer_done(&w);
}

static void make_scopes(struct scopes *s)
{
	*s = (struct scopes){ .where = strdup("p.json:60 (tools.scopes)"),
		.allowed_where = strdup("p.json:61 (tools.allow_scopes)"),
		.lift_max_s = SCOPES_TIME_MAX };
	assert_int_equal(scopes_add(s, "tickets"), SCOPE_KNOWN);
	s->v[SCOPE_READ].allowed = true;
	s->v[SCOPE_WRITE].lift = strdup("p.json:62 (tools.grant_scopes)");
	assert_int_equal(scopes_add_glob(s, SCOPE_READ, "get_*", strdup("p.json:63")), 0);
	assert_int_equal(scopes_add_glob(s, SCOPE_KNOWN, "*_ticket", strdup("p.json:64")), 0);
}

static void make_meters(struct meters *m)
{
	m->each = (struct meters_rate){ 60, 60, strdup("the default") };
	m->total = (struct meters_rate){ METERS_CALLS_MAX, METERS_PERIOD_MAX, strdup("p.json:41 (tools.total)") };
	m->time = (struct meters_bound){ METERS_TIME_MAX, strdup("p.json:42 (tools.time)") };
	m->output = (struct meters_bound){ 4096, strdup("p.json:43 (tools.output)") };
	m->in_flight = (struct meters_bound){ METERS_INFLIGHT_MAX, strdup("p.json:44 (limits.calls)") };
	m->tools = calloc(2, sizeof(*m->tools));
	assert_non_null(m->tools);
	m->tools[0] = (struct meters_tool){ .glob = strdup("create_*"),
		.rate = { 10, 3600, strdup("p.json:45") },
		.time = { 5, strdup("p.json:46") },
		.output = { 9000, strdup("p.json:47") },
		.confirm = { 1, strdup("p.json:48") } };
	m->tools[1] = (struct meters_tool){ .glob = strdup("*") };
	m->n = 2;
}

static void make_config(struct shim_config *c)
{
	*c = (struct shim_config){ .name = strdup("name"),
		.uid = 1000,
		.gid = 1001,
		.stderr_prefix = strdup("[n] "),
		.line_max = SHIM_LINE_MAX,
		.server_line_max = 4096,
		.args = SHIM_ARGS_FULL,
		.salt = "0123456789abcde",
		.client.sampling.on = true,
		.client.elicitation.on = true };
	for (size_t i = 0; i < SHIM_SCOPE_COUNT; i++) {
		struct shim_rules *r = &c->scope[i];
		r->restricted = i % 2;
		assert_true(asprintf(&r->otherwise, "otherwise %zu", i) > 0);
		r->rules = calloc(1, sizeof(*r->rules));
		assert_non_null(r->rules);
		r->n = 1;
		r->rules[0].allow = i % 2 == 0;
		assert_true(asprintf(&r->rules[0].glob, "glob %zu", i) > 0);
		assert_true(asprintf(&r->rules[0].where, "where %zu", i) > 0);
	}
	c->client.sampling.tools = true;
	c->client.sampling.context = SHIM_CONTEXT_ALL;
	c->client.sampling.rate = (struct meters_rate){ 10, 60, strdup("p.json:50") };
	c->client.sampling.max_tokens = (struct meters_bound){ 2000, strdup("p.json:51") };
	c->client.elicitation.no_form = true;
	c->client.elicitation.rate = (struct meters_rate){ 5, 3600, strdup("p.json:52") };
	assert_int_equal(shim_client_add_host(&c->client, "a.example.com", false, 443), 0);
	assert_int_equal(shim_client_add_host(&c->client, "b.example.com", true, 8443), 0);
	c->client.logging = (struct shim_logging){ .off = true,
		.level = SHIM_LEVEL_ALERT,
		.where = strdup("p.json:53"),
		.rate = { 7, 1, strdup("p.json:54") } };
	c->scan.withhold = strdup("scan");
	assert_int_equal(strv_add(&c->roots, "/one") | strv_add(&c->roots, "/two"), 0);
	assert_int_equal(strv_add(&c->scan.others, "send_mail") | strv_add(&c->scan.others, "read_file"), 0);
	make_meters(&c->meters);
	make_scopes(&c->scopes);
	c->text.pass = true;
	c->text.sets = 1u << SHIM_SET_CARD;
	assert_int_equal(shim_text_add_secret(&c->text, "ONE", "value of one"), 0);
	assert_int_equal(shim_text_add_secret(&c->text, "TWO", "value of two"), 0);
	assert_int_equal(shim_text_add_pattern(&c->text, "pat", "[0-9]+"), 0);
}

static void assert_scopes(const struct scopes *a, const struct scopes *b)
{
	assert_string_equal(a->where, b->where);
	assert_string_equal(a->allowed_where, b->allowed_where);
	assert_int_equal(a->lift_max_s, b->lift_max_s);
	assert_int_equal(a->n, b->n);
	assert_int_equal(a->n_globs, b->n_globs);
	assert_int_equal(scopes_allowed(a), scopes_allowed(b));
	assert_int_equal(scopes_liftable(a), scopes_liftable(b));
	for (size_t i = 0; i < a->n; i++)
		assert_string_equal(a->v[i].name, b->v[i].name);
	assert_string_equal(a->v[SCOPE_WRITE].lift, b->v[SCOPE_WRITE].lift);
	for (size_t i = 0; i < a->n_globs; i++) {
		assert_int_equal(a->globs[i].scope, b->globs[i].scope);
		assert_string_equal(a->globs[i].glob, b->globs[i].glob);
		assert_string_equal(a->globs[i].where, b->globs[i].where);
	}
}

static void assert_rate(const struct meters_rate *a, const struct meters_rate *b)
{
	assert_int_equal(a->calls, b->calls);
	assert_int_equal(a->period_s, b->period_s);
	if (b->where)
		assert_string_equal(a->where, b->where);
	assert_int_equal(a->where == NULL, b->where == NULL);
}

static void assert_bound(const struct meters_bound *a, const struct meters_bound *b)
{
	assert_int_equal(a->value, b->value);
	if (b->where)
		assert_string_equal(a->where, b->where);
	assert_int_equal(a->where == NULL, b->where == NULL);
}

static void assert_meters(const struct meters *a, const struct meters *b)
{
	assert_rate(&a->each, &b->each);
	assert_rate(&a->total, &b->total);
	assert_bound(&a->time, &b->time);
	assert_bound(&a->output, &b->output);
	assert_bound(&a->in_flight, &b->in_flight);
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < b->n; i++) {
		assert_string_equal(a->tools[i].glob, b->tools[i].glob);
		assert_rate(&a->tools[i].rate, &b->tools[i].rate);
		assert_bound(&a->tools[i].time, &b->tools[i].time);
		assert_bound(&a->tools[i].output, &b->tools[i].output);
		assert_bound(&a->tools[i].confirm, &b->tools[i].confirm);
	}
}

static void assert_client(const struct shim_client *a, const struct shim_client *b)
{
	assert_int_equal(a->sampling.tools, b->sampling.tools);
	assert_int_equal(a->sampling.context, b->sampling.context);
	assert_rate(&a->sampling.rate, &b->sampling.rate);
	assert_bound(&a->sampling.max_tokens, &b->sampling.max_tokens);
	assert_int_equal(a->elicitation.no_form, b->elicitation.no_form);
	assert_rate(&a->elicitation.rate, &b->elicitation.rate);
	assert_int_equal(a->elicitation.n, b->elicitation.n);
	for (size_t i = 0; i < b->elicitation.n; i++) {
		assert_string_equal(a->elicitation.hosts[i].name, b->elicitation.hosts[i].name);
		assert_int_equal(a->elicitation.hosts[i].below, b->elicitation.hosts[i].below);
		assert_int_equal(a->elicitation.hosts[i].port, b->elicitation.hosts[i].port);
	}
	assert_int_equal(a->logging.off, b->logging.off);
	assert_int_equal(a->logging.level, b->logging.level);
	assert_string_equal(a->logging.where, b->logging.where);
	assert_rate(&a->logging.rate, &b->logging.rate);
}

static void meters_are_copied_whole(void **state)
{
	struct meters m = { 0 }, copy;

	make_meters(&m);
	assert_int_equal(meters_copy(&m, &copy), 0);
	assert_meters(&copy, &m);
	meters_done(&m);
	assert_string_equal(copy.tools[0].confirm.where, "p.json:48");
	meters_done(&copy);
}

static void of_the_items_that_match_a_tool_the_narrowest_holds(void **state)
{
	struct meters_tool tools[] = {
		{ .glob = T("get_*"), .rate = { 10, 60, T("a") }, .time = { 30, T("a") } },
		{ .glob = T("*"), .rate = { 2, 1, T("b") }, .output = { 9, T("b") } },
		{ .glob = T("*_x"), .rate = { 100, 3600, T("c") }, .time = { 60, T("c") }, .confirm = { 1, T("c") } },
	};
	const struct meters m = { .each = { 60, 60, T("each") },
		.time = { 5, T("time") },
		.output = { 4, T("output") },
		.tools = tools,
		.n = 3 };
	const struct meters none = { .each = m.each, .time = m.time, .output = m.output };
	struct meters_tool t = meters_of(&m, "get_x", 5);

	/* 100 an hour are fewer than 10 a minute and 2 a second, and 2 at once fewer than 100. */
	assert_string_equal(t.rate.where, "c");
	assert_int_equal(t.rate.calls, 2);
	assert_int_equal(t.rate.period_s, 72);
	assert_string_equal(t.time.where, "a");
	assert_string_equal(t.output.where, "b");
	assert_string_equal(t.confirm.where, "c");
	t = meters_of(&m, "put", 3);
	assert_string_equal(t.rate.where, "b");
	assert_string_equal(t.time.where, "time");
	assert_int_equal(t.confirm.value, 0);
	t = meters_of(&none, "put", 3);
	assert_string_equal(t.rate.where, "each");
	assert_string_equal(t.output.where, "output");
}

static void every_field_of_a_shim_config_arrives(void **state)
{
	struct shim_config sent, got;
	struct wire_writer w;

	make_config(&sent);
	assert_int_equal(shim_config_encode(&sent, &w), 0);
	assert_int_equal(shim_config_decode(w.buf.data, w.buf.len, &got), 0);
	wire_writer_done(&w);
	assert_string_equal(got.name, "name");
	assert_int_equal(got.uid, 1000);
	assert_int_equal(got.gid, 1001);
	assert_string_equal(got.stderr_prefix, "[n] ");
	assert_int_equal(got.line_max, SHIM_LINE_MAX);
	assert_int_equal(got.args, SHIM_ARGS_FULL);
	assert_memory_equal(got.salt, sent.salt, sizeof(got.salt));
	assert_int_equal(got.server_line_max, 4096);
	assert_true(got.client.sampling.on && got.client.elicitation.on);
	assert_client(&got.client, &sent.client);
	assert_string_equal(got.scan.withhold, "scan");
	assert_true(same(&got.scan.others, &sent.scan.others));
	assert_meters(&got.meters, &sent.meters);
	assert_scopes(&got.scopes, &sent.scopes);
	assert_true(same(&got.roots, &sent.roots));
	assert_true(got.text.pass);
	assert_int_equal(got.text.sets, 1u << SHIM_SET_CARD);
	assert_int_equal(got.text.n_secrets, 2);
	assert_string_equal(got.text.secrets[1].name, "TWO");
	assert_string_equal(got.text.secrets[1].value, "value of two");
	assert_int_equal(got.text.n_patterns, 1);
	assert_string_equal(got.text.patterns[0].name, "pat");
	assert_string_equal(got.text.patterns[0].pattern, "[0-9]+");
	for (size_t i = 0; i < SHIM_SCOPE_COUNT; i++) {
		assert_int_equal(got.scope[i].restricted, i % 2);
		assert_string_equal(got.scope[i].otherwise, sent.scope[i].otherwise);
		assert_int_equal(got.scope[i].n, 1);
		assert_int_equal(got.scope[i].rules[0].allow, i % 2 == 0);
		assert_string_equal(got.scope[i].rules[0].glob, sent.scope[i].rules[0].glob);
		assert_string_equal(got.scope[i].rules[0].where, sent.scope[i].rules[0].where);
	}
	shim_config_done(&sent);
	shim_config_done(&got);
}

static void config_without_name(struct shim_config *c)
{
	free(STEAL_PTR(c->name));
}

static void config_of_a_short_secret(struct shim_config *c)
{
	c->text.secrets[0].value[SHIM_SECRET_BYTES_MIN - 1] = '\0';
}

static void config_of_an_unknown_set(struct shim_config *c)
{
	c->text.sets = 1u << SHIM_SET_COUNT;
}

static void config_of_root(struct shim_config *c)
{
	c->uid = 0;
}

static void config_of_roots_group(struct shim_config *c)
{
	c->gid = 0;
}

static void config_without_prefix(struct shim_config *c)
{
	free(STEAL_PTR(c->stderr_prefix));
}

static void config_without_lines(struct shim_config *c)
{
	c->line_max = 0;
}

static void config_with_long_lines(struct shim_config *c)
{
	c->line_max = SHIM_LINE_MAX + 1;
}

static void config_with_long_lines_of_the_server(struct shim_config *c)
{
	c->server_line_max = SHIM_LINE_MAX + 1;
}

static void config_with_a_rate_of_no_time(struct shim_config *c)
{
	c->meters.total.period_s = 0;
}

static void config_with_a_rate_beyond_counting(struct shim_config *c)
{
	c->meters.each.calls = METERS_CALLS_MAX + 1;
}

static void config_with_a_long_period(struct shim_config *c)
{
	c->meters.each.period_s = METERS_PERIOD_MAX + 1;
}

static void config_with_a_rate_of_nobody(struct shim_config *c)
{
	free(STEAL_PTR(c->meters.each.where));
}

static void config_with_a_long_time(struct shim_config *c)
{
	c->meters.tools[0].time.value = METERS_TIME_MAX + 1;
}

static void config_with_a_bound_of_nobody(struct shim_config *c)
{
	free(STEAL_PTR(c->meters.tools[0].confirm.where));
}

static void config_with_a_crowd_in_flight(struct shim_config *c)
{
	c->meters.in_flight.value = METERS_INFLIGHT_MAX + 1;
}

static void config_with_half_a_confirmation(struct shim_config *c)
{
	c->meters.tools[0].confirm.value = 2;
}

static void config_with_meters_of_no_tool(struct shim_config *c)
{
	free(STEAL_PTR(c->meters.tools[1].glob));
}

static void config_with_a_crowd_of_meters(struct shim_config *c)
{
	struct meters *m = &c->meters;

	m->tools = reallocarray(m->tools, METERS_TOOLS_MAX + 1, sizeof(*m->tools));
	assert_non_null(m->tools);
	for (; m->n <= METERS_TOOLS_MAX; m->n++)
		m->tools[m->n] = (struct meters_tool){ .glob = strdup("g") };
}

/* What annotations lead to must be there. */
static void config_without_the_strictest_scope(struct shim_config *c)
{
	struct scopes *s = &c->scopes;

	while (s->n_globs > 0) {
		free(s->globs[--s->n_globs].glob);
		free(s->globs[s->n_globs].where);
	}
	while (s->n > SCOPE_DESTRUCTIVE) {
		free(s->v[--s->n].name);
		free(s->v[s->n].lift);
	}
}

static void config_with_scopes_in_another_order(struct shim_config *c)
{
	char *name = c->scopes.v[SCOPE_READ].name;

	c->scopes.v[SCOPE_READ].name = c->scopes.v[SCOPE_DESTRUCTIVE].name;
	c->scopes.v[SCOPE_DESTRUCTIVE].name = name;
}

static void config_with_a_scope_of_no_name(struct shim_config *c)
{
	c->scopes.v[SCOPE_KNOWN].name[0] = 'T';
}

static void config_with_a_tool_of_no_scope(struct shim_config *c)
{
	c->scopes.globs[0].scope = (uint32_t)c->scopes.n;
}

static void config_with_scopes_of_nobody(struct shim_config *c)
{
	free(STEAL_PTR(c->scopes.where));
}

static void config_with_scopes_that_nobody_allows(struct shim_config *c)
{
	free(STEAL_PTR(c->scopes.allowed_where));
}

static void config_with_a_grant_for_ever(struct shim_config *c)
{
	c->scopes.lift_max_s = SCOPES_TIME_MAX + 1;
}

static void config_with_other_args(struct shim_config *c)
{
	c->args = SHIM_ARGS_FULL + 1;
}

static void config_without_glob(struct shim_config *c)
{
	free(STEAL_PTR(c->scope[SHIM_PROMPTS].rules[0].glob));
}

static void config_without_where(struct shim_config *c)
{
	free(STEAL_PTR(c->scope[SHIM_EXTENSIONS].rules[0].where));
}

static void config_without_root(struct shim_config *c)
{
	free(STEAL_PTR(c->roots.v[0]));
}

static void config_with_a_crowd_of_rules(struct shim_config *c)
{
	struct shim_rules *r = &c->scope[SHIM_TOOLS];

	r->rules = reallocarray(r->rules, SHIM_RULES_MAX + 1, sizeof(*r->rules));
	assert_non_null(r->rules);
	for (; r->n <= SHIM_RULES_MAX; r->n++)
		r->rules[r->n] = (struct shim_rule){ true, strdup("g"), strdup("w") };
}

static void config_with_a_crowd_of_others(struct shim_config *c)
{
	while (c->scan.others.n <= SHIM_OTHERS_MAX)
		assert_int_equal(strv_add(&c->scan.others, "o"), 0);
}

static void config_with_long_others(struct shim_config *c)
{
	static char name[SHIM_OTHERS_BYTES_MAX / 2 + 1];

	memset(name, 'o', sizeof(name) - 1);
	assert_int_equal(strv_add(&c->scan.others, name) | strv_add(&c->scan.others, name), 0);
}

static void a_shim_config_with_a_value_that_none_may_have_is_refused(void **state)
{
	static void (*const spoil[])(struct shim_config *) = { config_without_name, config_of_root,
		config_of_roots_group, config_without_prefix, config_without_lines, config_with_long_lines,
		config_with_other_args, config_without_glob, config_without_where, config_without_root,
		config_with_a_crowd_of_rules, config_with_long_lines_of_the_server, config_with_a_rate_of_no_time,
		config_with_a_rate_beyond_counting, config_with_a_long_period, config_with_a_rate_of_nobody,
		config_with_a_long_time, config_with_a_bound_of_nobody, config_with_a_crowd_in_flight,
		config_with_half_a_confirmation, config_with_meters_of_no_tool, config_with_a_crowd_of_meters,
		config_of_a_short_secret, config_of_an_unknown_set, config_without_the_strictest_scope,
		config_with_scopes_in_another_order, config_with_a_scope_of_no_name, config_with_a_tool_of_no_scope,
		config_with_scopes_of_nobody, config_with_scopes_that_nobody_allows, config_with_a_grant_for_ever,
		config_with_a_crowd_of_others, config_with_long_others };

	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		struct shim_config c, got;
		struct wire_writer w;
		make_config(&c);
		spoil[i](&c);
		assert_int_equal(shim_config_encode(&c, &w), 0);
		int r = shim_config_decode(w.buf.data, w.buf.len, &got);
		if (r != -EPROTO || got.name || got.scope[SHIM_TOOLS].rules)
			fail_msg("case %zu: %d", i, r);
		wire_writer_done(&w);
		shim_config_done(&c);
	}
}

/* Its length stands before the first scope; one byte less is another salt. */
static void a_salt_has_its_length(void **state)
{
	const struct shim_config c = {
		.name = T("n"), .uid = 1, .gid = 1, .stderr_prefix = T("p"), .line_max = 1, .salt = "salt salt salt!"
	};
	struct shim_config got;
	struct wire_writer w;

	assert_int_equal(shim_config_encode(&c, &w), 0);
	char *salt = memmem(w.buf.data, w.buf.len, c.salt, sizeof(c.salt));
	assert_non_null(salt);
	assert_int_equal(salt[-4], sizeof(c.salt));
	salt[-4]--;
	/* The byte that is over is cut out, so that all else is in its place. */
	memmove(salt, salt + 1, w.buf.len - (size_t)(salt + 1 - w.buf.data));
	assert_int_equal(shim_config_decode(w.buf.data, w.buf.len - 1, &got), -EPROTO);
	wire_writer_done(&w);
}

static void what_is_no_row_of_its_table_is_refused(void **state)
{
	const struct control control = { .type = CONTROL_TYPE_COUNT };
	const struct report type = { .type = REPORT_TYPE_COUNT }, stage = { .stage = ENTER_STAGE_COUNT };
	const struct dial_request ask = { .ask = DIAL_ASK_COUNT, .name = "a.example" },
				  name = { .ask = DIAL_CONNECT, .name = "A.example" };
	const struct dial_answer status = { .status = DIAL_STATUS_COUNT }, many = { .n_addresses = 17 };
	const struct event event = { .type = EVENT_TYPE_COUNT }, decision = { .decision = EVENT_DROP + 1 },
			   side = { .side = EVENT_FROM_SERVER + 1 };
	struct event got_event;
	struct control got_control;
	struct report got_report;
	struct dial_request got_request;
	struct dial_answer got_answer;
	struct wire_writer w;

#define REFUSED(what, kind, ret)                                                                                       \
	do {                                                                                                           \
		assert_int_equal(kind##_encode(what, &w), 0);                                                          \
		assert_int_equal(kind##_decode(w.buf.data, w.buf.len, ret), -EPROTO);                                  \
		wire_writer_done(&w);                                                                                  \
	} while (0)
	_Static_assert(DIAL_ADDRESSES_MAX == 16, "one more is too many");
	REFUSED(&control, control, &got_control);
	REFUSED(&type, report, &got_report);
	REFUSED(&stage, report, &got_report);
	REFUSED(&event, event, &got_event);
	REFUSED(&decision, event, &got_event);
	REFUSED(&side, event, &got_event);
	REFUSED(&ask, dial_request, &got_request);
	REFUSED(&name, dial_request, &got_request);
	REFUSED(&status, dial_answer, &got_answer);
	REFUSED(&many, dial_answer, &got_answer);
#undef REFUSED
}

static void a_request_of_dial_has_a_port(void **state)
{
	const struct dial_request q = { .id = 1, .ask = DIAL_CONNECT, .name = "a.example", .port = 443 };
	struct dial_request got;
	struct wire_writer w;

	assert_int_equal(dial_request_encode(&q, &w), 0);
	w.buf.data[w.buf.len - 2] = 1;
	assert_int_equal(dial_request_decode(w.buf.data, w.buf.len, &got), -EPROTO);
	wire_writer_done(&w);
}

static void every_field_of_an_event_arrives(void **state)
{
	static const struct event sent = { .type = EVENT_CALL,
		.decision = EVENT_DENY,
		.side = EVENT_FROM_SERVER,
		.call_id = 1ULL << 40,
		.bytes = 2ULL << 40,
		.latency_us = 3ULL << 40,
		.count = 4ULL << 40,
		.bytes_in = 5ULL << 40,
		.bytes_out = 6ULL << 40,
		.port = 70000,
		.host = "host",
		.address = "address",
		.method = "method",
		.tool = "tool",
		.scope = "read,write",
		.subject = "subject",
		.rule = "rule",
		.reason = "reason",
		.status = "status",
		.peer_name = "peer name",
		.peer_version = "peer version",
		.protocol = "protocol",
		.arg_keys = "arg keys",
		.arg_hash = "arg hash",
		.args_len = 4,
		.args = "args" };
	struct wire_writer w;
	struct event got;

	assert_int_equal(event_encode(&sent, &w), 0);
	assert_int_equal(event_decode(w.buf.data, w.buf.len, &got), 0);
	assert_memory_equal(got.args, "args", 4);
	got.args = sent.args;
	assert_memory_equal(&got, &sent, sizeof(got));
	wire_writer_done(&w);
}

static void no_source_beyond_the_table_may_send_anything(void **state)
{
	for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++)
		for (unsigned s = EVENT_SOURCE_COUNT; s < 3 * 32; s++)
			assert_false(event_allowed(t, s));
}

static void after_an_error_nothing_more_is_written_or_read(void **state)
{
	unsigned char bytes[] = { 1, 2, 3, 4, 5, 6 };
	struct wire_reader r = { .p = bytes, .left = sizeof(bytes) };
	struct wire_writer w;

	wire_begin(&w, WIRE_CONTROL, 256);
	size_t before = w.buf.len;
	wire_put_bytes(&w, bytes, (size_t)WIRE_BYTES_MAX + 1);
	assert_int_equal(wire_finish(&w), -E2BIG);
	wire_put_u8(&w, 1);
	wire_put_str(&w, "x");
	assert_int_equal(w.buf.len, before);
	assert_int_equal(wire_finish(&w), -E2BIG);
	wire_writer_done(&w);
	assert_int_equal(wire_get_u64(&r), 0);
	assert_int_equal(r.error, -EPROTO);
	assert_int_equal(wire_get_u8(&r), 0);
	assert_int_equal(wire_get_u32(&r), 0);
	assert_int_equal(r.left, sizeof(bytes));
}

static void no_count_is_beyond_the_limit_whatever_its_elements_take(void **state)
{
	unsigned char bytes[4] = { 1, 0, WIRE_COUNT_MAX >> 16, 0 };
	struct wire_reader r = { .p = bytes, .left = sizeof(bytes) };

	assert_int_equal(wire_get_count(&r, 0), 0);
	assert_int_equal(r.error, -EPROTO);
	bytes[0] = 0;
	r = (struct wire_reader){ .p = bytes, .left = sizeof(bytes) };
	assert_int_equal(wire_get_count(&r, 0), WIRE_COUNT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_plan_arrives),
		cmocka_unit_test(a_plan_with_a_value_that_none_may_have_is_refused),
		cmocka_unit_test(a_socket_of_a_plan_has_a_port),
		cmocka_unit_test(every_field_of_a_shim_config_arrives),
		cmocka_unit_test(meters_are_copied_whole),
		cmocka_unit_test(of_the_items_that_match_a_tool_the_narrowest_holds),
		cmocka_unit_test(a_shim_config_with_a_value_that_none_may_have_is_refused),
		cmocka_unit_test(a_salt_has_its_length),
		cmocka_unit_test(what_is_no_row_of_its_table_is_refused),
		cmocka_unit_test(a_request_of_dial_has_a_port),
		cmocka_unit_test(every_field_of_an_event_arrives),
		cmocka_unit_test(no_source_beyond_the_table_may_send_anything),
		cmocka_unit_test(after_an_error_nothing_more_is_written_or_read),
		cmocka_unit_test(no_count_is_beyond_the_limit_whatever_its_elements_take),
	};

	return cmocka_run_group_tests_name("fields of messages", tests, NULL, NULL);
}
