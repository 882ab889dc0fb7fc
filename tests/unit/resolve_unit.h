/* SPDX-License-Identifier: Apache-2.0 */
/* resolve_unit - a scratch home with programs, scripts and links as the tools lay them out, and what resolves in it */
#pragma once
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include "tests/unit/tree.h"
#include "base/fs.h"
#include "supervisor/resolve.h"

struct world {
	char root[128];
	char home[160], cwd[PATH_MAX], path[PATH_MAX];
	char config[192], state[192], runtime[192];
	struct paths p;
	struct resolved r;
	struct diag d;
};

static inline int world_setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char name[] = "/tmp/stockade-resolve-XXXXXX";

	assert_non_null(w);
	assert_non_null(mkdtemp(name));
	snprintf(w->root, sizeof(w->root), "%s", name);
	snprintf(w->home, sizeof(w->home), "%s/home", w->root);
	snprintf(w->cwd, sizeof(w->cwd), "%s", w->home);
	snprintf(w->path, sizeof(w->path), "/usr/local/bin:/usr/bin:/bin");
	snprintf(w->config, sizeof(w->config), "%s/.config/stockade", w->home);
	snprintf(w->state, sizeof(w->state), "%s/.local/state/stockade", w->home);
	snprintf(w->runtime, sizeof(w->runtime), "%s/run/stockade", w->root);
	w->p = (struct paths){ .uid = geteuid(),
		.gid = getegid(),
		.home = w->home,
		.config = w->config,
		.state = w->state,
		.runtime = w->runtime };
	assert_int_equal(mkdir(w->home, 0755), 0);
	*state = w;
	return 0;
}

static inline int world_teardown(void **state)
{
	struct world *w = *state;

	resolved_done(&w->r);
	remove_tree(w->root);
	free(w);
	return 0;
}

/* ROOT/relative; relative to the home when it starts with "~/". */
static inline const char *at(const struct world *w, const char *relative, char ret[PATH_MAX])
{
	int n;

	if (*relative == '~')
		n = snprintf(ret, PATH_MAX, "%s%s", w->home, relative + 1);
	else if (*relative == '/')
		n = snprintf(ret, PATH_MAX, "%s", relative);
	else
		n = snprintf(ret, PATH_MAX, "%s/%s", w->root, relative);
	assert_true(n < PATH_MAX);
	return ret;
}
#define AT(w, relative) at((w), (relative), (char[PATH_MAX]){ 0 })

static inline void put_dir(const struct world *w, const char *relative)
{
	struct diag d;
	int fd = -1;

	assert_int_equal(fs_mkdirs(AT(w, relative), 0755, &fd, &d), 0);
	close(fd);
}

static inline void put_parent(const struct world *w, const char *relative)
{
	char path[PATH_MAX];

	at(w, relative, path);
	*strrchr(path, '/') = '\0';
	put_dir(w, path);
}

static inline void put_bytes(const struct world *w, const char *relative, mode_t mode, const void *p, size_t n)
{
	put_parent(w, relative);
	int fd = open(AT(w, relative), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* "@" in the text stands for the root, "~/" for the home. */
static inline void put_text(const struct world *w, const char *relative, mode_t mode, const char *text)
{
	_cleanup_buf_ struct buf b = BUF_INIT(1 << 20);

	for (; *text; text++) {
		int r;
		if (*text == '@' && text[1] == '/')
			r = buf_puts(&b, w->root);
		else if (*text == '~' && text[1] == '/')
			r = buf_puts(&b, w->home);
		else
			r = buf_putc(&b, *text);
		assert_int_equal(r, 0);
	}
	put_bytes(w, relative, mode, b.data ? b.data : "", b.len);
}

/* A native program of this machine. */
static inline void put_program(const struct world *w, const char *relative)
{
	static char bytes[1 << 20];
	int fd = open("/usr/bin/true", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, bytes, sizeof(bytes));

	assert_true(n > 0);
	close(fd);
	put_bytes(w, relative, 0755, bytes, (size_t)n);
}

static inline void put_link(const struct world *w, const char *relative, const char *target)
{
	put_parent(w, relative);
	assert_int_equal(symlink(*target == '~' ? AT(w, target) : target, AT(w, relative)), 0);
}

/* Words until NULL; "~/" leads into the scratch home. */
static inline int resolve_words(struct world *w, const char *const *words)
{
	_cleanup_strv_ struct strv command = { 0 };

	for (; *words; words++)
		assert_int_equal(strv_add(&command, strncmp(*words, "~/", 2) == 0 ? AT(w, *words) : *words), 0);
	resolved_done(&w->r);
	*w->d.text = '\0';
	return resolve_command(&w->p, &command, w->path, w->cwd, &w->r, &w->d);
}
#define RESOLVE(w, ...) resolve_words((w), (const char *const[]){ __VA_ARGS__, NULL })

#define GOOD(w, ...)                                                                                                   \
	do {                                                                                                           \
		int good_ = RESOLVE((w), __VA_ARGS__);                                                                 \
		if (good_ < 0)                                                                                         \
			fail_msg("%d: %s", good_, (w)->d.text);                                                        \
	} while (0)

#define REFUSED(w, err, words, ...)                                                                                    \
	do {                                                                                                           \
		assert_int_equal(RESOLVE((w), __VA_ARGS__), (err));                                                    \
		if (!strstr((w)->d.text, (words)))                                                                     \
			fail_msg("'%s' is not in: %s", (words), (w)->d.text);                                          \
	} while (0)

static inline bool has_tree(const struct world *w, const char *relative)
{
	for (size_t i = 0; i < w->r.n_trees; i++)
		if (strcmp(w->r.trees[i].path, AT(w, relative)) == 0)
			return true;
	return false;
}

static inline bool has_role(const struct world *w, const char *relative, const char *role)
{
	for (size_t i = 0; i < w->r.n_trees; i++)
		if (strcmp(w->r.trees[i].path, AT(w, relative)) == 0)
			return strcmp(w->r.trees[i].role, role) == 0;
	return false;
}

#define TREE(w, relative)                                                                                              \
	do {                                                                                                           \
		if (!has_tree((w), (relative)))                                                                        \
			fail_msg("no tree %s; the first is %s", (relative),                                            \
				(w)->r.n_trees ? (w)->r.trees[0].path : "(none)");                                     \
	} while (0)

static inline bool has_link(const struct world *w, const char *link, const char *text)
{
	char row[2 * PATH_MAX];

	snprintf(row, sizeof(row), "%s\t%s", AT(w, link), *text == '~' ? AT(w, text) : text);
	return strv_contains(&w->r.symlinks, row);
}

static inline bool in_path(const struct world *w, const char *dir)
{
	return strv_contains(&w->r.path, AT(w, dir));
}
