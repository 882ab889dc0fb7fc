/* SPDX-License-Identifier: Apache-2.0 */
/* session_kill - see session_kill.h */
#include "supervisor/kill/session_kill.h"
#include <errno.h>
#include <string.h>
#include "base/glob.h"
#include "base/io.h"
#include "base/text.h"
#include "supervisor/exit.h"
#include "supervisor/kill/kill_bundle.h"
#include "supervisor/kill/kill_order.h"
#include "supervisor/kill/kill_set.h"
#include "supervisor/kill/kill_watch.h"
#include "supervisor/session_internal.h"

enum { ORDERS_A_TURN = 64 };

/* A tool that the shim was told of. */
struct told {
	char *pattern;
	bool still; /* it is killed by what was read just now */
};

struct session_kills {
	struct kill_watch watch;
	struct kill_bundle own, *bundle; /* own, or the launch's */
	struct kill_set ordered; /* tools, by orders whose entry nobody finds: a full disk, another state directory */
	struct told told[CONTROL_KILLS_MAX];
	int sock, dir;
	bool live;     /* the shim is there to be told */
	bool settling; /* an entry that is damaged may just be being written */
	uint64_t look_at;
	char words[CONTROL_TEXT_MAX]; /* it is killed */
};

static const char *name_of(const struct session *s)
{
	return s->args->effective->name;
}

/* --- the record --- */

static int record(struct session *s, const struct kill_entry *e, const char *tool, const char *status)
{
	struct event event = { .type = EVENT_KILL, .decision = strcmp(status, "lifted") ? EVENT_DENY : EVENT_NONE };

	if (tool)
		text_escape_str(tool, event.tool, sizeof(event.tool));
	if (e)
		kill_entry_by(e, event.reason, sizeof(event.reason));
	if (e)
		text_escape_str(e->file ? e->file : "by order: no file holds it", event.rule, sizeof(event.rule));
	snprintf(event.status, sizeof(event.status), "%s", status);
	return session_record(s, EVENT_FROM_SUPERVISOR, &event, NULL);
}

/* --- the server --- */

/* For a client, and so perhaps for a model: true, and nothing that would lift it. */
static void say_to_client(const struct kill_entry *e, char *ret, size_t size)
{
	char who[64], why[256];

	if (e->damaged)
		snprintf(ret, size,
			"it was stopped by the kill switch: an entry of it cannot be read. Only a person "
			"can mend that; tell the user");
	else
		snprintf(ret, size,
			"it was stopped by the kill switch, by %s%s%s. Only a person can lift that; tell the user",
			text_escape_str(e->who, who, sizeof(who)), *e->why ? ": " : "",
			text_escape_str(e->why, why, sizeof(why)));
}

static void end_server(struct session *s)
{
	s->exit_status = EXIT_REFUSED;
	s->close_status = "killed";
	if (s->phase < PHASE_BUILDING)
		session_wait_killed(s, s->kills->words);
	else
		session_kill_init(s);
}

/* First it ends, and who ordered it (NULL: nobody) hears that; a log that is full or hangs holds up nothing. */
static int kill_server(struct session *s, const struct kill_entry *e, const struct kill_order *o)
{
	char by[KILL_WORDS_SIZE], file[256];
	bool ends = !*s->kills->words && s->phase != PHASE_REFUSED && s->phase < PHASE_DRAINING;
	struct diag said = { "" }; /* that of the session has why it could not be recorded */
	int r;

	if (ends) {
		say_to_client(e, s->kills->words, sizeof(s->kills->words));
		end_server(s);
	}
	if (o)
		kill_order_answer(o, s->id, KILL_OBEYED, s->spawned.init_pidfd);
	if (!ends)
		return 0;
	r = record(s, e, NULL, "server killed");
	diag_set(&said, "killed %s%s%s%s", kill_entry_by(e, by, sizeof(by)), e->file && !e->damaged ? " (" : "",
		e->file && !e->damaged ? text_escape_str(e->file, file, sizeof(file)) : "",
		e->file && !e->damaged ? ")" : "");
	session_say(s, said.text);
	return r;
}

/* --- its tools --- */

static int tell_shim(struct session *s, enum control_type type, size_t at, const char *words)
{
	struct control c = { .type = type, .value = (int)at };

	if (s->kills->told[at].pattern)
		snprintf(c.tool, sizeof(c.tool), "%s", s->kills->told[at].pattern);
	return session_tell_shim(s, &c, words);
}

static struct told *find_told(struct session_kills *k, const char *pattern)
{
	struct told *free_one = NULL;

	for (size_t i = 0; i < ARRAY_LEN(k->told); i++) {
		if (k->told[i].pattern && strcmp(k->told[i].pattern, pattern) == 0)
			return &k->told[i];
		if (!k->told[i].pattern && !free_one)
			free_one = &k->told[i];
	}
	return free_one;
}

static int kill_tool(struct session *s, const struct kill_entry *e)
{
	struct told *t = find_told(s->kills, e->tool);
	char words[CONTROL_TEXT_MAX];
	int r;

	/* What cannot be told apart any more ends as a whole. */
	if (!t || strlen(e->tool) >= CONTROL_TOOL_MAX)
		return kill_server(s, e, NULL);
	t->still = true;
	if (t->pattern)
		return 0;
	t->pattern = strdup(e->tool);
	if (!t->pattern)
		return -ENOMEM;
	kill_entry_by(e, words, sizeof(words));
	r = tell_shim(s, CONTROL_KILL_TOOL, (size_t)(t - s->kills->told), words);
	return r < 0 ? r : record(s, e, e->tool, "tool killed");
}

static int lift_tool(struct session *s, size_t at)
{
	char *pattern = s->kills->told[at].pattern;
	int r = tell_shim(s, CONTROL_RESTORE_TOOL, at, "");

	s->kills->told[at].pattern = NULL;
	r = r < 0 ? r : record(s, NULL, pattern, "lifted");
	free(pattern);
	return r;
}

static int kill_tools(struct session *s, const struct kill_set *set)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < set->n; i++)
		if (set->v[i].tool && glob_match(set->v[i].server, name_of(s), strlen(name_of(s))))
			r = kill_tool(s, &set->v[i]);
	return r;
}

static int settle_tools(struct session *s, const struct kill_set *set)
{
	struct session_kills *k = s->kills;
	int r;

	for (size_t i = 0; i < ARRAY_LEN(k->told); i++)
		k->told[i].still = false;
	r = kill_tools(s, set);
	if (r == 0)
		r = kill_tools(s, &k->ordered);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(k->told); i++)
		if (k->told[i].pattern && !k->told[i].still)
			r = lift_tool(s, i);
	return r;
}

/* --- a look --- */

static bool any_fresh(const struct kill_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->v[i].fresh)
			return true;
	return false;
}

static void set_time(struct session_kills *k)
{
	unsigned ms = k->settling ? (unsigned)KILL_SETTLE_MS : kill_watch_look_ms(&k->watch);

	k->look_at = io_now_us() + (uint64_t)ms * 1000;
}

static int act(struct session *s, const struct kill_set *set)
{
	const struct kill_entry *e = kill_set_server(set, name_of(s));

	if (e)
		return kill_server(s, e, NULL);
	return s->kills->live ? settle_tools(s, set) : 0;
}

static int look(struct session *s)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };
	struct session_kills *k = s->kills;
	int r;

	kill_watch_renew(s->args->paths, &k->watch);
	r = kill_set_read_with(s->args->paths, k->bundle, &set);
	if (r < 0)
		return diag_fail(&s->diag, r, "cannot read what is killed: %s", strerror(-r));
	/* Once: whoever goes on writing it is not waited for. */
	k->settling = !k->settling && any_fresh(&set);
	set_time(k);
	return k->settling ? 0 : act(s, &set);
}

int session_on_kills(struct session *s)
{
	return s->kills && !*s->kills->words ? look(s) : 0;
}

/* Nothing of it runs yet. */
static int check_first(struct session *s)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };
	const struct kill_entry *e;
	int r = kill_set_read_with(s->args->paths, s->kills->bundle, &set);

	if (r < 0)
		return diag_fail(&s->diag, r, "cannot read what is killed: %s", strerror(-r));
	e = kill_set_server(&set, name_of(s));
	if (!e)
		return 0;
	r = record(s, e, NULL, "not started");
	return r < 0 ? r : kill_set_refuse(e, &s->diag);
}

int session_kills_begin(struct session *s)
{
	struct session_kills *k = s->kills = calloc(1, sizeof(*k));
	int r;

	if (!k)
		return -ENOMEM;
	k->sock = k->dir = -1;
	k->bundle = s->args->kills ? s->args->kills : &k->own;
	kill_watch_begin(s->args->paths, &k->watch);
	r = paths_open_runtime(s->args->paths, "sessions", &k->dir, &s->diag);
	if (r < 0)
		return r;
	r = kill_order_listen(k->dir, s->id, &k->sock);
	if (r < 0)
		return diag_fail(&s->diag, r,
			"cannot listen for the kill switch in the runtime directory, and nothing runs that it could "
			"not "
			"reach: %s",
			strerror(-r));
	set_time(k);
	return check_first(s);
}

int session_kills_live(struct session *s, bool *ret)
{
	int r;

	*ret = false;
	if (!s->kills)
		return 0;
	s->kills->live = true;
	/* Nothing runs yet, so nobody is waited for. */
	s->kills->settling = true;
	r = look(s);
	*ret = r == 0 && *s->kills->words;
	return r;
}

/* --- orders --- */

static bool is_meant(const struct session *s, const struct kill_entry *e)
{
	return glob_match(e->server, name_of(s), strlen(name_of(s)));
}

static bool same_target(const struct kill_entry *a, const struct kill_entry *b)
{
	return strcmp(a->server, b->server) == 0 &&
	       (a->tool && b->tool ? strcmp(a->tool, b->tool) == 0 : a->tool == b->tool);
}

/* What root ordered, root takes back. */
static void forget(struct kill_set *ordered, const struct kill_entry *e)
{
	for (size_t i = 0; i < ordered->n;) {
		struct kill_entry *at = &ordered->v[i];
		if (!same_target(at, e) || (at->origin == KILL_BY_ROOT && e->origin != KILL_BY_ROOT)) {
			i++;
			continue;
		}
		kill_entry_done(at);
		*at = ordered->v[--ordered->n];
	}
}

static bool is_told(const struct session_kills *k, const char *pattern)
{
	for (size_t i = 0; i < ARRAY_LEN(k->told); i++)
		if (k->told[i].pattern && strcmp(k->told[i].pattern, pattern) == 0)
			return true;
	return false;
}

static int obey_tool(struct session *s, struct kill_order *o)
{
	int r;

	s->kills->settling = true;
	r = look(s);
	if (r < 0 || is_told(s->kills, o->entry.tool) || *s->kills->words)
		return r;
	/* No file that this session reads says so: it holds as long as the session. */
	if (s->kills->ordered.n >= CONTROL_KILLS_MAX)
		return kill_server(s, &o->entry, NULL);
	r = kill_set_add(&s->kills->ordered, &o->entry);
	if (r == 0 && s->kills->live)
		r = kill_tool(s, &s->kills->ordered.v[s->kills->ordered.n - 1]);
	return r;
}

static int obey(struct session *s, struct kill_order *o)
{
	int r;

	if (o->verb == KILL_ORDER_LOOK) {
		forget(&s->kills->ordered, &o->entry);
		kill_order_answer(o, s->id, KILL_NOT_MEANT, -1);
		return session_on_kills(s);
	}
	if (!is_meant(s, &o->entry)) {
		kill_order_answer(o, s->id, KILL_NOT_MEANT, -1);
		return 0;
	}
	if (!o->entry.tool)
		return kill_server(s, &o->entry, o);
	r = obey_tool(s, o);
	kill_order_answer(o, s->id, KILL_OBEYED, -1);
	return r;
}

int session_on_kill_order(struct session *s)
{
	int r = 0;

	for (int i = 0; r == 0 && i < ORDERS_A_TURN; i++) {
		_cleanup_kill_order_ struct kill_order o = { .answer = -1 };
		r = kill_order_receive(s->kills->sock, s->args->paths->uid, &o);
		if (r == -EAGAIN)
			return 0;
		/* Who says nothing that can be understood is not answered. */
		r = r == -EPROTO ? 0 : r < 0 ? r : obey(s, &o);
	}
	return r;
}

int session_kills_fd(const struct session *s)
{
	return s->kills && !*s->kills->words ? s->kills->watch.fd : -1;
}

int session_kill_order_fd(const struct session *s)
{
	return s->kills ? s->kills->sock : -1;
}

uint64_t session_kills_due(const struct session *s)
{
	return s->kills && !*s->kills->words ? s->kills->look_at : 0;
}

const char *session_kill_words(const struct session *s)
{
	return s->kills && *s->kills->words ? s->kills->words : NULL;
}

void session_kills_done(struct session *s)
{
	struct session_kills *k = s->kills;

	if (!k)
		return;
	kill_watch_done(&k->watch);
	kill_bundle_done(&k->own);
	if (k->sock >= 0)
		kill_order_forget(k->dir, s->id, k->sock);
	if (k->dir >= 0)
		close(k->dir);
	kill_set_done(&k->ordered);
	for (size_t i = 0; i < ARRAY_LEN(k->told); i++)
		free(k->told[i].pattern);
	free(k);
	s->kills = NULL;
}
