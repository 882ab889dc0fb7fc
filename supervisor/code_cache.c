/* SPDX-License-Identifier: Apache-2.0 */
/* code_cache - see code_cache.h */
#include "supervisor/code_cache.h"
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <string.h>
#include <time.h>
#include "base/fs.h"

#define CACHE_MAGIC 0x31454843444b5453ULL /* "STKDCHE1" */

struct cache_header {
	uint64_t magic;
	uint64_t count;
	unsigned char checksum[CODE_HASH_BYTES];
};

static size_t slot_of(const struct code_cache *c, uint64_t dev, uint64_t ino)
{
	return (size_t)((ino * 0x9e3779b97f4a7c15ULL) ^ (dev * 0xc2b2ae3d27d4eb4fULL)) >> 7 & (c->n_slots - 1);
}

static int index_records(struct code_cache *c)
{
	c->n_slots = 16;
	while (c->n_slots < 2 * c->n_old)
		c->n_slots *= 2;
	c->slots = calloc(c->n_slots, sizeof(*c->slots));
	if (!c->slots)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_old; i++) {
		size_t at = slot_of(c, c->old[i].dev, c->old[i].ino);
		while (c->slots[at])
			at = (at + 1) & (c->n_slots - 1);
		c->slots[at] = (uint32_t)i + 1;
	}
	return 0;
}

static void checksum(const void *p, size_t n, unsigned char ret[CODE_HASH_BYTES])
{
	crypto_generichash(ret, CODE_HASH_BYTES, p, n, NULL, 0);
}

/* Records out of the bytes of a cache file, none when anything is off. */
static int take_records(struct code_cache *c, const struct buf *b)
{
	struct cache_header h;
	unsigned char sum[CODE_HASH_BYTES];
	size_t bytes;

	if (b->len < sizeof(h))
		return 0;
	memcpy(&h, b->data, sizeof(h));
	bytes = b->len - sizeof(h);
	if (h.magic != CACHE_MAGIC || h.count > CODE_FILES_MAX || h.count * sizeof(*c->old) != bytes)
		return 0;
	checksum(b->data + sizeof(h), bytes, sum);
	if (sodium_memcmp(sum, h.checksum, sizeof(sum)) != 0)
		return 0;
	c->old = malloc(bytes + 1);
	if (!c->old)
		return -ENOMEM;
	memcpy(c->old, b->data + sizeof(h), bytes);
	c->n_old = h.count;
	return 0;
}

int code_cache_open(const struct paths *p, const struct stat *tree, struct code_cache *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b =
		BUF_INIT(sizeof(struct cache_header) + CODE_FILES_MAX * sizeof(struct code_record));
	struct diag ignored;
	int r;

	*ret = (struct code_cache){ .dirfd = -1 };
	clock_gettime(CLOCK_REALTIME, &ret->now);
	snprintf(ret->name, sizeof(ret->name), "%" PRIx64 "-%" PRIx64, (uint64_t)tree->st_dev, (uint64_t)tree->st_ino);
	r = paths_open_state(p, "digests", &ret->dirfd, d);
	if (r < 0)
		return r;
	if (fs_read_trusted(ret->dirfd, ret->name, FS_TRUST_USER, p->uid, &b, &ignored) == 0)
		r = take_records(ret, &b);
	return r < 0 ? r : index_records(ret);
}

static bool same(const struct code_record *r, const struct stat *st)
{
	return r->dev == st->st_dev && r->ino == st->st_ino && r->size == (uint64_t)st->st_size &&
	       r->mtime_s == st->st_mtim.tv_sec && r->mtime_ns == st->st_mtim.tv_nsec &&
	       r->ctime_s == st->st_ctim.tv_sec && r->ctime_ns == st->st_ctim.tv_nsec;
}

bool code_cache_find(const struct code_cache *c, const struct stat *st, unsigned char ret[CODE_HASH_BYTES])
{
	for (size_t at = slot_of(c, st->st_dev, st->st_ino); c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
		const struct code_record *r = &c->old[c->slots[at] - 1];
		if (!same(r, st))
			continue;
		memcpy(ret, r->hash, CODE_HASH_BYTES);
		return true;
	}
	return false;
}

/* A change within the same tick of the file system's clock would not show in mtime and ctime. */
static bool settled(const struct code_cache *c, const struct stat *st)
{
	time_t last = st->st_mtim.tv_sec > st->st_ctim.tv_sec ? st->st_mtim.tv_sec : st->st_ctim.tv_sec;

	return last + CODE_SETTLE_S < c->now.tv_sec;
}

int code_cache_keep(struct code_cache *c, const struct stat *st, const unsigned char hash[CODE_HASH_BYTES])
{
	struct code_record *v = c->fresh;

	if (!settled(c, st))
		return 0;
	if (c->n_fresh >= CODE_FILES_MAX)
		return -EFBIG;
	if ((c->n_fresh & (c->n_fresh - 1)) == 0) {
		v = reallocarray(c->fresh, c->n_fresh ? 2 * c->n_fresh : 1, sizeof(*v));
		if (!v)
			return -ENOMEM;
		c->fresh = v;
	}
	v[c->n_fresh++] = (struct code_record){ st->st_dev, st->st_ino, (uint64_t)st->st_size, st->st_mtim.tv_sec,
		st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec, { 0 } };
	memcpy(v[c->n_fresh - 1].hash, hash, CODE_HASH_BYTES);
	return 0;
}

void code_cache_save(struct code_cache *c)
{
	_cleanup_buf_ struct buf b =
		BUF_INIT(sizeof(struct cache_header) + CODE_FILES_MAX * sizeof(struct code_record));
	struct cache_header h = { .magic = CACHE_MAGIC, .count = c->n_fresh };
	size_t bytes = c->n_fresh * sizeof(*c->fresh);
	struct diag ignored;

	if (c->n_fresh == c->n_old && (bytes == 0 || memcmp(c->fresh, c->old, bytes) == 0))
		return;
	checksum(c->fresh, bytes, h.checksum);
	if (buf_append(&b, &h, sizeof(h)) < 0 || buf_append(&b, c->fresh, bytes) < 0)
		return;
	if (fs_write_atomic(c->dirfd, c->name, b.data, b.len, 0600, &ignored) < 0)
		return;
}

void code_cache_done(struct code_cache *c)
{
	free(c->old);
	free(c->slots);
	free(c->fresh);
	if (c->dirfd >= 0)
		close(c->dirfd);
	*c = (struct code_cache){ .dirfd = -1 };
}
