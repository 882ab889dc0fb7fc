/* SPDX-License-Identifier: Apache-2.0 */
/* kill_bundle - see kill_bundle.h */
#include "supervisor/kill/kill_bundle.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/bundle/bundle_after.h"
#include "supervisor/bundle/bundle_highest.h"
#include "supervisor/bundle/bundle_machine.h"
#include "supervisor/bundle/bundle_members.h"

/* TICK: within this a file can be written twice and tell one time. */
enum { SHOWN = 300, TICK_MS = 100, FILES_MAX = 4096 };

void kill_bundle_done(struct kill_bundle *b)
{
	kill_set_done(&b->set);
	*b = (struct kill_bundle){ 0 };
}

/* --- has anything changed? --- */

struct look {
	unsigned char sum[KILL_BUNDLE_PRINT];
	int64_t newest_ms;
};

/* Added up, so that the order in which a directory lists its files is none of the print's. */
static void add_stat(struct look *l, const char *dir, const char *name, const struct stat *st, bool whole)
{
	unsigned char one[KILL_BUNDLE_PRINT];
	char text[512];
	int64_t changed = (int64_t)st->st_ctim.tv_sec * 1000 + st->st_ctim.tv_nsec / 1000000;
	int n = snprintf(text, sizeof(text), "%s/%.128s %ju %ju %o %u", dir, name, (uintmax_t)st->st_dev,
		(uintmax_t)st->st_ino, st->st_mode, st->st_uid);

	if (whole)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %jd %jd.%09ld %jd.%09ld", (intmax_t)st->st_size,
			(intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
			st->st_ctim.tv_nsec);
	crypto_generichash(one, sizeof(one), (const unsigned char *)text, (size_t)n, NULL, 0);
	sodium_add(l->sum, one, sizeof(one));
	if (whole && changed > l->newest_ms)
		l->newest_ms = changed;
}

/* What is looked at of a directory: files whose name begins so. Of the directory itself only whose it is: kill entries
 * and all else beside them come and go. */
static void add_dir(struct look *l, const char *path, const char *const *begin, size_t n_begin)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || fs_list(fd, &dir) < 0)
		return;
	add_stat(l, path, "", &st, false);
	for (unsigned n = 0; n < FILES_MAX && (e = readdir(dir)); n++)
		for (size_t i = 0; i < n_begin; i++)
			if (strncmp(e->d_name, begin[i], strlen(begin[i])) == 0 &&
				fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
				add_stat(l, path, e->d_name, &st, true);
}

/* May what was read last be relied upon? */
static bool is_same(struct kill_bundle *b)
{
	static const char *const placed[] = { "bundle.json", "policy.json" }, *const any[] = { "" },
				 *const highest[] = { "highest" };
	struct look l = { 0 };
	bool same;

	add_dir(&l, "/etc/stockade", placed, ARRAY_LEN(placed));
	add_dir(&l, JUDGING_KEYS_DIR, any, ARRAY_LEN(any));
	add_dir(&l, JUDGING_REVOKED_DIR, any, ARRAY_LEN(any));
	add_dir(&l, BUNDLE_KEPT_DIR "/current", any, ARRAY_LEN(any));
	add_dir(&l, BUNDLE_KEPT_DIR, highest, ARRAY_LEN(highest));
	same = b->looked && memcmp(b->print, l.sum, sizeof(l.sum)) == 0;
	memcpy(b->print, l.sum, sizeof(l.sum));
	b->looked = (int64_t)io_wall_us() / 1000 - l.newest_ms > TICK_MS;
	return same;
}

/* --- one that is there --- */

/* By what one is judged, read anew: a key may have been taken away. */
struct by {
	struct policy policy;
	struct judging all;
	struct bundle_judging bundle;
};

static void by_done(struct by *j)
{
	bundle_judging_done(&j->bundle);
	judging_done(&j->all);
	policy_done(&j->policy);
}

static int by_init(struct by *j, struct diag *d)
{
	int r = policy_load(&j->policy, d);

	/* Without a policy a bundle counts nowhere. */
	if (r < 0 || !j->policy.file)
		return r;
	r = judging_init(&j->policy, NULL, (int64_t)(io_wall_us() / US_PER_S), &j->all, d);
	return r ? r : bundle_judging_init(&j->all, &j->bundle, d);
}

struct found {
	uint64_t version;
	struct kill_set set;
};

static void found_done(struct found *f)
{
	kill_set_done(&f->set);
	*f = (struct found){ 0 };
}

static int take_kills(const struct bundle_member *m, const char *path, struct found *f)
{
	_cleanup_free_ char *where = NULL;
	json_t *list = m->at ? json_loadb(m->at, m->n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL) : NULL;
	int r = m->at && !json_is_array(list) ? -EINVAL : asprintf(&where, "%s (kill)", path) < 0 ? -ENOMEM : 0;

	if (r == 0 && list)
		r = kill_set_add_list(&f->set, list, where);
	json_decref(list);
	return r;
}

static int parse(const struct verified *v, const char *path, struct found *f, struct diag *d)
{
	struct bundle_member m[] = { { .key = "version" }, { .key = "kill" } };
	int r = bundle_members_find(v->bytes.data ? v->bytes.data : "", v->bytes.len, m, ARRAY_LEN(m));
	json_t *version = r == 0 && m[0].at ? json_loadb(m[0].at, m[0].n, JSON_DECODE_ANY, NULL) : NULL;

	f->version =
		json_is_integer(version) && json_integer_value(version) > 0 ? (uint64_t)json_integer_value(version) : 0;
	json_decref(version);
	if (r == 0)
		r = f->version ? take_kills(&m[1], path, f) : -EINVAL;
	return r == -EINVAL ? diag_fail(d, r, "%s is signed, but is no bundle that can be read", path) : r;
}

/* v: its bytes. after: who may sign one that is newer than best; NULL: it is the one that says so. */
static int read_one(const struct by *j, const char *path, const struct verified *v, const struct bundle_after *after,
	struct found *best, struct diag *d)
{
	_cleanup_(found_done) struct found f = { 0 };
	struct verdict verdict;
	int r = judge(&j->bundle.rule, &j->all.keys, v, &verdict, d);

	if (r < 0)
		diag_prefix(d, "the bundle %s: ", path);
	else
		r = parse(v, path, &f, d);
	if (r == 0 && f.version <= best->version)
		return 0;
	if (r == 0 && after)
		r = bundle_after_judge(after, &j->all.keys, path, v, d);
	if (r < 0)
		return r;
	struct found other = *best;
	*best = f;
	f = other;
	return 0;
}

/* Of those that verify the higher version counts; what is wrong with another is kept in why. */
static int read_best(const struct by *j, struct found *best, struct diag *why)
{
	static const char *const paths[] = { BUNDLE_KEPT, BUNDLE_PLACED };
	_cleanup_bundle_after_ struct bundle_after after = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		_cleanup_verified_ struct verified v = { 0 };
		struct diag d = { "" };
		int r = signed_read_file(paths[i], FS_TRUST_ROOT, 0, BUNDLE_BYTES_MAX, &j->all.keys, &v, &d);
		int init = i == 0 ? bundle_after_init(&j->bundle.rule, &j->all.keys, paths[i], &v, &after, why) : 0;
		if (init < 0)
			return init;
		if (r == 0)
			r = read_one(j, paths[i], &v, i == 0 ? NULL : &after, best, &d);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && r != -ENOENT)
			*why = d;
	}
	return 0;
}

/* Older than what this machine kept: what it kills is killed all the same, and launches are denied by it. What the
 * newer one killed besides is not known here. */
static void say_older(const struct found *best, struct diag *why)
{
	struct bundle_highest h;

	if (bundle_highest_read(BUNDLE_HIGHEST, FS_TRUST_ROOT, 0, &h, why) < 0 || best->version >= h.version)
		return;
	diag_set(why,
		"version %llu of a bundle is what can be read here, and version %llu was kept: what that one killed "
		"besides is not known",
		(unsigned long long)best->version, (unsigned long long)h.version);
}

static bool is_absent(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

static int read_anew(struct kill_bundle *b)
{
	_cleanup_(by_done) struct by j = { 0 };
	_cleanup_(found_done) struct found best = { 0 };
	int r;

	b->why.text[0] = '\0';
	/* Most machines have none: neither policy nor keys are read for it. */
	if (is_absent(BUNDLE_KEPT) && is_absent(BUNDLE_PLACED) && is_absent(BUNDLE_HIGHEST))
		return 0;
	r = by_init(&j, &b->why);
	if (r == 0 && j.policy.file)
		r = read_best(&j, &best, &b->why);
	if (r == 0 && j.policy.file)
		say_older(&best, &b->why);
	if (r < 0 || !best.version)
		return r == -ENOMEM ? r : 0;
	if (best.version < b->version) {
		diag_set(&b->why, "a bundle never goes back: version %llu lies there, and %llu was in force",
			(unsigned long long)best.version, (unsigned long long)b->version);
		return 0;
	}
	struct found old = { b->version, b->set };
	b->version = best.version;
	b->set = best.set;
	best = old;
	return 0;
}

/* --- what a launch has read --- */

void kill_bundle_before(struct kill_bundle *b)
{
	(void)is_same(b);
}

int kill_bundle_fill(struct kill_bundle *b, const struct bundle *from)
{
	_cleanup_(found_done) struct found f = { .version = from->version };
	_cleanup_free_ char *where = NULL;
	int r = asprintf(&where, "%s (kill)", from->file);

	if (r < 0) {
		where = NULL;
		return -ENOMEM;
	}
	r = kill_set_add_list(&f.set, from->kills, where);
	if (r < 0)
		return r;
	b->version = f.version;
	b->set = f.set;
	f.set = (struct kill_set){ 0 };
	return 0;
}

void kill_bundle_take(struct kill_bundle *b, struct kill_bundle *from)
{
	struct kill_bundle old = *b;

	if (from->version < b->version || (!from->version && !from->looked)) {
		kill_bundle_done(from);
		return;
	}
	*b = *from;
	*from = (struct kill_bundle){ 0 };
	kill_bundle_done(&old);
}

int kill_bundle_look(struct kill_bundle *b)
{
	int r;

	if (is_same(b))
		return 0;
	r = read_anew(b);
	if (r < 0)
		b->looked = false;
	return r;
}
