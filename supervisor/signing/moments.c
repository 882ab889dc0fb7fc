/* SPDX-License-Identifier: Apache-2.0 */
/* moments - see moments.h */
#include "supervisor/signing/moments.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/output.h"
#include "supervisor/signing/versions.h"

#define LATEST_MAX ((uint64_t)253402300799) /* the end of the year 9999 */

enum { SHOWN = 512 };

static int parse_file(const struct buf *b, int64_t *ret)
{
	char text[MOMENTS_FILE_MAX];
	uint64_t v = 0;
	int r;

	if (b->len < 2 || b->len >= sizeof(text) || b->data[b->len - 1] != '\n')
		return -EINVAL;
	memcpy(text, b->data, b->len - 1);
	text[b->len - 1] = '\0';
	r = strlen(text) == b->len - 1 ? parse_u64(text, 1, LATEST_MAX, &v) : -EINVAL;
	*ret = (int64_t)v;
	return r;
}

int moments_look(const struct paths *p, struct moments *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(MOMENTS_FILE_MAX);
	_cleanup_close_ int dir = -1;
	struct diag why = { "" };
	int r = paths_open_seen(p, VERSIONS_DIR, &dir, d);

	*ret = (struct moments){ .now = (int64_t)(io_wall_us() / US_PER_S) };
	if (r < 0)
		return r;
	r = fs_read_trusted(dir, MOMENTS_FILE, FS_TRUST_USER, p->uid, &b, &why);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && parse_file(&b, &ret->remembered) < 0)
		diag_set(&why, "it does not hold one moment");
	if (r < 0 || !ret->remembered)
		diag_set(&ret->damaged, "what remembers the latest moment that was seen here cannot be used: %.512s",
			why.text);
	moments_tell(ret, ret->remembered, "stockade was last used here");
	return 0;
}

void moments_tell(struct moments *m, int64_t when, const char *fmt, ...)
{
	va_list ap;

	if (when <= m->latest)
		return;
	m->latest = when;
	va_start(ap, fmt);
	vsnprintf(m->what, sizeof(m->what), fmt, ap);
	va_end(ap);
}

void moments_tell_file(struct moments *m, const char *path)
{
	char shown[SHOWN];
	struct stat st;

	if (stat(path, &st) == 0 && st.st_uid == 0)
		moments_tell(
			m, (int64_t)st.st_mtim.tv_sec, "%s was written", text_escape_str(path, shown, sizeof(shown)));
}

int moments_check(const struct moments *m, const char *why, struct diag *d)
{
	char now[OUTPUT_TIME_SIZE], latest[OUTPUT_TIME_SIZE];

	if (m->damaged.text[0])
		return diag_fail(d, -EPERM, "%.300s, and %.1500s", why, m->damaged.text);
	if (m->now + MOMENTS_TOLERANCE_S >= m->latest)
		return 0;
	return diag_fail(d, -EPERM,
		"%.300s, but this machine's clock cannot be right: it says %s, and %s on %s. Set the clock "
		"(timedatectl "
		"shows it, 'timedatectl set-ntp true' keeps it right) and start again; if the clock is right, that "
		"other moment is wrong",
		why, output_time(m->now, now), m->what, output_time(m->latest, latest));
}

bool moments_own_file(const struct moments *m)
{
	return m->damaged.text[0] || (m->latest == m->remembered && m->now + MOMENTS_TOLERANCE_S < m->latest);
}

int moments_remember(const struct paths *p, const struct moments *m, struct diag *d)
{
	_cleanup_close_ int dir = -1;
	char text[MOMENTS_FILE_MAX];
	int n, r;

	if (m->damaged.text[0] || m->now < m->remembered + MOMENTS_STEP_S)
		return 0;
	r = paths_open_seen(p, VERSIONS_DIR, &dir, d);
	n = snprintf(text, sizeof(text), "%lld\n", (long long)m->now);
	return r < 0 ? r : fs_write_atomic(dir, MOMENTS_FILE, text, (size_t)n, 0600, d);
}
