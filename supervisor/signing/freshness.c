/* SPDX-License-Identifier: Apache-2.0 */
/* freshness - see freshness.h */
#include "supervisor/signing/freshness.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/output.h"
#include "supervisor/signing/versions.h"

enum { SHOWN = 300 };

/* Whom to ask: the owner that the profile names. */
static const char *owner(const struct profile *f, char ret[SHOWN])
{
	return f->owner ? text_escape_str(f->owner, ret, SHOWN) : "whoever wrote it";
}

static int check_version(const struct paths *p, const struct profile *f, struct diag *d)
{
	char has[64] = "has no version", file[SHOWN], who[SHOWN];
	uint64_t seen;
	int r = versions_seen(p, f->name, &seen, d);

	if (r < 0 || f->version >= seen)
		return r;
	if (f->version)
		snprintf(has, sizeof(has), "is version %llu", (unsigned long long)f->version);
	return diag_fail(d, -EPERM,
		"the profile %s %s, and version %llu of '%s' was started here before: a version never goes back, so "
		"nothing is started. Ask %s for version %llu or a later one",
		text_escape_str(f->file, file, sizeof(file)), has, (unsigned long long)seen, f->name, owner(f, who),
		(unsigned long long)seen);
}

static const char *left_words(long long left, char ret[SHOWN])
{
	long long days = left / FRESHNESS_DAY_S, hours = left / 3600;

	if (days)
		snprintf(ret, SHOWN, "in %lld %s", days, days == 1 ? "day" : "days");
	else if (hours)
		snprintf(ret, SHOWN, "in %lld %s", hours, hours == 1 ? "hour" : "hours");
	else
		snprintf(ret, SHOWN, "in less than an hour");
	return ret;
}

static int word_soon(const struct profile *f, int64_t left, char **ret)
{
	char who[SHOWN], in[SHOWN];

	if (asprintf(ret, "the profile expires %s (on %s) and then starts nothing: ask %s for a newer one",
		    left_words(left, in), f->expires, owner(f, who)) >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}

static int check_expiry(const struct profile *f, const struct moments *m, struct freshness *ret, struct diag *d)
{
	char why[SHOWN], file[SHOWN], who[SHOWN], now[OUTPUT_TIME_SIZE];
	int r;

	if (parse_time(f->expires, &ret->expires) < 0)
		return diag_fail(d, -EINVAL, "%s: expires is no time", f->file);
	snprintf(why, sizeof(why), "the profile '%s' expires on %s", f->name, f->expires);
	/* First: of a clock that is wrong nobody can say whether it is over. */
	r = moments_check(m, why, d);
	if (r < 0)
		return r;
	if (m->now >= ret->expires)
		return diag_fail(d, -EPERM,
			"the profile %s has expired: it ended on %s, and it is %s; an expired profile starts nothing. "
			"Ask %s for a newer one",
			text_escape_str(f->file, file, sizeof(file)), f->expires, output_time(m->now, now),
			owner(f, who));
	return ret->expires - m->now <= FRESHNESS_AHEAD_S ? word_soon(f, ret->expires - m->now, &ret->soon) : 0;
}

int freshness_check(
	const struct paths *p, const struct profile *f, const struct moments *m, struct freshness *ret, struct diag *d)
{
	int r = 0;

	*ret = (struct freshness){ 0 };
	/* Without a profile there is neither. */
	if (!f->file)
		return 0;
	r = check_version(p, f, d);
	return r < 0 || !f->expires ? r : check_expiry(f, m, ret, d);
}

int freshness_remember(const struct paths *p, const struct profile *f, const struct moments *m, struct diag *d)
{
	int r = f->file && f->version ? versions_remember(p, f->name, f->version, d) : 0;

	return r < 0 ? r : moments_remember(p, m, d);
}

int freshness_hint(const struct paths *p, const struct profile *f, const struct moments *m, char **ret)
{
	char dir[SHOWN];
	struct diag d = { "" };
	uint64_t seen = 0;
	int r = 0;

	*ret = NULL;
	text_escape_str(paths_seen(p), dir, sizeof(dir));
	if (f->file && f->name && versions_seen(p, f->name, &seen, &d) == 0 && f->version < seen)
		r = asprintf(ret,
			"if that version was one of another profile of the same name, remove %s/" VERSIONS_DIR
			"/%s.%llu",
			dir, f->name, (unsigned long long)seen);
	else if (moments_own_file(m))
		r = asprintf(ret,
			"if the clock is right, remove %s/" VERSIONS_DIR "/" MOMENTS_FILE "; it is made again", dir);
	if (r >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}

void freshness_done(struct freshness *f)
{
	free(f->soon);
	*f = (struct freshness){ 0 };
}
