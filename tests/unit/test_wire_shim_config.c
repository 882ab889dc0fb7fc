/* SPDX-License-Identifier: Apache-2.0 */
/* test_wire_shim_config - every field of what the shim is told arrives, and every value that none may have is refused
 */
#include "tests/unit/wire_unit.h"
#include <errno.h>
#include <stdio.h>

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

static void make_config(struct shim_config *c)
{
	*c = (struct shim_config){ .name = strdup("name"),
		.uid = 1000,
		.gid = 1001,
		.stderr_prefix = strdup("[n] "),
		.line_max = SHIM_LINE_MAX,
		.server_line_max = 4096,
		.observe_until_us = 77,
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
	assert_int_equal(got.observe_until_us, 77);
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

static void a_deny_rule_wins_over_an_allow_wherever_it_stands(void **state)
{
	struct shim_rule rules[] = {
		{ .allow = true, .glob = (char *)(uintptr_t) "*", .where = (char *)(uintptr_t) "1" },
		{ .allow = true, .glob = (char *)(uintptr_t) "get_*", .where = (char *)(uintptr_t) "2" },
		{ .allow = false, .glob = (char *)(uintptr_t) "*_secret", .where = (char *)(uintptr_t) "3" },
		{ .allow = false, .glob = (char *)(uintptr_t) "get_secret", .where = (char *)(uintptr_t) "4" },
	};
	static const struct {
		const char *name;
		size_t n;
		bool restricted, allowed;
		int rule; /* index, -1: none */
	} cases[] = {
		{ "get_secret", 4, true, false, 2 },
		{ "get_issue", 4, true, true, 0 },
		{ "get_issue", 0, true, false, -1 },
		{ "get_issue", 0, false, true, -1 },
		{ "Get_secreT", 4, false, true, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct shim_rules r = { .restricted = cases[i].restricted, .rules = rules, .n = cases[i].n };
		bool allowed = !cases[i].allowed;
		const struct shim_rule *rule = shim_rules_match(&r, cases[i].name, strlen(cases[i].name), &allowed);
		assert_int_equal(allowed, cases[i].allowed);
		assert_ptr_equal(rule, cases[i].rule < 0 ? NULL : &rules[cases[i].rule]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meters_are_copied_whole),
		cmocka_unit_test(of_the_items_that_match_a_tool_the_narrowest_holds),
		cmocka_unit_test(every_field_of_a_shim_config_arrives),
		cmocka_unit_test(a_shim_config_with_a_value_that_none_may_have_is_refused),
		cmocka_unit_test(a_salt_has_its_length),
		cmocka_unit_test(a_deny_rule_wins_over_an_allow_wherever_it_stands),
	};

	return cmocka_run_group_tests_name("what the shim is told", tests, NULL, NULL);
}
