/* SPDX-License-Identifier: Apache-2.0 */
/* alert_share - see alert_share.h */
#include "supervisor/alerts/alert_share.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "audit/record.h"
#include "base/buf.h"
#include "base/cleanup.h"

#define SHARE_MAGIC 0x31747261656c61ull /* "alert1" and more: another form is another number */

enum { SHARE_TEXT_MAX = 16 << 10 };

struct share {
	uint64_t magic, n, at, fired, quiet_until, suppressed;
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

int alert_share_open(const struct paths *p, const struct alert_rule *rule, int *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SHARE_TEXT_MAX);
	char name[RECORD_HASH_HEX + 1];
	_cleanup_close_ int dir = -1;
	int r = buf_printf(&b, "%s\n%s\n%s\n%s\n%u %d %llu %llu", rule->where, word(rule->event), word(rule->server),
		word(rule->tool), rule->decision, rule->new_host, (unsigned long long)rule->count,
		(unsigned long long)rule->within_s);

	if (r == 0)
		r = paths_open_runtime(p, "alerts", &dir, d);
	if (r < 0)
		return r;
	record_hash(b.data, b.len, name);
	*ret = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	return *ret < 0 ? diag_fail(d, -errno, "the count of the alert \"%s\" cannot be opened in %s/alerts: %s",
				  rule->name, p->runtime, strerror(errno))
			: 0;
}

static bool set_lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

static bool is_sound(const struct share *s, const struct alert_rule *rule, uint64_t now_us)
{
	if (s->magic != SHARE_MAGIC || s->n > rule->count || s->at >= rule->count ||
		s->quiet_until > now_us + ALERT_QUIET_US)
		return false;
	for (size_t i = 0; i < rule->count; i++)
		if (s->moments[i] > now_us)
			return false;
	return true;
}

bool alert_share_take(int fd, const struct alert_rule *rule, uint64_t now_us, struct alert_state *s)
{
	struct share f = { 0 };
	bool locked = set_lock(fd, F_WRLCK);

	for (unsigned i = 0; !locked && i < ALERT_SHARE_TRIES; i++) {
		(void)poll(NULL, 0, 1);
		locked = set_lock(fd, F_WRLCK);
	}
	if (pread(fd, &f, size_of(rule), 0) != (ssize_t)size_of(rule) || !is_sound(&f, rule, now_us))
		f = (struct share){ 0 };
	memcpy(s->moments, f.moments, rule->count * sizeof(*s->moments));
	s->n = f.n;
	s->at = f.at;
	s->fired = f.fired;
	s->quiet_until = f.quiet_until;
	s->suppressed = f.suppressed;
	return locked;
}

/* What cannot be written counts for this session alone, in the next moment not even there: the record of the event is
 * what must not be lost, and is not. */
void alert_share_put(int fd, const struct alert_rule *rule, bool locked, const struct alert_state *s)
{
	struct share f = { .magic = SHARE_MAGIC,
		.n = s->n,
		.at = s->at,
		.fired = s->fired,
		.quiet_until = s->quiet_until,
		.suppressed = s->suppressed };

	memcpy(f.moments, s->moments, rule->count * sizeof(*s->moments));
	(void)!pwrite(fd, &f, size_of(rule), 0);
	if (locked)
		(void)set_lock(fd, F_UNLCK);
}
