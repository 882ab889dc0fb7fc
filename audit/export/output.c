/* SPDX-License-Identifier: Apache-2.0 */
/* output - see output.h */
#include "audit/export/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/text.h"

enum { OUTPUT_SHOWN = 300 };

static int refuse(const char *path, int error, const char *why, struct diag *d)
{
	char shown[OUTPUT_SHOWN];

	return diag_fail(d, error, "%s %s", text_escape_str(path, shown, sizeof shown), why);
}

/* JSON holds no more of a number; some filesystems use all 64 bits. */
static uint64_t inode_of(const struct stat *st)
{
	return st->st_ino & INT64_MAX;
}

static bool is_known(const struct cursor *c, const struct stat *st)
{
	return c->has_output && c->output_dev == (st->st_dev & INT64_MAX) && c->output_ino == inode_of(st);
}

static void know(struct cursor *c, const struct stat *st, uint64_t size)
{
	c->has_output = true;
	c->output_dev = st->st_dev & INT64_MAX;
	c->output_ino = inode_of(st);
	c->output_size = size;
}

/* The file's name has to outlive a power loss as well: the cursor will rely on what is in it. */
static int sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	_cleanup_close_ int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!dir)
		return -ENOMEM;
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* What the cursor says about the file that is there. */
static int place(const char *path, int fd, struct cursor *c, struct diag *d)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(path, -errno, "cannot be examined", d);
	if (!S_ISREG(st.st_mode))
		return refuse(path, -EINVAL,
			"is no regular file: only of a file it can be known what is in it already. Write to standard "
			"output instead ('> PATH')",
			d);
	if (is_known(c, &st)) {
		if ((uint64_t)st.st_size < c->output_size)
			return refuse(path, -ESTALE,
				"is shorter than when the last records were written to it: records in it are gone. "
				"Take another file and another cursor to have them all again",
				d);
		if (ftruncate(fd, (off_t)c->output_size) < 0)
			return refuse(path, -errno, "cannot be cut to where the cursor says that it ends", d);
		return 0;
	}
	if ((c->has_output || c->dirfd < 0) && st.st_size > 0)
		return refuse(path, -EEXIST,
			c->has_output ? "is not the file that the cursor knows, and not empty: name the one it was, or "
					"move this one away"
				      : "is not empty, and without --cursor nobody knows what of the log is in it "
					"already: name another file, or a cursor",
			d);
	know(c, &st, (uint64_t)st.st_size);
	return 0;
}

static int open_file(struct output *o, struct cursor *c, struct diag *d)
{
	_cleanup_close_ int fd = open(o->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	int r;

	if (fd < 0)
		return refuse(o->path, -errno, errno == EISDIR ? "is a directory: name a file" : "cannot be opened", d);
	r = place(o->path, fd, c, d);
	if (r == 0 && sync_directory(o->path) < 0)
		r = refuse(o->path, -EIO, "lies in a directory that cannot be synced", d);
	if (r < 0)
		return r;
	o->stream = fdopen(fd, "a");
	if (!o->stream)
		return -errno;
	o->ours = true;
	(void)steal_fd(&fd);
	return 0;
}

int output_open(struct output *o, const char *path, FILE *stream, struct cursor *c, struct diag *d)
{
	int r = 0;

	*o = (struct output){ .stream = stream, .path = path };
	if (!path && c->has_output)
		return diag_fail(d, -EINVAL,
			"the cursor %s knows the file that its export wrote to: name it with --output, or begin anew "
			"with another cursor",
			c->path);
	if (path && c->found && !c->has_output)
		return diag_fail(d, -EINVAL,
			"the cursor %s is that of an export to standard output: begin a file with a cursor of its own",
			c->path);
	if (path)
		r = open_file(o, c, d);
	/* Before the first byte: else nobody knew where this export began. */
	return r < 0 ? r : cursor_write(c, d);
}

int output_follow_name(struct output *o, struct cursor *c, struct diag *d)
{
	struct stat st;
	int r;

	if (!o->ours || c->dirfd < 0 || (stat(o->path, &st) == 0 && is_known(c, &st)))
		return 0;
	(void)fclose(o->stream);
	o->stream = NULL;
	o->ours = false;
	r = open_file(o, c, d);
	return r < 0 ? r : cursor_write(c, d);
}

int output_commit(struct output *o, const void *p, size_t n, struct cursor *c, struct diag *d)
{
	int r = io_write_full(fileno(o->stream), p, n);

	if (r < 0)
		return diag_fail(d, r, "the records cannot be written: %s", strerror(-r));
	if (o->ours && fdatasync(fileno(o->stream)) < 0)
		return diag_fail(d, -errno, "the records cannot be written: fdatasync failed: %s", strerror(errno));
	c->output_size += o->ours ? n : 0;
	return cursor_write(c, d);
}

void output_done(struct output *o)
{
	if (o->ours && o->stream)
		(void)fclose(o->stream);
	*o = (struct output){ 0 };
}
