/* SPDX-License-Identifier: Apache-2.0 */
/* bundle - see bundle.h; what is in one is taken by bundle_parse.c */
#include "supervisor/bundle/bundle.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/text.h"
#include "supervisor/bundle/bundle_after.h"
#include "supervisor/bundle/bundle_highest.h"
#include "supervisor/output.h"
#include "supervisor/signing/moments.h"

enum { SHOWN = 300, LAST_PART = 4 };

static void file_done(struct bundle_file *f)
{
	free(f->name);
	free(f->where);
	verified_done(&f->verified);
}

static void files_done(struct bundle_file *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file_done(&v[i]);
	free(v);
}

void bundle_done(struct bundle *b)
{
	free(b->file);
	free(b->name);
	verified_done(&b->verified);
	files_done(b->profiles, b->n_profiles);
	files_done(b->pins, b->n_pins);
	json_decref(b->revocations);
	json_decref(b->kills);
	policy_groups_done(&b->groups);
	*b = (struct bundle){ 0 };
}

static const struct bundle_file *find(const struct bundle_file *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

const struct bundle_file *bundle_profile(const struct bundle *b, const char *name)
{
	return find(b->profiles, b->n_profiles, name);
}

const struct bundle_file *bundle_pins(const struct bundle *b, const char *name)
{
	return find(b->pins, b->n_pins, name);
}

/* --- one file --- */

enum bundle_holds bundle_holds(const struct bundle *b, int64_t now)
{
	if (now >= b->expires)
		return BUNDLE_OVER;
	return now < b->issued - MOMENTS_TOLERANCE_S ? BUNDLE_AHEAD : BUNDLE_HOLDS;
}

/* What is signed says when it holds; a clock that is before it was made cannot be right, and one that is wrong denies.
 */
static int check_moments(const struct bundle *b, int64_t now, struct diag *d)
{
	char shown[SHOWN], when[OUTPUT_TIME_SIZE], clock[OUTPUT_TIME_SIZE];

	text_escape_str(b->file, shown, sizeof(shown));
	output_time(now, clock);
	switch (bundle_holds(b, now)) {
	case BUNDLE_HOLDS:
		return 0;
	case BUNDLE_OVER:
		return diag_fail(d, -EPERM,
			"the bundle %s, version %llu, expired on %s: nothing of it holds any more; whoever manages "
			"this "
			"machine has to ship a newer one (if it is not %s, the clock is wrong)",
			shown, (unsigned long long)b->version, output_time(b->expires, when), clock);
	case BUNDLE_AHEAD:
		break;
	}
	return diag_fail(d, -EPERM,
		"the bundle %s, version %llu, was issued on %s, but the clock of this machine says %s: one of the two "
		"is "
		"wrong, and nothing is started by a clock that may be; set it right",
		shown, (unsigned long long)b->version, output_time(b->issued, when), clock);
}

static int load_judged(const struct bundle_args *a, struct bundle *b, struct diag *d)
{
	struct judge_rule rule = *a->rule;
	char shown[SHOWN];
	int r;

	rule.server = NULL;
	r = judge(&rule, a->keys, &b->verified, &b->verdict, d);
	if (r < 0) {
		diag_prefix(d, "the bundle %s: ", text_escape_str(b->file, shown, sizeof(shown)));
		return r;
	}
	r = bundle_parse(
		b->file, b->verified.bytes.data ? b->verified.bytes.data : "", b->verified.bytes.len, a->keys, b, d);
	return r || a->any_time ? r : check_moments(b, a->now, d);
}

int bundle_load_file(const char *path, enum fs_trust trust, uid_t uid, const struct bundle_args *a, struct bundle *ret,
	struct diag *d)
{
	_cleanup_verified_ struct verified v = { 0 };
	int r = signed_read_file(path, trust, uid, BUNDLE_BYTES_MAX, a->keys, &v, d);

	return r ? r : bundle_load_verified(path, &v, a, ret, d);
}

int bundle_load_verified(
	const char *name, struct verified *v, const struct bundle_args *a, struct bundle *ret, struct diag *d)
{
	_cleanup_bundle_ struct bundle b = { .file = strdup(name), .verified = *v };
	int r;

	*v = (struct verified){ 0 };
	r = b.file ? load_judged(a, &b, d) : diag_fail(d, -ENOMEM, "there is no memory for a bundle");
	if (r < 0)
		return r;
	*ret = b;
	b = (struct bundle){ 0 };
	return 0;
}

/* --- the machine's --- */

static void warn(struct bundle *b, const char *fmt, ...) _printf_(2, 3);
static void warn(struct bundle *b, const char *fmt, ...)
{
	size_t n = strlen(b->warning);
	va_list ap;

	if (n > 0 && n + 2 < sizeof(b->warning)) {
		memcpy(b->warning + n, "; ", 3);
		n += 2;
	}
	va_start(ap, fmt);
	vsnprintf(b->warning + n, sizeof(b->warning) - n, fmt, ap);
	va_end(ap);
}

/* When the file of that path was last changed or confirmed; 0: it is not there. */
static int64_t changed(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The bundle itself says nothing of how old it may be: whoever withholds a newer one would withhold that as well. */
static int check_stale(struct bundle *b, const struct bundle_args *a, const struct bundle_places *p, struct diag *d)
{
	int64_t confirmed = later(changed(b->file), changed(p->confirmed)), age = a->now - confirmed;
	char when[OUTPUT_TIME_SIZE], clock[OUTPUT_TIME_SIZE];

	b->confirmed = confirmed;
	output_time(confirmed, when);
	if (a->stale && age < -MOMENTS_TOLERANCE_S)
		return diag_fail(d, -EPERM,
			"the bundle of this machine was last confirmed on %s, but the clock says %s: one of the two is "
			"wrong, so nobody knows how old it is, and policy takes none that is too old. Set the clock "
			"right; if it is, 'stockade sync' confirms the bundle anew",
			when, output_time(a->now, clock));
	if (a->stale && age >= a->stale)
		return diag_fail(d, -EPERM,
			"the bundle of this machine was last confirmed on %s, and policy takes none that is so old: "
			"what was "
			"revoked or killed since is not known here. See that 'stockade sync' reaches its server, or "
			"have a "
			"newer one put in place",
			when);
	if (a->stale && age >= a->stale / 2)
		warn(b, "the bundle of this machine was last confirmed on %s; soon that is too old, and denies", when);
	if (a->now >= b->expires - (b->expires - b->issued) / LAST_PART)
		warn(b, "the bundle of this machine expires on %s", output_time(b->expires, when));
	return 0;
}

/* Takes other where it is newer; *have is what was found before, if any. */
static void take_newer(struct bundle *have, struct bundle *other)
{
	if (have->file && have->version >= other->version) {
		bundle_done(other);
		return;
	}
	bundle_done(have);
	*have = *other;
	*other = (struct bundle){ 0 };
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* One of the two places, whether it holds now or not. v is taken. after: who may sign one that is newer than best. */
static int take_place(const char *path, struct verified *v, const struct bundle_args *a,
	const struct bundle_after *after, struct bundle *best, struct diag *d)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	struct bundle_args any = *a;
	int r;

	any.any_time = true;
	r = bundle_load_verified(path, v, &any, &b, d);
	if (r == 0 && after && b.version > best->version)
		r = bundle_after_judge(after, a->keys, path, &b.verified, d);
	if (r == 0)
		take_newer(best, &b);
	return r;
}

/* The newest that verifies, whether it holds now or not; file NULL: none does. failed: what is wrong with another. */
static int load_newest(
	const struct bundle_places *p, const struct bundle_args *a, struct bundle *best, struct diag *wrong)
{
	_cleanup_bundle_after_ struct bundle_after after = { 0 };
	const char *const paths[] = { p->kept, p->placed };
	int failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		_cleanup_verified_ struct verified v = { 0 };
		struct diag why = { "" };
		int r = signed_read_file(paths[i], p->trust, p->uid, BUNDLE_BYTES_MAX, a->keys, &v, &why);
		/* What is kept says who may sign the next, also where it cannot be used any more. */
		int init = i == 0 ? bundle_after_init(a->rule, a->keys, paths[i], &v, &after, wrong) : 0;
		if (init < 0)
			return init;
		/* What is kept is a copy of what was put in its place. */
		if (r == 0 && best->file && same_bytes(&best->verified.bytes, &v.bytes))
			continue;
		if (r == 0)
			r = take_place(paths[i], &v, a, i == 0 ? NULL : &after, best, &why);
		if (r < 0 && (r != -ENOENT || changed(paths[i]))) {
			failed = r;
			*wrong = why;
		}
	}
	return failed;
}

/* Whatever lies there is older than what this machine had: somebody would get back what was revoked or killed. */
static int refuse_older(const struct bundle *best, const struct bundle_highest *h, const char *wrong, struct diag *d)
{
	char shown[SHOWN], lies[SHOWN + 64] = "none is there that can be used";

	if (best->file)
		snprintf(lies, sizeof(lies), "what can be used is version %llu, %s", (unsigned long long)best->version,
			text_escape_str(best->file, shown, sizeof(shown)));
	return diag_fail(d, -EPERM,
		"this machine kept version %llu of the bundle '%.200s', and %s%s%.800s: a bundle never goes back, so "
		"nothing is started. Whoever manages this machine has to bring one of version %llu or later "
		"(" BUNDLE_HIGHEST " remembers it)",
		(unsigned long long)h->version, h->name, lies, *wrong ? "; " : "", wrong,
		(unsigned long long)h->version);
}

int bundle_load_from(const struct bundle_places *p, const struct bundle_args *a, struct bundle *ret, struct diag *d)
{
	_cleanup_bundle_ struct bundle best = { 0 };
	struct bundle_highest highest;
	struct diag wrong = { "" };
	/* First: it is raised when a newer one is there already. */
	int failed, r = bundle_highest_read(p->highest, p->trust, p->uid, &highest, d);

	if (r < 0)
		return r;
	failed = load_newest(p, a, &best, &wrong);
	if (best.version < highest.version)
		return refuse_older(&best, &highest, wrong.text, d);
	if (!best.file)
		return failed ? diag_fail(d, failed, "%s", wrong.text) : BUNDLE_NONE;
	if (failed)
		warn(&best, "version %llu is used, since another bundle cannot be: %s",
			(unsigned long long)best.version, wrong.text);
	r = a->any_time ? 0 : check_moments(&best, a->now, d);
	if (r == 0)
		r = check_stale(&best, a, p, d);
	if (r < 0)
		return r;
	buf_done(&best.verified.bytes);
	*ret = best;
	best = (struct bundle){ 0 };
	return 0;
}

int bundle_load(const struct bundle_args *a, struct bundle *ret, struct diag *d)
{
	static const struct bundle_places machine = { BUNDLE_PLACED, BUNDLE_KEPT, BUNDLE_CONFIRMED, BUNDLE_HIGHEST,
		FS_TRUST_ROOT, 0 };

	return bundle_load_from(&machine, a, ret, d);
}
