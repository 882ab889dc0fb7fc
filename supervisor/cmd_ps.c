/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ps - stockade ps: the sessions that run, the launches that wait for an approval, the calls that wait for a person
 */
#include <string.h>
#include "base/text.h"
#include "supervisor/call_list.h"
#include "supervisor/commands.h"
#include "supervisor/consent_pending.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/registry.h"

struct ps_options {
	bool json;
};

static const struct option_row ps_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct ps_options, json), NULL, "one JSON array" },
	{ NULL },
};

struct listed {
	struct registry_list sessions;
	struct pendings launches;
	struct call_list calls;
};

static void listed_done(struct listed *l)
{
	registry_list_done(&l->sessions);
	pendings_done(&l->launches);
	call_list_done(&l->calls);
}

static bool waits_in(const struct call_entry *c, const struct registry_entry *e)
{
	return !c->damaged && strcmp(c->session, e->id) == 0;
}

static size_t count_calls(const struct listed *l, const struct registry_entry *e)
{
	size_t n = 0;

	for (size_t i = 0; i < l->calls.n; i++)
		n += waits_in(&l->calls.v[i], e);
	return n;
}

/* --- for programs --- */

static json_t *calls_json(const struct listed *l, const struct registry_entry *e)
{
	json_t *all = json_array();
	char since[OUTPUT_TIME_SIZE];

	for (size_t i = 0; all && i < l->calls.n; i++) {
		const struct call_entry *c = &l->calls.v[i];
		if (!waits_in(c, e))
			continue;
		if (json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "kind", "call", "tool", c->tool, "since",
						       output_time(c->when, since))) < 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

static json_t *session_json(const struct listed *l, const struct registry_entry *e)
{
	char since[OUTPUT_TIME_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:O?, s:i, s:s, s:I, s:I, s:o, s:o}", "session", e->id, "state",
		e->foreign ? "unknown" : "running", "server", e->name, "client", e->client, "identity", e->identity,
		"pid", e->pid, "since", output_time(e->since, since), "calls", (json_int_t)e->counters.calls, "denials",
		(json_int_t)e->counters.denials, "memory",
		e->foreign ? json_null() : json_integer((json_int_t)registry_memory(e->pid)), "waits_for",
		calls_json(l, e));
}

/* There is no session before it is approved. */
static json_t *launch_json(const struct pending *p)
{
	char since[OUTPUT_TIME_SIZE];

	output_time(p->when, since);
	return json_pack("{s:n, s:s, s:s, s:s, s:O?, s:n, s:s, s:i, s:i, s:n, s:[{s:s, s:s, s:I}]}", "session", "state",
		"waiting", "server", p->damaged ? "" : p->name, "client", p->damaged ? "" : p->lineage, "identity",
		json_object_get(p->question, "client"), "pid", "since", since, "calls", 0, "denials", 0, "memory",
		"waits_for", "kind", "launch", "digest", p->digest, "launches", (json_int_t)p->waiters);
}

static json_t *list_json(const struct listed *l)
{
	json_t *all = json_array();
	int r = all ? 0 : -1;

	for (size_t i = 0; r == 0 && i < l->sessions.n; i++)
		r = json_array_append_new(all, session_json(l, &l->sessions.v[i]));
	for (size_t i = 0; r == 0 && i < l->launches.n; i++)
		r = json_array_append_new(all, launch_json(&l->launches.v[i]));
	if (r == 0)
		return all;
	json_decref(all);
	return NULL;
}

/* --- for people --- */

struct row {
	const char *session, *name, *memory, *state, *mark, *client;
	int64_t since;
	struct registry_counters counters;
};

static void print_row(const struct row *r)
{
	char name[64], client[128], since[OUTPUT_TIME_SIZE];

	printf("%-12.12s  %-24s  %-20s  %8llu  %8llu  %8s  %-22s  %s%s\n", r->session,
		text_escape_str(r->name, name, sizeof(name)), output_time(r->since, since),
		(unsigned long long)r->counters.calls, (unsigned long long)r->counters.denials, r->memory, r->state,
		r->mark, text_escape_str(r->client, client, sizeof(client)));
}

static void print_session(const struct listed *l, const struct registry_entry *e)
{
	size_t waiting = count_calls(l, e);
	char memory[32] = "unknown", state[64];
	struct row r = { e->id, e->name, memory, state, "", e->client, e->since, e->counters };

	if (e->foreign)
		r.mark = "(in another container, may have ended) ";
	else
		snprintf(memory, sizeof(memory), "%llu MB", (unsigned long long)(registry_memory(e->pid) >> 20));
	if (waiting)
		snprintf(state, sizeof(state), "%zu call%s wait%s", waiting, waiting > 1 ? "s" : "",
			waiting > 1 ? "" : "s");
	else
		snprintf(state, sizeof(state), "%s", e->foreign ? "unknown" : "running");
	print_row(&r);
}

static void print_launch(const struct pending *p)
{
	const struct row r = { "-", p->damaged ? "(damaged)" : p->name, "-", "waits for an approval",
		p->waiters > 1 ? "(more than once) " : "", p->damaged ? "" : p->lineage, p->when, { 0 } };

	print_row(&r);
}

static int print_table(const struct listed *l, const struct paths *p)
{
	if (l->sessions.n == 0 && l->launches.n == 0) {
		char shown[512];
		fprintf(stderr, "no server runs through stockade (looked in %s)\n",
			text_escape_str(p->runtime, shown, sizeof(shown)));
		return EXIT_OK;
	}
	printf("%-12s  %-24s  %-20s  %8s  %8s  %8s  %-22s  %s\n", "SESSION", "SERVER", "SINCE", "CALLS", "DENIED",
		"MEMORY", "STATE", "CLIENT");
	for (size_t i = 0; i < l->sessions.n; i++)
		print_session(l, &l->sessions.v[i]);
	for (size_t i = 0; i < l->launches.n; i++)
		print_launch(&l->launches.v[i]);
	if (l->launches.n || l->calls.n)
		fputs("'stockade approve' shows what waits\n", stderr);
	return EXIT_OK;
}

static int run_ps(const struct command_ctx *ctx)
{
	const struct ps_options *o = ctx->options;
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_(listed_done) struct listed l = { 0 };
	struct diag d = { "" };

	if (paths_init(&p, &d) < 0 || registry_read(&p, &l.sessions, &d) < 0 || pending_list(&p, &l.launches, &d) < 0 ||
		call_list_read(&p, &l.calls, &d) < 0) {
		command_error("%s", d.text);
		return EXIT_REFUSED;
	}
	return o->json ? output_json(stdout, list_json(&l), "the list of sessions") : print_table(&l, &p);
}

const struct command_row cmd_ps = {
	.name = "ps",
	.synopsis = "[--json]",
	.summary = "list the servers that run through stockade",
	.details = "Session, server, client, since when, calls, denials, and the memory of all its processes, "
		   "stockade's own included "
		   "(proportional set size where it can be read, else resident set size); and what waits for a person: "
		   "launches for an approval,\n"
		   "calls of tools for a look.",
	.options = ps_rows,
	.options_size = sizeof(struct ps_options),
	.run = run_ps,
};
