/* SPDX-License-Identifier: Apache-2.0 */
/* alert_share - see alert_share.h */
#include "supervisor/alerts/alert_share.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "audit/record.h"
#include "base/buf.h"
#include "base/cleanup.h"

#define SHARE_MAGIC 0x32747261656c61ull /* "alert2" and more: another form is another number */

enum { SHARE_TEXT_MAX = 16 << 10 };

struct share {
	uint64_t generation; /* first: read by itself; one more with each write */
	uint64_t magic;
	char boot[SCOPE_BOOT_SIZE];
	uint64_t n, at, fired, quiet_until, suppressed;
	uint64_t moments[ALERT_COUNT_MAX];
};

static size_t size_of(const struct alert_rule *rule)
{
	return offsetof(struct share, moments) + rule->count * sizeof(uint64_t);
}

static const char *word(const char *s)
{
	return s ? s : "";
}

static int open_file(int dir, const char *name, int *ret)
{
	struct stat st;

	*ret = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (*ret < 0 || fstat(*ret, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EBADF;
}

int alert_share_open(
	const struct paths *p, const struct alert_rule *rule, const struct scope_clock *clock, int *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHARE_TEXT_MAX);
	char name[RECORD_HASH_HEX + 1];
	_cleanup_close_ int dir = -1;
	int r = buf_printf(&b, "%s\n%s\n%s\n%s\n%u %d %llu %llu %llu", rule->where, word(rule->event),
		word(rule->server), word(rule->tool), rule->decision, rule->new_host, (unsigned long long)rule->count,
		(unsigned long long)rule->within_s, (unsigned long long)clock->time_namespace);

	if (r == 0)
		r = paths_open_runtime(p, "alerts", &dir, d);
	if (r < 0)
		return r;
	record_hash(b.data, b.len, name);
	r = open_file(dir, name, ret);
	return r < 0 ? diag_fail(d, r,
			       "the count of the alert \"%s\" cannot be opened, %s/alerts/%s: %s; remove it, and it "
			       "begins "
			       "anew",
			       rule->name, p->runtime, name, r == -EBADF ? "it is no regular file" : strerror(-r))
		     : 0;
}

static bool set_lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* Who has it is either done within microseconds or stuck, and then nobody waits for it each time. */
static bool take_lock(struct alert_state *s, uint64_t now_us)
{
	unsigned tries = now_us < s->stuck_until ? 0 : ALERT_SHARE_TRIES;
	bool locked = set_lock(s->shared, F_WRLCK);

	for (unsigned i = 0; !locked && i < tries; i++) {
		(void)poll(NULL, 0, 1);
		locked = set_lock(s->shared, F_WRLCK);
	}
	if (!locked && tries > 0)
		s->stuck_until = now_us + ALERT_SHARE_STUCK_US;
	return locked;
}

static uint64_t generation_of(int fd)
{
	uint64_t g = 0;

	return pread(fd, &g, sizeof(g), offsetof(struct share, generation)) == sizeof(g) ? g : 0;
}

static bool is_sound(const struct share *f, const struct alert_rule *rule, const char *boot)
{
	return f->magic == SHARE_MAGIC && strncmp(f->boot, boot, sizeof(f->boot)) == 0 && f->n <= rule->count &&
	       f->at < rule->count && f->suppressed <= UINT32_MAX;
}

static uint64_t at_most(uint64_t v, uint64_t most)
{
	return v < most ? v : most;
}

/* Whoever has written since this session looked at its clock is later than that: it is now. */
static void copy(const struct share *f, const struct alert_rule *rule, uint64_t now_us, struct alert_state *s)
{
	for (size_t i = 0; i < rule->count; i++)
		s->moments[i] = at_most(f->moments[i], now_us);
	s->n = f->n;
	s->at = f->at;
	s->fired = f->fired;
	s->quiet_until = at_most(f->quiet_until, now_us + ALERT_QUIET_US);
	s->suppressed = f->suppressed;
}

bool alert_share_take(const struct alert_rule *rule, const char *boot, uint64_t now_us, struct alert_state *s)
{
	struct share f = { 0 };
	bool locked = take_lock(s, now_us);
	ssize_t n = pread(s->shared, &f, size_of(rule), 0);

	s->generation = n >= (ssize_t)sizeof(f.generation) ? f.generation : 0;
	if (!s->alone && n == (ssize_t)size_of(rule) && is_sound(&f, rule, boot))
		copy(&f, rule, now_us, s);
	return locked;
}

bool alert_share_put(const struct alert_rule *rule, const char *boot, bool locked, struct alert_state *s)
{
	struct share f = { .magic = SHARE_MAGIC,
		.generation = s->generation + 1,
		.n = s->n,
		.at = s->at,
		.fired = s->fired,
		.quiet_until = s->quiet_until,
		.suppressed = s->suppressed };
	bool same = generation_of(s->shared) == s->generation;

	snprintf(f.boot, sizeof(f.boot), "%s", boot);
	memcpy(f.moments, s->moments, rule->count * sizeof(*s->moments));
	if (same)
		s->alone = pwrite(s->shared, &f, size_of(rule), 0) != (ssize_t)size_of(rule);
	if (locked)
		(void)set_lock(s->shared, F_UNLCK);
	return same || s->alone;
}
