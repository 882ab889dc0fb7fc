/* SPDX-License-Identifier: Apache-2.0 */
/* test_kill_watch - a directory of kill entries that comes in the very moment in which it begins to be watched for */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "supervisor/kill/kill_set.h"
#include "supervisor/kill/kill_watch.h"

/* Directories that come as soon as the deepest of them is found missing; NULL: none. */
static struct {
	char above[512], entries[512];
	int come;
} coming;

/* In place of libc's: the same, and then they come. */
int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	int r = (int)syscall(SYS_inotify_add_watch, fd, path, mask), error = errno;

	if (r < 0 && error == ENOENT && coming.come && strcmp(path, coming.above) == 0) {
		coming.come = 0;
		assert_int_equal(mkdir(coming.above, 0700), 0);
		assert_int_equal(mkdir(coming.entries, 0700), 0);
	}
	errno = error;
	return r;
}

static bool wakes(const struct kill_watch *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static void put_entry(void)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/all.json", coming.entries);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void what_comes_between_two_looks_at_one_path_is_watched(void **state)
{
	struct world *w = *state;
	struct kill_watch watch = KILL_WATCH_NONE;
	struct diag d = { "" };
	int state_dir = -1;

	/* What is above it is there. */
	assert_int_equal(paths_open_state(&w->paths, "", &state_dir, &d), 0);
	close(state_dir);
	assert_int_equal(rmdir(w->paths.state), 0);
	snprintf(coming.above, sizeof(coming.above), "%s", w->paths.state);
	snprintf(coming.entries, sizeof(coming.entries), "%s/" KILL_DIR, w->paths.state);
	coming.come = 1;
	kill_watch_begin(&w->paths, &watch);
	assert_int_equal(coming.come, 0);
	assert_true(watch.fd >= 0 && !wakes(&watch));
	put_entry();
	assert_true(wakes(&watch));
	kill_watch_done(&watch);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_comes_between_two_looks_at_one_path_is_watched, world_up, world_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
