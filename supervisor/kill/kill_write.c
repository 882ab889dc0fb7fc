/* SPDX-License-Identifier: Apache-2.0 */
/* kill_write - see kill_write.h */
#include "supervisor/kill/kill_write.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/text.h"

enum { SHOWN = 512, TEMPORARY_SIZE = 64, SYSTEM_DIR_MODE = 0755, SYSTEM_FILE_MODE = 0644, OWN_FILE_MODE = 0600 };

void kill_written_done(struct kill_written *w)
{
	if (w->dir >= 0)
		close(w->dir);
	if (w->file >= 0)
		close(w->file);
	free(w->path);
	*w = KILL_WRITTEN_NONE;
}

static int open_dir(const struct paths *p, enum kill_origin origin, int *ret, struct diag *d)
{
	int r;

	if (origin != KILL_BY_ROOT)
		return paths_open_state(p, KILL_DIR, ret, d);
	r = fs_mkdirs(KILL_SYSTEM_DIR, SYSTEM_DIR_MODE, ret, d);
	return r < 0 ? r : fs_check_trusted_dir(*ret, KILL_SYSTEM_DIR, FS_TRUST_ROOT, 0, d);
}

/* A name that says what it kills; of what is too long for one, any. */
static int name_of(const struct kill_entry *e, uint64_t nonce, char ret[KILL_FILE_NAME_SIZE])
{
	int r = kill_entry_file_name(e->server, e->tool, ret);

	if (r == -ENAMETOOLONG) {
		snprintf(ret, KILL_FILE_NAME_SIZE, "entry.%016" PRIx64 ".json", nonce);
		return 0;
	}
	return r;
}

static int put(int dir, const char *temporary, const char *text, mode_t mode, int *ret)
{
	_cleanup_close_ int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : io_write_full(fd, text, strlen(text));

	if (r == 0 && fchmod(fd, mode) < 0)
		r = -errno;
	if (r == 0)
		*ret = steal_fd(&fd);
	return r;
}

static int put_in_place(struct kill_written *w, const struct kill_entry *e, const char *text)
{
	char name[KILL_FILE_NAME_SIZE], temporary[TEMPORARY_SIZE];
	uint64_t nonce;
	int r;

	if (getrandom(&nonce, sizeof(nonce), 0) != sizeof(nonce))
		return -EIO;
	r = name_of(e, nonce, name);
	if (r < 0)
		return r;
	snprintf(temporary, sizeof(temporary), ".kill.%016" PRIx64, nonce);
	r = put(w->dir, temporary, text, e->origin == KILL_BY_ROOT ? SYSTEM_FILE_MODE : OWN_FILE_MODE, &w->file);
	if (r == 0 && renameat(w->dir, temporary, w->dir, name) < 0)
		r = -errno;
	if (r < 0 && r != -EEXIST)
		unlinkat(w->dir, temporary, 0);
	if (r == 0 && asprintf(&w->path, "%s", name) < 0) {
		w->path = NULL;
		r = -ENOMEM;
	}
	return r;
}

/* From its name in the directory to where that lies. */
static int name_path(const struct paths *p, enum kill_origin origin, struct kill_written *w)
{
	char *path = NULL;
	int n = origin == KILL_BY_ROOT ? asprintf(&path, KILL_SYSTEM_DIR "/%s", w->path)
				       : asprintf(&path, "%s/" KILL_DIR "/%s", p->state, w->path);

	if (n < 0)
		return -ENOMEM;
	free(w->path);
	w->path = path;
	return 0;
}

int kill_write(const struct paths *p, const struct kill_entry *e, struct kill_written *ret, struct diag *d)
{
	_cleanup_kill_written_ struct kill_written w = KILL_WRITTEN_NONE;
	_cleanup_free_ char *text = kill_entry_text(e);
	int r;

	*ret = KILL_WRITTEN_NONE;
	if (!text)
		return diag_fail(
			d, -EILSEQ, "the entry cannot be written down: out of memory, or a word of it is not UTF-8");
	r = open_dir(p, e->origin, &w.dir, d);
	if (r < 0)
		return r;
	r = put_in_place(&w, e, text);
	if (r == 0)
		r = name_path(p, e->origin, &w);
	if (r < 0)
		return diag_fail(d, r, "the entry cannot be written: %s", strerror(-r));
	*ret = w;
	w = KILL_WRITTEN_NONE;
	return 0;
}

int kill_write_sync(const struct kill_written *w, struct diag *d)
{
	if (fsync(w->file) < 0)
		return diag_fail(d, -errno, "the entry is not safe on the disk: %s", strerror(errno));
	/* A directory that cannot be synced (some FUSE) still holds the file. */
	if (fsync(w->dir) < 0 && errno != EINVAL && errno != EBADF)
		return diag_fail(d, -errno, "the entry's directory is not safe on the disk: %s", strerror(errno));
	return 0;
}

int kill_remove(const struct kill_entry *e, struct diag *d)
{
	char shown[SHOWN];

	if (!e->file)
		return diag_fail(d, -ENOENT, "it lies in no file");
	if (unlink(e->file) == 0 || errno == ENOENT)
		return 0;
	return diag_fail(d, -errno, "%s cannot be taken away: %s", text_escape_str(e->file, shown, sizeof(shown)),
		errno == EISDIR ? "it is a directory; look through it, and remove it" : strerror(errno));
}
