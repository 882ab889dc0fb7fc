/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index - the per-user chain over the sessions
 *
 * Process:  supervisor
 */
#include "audit/index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit/tail.h"
#include "base/io.h"

enum {
	INDEX_WAIT_STEP_US = 200,
	INDEX_TAIL_FIRST = 4 << 10, /* holds the last two lines of an index without a fork */
	INDEX_TORN_US = 10 * 1000,  /* a line that another process is writing has its end by then */
};

static const char *const event_names[] = {
	[INDEX_OPEN] = "index.open",
	[INDEX_CHECKPOINT] = "index.checkpoint",
	[INDEX_CLOSE] = "index.close",
	[INDEX_DROP] = "index.drop",
};
_Static_assert(ARRAY_LEN(event_names) == INDEX_EVENT_COUNT, "a name for every index event");

const char *index_event_name(enum index_event e)
{
	return event_names[e];
}

static void sleep_us(long us)
{
	struct timespec t = { .tv_nsec = us * 1000 };

	(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static bool set_lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* A filesystem without locks is treated like a lock that is never free. */
static bool wait_lock(int fd)
{
	uint64_t until = io_now_us() + INDEX_LOCK_US;

	for (;;) {
		if (set_lock(fd, F_WRLCK))
			return true;
		if ((errno != EAGAIN && errno != EACCES && errno != EINTR) || io_now_us() >= until)
			return false;
		sleep_us(INDEX_WAIT_STEP_US);
	}
}

static int open_index(int dirfd, int *ret, struct diag *d)
{
	_cleanup_close_ int fd =
		openat(dirfd, INDEX_FILE, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 && errno == EISDIR)
		return diag_fail(d, -EISDIR,
			"the audit log cannot be written: there is a directory where its " INDEX_FILE
			" should be; move it away");
	if (fd < 0 && errno == ELOOP)
		return diag_fail(
			d, -ELOOP, "the audit log cannot be written: its " INDEX_FILE " is a symbolic link; remove it");
	if (fd < 0)
		return diag_fail(d, -errno,
			"the audit log cannot be written: opening its " INDEX_FILE " failed: %s; nothing "
			"runs unrecorded",
			strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return diag_fail(d, -EINVAL,
			"the audit log cannot be written: its " INDEX_FILE " is not a regular file; move it away");
	*ret = steal_fd(&fd);
	return 0;
}

/* Ends of the chain that no later line of the window names, but the last: that one is prev. */
static void find_merges(struct index *i, const struct tail *t)
{
	for (size_t n = t->n_lines - 1; n-- > 0 && i->n_merges < INDEX_MERGES_MAX;) {
		if (tail_names(t, t->lines[n].hash))
			continue;
		memcpy(i->merges[i->n_merges++], t->lines[n].hash, RECORD_HASH_HEX);
		if (t->lines[n].seq >= i->seq)
			i->seq = t->lines[n].seq + 1;
	}
}

static void take_tail(struct index *i, const struct tail *t, bool forked)
{
	memcpy(i->prev, RECORD_HASH_NONE, sizeof i->prev);
	i->seq = 1;
	if (t->n_lines > 0) {
		memcpy(i->prev, t->lines[t->n_lines - 1].hash, RECORD_HASH_HEX);
		i->seq = t->lines[t->n_lines - 1].seq + 1;
		if (forked)
			find_merges(i, t);
	}
	i->torn_bytes = t->torn_bytes;
	if (t->torn_bytes > 0)
		record_hash(t->torn, t->torn_bytes, i->torn_hash);
}

/* Does the last line name the one before it? Then it covers everything, as its own writer made sure. */
static bool is_linear(const struct tail *t)
{
	size_t n = t->n_lines;

	if (n < 2)
		return t->whole;
	return memcmp(t->lines[n - 1].prev, t->lines[n - 2].hash, RECORD_HASH_HEX) == 0;
}

static int read_end(struct index *i)
{
	uint64_t until = io_now_us() + INDEX_TORN_US;
	size_t window = INDEX_TAIL_FIRST;

	for (;;) {
		_cleanup_tail_ struct tail t = { 0 };
		int r = tail_read(i->fd, window, &t);
		if (r < 0)
			return r;
		if (t.torn_bytes > 0 && io_now_us() < until) {
			sleep_us(INDEX_WAIT_STEP_US);
			continue;
		}
		if (window < INDEX_WINDOW_MAX && !is_linear(&t)) {
			window = INDEX_WINDOW_MAX;
			continue;
		}
		take_tail(i, &t, !is_linear(&t));
		return 0;
	}
}

int index_begin(int dirfd, struct index *ret, struct diag *d)
{
	_cleanup_index_ struct index i = INDEX_INIT;
	int r = open_index(dirfd, &i.fd, d);

	if (r < 0)
		return r;
	i.locked = wait_lock(i.fd);
	r = read_end(&i);
	if (r < 0)
		return diag_fail(
			d, r, "the audit log cannot be written: reading its " INDEX_FILE " failed: %s", strerror(-r));
	*ret = i;
	i = INDEX_INIT;
	return 0;
}

int index_reserve(struct index *i, struct diag *d)
{
	struct stat st;

	if (fstat(i->fd, &st) < 0)
		return diag_fail(d, -errno, "cannot examine the audit log's " INDEX_FILE ": %s", strerror(errno));
	if (fallocate(i->fd, FALLOC_FL_KEEP_SIZE, st.st_size, INDEX_RESERVE) == 0 || errno == EOPNOTSUPP ||
		errno == ENOSYS)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT)
		return diag_fail(d, -ENOSPC,
			"the disk under the audit log is full, and nothing runs unrecorded: free some space");
	return diag_fail(d, -errno, "cannot reserve space for the audit log: %s", strerror(errno));
}

static void put_entry(struct record *r, const struct index *i, const struct index_entry *e)
{
	record_str(r, "session", e->session);
	record_str(r, "event", event_names[e->event]);
	record_str(r, "file", e->file);
	record_number(r, "records", e->records);
	record_number(r, "size", e->size);
	record_str(r, "head", e->head);
	record_str(r, "status", e->status);
	if (!i->locked)
		record_text(r, ",\"unlocked\":true");
	if (i->torn_bytes > 0) {
		record_number(r, "torn_bytes", i->torn_bytes);
		record_str(r, "torn_hash", i->torn_hash);
	}
	for (size_t n = 0; n < i->n_merges; n++) {
		record_text(r, n == 0 ? ",\"merges\":[\"" : ",\"");
		record_raw(r, i->merges[n], RECORD_HASH_HEX);
		record_text(r, n + 1 == i->n_merges ? "\"]" : "\"");
	}
}

int index_commit(struct index *i, const struct index_entry *e, const struct log_key *key, struct diag *d)
{
	char bytes[INDEX_RECORD_MAX + 1], hash[RECORD_HASH_HEX + 1];
	struct record_clock clock = { 0 };
	struct record r = { .data = bytes + 1, .max = INDEX_RECORD_MAX };

	record_begin(&r, &clock, i->seq, io_wall_us());
	put_entry(&r, i, e);
	int sealed = record_seal_signed(&r, i->prev, e->event == INDEX_OPEN ? NULL : key, hash);
	if (sealed < 0)
		return diag_fail(
			d, sealed, "an index record of the audit log is longer than %d bytes", INDEX_RECORD_MAX);
	/* A torn line gets its end in the same write as the record that tells of it. */
	bytes[0] = '\n';
	size_t skip = i->torn_bytes > 0 ? 0 : 1;
	size_t n = r.len + 1 - skip;
	ssize_t w = write(i->fd, bytes + skip, n);
	int error = w == (ssize_t)n ? 0 : w < 0 ? -errno : -ENOSPC;
	if (i->locked)
		(void)set_lock(i->fd, F_UNLCK);
	i->locked = false;
	if (error < 0)
		return diag_fail(d, error,
			"the audit log cannot be written: appending to its " INDEX_FILE " failed: %s",
			strerror(-error));
	return 0;
}

int index_sync(const struct index *i, struct diag *d)
{
	if (fdatasync(i->fd) < 0)
		return diag_fail(d, -errno,
			"the audit log cannot be written: fdatasync of its " INDEX_FILE " failed: %s", strerror(errno));
	return 0;
}

void index_done(struct index *i)
{
	if (i->fd >= 0)
		close(i->fd);
	i->fd = -1;
}
