/* SPDX-License-Identifier: Apache-2.0 */
/* test_wire - what crosses a process boundary: whole and of this build, or refused (test_wire_fields has what holds for
 * each field and table, test_wire_shim_config what the shim is told) */
#include "tests/unit/wire_unit.h"
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include "wire/control.h"
#include "wire/dial.h"
#include "wire/event.h"
#include "wire/fetch.h"
#include "wire/plan.h"
#include "wire/report.h"
#include "wire/collect.h"
#include "wire/confirm.h"
#include "wire/shim_config.h"

static void make_net_config(struct net_config *c)
{
	*c = (struct net_config){ .server = strdup("github"),
		.uid = 1000,
		.gid = 1000,
		.n_grants = 3,
		.limits = net_limits_default(),
		.publish = { 8080 },
		.n_publish = 1,
		.proxy_host = strdup("proxy.example"),
		.proxy_port = 3128,
		.proxy_where = strdup("policy.json:3") };
	c->grants = calloc(3, sizeof(*c->grants));
	assert_non_null(c->grants);
	c->grants[0] = (struct net_grant){ .kind = NET_NAME,
		.name = strdup("api.github.com"),
		.ports = { 80, 443 },
		.n_ports = 2,
		.sni = true,
		.where = strdup("p.json:3") };
	c->grants[1] = (struct net_grant){ .kind = NET_PREFIX,
		.address = { 4, { 10, 2, 0, 0 } },
		.prefix = 16,
		.ports = { 5432 },
		.n_ports = 1,
		.private_allowed = true,
		.where = strdup("p.json:4") };
	c->grants[2] = (struct net_grant){
		.kind = NET_LOCALHOST, .ports = { 5432 }, .n_ports = 1, .where = strdup("p.json:5")
	};
}

static void make_plan(struct plan *p)
{
	static const struct plan_mount mounts[] = {
		{ .kind = PLAN_TMPFS, .target = (char *)(uintptr_t) "/tmp", .mode = 0700, .size = 1 << 20 },
		{ .kind = PLAN_BIND,
			.flags = PLAN_WRITE,
			.source = (char *)(uintptr_t) "/home/a/src",
			.target = (char *)(uintptr_t) "/home/a/src",
			.dev = 0x1122334455667788,
			.ino = 99,
			.type = S_IFDIR },
		{ .kind = PLAN_FILE,
			.target = (char *)(uintptr_t) "/etc/hosts",
			.mode = 0444,
			.content = (char *)(uintptr_t) "127.0.0.1 localhost\n" },
		{ .kind = PLAN_SYMLINK,
			.target = (char *)(uintptr_t) "/bin",
			.content = (char *)(uintptr_t) "usr/bin" },
		{ .kind = PLAN_PIN, .flags = PLAN_OPTIONAL, .target = (char *)(uintptr_t) "/home/a/src/.git" },
	};

	*p = (struct plan){ .name = strdup("github"),
		.uid = 1000,
		.gid = 1001,
		.exec_path = strdup("/usr/bin/node"),
		.cwd = strdup("/home/a"),
		.hostname = strdup("stockade"),
		.seccomp = strdup("default"),
		.allow_unix = true,
		.root_size = 1 << 20,
		.limits = { .processes = 128, .files = 1024, .memory = 1 << 30 } };
	assert_int_equal(strv_add(&p->argv, "node"), 0);
	assert_int_equal(strv_add(&p->argv, ""), 0);
	assert_int_equal(strv_add(&p->envp, "HOME=/home/a"), 0);
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		assert_int_equal(plan_add_mount(p, &mounts[i]), 0);
	struct net_config c;
	struct net_layout l;
	make_net_config(&c);
	assert_int_equal(net_layout_draw(&c, &l), 0);
	plan_take_network(p, &l);
	net_config_done(&c);
}

static void make_shim_config(struct shim_config *c)
{
	*c = (struct shim_config){ .name = strdup("github"),
		.uid = 1000,
		.gid = 1000,
		.stderr_prefix = strdup("github: "),
		.line_max = SHIM_LINE_DEFAULT,
		.args = SHIM_ARGS_HASH,
		.salt = "0123456789abcde",
		.client.elicitation.on = true };
	struct shim_rules *tools = &c->scope[SHIM_TOOLS];
	tools->restricted = true;
	tools->otherwise = strdup("p.json:38 (tools.allow)");
	tools->rules = calloc(2, sizeof(*tools->rules));
	assert_non_null(tools->rules);
	tools->rules[0] = (struct shim_rule){ .allow = true, .glob = strdup("get_*"), .where = strdup("p.json:39") };
	tools->rules[1] =
		(struct shim_rule){ .allow = false, .glob = strdup("*_secret"), .where = strdup("p.json:40") };
	tools->n = 2;
	assert_int_equal(strv_add(&c->roots, "/home/a/src"), 0);
	c->arguments.rules = calloc(2, sizeof(*c->arguments.rules));
	assert_non_null(c->arguments.rules);
	c->arguments.rules[0] = (struct shim_argument_rule){
		.glob = strdup("get_*"), .schema = strdup("{\"required\":[\"a\"]}"), .where = strdup("p.json:41")
	};
	c->arguments.rules[1] =
		(struct shim_argument_rule){ .glob = strdup("get_x"), .where = strdup("p.json:42"), .strict = true };
	c->arguments.n = 2;
	make_meters(&c->meters);
}

static int encode_plan(struct wire_writer *w)
{
	_cleanup_plan_ struct plan p;

	make_plan(&p);
	return plan_encode(&p, w);
}

static int encode_shim_config(struct wire_writer *w)
{
	struct shim_config c;

	make_shim_config(&c);
	int r = shim_config_encode(&c, w);
	shim_config_done(&c);
	return r;
}

static const struct report a_report = { .type = REPORT_FAILED,
	.pid = 4711,
	.stage = ENTER_STAGE_PIVOT,
	.error = EPERM,
	.status = 256,
	.landlock = 7,
	.detail = "/proc" };

static int encode_report(struct wire_writer *w)
{
	return report_encode(&a_report, w);
}

static const struct event an_event = { .type = EVENT_CALL,
	.decision = EVENT_DENY,
	.side = EVENT_FROM_CLIENT,
	.call_id = 1ULL << 40,
	.bytes = 12,
	.latency_us = 34,
	.count = 56,
	.method = "tools/call",
	.tool = "delete_repo",
	.rule = "p.json:40",
	.reason = "denied",
	.status = "error",
	.peer_name = "n",
	.peer_version = "v",
	.protocol = "2025-11-25",
	.arg_keys = "a,b",
	.arg_hash = "00ff",
	.bytes_in = 1ULL << 33,
	.bytes_out = 9,
	.port = 65535,
	.host = "api.example.com",
	.address = "192.0.2.1",
	.args_len = 8,
	.args = "{\"a\":1}\n" };

static int encode_event(struct wire_writer *w)
{
	return event_encode(&an_event, w);
}

static const struct control a_control = { .type = CONTROL_CLOSE, .value = -1, .text = "killed by policy" };

static int encode_control(struct wire_writer *w)
{
	return control_encode(&a_control, w);
}

static int encode_net_config(struct wire_writer *w)
{
	_cleanup_net_config_ struct net_config c;

	make_net_config(&c);
	return net_config_encode(&c, w);
}

static const struct dial_request a_request = { .id = 7,
	.ask = DIAL_CONNECT,
	.grant = 2,
	.name = "api.github.com",
	.address = { 6, { 0x20, 1, 0xd, 0xb8 } },
	.port = 443 };

static int encode_request(struct wire_writer *w)
{
	return dial_request_encode(&a_request, w);
}

static const struct dial_answer an_answer = { .id = 7,
	.status = DIAL_REFUSED,
	.error = ECONNREFUSED,
	.address = { 4, { 192, 0, 2, 1 } },
	.addresses = { { 4, { 192, 0, 2, 1 } }, { 6, { 0x20, 1, 0xd, 0xb8 } } },
	.n_addresses = 2 };

static int encode_answer(struct wire_writer *w)
{
	return dial_answer_encode(&an_answer, w);
}

static int decode_plan(const void *p, size_t n)
{
	_cleanup_plan_ struct plan ret;
	return plan_decode(p, n, &ret);
}

static int decode_shim_config(const void *p, size_t n)
{
	struct shim_config ret;
	int r = shim_config_decode(p, n, &ret);
	shim_config_done(&ret);
	return r;
}

static int decode_report(const void *p, size_t n)
{
	struct report ret;
	return report_decode(p, n, &ret);
}

static int decode_event(const void *p, size_t n)
{
	struct event ret;
	return event_decode(p, n, &ret);
}

static int decode_control(const void *p, size_t n)
{
	struct control ret;
	return control_decode(p, n, &ret);
}

static int decode_net_config(const void *p, size_t n)
{
	_cleanup_net_config_ struct net_config ret;
	return net_config_decode(p, n, &ret);
}

static int decode_request(const void *p, size_t n)
{
	struct dial_request ret;
	return dial_request_decode(p, n, &ret);
}

static int decode_answer(const void *p, size_t n)
{
	struct dial_answer ret;
	return dial_answer_decode(p, n, &ret);
}

static int encode_definitions(struct wire_writer *w)
{
	char path[] = "description", value[] = "\"d\"", name[] = "echo", server[] = "s";
	struct definition_field fields[] = { { path, value } };
	struct definition v[] = { { DEFINITION_TOOL, name, { 7 }, fields, 1 } };
	struct definitions l = { .server = server, .v = v, .n = 1 };

	return definitions_encode(&l, w);
}

static int decode_definitions(const void *p, size_t n)
{
	_cleanup_definitions_ struct definitions ret;
	return definitions_decode(p, n, &ret);
}

static int encode_confirm(struct wire_writer *w)
{
	static const struct confirm c = { .type = CONFIRM_ASK,
		.call_id = 7,
		.tool = "create_issue",
		.rule = "p.json:40",
		.status = "s",
		.args = "{\"a\":1}",
		.args_len = 7 };

	return confirm_encode(&c, w);
}

static int decode_confirm(const void *p, size_t n)
{
	struct confirm ret;
	return confirm_decode(p, n, &ret);
}

static int encode_collect(struct wire_writer *w)
{
	struct collect_claims claims = { .client = "code", .server = "github", .delete_after = "90d" };

	return collect_request_encode(&(struct collect_request){ .type = COLLECT_OPEN, .claims = &claims }, w);
}

static int decode_collect(const void *p, size_t n)
{
	struct collect_claims claims;
	struct collect_request ret;
	return collect_request_decode(p, n, &claims, &ret);
}

static int encode_collected(struct wire_writer *w)
{
	return collect_answer_encode(&(struct collect_answer){ .done = 7, .error = -ENOSPC, .words = "full" }, w);
}

static int decode_collected(const void *p, size_t n)
{
	struct collect_answer ret;
	return collect_answer_decode(p, n, &ret);
}

static int encode_fetch(struct wire_writer *w)
{
	static char url[] = "https://it.example.com/b.json", proxy[] = "proxy.example.com", ca[] = "PEM";
	static const struct fetch_request f = { .uid = 999,
		.gid = 999,
		.url = url,
		.port = 443,
		.proxy_host = proxy,
		.proxy_port = 3128,
		.ca = ca,
		.max = 1 << 20,
		.seconds = 60 };

	return fetch_request_encode(&f, w);
}

static int decode_fetch(const void *p, size_t n)
{
	_cleanup_fetch_request_ struct fetch_request ret = { 0 };
	return fetch_request_decode(p, n, &ret);
}

static const struct {
	enum wire_kind kind;
	int (*encode)(struct wire_writer *w);
	int (*decode)(const void *p, size_t n);
} messages[] = {
	{ WIRE_PLAN, encode_plan, decode_plan },
	{ WIRE_SHIM_CONFIG, encode_shim_config, decode_shim_config },
	{ WIRE_REPORT, encode_report, decode_report },
	{ WIRE_EVENT, encode_event, decode_event },
	{ WIRE_CONTROL, encode_control, decode_control },
	{ WIRE_NET_CONFIG, encode_net_config, decode_net_config },
	{ WIRE_DIAL_REQUEST, encode_request, decode_request },
	{ WIRE_DIAL_ANSWER, encode_answer, decode_answer },
	{ WIRE_DEFINITIONS, encode_definitions, decode_definitions },
	{ WIRE_CONFIRM, encode_confirm, decode_confirm },
	{ WIRE_COLLECT, encode_collect, decode_collect },
	{ WIRE_COLLECTED, encode_collected, decode_collected },
	{ WIRE_FETCH, encode_fetch, decode_fetch },
};
_Static_assert(ARRAY_LEN(messages) == WIRE_KIND_COUNT - 1, "every kind of message is tried");

static void every_message_is_accepted_whole(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct wire_writer w;
		assert_int_equal(messages[i].encode(&w), 0);
		assert_int_equal(messages[i].decode(w.buf.data, w.buf.len), 0);
		wire_writer_done(&w);
	}
}

static void a_message_cut_at_any_byte_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct wire_writer w;
		assert_int_equal(messages[i].encode(&w), 0);
		for (size_t n = 0; n < w.buf.len; n++) {
			/* A block of its own: a sanitiser sees a read past the cut. */
			_cleanup_free_ char *cut = malloc(n ? n : 1);
			assert_non_null(cut);
			memcpy(cut, w.buf.data, n);
			assert_int_equal(messages[i].decode(cut, n), -EPROTO);
		}
		wire_writer_done(&w);
	}
}

static void a_tail_behind_a_message_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct wire_writer w;
		assert_int_equal(messages[i].encode(&w), 0);
		assert_int_equal(buf_putc(&w.buf, '\0'), 0);
		assert_int_equal(messages[i].decode(w.buf.data, w.buf.len), -EPROTO);
		wire_writer_done(&w);
	}
}

/* Magic 0-3, version 4-7, kind 8-11, length of the build id 12-15, build id. */
static void any_other_magic_version_kind_or_build_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct wire_writer w;
		assert_int_equal(messages[i].encode(&w), 0);
		size_t build_len = (unsigned char)w.buf.data[12];
		for (size_t at = 0; at < 16 + build_len; at++) {
			w.buf.data[at] ^= 0x40;
			assert_int_equal(messages[i].decode(w.buf.data, w.buf.len), -EPROTO);
			w.buf.data[at] ^= 0x40;
		}
		for (size_t k = 0; k < ARRAY_LEN(messages); k++)
			if (k != i)
				assert_int_equal(messages[k].decode(w.buf.data, w.buf.len), -EPROTO);
		wire_writer_done(&w);
	}
}

/* Nothing is asked of the answer but that it is one: no crash, no leak, no read out of bounds. */
static void any_flipped_byte_gives_a_message_or_a_refusal(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct wire_writer w;
		assert_int_equal(messages[i].encode(&w), 0);
		for (size_t at = 0; at < w.buf.len * 8; at++) {
			w.buf.data[at / 8] ^= (char)(1 << at % 8);
			int r = messages[i].decode(w.buf.data, w.buf.len);
			assert_true(r == 0 || r == -EPROTO);
			w.buf.data[at / 8] ^= (char)(1 << at % 8);
		}
		wire_writer_done(&w);
	}
}

static void a_plan_arrives_as_it_was_sent(void **state)
{
	_cleanup_plan_ struct plan sent, got;
	struct wire_writer w, again;

	make_plan(&sent);
	assert_int_equal(plan_encode(&sent, &w), 0);
	assert_int_equal(plan_decode(w.buf.data, w.buf.len, &got), 0);
	assert_int_equal(got.uid, 1000);
	assert_int_equal(got.gid, 1001);
	assert_string_equal(got.exec_path, "/usr/bin/node");
	assert_int_equal(got.argv.n, 2);
	assert_string_equal(got.argv.v[1], "");
	assert_null(got.argv.v[2]);
	assert_true(got.allow_unix);
	assert_false(got.drop_root);
	assert_int_equal(got.limits.processes, 128);
	assert_int_equal(got.n_mounts, sent.n_mounts);
	assert_int_equal(got.mounts[1].dev, 0x1122334455667788);
	assert_string_equal(got.mounts[2].content, "127.0.0.1 localhost\n");
	assert_int_equal(plan_encode(&got, &again), 0);
	assert_int_equal(again.buf.len, w.buf.len);
	assert_memory_equal(again.buf.data, w.buf.data, w.buf.len);
	wire_writer_done(&w);
	wire_writer_done(&again);
}

static void a_shim_config_arrives_as_it_was_sent(void **state)
{
	struct shim_config sent, got;
	struct wire_writer w, again;

	make_shim_config(&sent);
	assert_int_equal(shim_config_encode(&sent, &w), 0);
	assert_int_equal(shim_config_decode(w.buf.data, w.buf.len, &got), 0);
	assert_memory_equal(got.salt, sent.salt, sizeof(got.salt));
	assert_int_equal(got.args, SHIM_ARGS_HASH);
	assert_true(got.scope[SHIM_TOOLS].restricted);
	assert_int_equal(got.scope[SHIM_TOOLS].n, 2);
	assert_string_equal(got.scope[SHIM_TOOLS].rules[1].where, "p.json:40");
	assert_false(got.client.sampling.on);
	assert_true(got.client.elicitation.on);
	assert_int_equal(shim_config_encode(&got, &again), 0);
	assert_int_equal(again.buf.len, w.buf.len);
	assert_memory_equal(again.buf.data, w.buf.data, w.buf.len);
	wire_writer_done(&w);
	wire_writer_done(&again);
	shim_config_done(&sent);
	shim_config_done(&got);
}

static void reports_and_controls_arrive_as_they_were_sent(void **state)
{
	struct report report;
	struct control control;
	struct wire_writer w;

	assert_int_equal(encode_report(&w), 0);
	assert_int_equal(report_decode(w.buf.data, w.buf.len, &report), 0);
	assert_memory_equal(&report, &a_report, sizeof(report));
	wire_writer_done(&w);
	assert_int_equal(encode_control(&w), 0);
	assert_int_equal(control_decode(w.buf.data, w.buf.len, &control), 0);
	assert_int_equal(control.value, -1);
	assert_string_equal(control.text, a_control.text);
	wire_writer_done(&w);
}

static void what_dial_is_asked_and_answers_arrives_as_it_was_sent(void **state)
{
	_cleanup_net_config_ struct net_config config;
	struct dial_request request;
	struct dial_answer answer;
	struct wire_writer w, again;

	assert_int_equal(encode_request(&w), 0);
	assert_int_equal(dial_request_decode(w.buf.data, w.buf.len, &request), 0);
	assert_memory_equal(&request, &a_request, sizeof(request));
	wire_writer_done(&w);
	assert_int_equal(encode_answer(&w), 0);
	assert_int_equal(dial_answer_decode(w.buf.data, w.buf.len, &answer), 0);
	assert_memory_equal(&answer, &an_answer, sizeof(answer));
	wire_writer_done(&w);
	assert_int_equal(encode_net_config(&w), 0);
	assert_int_equal(net_config_decode(w.buf.data, w.buf.len, &config), 0);
	assert_int_equal(net_config_encode(&config, &again), 0);
	assert_int_equal(again.buf.len, w.buf.len);
	assert_memory_equal(again.buf.data, w.buf.data, w.buf.len);
	wire_writer_done(&w);
	wire_writer_done(&again);
}

static void an_event_arrives_as_it_was_sent(void **state)
{
	struct wire_writer w;
	struct event got;

	assert_int_equal(encode_event(&w), 0);
	assert_int_equal(event_decode(w.buf.data, w.buf.len, &got), 0);
	assert_int_equal(got.call_id, an_event.call_id);
	assert_int_equal(got.decision, EVENT_DENY);
	assert_string_equal(got.tool, an_event.tool);
	assert_string_equal(got.arg_hash, an_event.arg_hash);
	assert_int_equal(got.bytes_in, an_event.bytes_in);
	assert_int_equal(got.bytes_out, an_event.bytes_out);
	assert_int_equal(got.port, 65535);
	assert_string_equal(got.host, an_event.host);
	assert_string_equal(got.address, an_event.address);
	assert_int_equal(got.args_len, an_event.args_len);
	assert_memory_equal(got.args, an_event.args, an_event.args_len);
	wire_writer_done(&w);
}

static void an_event_with_every_field_full_fits_one_message(void **state)
{
	static char args[EVENT_ARGS_MAX + 1];
	struct wire_writer w;
	struct event e = an_event, got;

#define FILL(member) memset(e.member, 'x', sizeof(e.member) - 1)
	FILL(method), FILL(tool), FILL(rule), FILL(reason), FILL(status), FILL(peer_name), FILL(peer_version);
	FILL(protocol), FILL(arg_keys), FILL(arg_hash), FILL(host), FILL(address);
#undef FILL
	e.args = args;
	e.args_len = sizeof(args);
	assert_int_equal(event_encode(&e, &w), 0);
	assert_true(w.buf.len <= EVENT_BYTES_MAX);
	assert_int_equal(event_decode(w.buf.data, w.buf.len, &got), 0);
	assert_int_equal(got.args_len, EVENT_ARGS_MAX);
	wire_writer_done(&w);
}

static void spoil_uid(struct plan *p)
{
	p->uid = 0;
}

static void spoil_gid(struct plan *p)
{
	p->gid = 0;
}

static void spoil_uid_unchanged(struct plan *p)
{
	p->uid = (uid_t)-1;
}

static void spoil_exec(struct plan *p)
{
	p->exec_path[0] = 'x';
}

static void spoil_cwd(struct plan *p)
{
	p->cwd[0] = '.';
}

static void spoil_argv(struct plan *p)
{
	strv_done(&p->argv);
}

static void spoil_seccomp(struct plan *p)
{
	free(STEAL_PTR(p->seccomp));
}

static void spoil_target(struct plan *p)
{
	p->mounts[0].target[0] = 't';
}

static void spoil_source(struct plan *p)
{
	free(STEAL_PTR(p->mounts[1].source));
}

static void spoil_content(struct plan *p)
{
	free(STEAL_PTR(p->mounts[2].content));
}

static void spoil_link(struct plan *p)
{
	free(STEAL_PTR(p->mounts[3].content));
}

static void spoil_kind(struct plan *p)
{
	p->mounts[0].kind = PLAN_MOUNT_KIND_COUNT;
}

static void a_plan_with_root_or_without_a_needed_part_is_refused(void **state)
{
	static void (*const spoil[])(struct plan *) = { spoil_uid, spoil_gid, spoil_uid_unchanged, spoil_exec,
		spoil_cwd, spoil_argv, spoil_seccomp, spoil_target, spoil_source, spoil_content, spoil_link,
		spoil_kind };

	for (size_t i = 0; i < ARRAY_LEN(spoil); i++) {
		_cleanup_plan_ struct plan p, got;
		struct wire_writer w;

		make_plan(&p);
		spoil[i](&p);
		assert_int_equal(plan_encode(&p, &w), 0);
		assert_int_equal(plan_decode(w.buf.data, w.buf.len, &got), -EPROTO);
		assert_null(got.mounts);
		wire_writer_done(&w);
	}
}

static void a_plan_takes_no_more_mounts_than_its_limit(void **state)
{
	_cleanup_plan_ struct plan p = { 0 };
	struct plan_mount m = { .kind = PLAN_DIR, .target = (char *)(uintptr_t) "/d" };

	for (size_t i = 0; i < PLAN_MOUNTS_MAX; i++)
		assert_int_equal(plan_add_mount(&p, &m), 0);
	assert_int_equal(plan_add_mount(&p, &m), -E2BIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_is_accepted_whole),
		cmocka_unit_test(a_message_cut_at_any_byte_is_refused),
		cmocka_unit_test(a_tail_behind_a_message_is_refused),
		cmocka_unit_test(any_other_magic_version_kind_or_build_is_refused),
		cmocka_unit_test(any_flipped_byte_gives_a_message_or_a_refusal),
		cmocka_unit_test(a_plan_arrives_as_it_was_sent),
		cmocka_unit_test(a_shim_config_arrives_as_it_was_sent),
		cmocka_unit_test(reports_and_controls_arrive_as_they_were_sent),
		cmocka_unit_test(an_event_arrives_as_it_was_sent),
		cmocka_unit_test(what_dial_is_asked_and_answers_arrives_as_it_was_sent),
		cmocka_unit_test(an_event_with_every_field_full_fits_one_message),
		cmocka_unit_test(a_plan_with_root_or_without_a_needed_part_is_refused),
		cmocka_unit_test(a_plan_takes_no_more_mounts_than_its_limit),
	};
	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
