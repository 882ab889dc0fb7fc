/* SPDX-License-Identifier: Apache-2.0 */
/* users - see users.h */
#include "collector/users.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/mman.h>
#include "base/io.h"

struct user {
	uid_t uid;
	bool known;
	unsigned sessions;
	uint64_t opens_paid_until;
};

struct writer {
	pid_t pid; /* 0: the row is free */
	unsigned user;
};

struct users {
	struct user v[USERS_MAX];
	struct writer writers[USERS_SESSIONS_MAX];
	size_t n;
	struct users_account *accounts; /* by user; shared */
};

int users_new(struct users **ret)
{
	struct users *u = calloc(1, sizeof(*u));
	void *shared = u ? mmap(NULL, USERS_MAX * sizeof(*u->accounts), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0)
			 : MAP_FAILED;

	if (shared == MAP_FAILED) {
		free(u);
		return -ENOMEM;
	}
	u->accounts = shared;
	*ret = u;
	return 0;
}

/* One that has neither a session nor a debt is forgotten. */
static bool is_idle(const struct users *u, size_t i, uint64_t now_us)
{
	const struct user *x = &u->v[i];

	return !x->known ||
	       (x->sessions == 0 && x->opens_paid_until <= now_us && atomic_load(&u->accounts[i].paid_until) <= now_us);
}

static struct user *find(struct users *u, uid_t uid)
{
	for (size_t i = 0; i < USERS_MAX; i++)
		if (u->v[i].known && u->v[i].uid == uid)
			return &u->v[i];
	return NULL;
}

static struct user *find_or_add(struct users *u, uid_t uid, uint64_t now_us)
{
	struct user *x = find(u, uid);

	for (size_t i = 0; !x && i < USERS_MAX; i++)
		if (is_idle(u, i, now_us)) {
			x = &u->v[i];
			*x = (struct user){ .uid = uid, .known = true };
			atomic_store(&u->accounts[i].paid_until, 0);
			atomic_store(&u->accounts[i].counted_us, 0);
		}
	return x;
}

enum users_outcome users_enter(struct users *u, uid_t uid, uint64_t now_us, size_t *ret_row)
{
	struct user *x = find_or_add(u, uid, now_us);
	const uint64_t each = US_PER_S / USERS_OPENS_PER_S, burst = USERS_SESSIONS_EACH * each;
	uint64_t until;

	if (!x || u->n == USERS_SESSIONS_MAX || x->sessions == USERS_SESSIONS_EACH)
		return USERS_TOO_MANY;
	until = (x->opens_paid_until > now_us ? x->opens_paid_until : now_us) + each;
	if (until > now_us + burst)
		return USERS_TOO_FAST;
	x->opens_paid_until = until;
	x->sessions++;
	u->n++;
	*ret_row = (size_t)(x - u->v);
	return USERS_OK;
}

bool users_knows(struct users *u, uid_t uid)
{
	return find(u, uid);
}

struct users_account *users_account(const struct users *u, size_t row)
{
	return &u->accounts[row];
}

void users_began(struct users *u, size_t row, pid_t writer)
{
	for (size_t i = 0; i < USERS_SESSIONS_MAX; i++)
		if (u->writers[i].pid == 0) {
			u->writers[i] = (struct writer){ writer, (unsigned)row };
			return;
		}
}

void users_cancel(struct users *u, size_t row)
{
	u->v[row].sessions--;
	u->n--;
}

void users_leave(struct users *u, pid_t writer)
{
	for (size_t i = 0; i < USERS_SESSIONS_MAX; i++)
		if (u->writers[i].pid == writer) {
			u->writers[i].pid = 0;
			u->v[u->writers[i].user].sessions--;
			u->n--;
			return;
		}
}

size_t users_sessions(const struct users *u)
{
	return u->n;
}

void users_free(struct users *u)
{
	if (!u)
		return;
	munmap(u->accounts, USERS_MAX * sizeof(*u->accounts));
	free(u);
}

uint64_t users_charge(struct users_account *a, uint64_t bytes, uint64_t now_us)
{
	const uint64_t cost = bytes * US_PER_S / USERS_BYTES_PER_S, burst = (uint64_t)USERS_BURST_S * US_PER_S;
	uint64_t was = atomic_load(&a->paid_until), until;

	do
		until = (was > now_us ? was : now_us) + cost;
	while (!atomic_compare_exchange_weak(&a->paid_until, &was, until));
	atomic_fetch_add(&a->bytes, bytes);
	return until > now_us + burst ? until - now_us - burst : 0;
}

bool users_must_count(const struct users_account *a, bool full, uint64_t now_us)
{
	uint64_t counted = atomic_load(&a->counted_us);

	return counted == 0 || now_us - counted >= (full ? USERS_COUNT_FULL_US : USERS_COUNT_US);
}

void users_counted(struct users_account *a, uint64_t files, uint64_t bytes, uint64_t now_us)
{
	atomic_store(&a->files, files);
	atomic_store(&a->bytes, bytes);
	atomic_store(&a->counted_us, now_us);
}
