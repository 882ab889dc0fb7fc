/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_bench - the most memory that the shim is resident with for one message of the default limit, of each shape
 * that a hostile peer could give it, as a multiple of that limit
 *
 * Each shape has a process of its own, with schemas, secrets, personal data and the scan on. The message comes through
 * the buffer that lines come through, and nobody reads what is forwarded.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/io.h"
#include "shim/handle.h"
#include "shim/shim.h"

/* Times SHIM_LINE_DEFAULT; ARCHITECTURE.md says what it is made of. */
enum { PEAK_MULTIPLE = 12, UNIT_MAX = 256 };

#define RESULT "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":"

static char name[] = "bench", where[] = "bench", all[] = "*";

/* head, then the unit as often as fits, then tail. %u in the unit is its number. */
static const struct shape {
	const char *words, *head, *unit, *tail;
	bool list; /* it answers tools/list, else tools/call */
	bool call; /* it is a call of the client's */
} shapes[] = {
	{ "one text", RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"", "a line of text. ", "\"}]}}" },
	{ "arrays in arrays", RESULT "{\"a\":[", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],", "0]}}" },
	{ "many keys in one object", RESULT "{\"structuredContent\":{", "\"%x\":0,", "\"z\":0}}}" },
	{ "many objects of one key", RESULT "{\"structuredContent\":{\"a\":[", "{\"\":0},", "0]}}}" },
	{ "tiny strings", RESULT "{\"structuredContent\":{\"a\":[", "\"\",", "0]}}}" },
	{ "tiny numbers", RESULT "{\"structuredContent\":{\"a\":[", "1,", "0]}}}" },
	{ "escapes", RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"", "\\u0041\\u00e4\\n", "\"}]}}" },
	{ "raw characters that become escapes", RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"", "\xc2\x85",
		"\"}]}}" },
	{ "invisible characters", RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"", "a\xe2\x80\x8b", "\"}]}}" },
	{ "a secret again and again", RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"", "hunter2!", "\"}]}}" },
	{ "mail addresses", RESULT "{\"content\":[{\"type\":\"text\",\"text\":\"", "me@example.com ", "\"}]}}" },
	{ "tools without schemas", RESULT "{\"tools\":[", "{\"name\":\"%x\"},", "{\"name\":\"z\"}]}}", .list = true },
	{ "the first page of many tools", RESULT "{\"tools\":[", "{\"name\":\"%x\"},",
		"{\"name\":\"z\"}],\"nextCursor\":\"2\"}}", .list = true },
	{ "tools with schemas", RESULT "{\"tools\":[",
		"{\"name\":\"%x\",\"inputSchema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"}}}},",
		"{\"name\":\"z\"}]}}", .list = true },
	{ "one tool with a large schema", RESULT "{\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"enum\":[", "\"%x\",",
		"0]}}]}}", .list = true },
	{ "arguments of many members",
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"t\",\"arguments\":{",
		"\"%x\":0,", "\"z\":0}}}", .call = true },
	{ "arguments of many values",
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/"
		"call\",\"params\":{\"name\":\"t\",\"arguments\":{\"a\":[",
		"1,", "0]}}}", .call = true },
	{ "what is no JSON", "{\"jsonrpc\":\"2.0\",\"id\":1,", "[[[[[[{\"id\":", "" },
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static size_t resident(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (size_t)u.ru_maxrss << 10;
}

static void prepare(struct shim *s, int *ret_records)
{
	static struct shim_rule rule = { true, all, where };
	struct diag d = { 0 };
	int pair[2], out[2], in[2];

	if (pipe2(pair, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 ||
		pipe2(in, O_CLOEXEC | O_NONBLOCK) < 0)
		die("a pipe");
	s->config = (struct shim_config){ .name = name, .line_max = SHIM_LINE_DEFAULT, .args = SHIM_ARGS_FULL };
	s->config.scope[SHIM_TOOLS] = (struct shim_rules){ true, where, &rule, 1 };
	s->config.scan.withhold = where;
	s->config.text.sets = (1u << SHIM_SET_COUNT) - 1;
	if (shim_text_add_secret(&s->config.text, "A", "hunter2!") < 0)
		die("memory");
	s->control = -1;
	s->records = pair[1];
	*ret_records = pair[0];
	shim_init(s, 7);
	if (text_out_init(&s->text, &s->config.text, &d) < 0 || port_init(&s->client_out, out[1]) < 0 ||
		port_init(&s->server_in, in[1]) < 0)
		die(d.text);
}

/* Records are taken as they come: the pipe would be full else. */
static void say(struct shim *s, int records, enum event_side side, struct lines *l)
{
	char bytes[EVENT_BYTES_MAX];
	struct line line;
	int found = lines_next(l, &line);
	pid_t reader = fork();

	if (reader == 0) {
		close(s->records);
		while (read(records, bytes, sizeof(bytes)) != 0)
			usleep(100);
		_exit(0);
	}
	if (handle_line(s, side, found, line) != 0)
		die("handle_line");
	kill(reader, 9);
	waitpid(reader, NULL, 0);
}

static void feed(struct lines *l, const char *p, size_t n)
{
	while (n > 0) {
		size_t room, part;
		char *to;
		if (lines_room(l, &to, &room) < 0)
			die("memory");
		part = n < room ? n : room;
		memcpy(to, p, part);
		lines_filled(l, part);
		p += part;
		n -= part;
	}
}

static void feed_shape(struct lines *l, const struct shape *shape)
{
	size_t n = strlen(shape->head), tail = strlen(shape->tail);
	char unit[UNIT_MAX];

	feed(l, shape->head, n);
	for (unsigned i = 0; n + tail + UNIT_MAX < SHIM_LINE_DEFAULT; i++) {
		const char *number = strstr(shape->unit, "%x");
		int len = number ? snprintf(unit, sizeof(unit), "%.*s%x%s", (int)(number - shape->unit), shape->unit, i,
					   number + 2)
				 : snprintf(unit, sizeof(unit), "%s", shape->unit);
		feed(l, unit, (size_t)len);
		n += (size_t)len;
	}
	feed(l, shape->tail, tail);
	feed(l, "\n", 1);
}

/* In a process of its own: how much it grew. */
static size_t grow(const struct shape *shape)
{
	static const char
		list[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n",
		call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"t\"}}\n",
		tools[] = RESULT "{\"tools\":[{\"name\":\"t\",\"inputSchema\":{\"type\":\"object\","
				 "\"additionalProperties\":{\"maximum\":7}}}]}}\n";
	static struct shim s;
	size_t before;
	int records;

	prepare(&s, &records);
	before = resident();
	feed(&s.from_client, list, sizeof(list) - 1);
	say(&s, records, EVENT_FROM_CLIENT, &s.from_client);
	if (!shape->list) {
		feed(&s.from_server, tools, sizeof(tools) - 1);
		say(&s, records, EVENT_FROM_SERVER, &s.from_server);
	}
	if (!shape->list && !shape->call) {
		feed(&s.from_client, call, sizeof(call) - 1);
		say(&s, records, EVENT_FROM_CLIENT, &s.from_client);
	}
	struct lines *l = shape->call ? &s.from_client : &s.from_server;
	feed_shape(l, shape);
	say(&s, records, shape->call ? EVENT_FROM_CLIENT : EVENT_FROM_SERVER, l);
	return resident() - before;
}

static size_t grow_apart(const struct shape *shape)
{
	size_t grown = 0;
	int p[2], status;

	if (pipe(p) < 0)
		die("pipe");
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		grown = grow(shape);
		_exit(write(p[1], &grown, sizeof(grown)) == sizeof(grown) ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0 ||
		read(p[0], &grown, sizeof(grown)) != sizeof(grown))
		die(shape->words);
	close(p[0]);
	close(p[1]);
	return grown;
}

int main(void)
{
	double worst = 0;

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		double times = (double)grow_apart(&shapes[i]) / SHIM_LINE_DEFAULT;
		printf("%-40s %6.2f times the limit of a message   goal <= %d   %s\n", shapes[i].words, times,
			PEAK_MULTIPLE, times <= PEAK_MULTIPLE ? "met" : "MISSED");
		worst = times > worst ? times : worst;
	}
	return worst <= PEAK_MULTIPLE ? 0 : 1;
}
