/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_sync - `stockade sync`: the newest good bundle becomes the one that is kept
 *
 * Theory of operation: two may offer one, the place where configuration management puts a file and the address that
 * policy names. What is offered is verified, read and held against what is kept; only then is anything written, all at
 * once. An older version is never taken, also where what was kept cannot be verified any more (bundle_highest.h), and
 * another one of the same version is a fault of whoever signs, and told. Whatever is wrong, what is kept stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include "base/io.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/bundle/bundle_after.h"
#include "supervisor/bundle/bundle_highest.h"
#include "supervisor/bundle/bundle_offer.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"

/* TIMEOUT_S: what is slow is asked again by the next. */
enum { SHOWN = 300, EVERY_DEFAULT_S = 300, TIMEOUT_S = 180, TIMEOUT_MAX_S = 3600 };

struct sync_options {
	bool due;
	char *timeout;
};

static const struct option_row sync_rows[] = {
	{ "due", 0, OPTION_FLAG, offsetof(struct sync_options, due), NULL,
		"only if the time that policy says has passed since the last (for the timer)" },
	{ "timeout", 0, OPTION_STR, offsetof(struct sync_options, timeout), "SECONDS",
		"fetch for no longer, all in all; 180 unless given" },
	{ 0 },
};

static void options_done(void *options)
{
	struct sync_options *o = options;

	free(o->timeout);
}

struct sync {
	struct policy policy;
	struct judging by;
	struct bundle_judging judging;
	struct bundle_after after;
	struct bundle kept; /* version 0: none that can be verified */
	struct bundle_highest highest;
	uint64_t deadline; /* io_now_us() */
	int dir;
};

static void sync_done(struct sync *s)
{
	bundle_done(&s->kept);
	bundle_after_done(&s->after);
	bundle_judging_done(&s->judging);
	judging_done(&s->by);
	policy_done(&s->policy);
	cleanup_close(&s->dir);
}

/* One at a time; a stuck one is ended by its own limits. */
static int open_kept(struct sync *s, struct diag *d)
{
	int r = fs_mkdirs(BUNDLE_KEPT_DIR, 0755, &s->dir, d);

	if (r == 0)
		r = fs_check_trusted_dir(s->dir, BUNDLE_KEPT_DIR, FS_TRUST_ROOT, 0, d);
	if (r < 0)
		return r;
	return flock(s->dir, LOCK_EX | LOCK_NB) < 0
		       ? diag_fail(d, -errno, "another 'stockade sync' is at work; nothing was done")
		       : 0;
}

static int remember(struct sync *s, struct diag *d)
{
	int r = bundle_highest_raise(s->dir, &s->kept, d);

	return r ? r : bundle_highest_read(BUNDLE_HIGHEST, FS_TRUST_ROOT, 0, &s->highest, d);
}

/* Signed by a key that is revoked by now, damaged, put back from an old copy: only what is newer helps. */
static int drop_kept(struct sync *s, const char *why)
{
	command_error("what is kept is of no use any more: %s", why);
	bundle_done(&s->kept);
	return 0;
}

/* What is kept may be over or stale: its version counts all the same. */
static int load_kept(struct sync *s, struct diag *d)
{
	struct bundle_args any = s->judging.args;
	int r = bundle_highest_read(BUNDLE_HIGHEST, FS_TRUST_ROOT, 0, &s->highest, d);

	any.any_time = true;
	if (r < 0 || (access(BUNDLE_KEPT, F_OK) < 0 && errno == ENOENT))
		return r;
	r = bundle_load_file(BUNDLE_KEPT, FS_TRUST_ROOT, 0, &any, &s->kept, d);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && s->kept.version >= s->highest.version)
		return remember(s, d);
	if (r == 0)
		diag_set(d, BUNDLE_KEPT " has version %llu, and version %llu was kept here",
			(unsigned long long)s->kept.version, (unsigned long long)s->highest.version);
	return drop_kept(s, d->text);
}

/* Whatever became of it. */
static int load_after(struct sync *s, struct diag *d)
{
	_cleanup_verified_ struct verified v = { 0 };
	struct diag ignored = { "" };
	int r = signed_read_file(BUNDLE_KEPT, FS_TRUST_ROOT, 0, BUNDLE_BYTES_MAX, &s->by.keys, &v, &ignored);

	bundle_after_done(&s->after);
	return r == -ENOMEM ? r : bundle_after_init(&s->judging.rule, &s->by.keys, BUNDLE_KEPT, &v, &s->after, d);
}

static int prepare(struct sync *s, struct diag *d)
{
	int r = policy_load(&s->policy, d);

	if (r == 0)
		r = judging_init(&s->policy, NULL, (int64_t)time(NULL), &s->by, d);
	if (r == 0 && !s->by.keys.n)
		r = diag_fail(d, -ENOENT, "there is no key in " JUDGING_KEYS_DIR ", and those say what is a bundle");
	if (r == 0)
		r = bundle_judging_init(&s->by, &s->judging, d);
	if (r == 0)
		r = open_kept(s, d);
	if (r == 0)
		r = load_kept(s, d);
	return r ? r : load_after(s, d);
}

/* --- one that is offered --- */

static int check_same(const struct bundle_offer *o, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(BUNDLE_BYTES_MAX);
	char shown[SHOWN];
	int r = fs_read_trusted_file(BUNDLE_KEPT, FS_TRUST_ROOT, 0, &b, d);

	if (r < 0)
		return r;
	if (b.len == o->bytes.len && memcmp(b.data, o->bytes.data, b.len) == 0)
		return 0;
	return diag_fail(d, -EEXIST,
		"%s is another bundle than the one that is kept, and has its version: whoever signs has to give each a "
		"version of "
		"its own; what is kept stays",
		text_escape_str(o->name, shown, sizeof(shown)));
}

static int refuse_older(const struct sync *s, const char *name, const struct bundle *b, struct diag *d)
{
	char shown[SHOWN];

	return diag_fail(d, -EPERM,
		"%s has version %llu, and version %llu of '%.200s' was kept on this machine%s: a bundle never goes "
		"back, "
		"so it is not taken",
		text_escape_str(name, shown, sizeof(shown)), (unsigned long long)b->version,
		(unsigned long long)s->highest.version, s->highest.name,
		s->kept.version ? "" : ", though that cannot be used any more");
}

/* A newer one: is it signed by keys that are left, and can all be read that it revokes? */
static int check_newer(const struct sync *s, const char *name, const struct bundle *b, struct diag *d)
{
	struct revocations revoked = { 0 };
	int r = bundle_after_judge(&s->after, &s->by.keys, name, &b->verified, d);

	if (r == 0)
		r = bundle_revocations(name, b->revocations, &revoked, d);
	revocations_done(&revoked);
	return r;
}

/* Takes it where it is newer. 0 also where it is the same. */
static int consider(struct sync *s, const struct bundle_offer *o, struct diag *d)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	char shown[SHOWN], name[SHOWN], before[24] = "none";
	int r = bundle_offer_judge(o, &s->judging.args, &b, d);

	if (r < 0)
		return r;
	text_escape_str(o->name, shown, sizeof(shown));
	if (s->kept.version == b.version)
		return check_same(o, d);
	if (b.version < s->highest.version)
		return refuse_older(s, o->name, &b, d);
	r = check_newer(s, o->name, &b, d);
	if (r == 0)
		r = bundle_offer_keep(o, s->dir, d);
	if (r < 0)
		return r;
	if (s->kept.version)
		snprintf(before, sizeof(before), "%llu", (unsigned long long)s->kept.version);
	printf("%s: bundle '%s' version %llu of %s is kept (before: %s)\n", shown,
		text_escape_str(b.name, name, sizeof(name)), (unsigned long long)b.version,
		output_time(b.issued, (char[OUTPUT_TIME_SIZE]){ "" }), before);
	bundle_done(&s->kept);
	s->kept = b;
	b = (struct bundle){ 0 };
	r = remember(s, d);
	return r ? r : load_after(s, d);
}

/* An old file in its place is nothing to complain of: what is kept came later. */
static int consider_placed(struct sync *s, struct diag *d)
{
	_cleanup_bundle_offer_ struct bundle_offer o = { 0 };
	_cleanup_bundle_ struct bundle b = { 0 };
	int r = bundle_offer_read(BUNDLE_PLACED, &s->judging.args, &o, d);

	if (r == BUNDLE_NONE)
		return 0;
	if (r == 0)
		r = bundle_offer_judge(&o, &s->judging.args, &b, d);
	return r < 0 || b.version <= s->kept.version ? r : consider(s, &o, d);
}

static int consider_fetched(struct sync *s, struct diag *d)
{
	_cleanup_bundle_offer_ struct bundle_offer o = { 0 };
	struct bundle_args next = s->judging.args;
	int r;

	if (!s->policy.bundle.url)
		return 0;
	next.rule = &s->after.rule; /* so many of the keys that are left are fetched */
	r = bundle_offer_fetch(&s->policy, &next, s->deadline, &o, d);
	if (r < 0)
		return r;
	r = consider(s, &o, d);
	return r ? r : fs_write_atomic(s->dir, "confirmed", "", 0, 0644, d);
}

/* --- the command --- */

static bool is_due(const struct sync *s)
{
	struct stat st;
	uint64_t every = s->policy.bundle.every ? s->policy.bundle.every : EVERY_DEFAULT_S;

	return fstatat(s->dir, "confirmed", &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mtim.tv_sec > s->by.now ||
	       s->by.now - st.st_mtim.tv_sec >= (int64_t)every;
}

/* Both are tried: a half-copied file keeps nothing from being fetched. */
static int sync_all(struct sync *s, bool due)
{
	struct diag d = { "out of memory" };
	int placed, fetched;

	placed = consider_placed(s, &d);
	if (placed < 0)
		command_error("%s", d.text);
	fetched = due && !is_due(s) ? 0 : consider_fetched(s, &d);
	if (fetched < 0)
		command_error("%s", d.text);
	return placed < 0 || fetched < 0 ? EXIT_FINDINGS : EXIT_OK;
}

static int run_sync(const struct command_ctx *ctx)
{
	const struct sync_options *o = ctx->options;
	_cleanup_(sync_done) struct sync s = { .dir = -1 };
	struct diag d = { "out of memory" };
	uint64_t seconds = TIMEOUT_S;

	if (o->timeout && parse_u64(o->timeout, 1, TIMEOUT_MAX_S, &seconds) < 0)
		return command_usage(ctx, "--timeout %s: a number of seconds from 1 to %d", o->timeout, TIMEOUT_MAX_S);
	s.deadline = io_now_us() + seconds * US_PER_S;
	if (geteuid() != 0) {
		command_error(
			"sync keeps the bundle of this machine, which is root's: start it as root, or let the timer "
			"stockade-sync.timer do it");
		return EXIT_REFUSED;
	}
	if (prepare(&s, &d) < 0)
		return command_refuse(&d, 0);
	return sync_all(&s, o->due);
}

const struct command_row cmd_sync = {
	.name = "sync",
	.synopsis = "[--due] [--timeout SECONDS]",
	.summary = "take the newest signed bundle of this machine's IT",
	.details = "Fetches what policy names in bundle.url, and looks at " BUNDLE_PLACED
		   ". What is signed as policy says and is newer is kept in " BUNDLE_KEPT_DIR
		   "; whatever is wrong, what is kept stays. For root.",
	.options = sync_rows,
	.options_size = sizeof(struct sync_options),
	.options_done = options_done,
	.run = run_sync,
};
