/* SPDX-License-Identifier: Apache-2.0 */
/* kill_watch - see kill_watch.h */
#include "supervisor/kill/kill_watch.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include "supervisor/bundle/bundle.h"
#include "supervisor/kill/kill_set.h"

enum { DRAIN_BYTES = 4096, DRAIN_MAX = 64 };

/* Entries: written in place, moved in and out, taken away, made unreadable; and the directory's own end. */
#define OF_ENTRIES                                                                                                     \
	(IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF |           \
		IN_MOVE_SELF)
#define OF_PARENT (IN_CREATE | IN_MOVED_TO | IN_ATTRIB)

/* Where a bundle, its signatures and the policy that it is judged by lie. */
#define PLACED_DIR "/etc/stockade"

/* One directory may be watched for two reasons. 1: it is watched; 0: it is not there; -errno. */
static int watch(int fd, const char *path, uint32_t mask)
{
	if (inotify_add_watch(fd, path, mask | IN_ONLYDIR | IN_MASK_ADD) >= 0)
		return 1;
	/* What cannot be read has killed everything by now. */
	return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
}

/* The directory and the one above it; where that is missing, the one above that. What came below it before it was
 * watched was no event, so it is gone down again from there: whatever is missing then is one when it comes. */
static int watch_for(int fd, const char *path)
{
	char at[PATH_MAX];
	size_t n = strlen(path);
	char *slash;
	int r = watch(fd, path, OF_ENTRIES);

	if (r < 0 || snprintf(at, sizeof(at), "%s", path) >= (int)sizeof(at))
		return r < 0 ? r : -ENAMETOOLONG;
	for (r = 0; r == 0 && (slash = strrchr(at, '/')) && slash != at;) {
		*slash = '\0';
		r = watch(fd, at, OF_PARENT);
	}
	if (r <= 0)
		return r;
	while (r > 0 && strlen(at) < n) {
		at[strlen(at)] = '/';
		r = watch(fd, at, strlen(at) == n ? OF_ENTRIES : OF_PARENT);
	}
	return r < 0 ? r : 1;
}

static bool watch_all(const struct paths *p, int fd)
{
	char own[PATH_MAX];

	return snprintf(own, sizeof(own), "%s/" KILL_DIR, p->state) < (int)sizeof(own) && watch_for(fd, own) > 0 &&
	       watch_for(fd, KILL_SYSTEM_DIR) > 0 && watch_for(fd, PLACED_DIR) > 0 &&
	       watch_for(fd, BUNDLE_KEPT_DIR) > 0;
}

void kill_watch_begin(const struct paths *p, struct kill_watch *ret)
{
	*ret = (struct kill_watch){ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK) };
	if (ret->fd >= 0 && !watch_all(p, ret->fd))
		kill_watch_done(ret);
}

void kill_watch_renew(const struct paths *p, struct kill_watch *w)
{
	char bytes[DRAIN_BYTES];
	unsigned n = 0;

	/* Before they are read: what comes after that is an event again. */
	while (w->fd >= 0 && n++ < DRAIN_MAX && read(w->fd, bytes, sizeof(bytes)) > 0)
		;
	if (w->fd >= 0 && !watch_all(p, w->fd))
		kill_watch_done(w);
	else if (w->fd < 0)
		kill_watch_begin(p, w);
}

unsigned kill_watch_look_ms(const struct kill_watch *w)
{
	return w->fd >= 0 ? KILL_LOOK_MS : KILL_POLL_MS;
}

void kill_watch_done(struct kill_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}
