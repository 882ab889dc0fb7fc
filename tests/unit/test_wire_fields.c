/* SPDX-License-Identifier: Apache-2.0 */
/* test_wire_fields - every field of a message arrives, and every value that none may have is refused (test_wire has
 * what holds for all messages alike, test_wire_shim_config what the shim is told) */
#include "tests/unit/wire_unit.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include "wire/control.h"
#include "wire/dial.h"
#include "wire/event.h"
#include "wire/plan.h"
#include "wire/report.h"

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

static void what_is_no_row_of_its_table_is_refused(void **state)
{
	const struct control control = { .type = CONTROL_TYPE_COUNT };
	const struct report type = { .type = REPORT_TYPE_COUNT }, stage = { .stage = ENTER_STAGE_COUNT };
	const struct dial_request ask = { .ask = DIAL_ASK_COUNT, .name = "a.example" },
				  name = { .ask = DIAL_CONNECT, .name = "A.example" };
	const struct dial_answer status = { .status = DIAL_STATUS_COUNT }, many = { .n_addresses = 17 };
	const struct event event = { .type = EVENT_TYPE_COUNT }, decision = { .decision = EVENT_WOULD_DENY + 1 },
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

static void a_count_that_cannot_be_there_is_refused_before_it_is_believed(void **state)
{
	unsigned char bytes[8] = { 0xff, 0xff, 0x0f, 0 };
	struct wire_reader r = { .p = bytes, .left = sizeof(bytes) };

	assert_int_equal(wire_get_count(&r, 4), 0);
	assert_int_equal(r.error, -EPROTO);
}

static void text_with_a_nul_inside_is_refused(void **state)
{
	unsigned char bytes[] = { 3, 0, 0, 0, 'a', 0, 'b' };
	struct wire_reader r = { .p = bytes, .left = sizeof(bytes) };

	assert_null(wire_get_str(&r));
	assert_int_equal(r.error, -EPROTO);
}

static void null_and_empty_text_are_told_apart(void **state)
{
	unsigned char bytes[] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
	struct wire_reader r = { .p = bytes, .left = sizeof(bytes) };

	assert_null(wire_get_str(&r));
	_cleanup_free_ char *empty = wire_get_str(&r);
	assert_string_equal(empty, "");
	assert_int_equal(wire_close(&r), 0);
}

static void a_text_longer_than_its_array_is_refused(void **state)
{
	unsigned char bytes[] = { 4, 0, 0, 0, 'a', 'b', 'c', 'd' };
	struct wire_reader r = { .p = bytes, .left = sizeof(bytes) };
	char small[4];

	wire_get_str_fixed(&r, small, sizeof(small));
	assert_int_equal(r.error, -EPROTO);
	assert_string_equal(small, "");
}

static void a_writer_keeps_its_first_error(void **state)
{
	struct wire_writer w;

	wire_begin(&w, WIRE_CONTROL, 64);
	for (int i = 0; i < 64; i++)
		wire_put_u64(&w, 1);
	assert_int_equal(wire_finish(&w), -E2BIG);
	assert_true(w.buf.len <= 64);
	wire_writer_done(&w);
}

static void every_event_has_a_name_and_at_least_one_source(void **state)
{
	for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++) {
		bool any = false;
		for (unsigned s = 0; s < EVENT_SOURCE_COUNT; s++)
			any = any || event_allowed(t, s);
		assert_true(any);
		for (unsigned u = 0; u < t; u++)
			assert_string_not_equal(event_name(t), event_name(u));
	}
	assert_string_equal(event_name(EVENT_TYPE_COUNT), "unknown");
	assert_string_equal(event_source_name(EVENT_SOURCE_COUNT), "unknown");
}

static void the_shim_cannot_speak_for_the_supervisor(void **state)
{
	static const enum event_type supervisors[] = { EVENT_SESSION_OPEN, EVENT_SESSION_READY, EVENT_SESSION_FAILED,
		EVENT_SESSION_CLOSE, EVENT_CHECKPOINT, EVENT_CONSENT, EVENT_SERVER_EXIT, EVENT_CLIENT_GONE, EVENT_STOP,
		EVENT_LOG_BUDGET, EVENT_LOG_FULL, EVENT_LOG_TORN, EVENT_PLANTED };

	for (size_t i = 0; i < ARRAY_LEN(supervisors); i++) {
		assert_true(event_allowed(supervisors[i], EVENT_FROM_SUPERVISOR));
		for (unsigned s = EVENT_FROM_ENTER; s < EVENT_SOURCE_COUNT; s++)
			assert_false(event_allowed(supervisors[i], s));
	}
	assert_true(event_allowed(EVENT_CALL, EVENT_FROM_SHIM));
	assert_false(event_allowed(EVENT_CALL, EVENT_FROM_SUPERVISOR));
	assert_false(event_allowed(EVENT_CALL, EVENT_FROM_GATEWAY));
	assert_false(event_allowed(EVENT_TYPE_COUNT, EVENT_FROM_SHIM));
	assert_false(event_allowed(EVENT_CALL, EVENT_SOURCE_COUNT));
}

static void every_stage_has_words(void **state)
{
	for (unsigned s = 0; s < ENTER_STAGE_COUNT; s++) {
		assert_true(strlen(enter_stage_name(s)) > 0);
		assert_true(strlen(enter_stage_words(s)) > 0);
	}
	assert_string_equal(enter_stage_name(ENTER_STAGE_COUNT), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_of_a_plan_arrives),
		cmocka_unit_test(a_plan_with_a_value_that_none_may_have_is_refused),
		cmocka_unit_test(a_socket_of_a_plan_has_a_port),
		cmocka_unit_test(what_is_no_row_of_its_table_is_refused),
		cmocka_unit_test(a_request_of_dial_has_a_port),
		cmocka_unit_test(every_field_of_an_event_arrives),
		cmocka_unit_test(no_source_beyond_the_table_may_send_anything),
		cmocka_unit_test(after_an_error_nothing_more_is_written_or_read),
		cmocka_unit_test(no_count_is_beyond_the_limit_whatever_its_elements_take),
		cmocka_unit_test(a_count_that_cannot_be_there_is_refused_before_it_is_believed),
		cmocka_unit_test(text_with_a_nul_inside_is_refused),
		cmocka_unit_test(null_and_empty_text_are_told_apart),
		cmocka_unit_test(a_text_longer_than_its_array_is_refused),
		cmocka_unit_test(a_writer_keeps_its_first_error),
		cmocka_unit_test(every_event_has_a_name_and_at_least_one_source),
		cmocka_unit_test(the_shim_cannot_speak_for_the_supervisor),
		cmocka_unit_test(every_stage_has_words),
	};

	return cmocka_run_group_tests_name("fields of messages", tests, NULL, NULL);
}
