/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard_bench - what the shim does with a message when everything judges it: pins, scan, fields, schemas, rates,
 * secrets, personal data, hashes for the log; without processes between, so that its own work is what is timed
 *
 *   guard_bench tests/scan/corpus/real/zereight-mcp-gitlab.json
 *
 * A list of 118 tools when it comes the first time in a session and when it comes again, beside jansson's parse and
 * dump of it; and a call with ten arguments and its result, beside jansson's parse and dump of both.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/io.h"
#include "shim/arguments.h"
#include "shim/define.h"
#include "shim/handle.h"
#include "shim/shim.h"

enum { LISTS = 41, CALLS = 20001, TOOLS_MAX = 256, LINE_MAX_BYTES = 1 << 20, SINK = 1 << 20 };

static char where[] = "bench", name[] = "bench", all[] = "*";

static const char *const secrets[] = { "ghp_Zx81kQ02mmPLw9Zx81kQ02mmPLw9abcdEF", "AKIAIOSFODNN7EXAMPLE",
	"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "sk-proj-abcdefghijklmnopqrstuvwx0123456789", "hunter2!",
	"postgres://user:p4ssw0rd1@db.example.com/prod", "xoxb-123456789012-abcdefghijkl", "correct horse 9" };

/* The list with the definitions that are pinned. */
struct world {
	json_t *server;
	char *list; /* a message, with its line feed */
	size_t list_len;
	struct shim_pin pins[TOOLS_MAX];
	size_t n;
};

struct desk {
	struct shim s;
	int records[2], out[2], in[2];
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Of this thread: what else the machine does is not counted. */
static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_time(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_time);
	return v[n / 2];
}

static int by_pin(const void *a, const void *b)
{
	const struct shim_pin *x = a, *y = b;

	return shim_pin_compare(x, y->kind, y->name, strlen(y->name));
}

static void pin_tool(struct world *w, json_t *tool)
{
	_cleanup_buf_ struct buf room = BUF_INIT(DEFINITION_BYTES_MAX);
	char *text = json_dumps(tool, JSON_COMPACT), *line = NULL;
	struct shim_pin *pin = &w->pins[w->n++];
	struct json_doc d;

	json_doc_init(&d, LINE_MAX_BYTES, 7);
	if (!text || asprintf(&line, "%s\n", text) < 0 || json_parse(&d, line, strlen(text)) != 0)
		die("a tool of the list");
	*pin = (struct shim_pin){ .kind = DEFINITION_TOOL };
	pin->name = strdup(json_string_value(json_object_get(tool, "name")));
	if (!pin->name || define_digest(&room, (struct slice){ d.out.data, d.out.len }, pin->digest) != 0)
		die("a digest");
	json_doc_done(&d);
	free(line);
	free(text);
}

static void read_world(struct world *w, const char *path)
{
	json_t *tools, *tool;
	char *text;
	size_t i;

	*w = (struct world){ .server = json_load_file(path, 0, NULL) };
	tools = json_object_get(w->server, "tools");
	if (json_array_size(tools) == 0 || json_array_size(tools) > TOOLS_MAX)
		die(path);
	text = json_dumps(tools, JSON_COMPACT);
	if (!text || asprintf(&w->list, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":%s}}\n", text) < 0)
		die("memory");
	w->list_len = strlen(w->list) - 1;
	free(text);
	json_array_foreach(tools, i, tool) pin_tool(w, tool);
	qsort(w->pins, w->n, sizeof(w->pins[0]), by_pin);
}

static void world_done(struct world *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->pins[i].name);
	free(w->list);
	json_decref(w->server);
}

static void configure(struct shim_config *c, struct world *w)
{
	static struct shim_rule rule = { true, all, where };
	static struct meters_tool limits = { all, { METERS_CALLS_MAX, 1, where }, { 50, where }, { 8 << 20, where },
		{ 0, NULL } };
	static char schema[] = "{\"properties\":{\"owner\":{\"const\":\"example\"}}}";
	static struct shim_argument_rule demand = { all, schema, where, false };
	char variable[16];

	*c = (struct shim_config){ .name = name, .line_max = SHIM_LINE_DEFAULT, .args = SHIM_ARGS_HASH };
	c->scope[SHIM_TOOLS] = (struct shim_rules){ true, where, &rule, 1 };
	c->pins = (struct shim_pins){ true, where, w->pins, w->n };
	c->meters = (struct meters){
		.total = { METERS_CALLS_MAX, 1, where }, .in_flight = { 64, where }, .tools = &limits, .n = 1
	};
	c->arguments = (struct shim_arguments){ NULL, &demand, 1 };
	c->scan.withhold = where;
	c->text.sets = (1u << SHIM_SET_COUNT) - 1;
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		snprintf(variable, sizeof(variable), "SECRET_%zu", i);
		if (shim_text_add_secret(&c->text, variable, secrets[i]) < 0)
			die("memory");
	}
}

static struct desk *desk_new(struct world *w)
{
	struct desk *t = calloc(1, sizeof(*t));
	struct diag d = { 0 };

	if (!t || pipe2(t->records, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(t->out, O_CLOEXEC | O_NONBLOCK) < 0 ||
		pipe2(t->in, O_CLOEXEC | O_NONBLOCK) < 0 || fcntl(t->out[1], F_SETPIPE_SZ, SINK) < 0 ||
		fcntl(t->records[1], F_SETPIPE_SZ, SINK) < 0)
		die("a desk");
	configure(&t->s.config, w);
	t->s.control = -1;
	t->s.records = t->records[1];
	shim_init(&t->s, 7);
	if (arguments_prepare(&t->s, &d) < 0 || text_out_init(&t->s.text, &t->s.config.text, &d) < 0 ||
		port_init(&t->s.client_out, t->out[1]) < 0 || port_init(&t->s.server_in, t->in[1]) < 0)
		die(d.text);
	return t;
}

static void desk_free(struct desk *t)
{
	const int fds[] = { t->records[0], t->records[1], t->out[0], t->out[1], t->in[0], t->in[1] };

	t->s.config.pins = (struct shim_pins){ 0 };
	t->s.config.meters = (struct meters){ 0 };
	arguments_done(&t->s);
	t->s.config.arguments = (struct shim_arguments){ 0 };
	t->s.config.scope[SHIM_TOOLS] = (struct shim_rules){ 0 };
	t->s.config.name = t->s.config.scan.withhold = NULL;
	shim_done(&t->s);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	free(t);
}

static void empty(int fd)
{
	static char bytes[SINK];

	while (read(fd, bytes, sizeof(bytes)) > 0)
		;
}

static void forget(struct desk *t)
{
	empty(t->records[0]);
	empty(t->out[0]);
	empty(t->in[0]);
}

static void say(struct desk *t, enum event_side side, const char *line, size_t n)
{
	t->s.now_us = io_now_us();
	if (handle_line(&t->s, side, LINES_MESSAGE, (struct line){ line, n }) != 0)
		die("a line");
}

static double time_list(struct desk *t, const struct world *w)
{
	static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n";

	say(t, EVENT_FROM_CLIENT, ask, sizeof(ask) - 2);
	forget(t);
	double from = cpu_us();
	say(t, EVENT_FROM_SERVER, w->list, w->list_len);
	double took = cpu_us() - from;
	/* The client has it, and nothing is missing. */
	static char got[SINK + 1];
	ssize_t n = read(t->out[0], got, SINK);
	if (n < (ssize_t)w->list_len)
		die("the list was cut");
	forget(t);
	return took;
}

static double time_jansson(const char *text, size_t n)
{
	double from = cpu_us();
	json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	char *out = j ? json_dumps(j, JSON_COMPACT) : NULL;

	if (!out)
		die("jansson");
	free(out);
	json_decref(j);
	return cpu_us() - from;
}

static void row(const char *what, double ours, double peer, double goal, const char *unit)
{
	printf("%-48s %9.3f %s   jansson's parse and dump %9.3f %s   ratio %5.2f   goal <= %6.1f %s   %s\n", what, ours,
		unit, peer, unit, ours / peer, goal, unit, ours <= goal ? "met" : "MISSED");
}

static void lists(struct world *w)
{
	static double first[LISTS], again[LISTS], peer[LISTS];

	for (int i = 0; i < LISTS; i++) {
		struct desk *t = desk_new(w);
		first[i] = time_list(t, w) / 1e3;
		again[i] = time_list(t, w) / 1e3;
		peer[i] = time_jansson(w->list, w->list_len) / 1e3;
		desk_free(t);
	}
	double other = median(peer, LISTS);
	printf("a list of %zu tools, %zu KB\n", w->n, w->list_len / 1000);
	row("  the first time in a session", median(first, LISTS), other, 3, "ms");
	row("  the same list again", median(again, LISTS), other, 1, "ms");
}

static const char result[] =
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"The quick brown \"}]}}\n";
static const char call[] =
	"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"create_issue\","
	"\"arguments\":{\"project_id\":\"example/stockade\",\"title\":\"The list is empty\",\"description\":"
	"\"It was not yesterday.\",\"labels\":[\"bug\"],\"milestone_id\":\"7\",\"owner\":\"example\"}}}\n";

static double time_call(struct desk *t)
{
	double from = cpu_us();

	say(t, EVENT_FROM_CLIENT, call, sizeof(call) - 2);
	say(t, EVENT_FROM_SERVER, result, sizeof(result) - 2);
	return cpu_us() - from;
}

static void calls(struct world *w)
{
	static double ours[CALLS], peer[CALLS];
	struct desk *t = desk_new(w);
	char got[4096] = "";

	time_list(t, w);
	for (int i = 0; i < CALLS; i++) {
		forget(t);
		ours[i] = time_call(t);
		peer[i] = time_jansson(call, sizeof(call) - 2) + time_jansson(result, sizeof(result) - 2);
	}
	if (read(t->out[0], got, sizeof(got) - 1) <= 0 || strcmp(got, result) != 0) {
		fprintf(stderr, "guard_bench: the call was denied: %s\n", got);
		exit(1);
	}
	row("a call and its result, sent to nobody", median(ours, CALLS), median(peer, CALLS), 12, "us");
	desk_free(t);
}

int main(int argc, char **argv)
{
	struct world w;

	if (argc < 2) {
		fprintf(stderr, "guard_bench tests/scan/corpus/real/zereight-mcp-gitlab.json\n");
		return 2;
	}
	read_world(&w, argv[1]);
	if (argc < 3 || strcmp(argv[2], "calls") != 0)
		lists(&w);
	if (argc < 3 || strcmp(argv[2], "lists") != 0)
		calls(&w);
	world_done(&w);
	return 0;
}
