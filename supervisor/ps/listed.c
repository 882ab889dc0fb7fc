/* SPDX-License-Identifier: Apache-2.0 */
/* listed - see listed.h */
#include "supervisor/ps/listed.h"
#include <string.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/kill/kill_show.h"
#include "supervisor/output.h"

static int read_all(const struct paths *p, struct listed *l, struct diag *d)
{
	int r = registry_read(p, &l->sessions, d);

	if (r == 0)
		r = pending_list(p, &l->launches, d);
	if (r == 0)
		r = call_list_read(p, &l->calls, d);
	if (r < 0)
		return r;
	r = kill_set_read(p, &l->kills);
	if (r < 0)
		return diag_fail(d, r, "cannot read what is killed: %s", strerror(-r));
	if (l->sessions.n > 0)
		registry_processes_read(&l->processes);
	return 0;
}

int listed_read(const struct paths *p, struct listed *ret, struct diag *d)
{
	int r;

	*ret = (struct listed){ .wall_us = io_wall_us() };
	r = read_all(p, ret, d);
	if (r < 0) {
		listed_done(ret);
		*ret = (struct listed){ 0 };
	}
	return r;
}

void listed_done(struct listed *l)
{
	registry_list_done(&l->sessions);
	pendings_done(&l->launches);
	call_list_done(&l->calls);
	kill_set_done(&l->kills);
	registry_processes_done(&l->processes);
}

bool listed_none(const struct listed *l)
{
	return l->sessions.n == 0 && l->launches.n == 0;
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

/* null: an earlier version started it, and does not count them. */
static json_t *rate_json(const struct registry_counters *c, uint64_t wall_us)
{
	return c->version ? json_integer((json_int_t)registry_rate(c, wall_us)) : json_null();
}

static json_t *connections_json(const struct registry_counters *c)
{
	return c->version ? json_pack("{s:I, s:I}", "open", (json_int_t)c->connections_open, "total",
				    (json_int_t)c->connections)
			  : json_null();
}

static json_t *session_json(struct listed *l, const struct registry_entry *e)
{
	const struct registry_counters *c = &e->counters;
	char since[OUTPUT_TIME_SIZE];

	return json_pack("{s:s, s:s, s:s, s:s, s:O?, s:i, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:s?}", "session",
		e->id, "state", e->foreign ? "unknown" : "running", "server", e->name, "client", e->client, "identity",
		e->identity, "pid", e->pid, "since", output_time(e->since, since), "calls", (json_int_t)c->calls,
		"denials", (json_int_t)c->denials, "rate", rate_json(c, l->wall_us), "connections", connections_json(c),
		"memory", e->foreign ? json_null() : json_integer((json_int_t)registry_memory(&l->processes, e->pid)),
		"waits_for", calls_json(l, e), "killed", kill_show_json(&l->kills, e->name), "observe_until",
		e->observe_until);
}

/* There is no session before it is approved. */
static json_t *launch_json(const struct listed *l, const struct pending *p)
{
	char since[OUTPUT_TIME_SIZE];

	output_time(p->when, since);
	return json_pack("{s:n, s:s, s:s, s:s, s:O?, s:n, s:s, s:i, s:i, s:i, s:n, s:n, s:[{s:s, s:s, s:I}], s:o, s:n}",
		"session", "state", "waiting", "server", p->damaged ? "" : p->name, "client",
		p->damaged ? "" : p->lineage, "identity", json_object_get(p->question, "client"), "pid", "since", since,
		"calls", 0, "denials", 0, "rate", 0, "connections", "memory", "waits_for", "kind", "launch", "digest",
		p->digest, "launches", (json_int_t)p->waiters, "killed",
		kill_show_json(&l->kills, p->damaged ? "" : p->name), "observe_until");
}

json_t *listed_json(struct listed *l)
{
	json_t *all = json_array();
	int r = all ? 0 : -1;

	for (size_t i = 0; r == 0 && i < l->sessions.n; i++)
		r = json_array_append_new(all, session_json(l, &l->sessions.v[i]));
	for (size_t i = 0; r == 0 && i < l->launches.n; i++)
		r = json_array_append_new(all, launch_json(l, &l->launches.v[i]));
	if (r == 0)
		return all;
	json_decref(all);
	return NULL;
}

/* --- for people --- */

enum { CELL_SIZE = 48 };

struct row {
	const char *session, *name, *memory, *state, *mark, *client;
	int64_t since;
	const struct registry_counters *counters;
};

static void print_row(FILE *out, const struct listed *l, const struct row *r)
{
	char name[64], client[128], since[OUTPUT_TIME_SIZE], rate[CELL_SIZE] = "-", connections[CELL_SIZE] = "-";
	const struct registry_counters *c = r->counters;

	if (c->version) {
		snprintf(rate, sizeof(rate), "%llu", (unsigned long long)registry_rate(c, l->wall_us));
		snprintf(connections, sizeof(connections), "%llu/%llu", (unsigned long long)c->connections_open,
			(unsigned long long)c->connections);
	}
	fprintf(out, "%-12.12s  %-24s  %-20s  %8llu  %8llu  %6s  %9s  %8s  %-22s  %s%s\n", r->session,
		text_escape_str(r->name, name, sizeof(name)), output_time(r->since, since),
		(unsigned long long)c->calls, (unsigned long long)c->denials, rate, connections, r->memory, r->state,
		r->mark, text_escape_str(r->client, client, sizeof(client)));
}

static void print_session(FILE *out, struct listed *l, const struct registry_entry *e)
{
	size_t waiting = count_calls(l, e), killed = kill_show_tools(&l->kills, e->name);
	char memory[32] = "unknown", state[64];
	struct row r = { e->id, e->name, memory, state, "", e->client, e->since, &e->counters };

	if (e->foreign)
		r.mark = "(in another container, may have ended) ";
	else
		snprintf(memory, sizeof(memory), "%llu MB",
			(unsigned long long)(registry_memory(&l->processes, e->pid) >> 20));
	if (waiting)
		snprintf(state, sizeof(state), "%zu call%s wait%s", waiting, waiting > 1 ? "s" : "",
			waiting > 1 ? "" : "s");
	else if (killed)
		snprintf(state, sizeof(state), "%zu tool%s killed", killed, killed > 1 ? "s" : "");
	else
		snprintf(state, sizeof(state), "%s",
			e->foreign	   ? "unknown"
			: e->observe_until ? "running, observed"
					   : "running");
	print_row(out, l, &r);
}

static void print_launch(FILE *out, const struct listed *l, const struct pending *p)
{
	const struct registry_counters none = { 0 };
	const struct row r = { "-", p->damaged ? "(damaged)" : p->name, "-", "waits for an approval",
		p->waiters > 1 ? "(more than once) " : "", p->damaged ? "" : p->lineage, p->when, &none };

	print_row(out, l, &r);
}

void listed_print(struct listed *l, FILE *out)
{
	fprintf(out, "%-12s  %-24s  %-20s  %8s  %8s  %6s  %9s  %8s  %-22s  %s\n", "SESSION", "SERVER", "SINCE", "CALLS",
		"DENIED", "A MIN", "CONNECTED", "MEMORY", "STATE", "CLIENT");
	for (size_t i = 0; i < l->sessions.n; i++)
		print_session(out, l, &l->sessions.v[i]);
	for (size_t i = 0; i < l->launches.n; i++)
		print_launch(out, l, &l->launches.v[i]);
}
