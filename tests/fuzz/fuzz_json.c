/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json - the serialiser, the cursor and everything that is decided about a message, on any bytes
 *
 * What must hold: the canonical form of the canonical form is itself, it has no line feed and no raw control, and what
 * is walked in it ends where it ends. A message is then given to both sides of a shim whose supervisor always listens.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "shim/envelope.h"
#include "shim/handle.h"
#include "shim/json.h"
#include "shim/walk.h"
#include "tests/fuzz/fuzz.h"
#include "wire/event.h"

enum { INPUT_MAX = 1 << 20, RECORDS = 256 << 10 /* that nobody has read yet */ };

static void check_text(const struct json_doc *d)
{
	for (size_t i = 0; i < d->out.len; i++)
		must((unsigned char)d->out.data[i] >= 0x20 && d->out.data[i] != 0x7f,
			"a raw control in the canonical form");
	must(walk_skip(d->out.data) == d->out.data + d->out.len, "the walk does not end where the message ends");
	for (uint32_t i = 0; i < d->n_members; i++) {
		const char *p = json_at(d, d->members[i].value);
		must(walk_skip(p) == p + d->members[i].value.len, "a member's span is wrong");
	}
}

static void check_serialiser(const char *line, size_t n)
{
	struct json_doc once, twice;

	json_doc_init(&once, SHIM_LINE_MAX, 1);
	json_doc_init(&twice, SHIM_LINE_MAX, 2);
	if (json_parse(&once, line, n) == 0) {
		check_text(&once);
		must(json_parse(&twice, once.out.data, once.out.len) == 0, "the canonical form is refused");
		must(once.out.len == twice.out.len && memcmp(once.out.data, twice.out.data, once.out.len) == 0,
			"the canonical form is not a fixed point");
	}
	json_doc_done(&once);
	json_doc_done(&twice);
}

static void drain(int fd)
{
	char bytes[EVENT_BYTES_MAX];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

static void give(struct shim *s, int ours, enum event_side side, const char *text, size_t n)
{
	must(handle_line(s, side, LINES_MESSAGE, (struct line){ text, n }) >= 0, "the session ended");
	drain(ours);
}

/* Rules of every scope, so that denials and filters are reached. */
static void configure(struct shim_config *c)
{
	static struct shim_rule rules[] = {
		{ false, (char *)(uintptr_t) "b*", (char *)(uintptr_t) "r:1" },
		{ true, (char *)(uintptr_t) "*", (char *)(uintptr_t) "r:2" },
	};

	*c = (struct shim_config){
		.name = (char *)(uintptr_t) "f", .line_max = SHIM_LINE_DEFAULT, .args = SHIM_ARGS_FULL
	};
	for (size_t i = 0; i < SHIM_SCOPE_COUNT; i++)
		c->scope[i] = (struct shim_rules){ true, (char *)(uintptr_t) "r:0", rules, ARRAY_LEN(rules) };
}

/* What both sides have said before the input: requests 1 to 3 of the client and 1 of the server are in flight. */
static const struct {
	enum event_side side;
	const char *text;
} prologue[] = {
	{ EVENT_FROM_CLIENT, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"initialize\"}" },
	{ EVENT_FROM_CLIENT, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/list\"}" },
	{ EVENT_FROM_SERVER,
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"result\":{\"tools\":[{\"name\":\"a\",\"inputSchema\":{\"properties\":"
		"{\"x\":{}}},\"outputSchema\":{\"properties\":{\"y\":{}}}}]}}" },
	{ EVENT_FROM_CLIENT, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}" },
	{ EVENT_FROM_CLIENT, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}" },
	{ EVENT_FROM_SERVER, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}" },
};

static void check_handlers(const char *line, size_t n)
{
	static const enum event_side order[] = { EVENT_FROM_SERVER, EVENT_FROM_CLIENT, EVENT_FROM_CLIENT,
		EVENT_FROM_SERVER };
	struct shim *s = calloc(1, sizeof(*s));
	int pair[2], nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

	must(s && nowhere >= 0 && pipe2(pair, O_NONBLOCK) == 0 && fcntl(pair[1], F_SETPIPE_SZ, RECORDS) >= 0,
		"no memory or descriptors");
	configure(&s->config);
	must(strv_add(&s->config.roots, "/home/u/src") == 0, "no memory");
	s->control = -1;
	s->records = pair[1];
	s->client_out.fd = s->server_in.fd = nowhere;
	shim_init(s, 3);
	for (size_t i = 0; i < ARRAY_LEN(prologue); i++)
		give(s, pair[0], prologue[i].side, prologue[i].text, strlen(prologue[i].text));
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		give(s, pair[0], order[i], line, n);
	must(handle_abandon(s, "over", "over") == 0, "a request could not be answered");
	drain(pair[0]);
	must(s->calls.n == 0, "a request is left without an answer");
	strv_done(&s->config.roots);
	s->config = (struct shim_config){ 0 };
	shim_done(s);
	free(s);
	close(pair[0]);
	close(pair[1]);
	close(nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line;

	if (size > INPUT_MAX)
		return 0;
	line = malloc(size + 1);
	must(line != NULL, "no memory");
	if (size)
		memcpy(line, data, size);
	/* A line never holds one, and ends in one. */
	for (size_t i = 0; i < size; i++)
		line[i] = line[i] == '\n' ? ' ' : line[i];
	line[size] = '\n';
	check_serialiser(line, size);
	check_handlers(line, size);
	free(line);
	return 0;
}
