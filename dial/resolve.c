/* SPDX-License-Identifier: Apache-2.0 */
/* resolve - see resolve.h */
#include "dial/resolve.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/io.h"
#include "dial/channel.h"

#define RESOLV_CONF "/etc/resolv.conf"

static const uint64_t TRY_US = (uint64_t)RESOLVE_TRY_MS * 1000;

/* An old one lives until its last question is answered. */
struct reading {
	struct channel *channel;
	struct reading *older;
	uint64_t busy_us; /* since when some question has been out */
	bool wanted;
};

TAILQ_HEAD(waiter_list, resolve_waiter);

struct question {
	TAILQ_ENTRY(question) link; /* in resolver.queued or resolver.out */
	struct waiter_list waiters;
	struct resolver *owner;
	struct reading *asked_by; /* NULL: not yet */
	uint64_t asked_us;
	char name[NET_NAME_MAX + 1];
};

TAILQ_HEAD(question_list, question);

struct resolver {
	struct loop *loop;
	struct reading *newest;
	struct stat conf;		  /* as it was read; st_nlink 0: there was none */
	struct question_list queued, out; /* each in the order in which they came, or were asked */
	bool over;
};

/* --- configuration --- */

static int read_conf(struct resolver *r)
{
	struct reading *new = calloc(1, sizeof(*new));
	int e;

	if (!new)
		return -ENOMEM;
	e = channel_new(r->loop, &new->channel);
	if (e < 0) {
		free(new);
		return e;
	}
	new->older = r->newest;
	r->newest = new;
	return 0;
}

static void reading_free(struct reading *old)
{
	channel_free(old->channel);
	free(old);
}

static void free_idle(struct resolver *r)
{
	struct reading **at = &r->newest->older;

	while (*at) {
		struct reading *old = *at;
		if (!channel_is_idle(old->channel)) {
			at = &old->older;
			continue;
		}
		*at = old->older;
		reading_free(old);
	}
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_nlink == b->st_nlink && a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void look_at_conf(struct stat *ret)
{
	if (stat(RESOLV_CONF, ret) < 0)
		*ret = (struct stat){ 0 };
}

/* A configuration that cannot be read now is tried again at the next question; the one before still stands. And a new
 * channel asks from a new port: c-ares keeps one while any question is out, so that a server with names that are never
 * answered could hold it still for whoever looks for it and forges answers. */
static void read_again(struct resolver *r, uint64_t now_us)
{
	bool old_port = !channel_is_idle(r->newest->channel) && now_us - r->newest->busy_us >= TRY_US;
	struct stat now;

	look_at_conf(&now);
	if ((old_port || !same_file(&now, &r->conf)) && read_conf(r) == 0)
		r->conf = now;
}

int resolver_new(struct loop *l, struct resolver **ret)
{
	struct resolver *r = calloc(1, sizeof(*r));
	int e;

	if (!r)
		return -ENOMEM;
	r->loop = l;
	TAILQ_INIT(&r->queued);
	TAILQ_INIT(&r->out);
	look_at_conf(&r->conf);
	e = channel_library_init();
	if (e == 0)
		e = read_conf(r);
	if (e < 0) {
		free(r);
		return e;
	}
	*ret = r;
	return 0;
}

void resolver_free(struct resolver *r)
{
	struct question *q;

	if (!r)
		return;
	r->over = true;
	while (r->newest) {
		struct reading *old = r->newest;
		r->newest = old->older;
		reading_free(old);
	}
	while ((q = TAILQ_FIRST(&r->queued))) {
		TAILQ_REMOVE(&r->queued, q, link);
		free(q);
	}
	free(r);
	channel_library_done();
}

/* --- questions --- */

static void question_free(struct question_list *from, struct question *q)
{
	TAILQ_REMOVE(from, q, link);
	free(q);
}

static void on_answer(void *ctx, const struct resolve_result *result)
{
	struct question *q = ctx;
	struct resolve_waiter *w;

	while (!q->owner->over && (w = TAILQ_FIRST(&q->waiters))) {
		TAILQ_REMOVE(&q->waiters, w, link);
		w->question = NULL;
		w->fn(w->ctx, result);
	}
	question_free(&q->owner->out, q);
}

/* One that is older may have been lost: it holds up neither its own name nor others. */
static bool is_fresh(const struct question *q, uint64_t now_us)
{
	return now_us - q->asked_us < TRY_US;
}

static size_t count_fresh(const struct resolver *r, uint64_t now_us)
{
	const struct question *q;
	size_t n = 0;

	TAILQ_FOREACH_REVERSE(q, &r->out, question_list, link)
	{
		/* cppcheck takes what the macro casts for a question of this function's own. */
		/* cppcheck-suppress uninitvar */
		if (!is_fresh(q, now_us))
			break;
		n++;
	}
	return n;
}

static void ask_queued(struct resolver *r)
{
	uint64_t now = io_now_us();
	struct question *q;

	if (TAILQ_EMPTY(&r->queued))
		return;
	read_again(r, now);
	if (channel_is_idle(r->newest->channel))
		r->newest->busy_us = now;
	while ((q = TAILQ_FIRST(&r->queued)) && count_fresh(r, now) < RESOLVE_FRESH_MAX) {
		TAILQ_REMOVE(&r->queued, q, link);
		TAILQ_INSERT_TAIL(&r->out, q, link);
		q->asked_us = now;
		q->asked_by = r->newest;
		channel_ask(r->newest->channel, q->name, on_answer, q);
	}
}

static struct question *find(const struct resolver *r, const char *name)
{
	uint64_t now = io_now_us();
	struct question *q;

	TAILQ_FOREACH(q, &r->queued, link)
	if (strcmp(q->name, name) == 0)
		return q;
	TAILQ_FOREACH_REVERSE(q, &r->out, question_list, link)
	{
		if (!is_fresh(q, now))
			break;
		if (strcmp(q->name, name) == 0)
			return q;
	}
	return NULL;
}

static struct question *question_new(struct resolver *r, const char *name)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->owner = r;
	TAILQ_INIT(&q->waiters);
	snprintf(q->name, sizeof(q->name), "%s", name);
	TAILQ_INSERT_TAIL(&r->queued, q, link);
	return q;
}

void resolver_ask(struct resolver *r, const char *name, struct resolve_waiter *w)
{
	struct question *q = find(r, name);

	if (!q)
		q = question_new(r, name);
	if (!q) {
		w->fn(w->ctx, &(struct resolve_result){ .status = DIAL_BROKEN });
		return;
	}
	w->question = q;
	TAILQ_INSERT_TAIL(&q->waiters, w, link);
	ask_queued(r);
}

void resolver_forget(struct resolver *r, struct resolve_waiter *w)
{
	struct question *q = w->question;

	if (!q)
		return;
	w->question = NULL;
	TAILQ_REMOVE(&q->waiters, w, link);
	if (!q->asked_by && TAILQ_EMPTY(&q->waiters))
		question_free(&r->queued, q);
}

/* When the oldest fresh question no longer keeps others from being asked. */
static int turn_ms(const struct resolver *r, int max)
{
	uint64_t now = io_now_us();
	const struct question *q;
	int ms = 0;

	if (TAILQ_EMPTY(&r->queued))
		return max;
	TAILQ_FOREACH(q, &r->out, link)
	if (is_fresh(q, now)) {
		ms = (int)(RESOLVE_TRY_MS - (now - q->asked_us) / 1000);
		break;
	}
	return max < 0 || ms < max ? ms : max;
}

int resolver_timeout_ms(const struct resolver *r, int max)
{
	max = turn_ms(r, max);
	for (const struct reading *c = r->newest; c; c = c->older)
		max = channel_timeout_ms(c->channel, max);
	return max;
}

/* What nobody waits for any more need not be asked again, nor keep a socket. */
static void cancel_unwanted(struct resolver *r)
{
	const struct question *q;

	for (struct reading *c = r->newest; c; c = c->older)
		c->wanted = false;
	TAILQ_FOREACH(q, &r->out, link)
	if (!TAILQ_EMPTY(&q->waiters))
		q->asked_by->wanted = true;
	for (struct reading *c = r->newest; c; c = c->older)
		if (!c->wanted && !channel_is_idle(c->channel))
			channel_cancel(c->channel);
}

void resolver_tick(struct resolver *r)
{
	for (struct reading *c = r->newest; c; c = c->older)
		channel_tick(c->channel);
	cancel_unwanted(r);
	ask_queued(r);
	/* Only here: no channel is inside one of its own callbacks now. */
	free_idle(r);
}
