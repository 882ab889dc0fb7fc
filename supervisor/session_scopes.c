/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session_scopes - scopes that a person lifts while the session runs (session_internal.h, scope_grant.h)
 *
 * Should:   hold each grant against the profile that the session was approved with, and record it before it begins.
 * Mustn't:  let one last when its file is gone, damaged or another's, or its time is over by any clock.
 */
#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/text.h"
#include "supervisor/output.h"
#include "supervisor/scope_grant.h"
#include "supervisor/session_internal.h"

enum {
	LOOK_MS = 5000, /* while something is lifted: poll(2) does not count a suspend */
	TICK_MS = 500,	/* without inotify, whose instances are few (128 a user) */
	DRAIN_MAX = 4096,
};

struct session_scopes {
	struct scope_clock clock;
	char *profile; /* canonical, as grants name it */
	int dir, fd;
	bool live;		       /* the shim is there to be told */
	uint64_t until_us[SCOPES_MAX]; /* as it was told; 0: not lifted */
	uint32_t complained;	       /* of damaged ones, once a file */
	uint64_t look_at;
};

int session_scopes_begin(struct session *s)
{
	const struct effective *e = s->args->effective;
	struct session_scopes *x;
	int r;

	if (!scopes_liftable(&e->shim.scopes) || e->shim.listing || !e->profile.file)
		return 0;
	x = s->scopes = calloc(1, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->dir = x->fd = -1;
	x->profile = realpath(e->profile.file, NULL);
	if (!x->profile)
		x->profile = strdup(e->profile.file);
	if (!x->profile)
		return -ENOMEM;
	r = scope_clock_init(&x->clock, &s->diag);
	if (r == 0)
		r = paths_open_runtime(s->args->paths, SCOPE_GRANT_DIR, &x->dir, &s->diag);
	if (r == 0)
		x->fd = fs_watch(&x->dir, 1, IN_MOVED_TO | IN_DELETE);
	return r;
}

void session_scopes_done(struct session *s)
{
	if (!s->scopes)
		return;
	if (s->scopes->fd >= 0)
		close(s->scopes->fd);
	if (s->scopes->dir >= 0)
		close(s->scopes->dir);
	free(s->scopes->profile);
	free(s->scopes);
	s->scopes = NULL;
}

int session_scopes_fd(const struct session *s)
{
	return s->scopes && s->scopes->live ? s->scopes->fd : -1;
}

uint64_t session_scopes_due(const struct session *s)
{
	return s->scopes && s->scopes->live ? s->scopes->look_at : 0;
}

static int record(struct session *s, size_t i, const char *status, bool begins, const char *reason)
{
	const struct scope *scope = &s->args->effective->shim.scopes.v[i];
	struct event e = { .type = EVENT_SCOPE_GRANT, .decision = begins ? EVENT_ALLOW : EVENT_NONE };

	snprintf(e.scope, sizeof(e.scope), "%s", scope->name);
	snprintf(e.status, sizeof(e.status), "%s", status);
	snprintf(e.rule, sizeof(e.rule), "%s", scope->lift);
	text_escape_str(reason, e.reason, sizeof(e.reason));
	return session_record(s, EVENT_FROM_SUPERVISOR, &e, NULL);
}

static int tell_shim(struct session *s, size_t i, uint64_t until_us, const char *words)
{
	struct control c = { .type = CONTROL_GRANT, .value = (int)i, .until_us = until_us };

	return session_tell_shim(s, &c, words);
}

static int begin(struct session *s, size_t i, const struct scope_grant *g, uint64_t until_us)
{
	struct session_scopes *x = s->scopes;
	char when[OUTPUT_TIME_SIZE], words[CONTROL_TEXT_MAX];
	_cleanup_free_ char *reason = NULL;
	int r;

	output_time(scope_clock_wall(&x->clock, until_us), when);
	snprintf(words, sizeof(words), "the grant of '%s' until %s", g->scope, when);
	if (asprintf(&reason, "until %s, given by %s through %s", when, g->user, g->by) < 0) {
		reason = NULL;
		return -ENOMEM;
	}
	r = record(s, i, x->until_us[i] ? "changed" : "begun", true, reason);
	if (r < 0)
		return r;
	x->until_us[i] = until_us;
	return tell_shim(s, i, until_us, words);
}

static int end(struct session *s, size_t i)
{
	struct session_scopes *x = s->scopes;
	bool in_time = x->until_us[i] <= x->clock.boot_us;
	int r = tell_shim(s, i, 0, "");

	x->until_us[i] = 0;
	return r < 0 ? r
		     : record(s, i, "ended", false,
			       in_time ? "its time was over" : "it was ended, or its file is gone");
}

/* Another profile of the same name may have other rules: a grant is for the one that it was given by. */
static bool is_for(const struct session *s, const struct scope_grant *g)
{
	return strcmp(g->profile, s->scopes->profile) == 0;
}

static void complain(struct session *s, size_t i, const struct diag *d)
{
	if (!(s->scopes->complained >> i & 1))
		session_say(s, d->text);
	s->scopes->complained |= UINT32_C(1) << i;
}

static int look_at(struct session *s, size_t i)
{
	const struct effective *e = s->args->effective;
	const struct scopes *c = &e->shim.scopes;
	struct session_scopes *x = s->scopes;
	_cleanup_scope_grant_ struct scope_grant g = { 0 };
	struct diag d = { "" };
	uint64_t until_us = 0;
	int r = scope_grant_read(x->dir, s->args->paths->uid, e->name, c->v[i].name, &x->clock, &g, &d);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		complain(s, i, &d);
	if (r == 0 && is_for(s, &g))
		until_us = scope_grant_until(&g, c->lift_max_s);
	if (until_us <= x->clock.boot_us)
		until_us = 0;
	if (until_us == x->until_us[i])
		return 0;
	return until_us ? begin(s, i, &g, until_us) : end(s, i);
}

static void set_time(struct session_scopes *x)
{
	uint64_t wait_us = x->fd < 0 ? TICK_MS * 1000 : UINT64_MAX;

	for (size_t i = 0; i < SCOPES_MAX; i++) {
		uint64_t left = x->until_us[i] ? x->until_us[i] - x->clock.boot_us : UINT64_MAX;
		if (left != UINT64_MAX && left > LOOK_MS * 1000)
			left = LOOK_MS * 1000;
		wait_us = left < wait_us ? left : wait_us;
	}
	x->look_at = wait_us == UINT64_MAX ? 0 : io_now_us() + wait_us + 1;
}

int session_on_scopes(struct session *s)
{
	const struct scopes *c = &s->args->effective->shim.scopes;
	struct session_scopes *x = s->scopes;
	char bytes[DRAIN_MAX];
	int r = 0;

	if (!x)
		return 0;
	while (x->fd >= 0 && read(x->fd, bytes, sizeof(bytes)) > 0)
		;
	scope_clock_read(&x->clock);
	for (size_t i = 0; r == 0 && i < c->n; i++)
		r = c->v[i].lift ? look_at(s, i) : 0;
	set_time(x);
	return r;
}

int session_scopes_live(struct session *s)
{
	if (s->scopes)
		s->scopes->live = true;
	return session_on_scopes(s);
}
