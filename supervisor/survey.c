/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey - see survey.h
 *
 * Theory: dirs is both the result and the queue: each thread takes the next directory that nobody has taken, looks at
 * all that is in it without the lock, and appends the directories that it found with the lock. A directory belongs to
 * the thread that took it until it is appended to; nothing else is shared. It is over when none is left and nobody
 * works on one.
 *
 * Directories are opened by their path below the root and never through a link, so that none has to stay open.
 */
#include "supervisor/survey.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "supervisor/code_digest.h"

/* With less to do than this a thread would cost more than it brings. */
enum { DIRS_FOR_HELP = 24, THREAD_STACK = 256 << 10 };

struct job {
	struct survey *s;
	int root;
	enum survey_kind kind;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t next; /* in s->dirs: the first that nobody has taken */
	unsigned busy, waiting;
	int result; /* the first that is not 0 ends it */
};

/* What a thread sees of one directory, in memory that serves it for all of them. */
struct view {
	struct code_names names;
	size_t at; /* in names: where it is, and what failed is at */
	struct strv links;
};

static void view_done(struct view *w)
{
	code_names_done(&w->names);
	strv_done(&w->links);
}

bool survey_root_alone(const struct stat *st)
{
	return st->st_uid == 0 && (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)));
}

static void forget(struct survey_dir *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->v[i].link);
	free(d->v);
	free(d->path);
	free(d);
}

void survey_done(struct survey *s)
{
	for (size_t i = 0; i < s->n; i++)
		forget(s->dirs[i]);
	free(s->dirs);
	strv_done(&s->links);
	*s = (struct survey){ 0 };
}

/* --- one directory, without the lock --- */

static int read_link(int fd, const char *name, char **ret)
{
	char text[SURVEY_PATH_MAX];
	ssize_t n = readlinkat(fd, name, text, sizeof(text));

	if (n < 0)
		return -errno;
	if (n == sizeof(text))
		return -ENAMETOOLONG;
	*ret = strndup(text, (size_t)n);
	return *ret ? 0 : -ENOMEM;
}

static int note_link(struct view *w, int fd, const struct survey_dir *d, const char *name)
{
	_cleanup_free_ char *text = NULL;
	int r = read_link(fd, name, &text);

	if (r < 0 || (*text != '/' && !strstr(text, "..")))
		return r;
	return strv_addf(&w->links, "%s\t%s", d->path, text);
}

/* A directory is not looked at by its name: whoever goes into it sees the one that is open. */
static int look_at_owners(struct view *w, int fd, const struct survey_dir *d)
{
	struct stat st, dir;

	if (fstat(fd, &dir) < 0)
		return -errno;
	for (w->at = 0; w->at < w->names.n; w->at++) {
		const char *name = w->names.text + w->names.at[w->at];
		int r = 0;
		if (code_names_type(&w->names, w->at) == DT_DIR)
			continue;
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		/* A single file can be a mount point as well. */
		if (!survey_root_alone(&st) || (st.st_dev != dir.st_dev && fs_is_served_at(fd, name)))
			return SURVEY_OTHERS;
		code_names_set_type(&w->names, w->at, (unsigned char)IFTODT(st.st_mode));
		if (S_ISLNK(st.st_mode))
			r = note_link(w, fd, d, name);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The names sorted, and room for what is said of each, in one block. */
static int keep_names(struct view *w, struct survey_dir *d)
{
	size_t n = w->names.n;
	char *text;

	if (n == 0)
		return 0;
	code_names_sort(&w->names);
	d->v = malloc(n * sizeof(*d->v) + w->names.len);
	if (!d->v)
		return -ENOMEM;
	text = (char *)(d->v + n);
	memcpy(text, w->names.text, w->names.len);
	for (size_t i = 0; i < n; i++)
		d->v[i] = (struct survey_entry){ .name = text + w->names.at[i] };
	d->n = n;
	return 0;
}

/* Of a directory only its being there counts, and what is in it. */
static int look_at_content(struct view *w, int fd, struct survey_dir *d)
{
	int r = keep_names(w, d);

	if (r < 0)
		return r;
	for (w->at = 0; w->at < d->n; w->at++) {
		struct survey_entry *e = &d->v[w->at];
		if (code_names_type(&w->names, w->at) == DT_DIR) {
			e->st.st_mode = S_IFDIR;
			continue;
		}
		if (fstatat(fd, e->name, &e->st, AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
		code_names_set_type(&w->names, w->at, (unsigned char)IFTODT(e->st.st_mode));
		if (S_ISLNK(e->st.st_mode))
			r = read_link(fd, e->name, &e->link);
		if (r < 0)
			return r;
	}
	return 0;
}

static int look_into(const struct job *j, struct view *w, struct survey_dir *d)
{
	_cleanup_close_ int fd =
		fs_openat2(j->root, d->path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	bool owners = j->kind == SURVEY_OWNERS;
	struct stat st;
	int r;

	w->names.n = w->at = 0;
	/* What we may not list, the server may not either; but nothing is known of it. */
	if (fd < 0)
		return owners ? SURVEY_OTHERS : fd;
	if (owners && (fstat(fd, &st) < 0 || !survey_root_alone(&st) || fs_is_served(fd)))
		return SURVEY_OTHERS;
	r = code_list(fd, &w->names);
	if (r < 0)
		return r;
	return owners ? look_at_owners(w, fd, d) : look_at_content(w, fd, d);
}

/* --- with the lock --- */

static int add_dir(struct survey *s, const struct survey_dir *parent, const char *name)
{
	bool top = strcmp(parent->path, ".") == 0;
	struct survey_dir *d, **v;

	if (parent->depth >= SURVEY_DEPTH_MAX)
		return -EFBIG;
	if (s->n == s->cap) {
		v = reallocarray(s->dirs, s->cap ? 2 * s->cap : 64, sizeof(struct survey_dir *));
		if (!v)
			return -ENOMEM;
		s->dirs = v;
		s->cap = s->cap ? 2 * s->cap : 64;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->depth = parent->depth + 1;
	if (asprintf(&d->path, "%s%s%s", top ? "" : parent->path, top ? "" : "/", name) < 0) {
		free(d);
		return -ENOMEM;
	}
	s->dirs[s->n++] = d;
	return strlen(d->path) < SURVEY_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int add_dirs(struct survey *s, struct view *w, struct survey_dir *d)
{
	int r;

	s->files += w->names.n;
	if (s->files > CODE_FILES_MAX)
		return -EFBIG;
	for (w->at = 0; w->at < w->names.n; w->at++) {
		if (code_names_type(&w->names, w->at) != DT_DIR)
			continue;
		if (d->v)
			d->v[w->at].dir = (uint32_t)s->n;
		r = add_dir(s, d, w->names.text + w->names.at[w->at]);
		if (r < 0)
			return r;
	}
	return 0;
}

static void give_back(struct job *j, struct view *w, struct survey_dir *d, int r)
{
	if (r == 0)
		r = add_dirs(j->s, w, d);
	if (r == 0)
		r = strv_extend(&j->s->links, w->links.v, w->links.n);
	strv_done(&w->links);
	if (r != 0 && j->result == 0) {
		const char *name = w->at < w->names.n ? w->names.text + w->names.at[w->at] : "";
		j->result = r;
		snprintf(j->s->failed, sizeof(j->s->failed), "%s/%s", d->path, r < 0 ? name : "");
	}
}

/* Takes directories until limit have been seen or none is left. */
static void work(struct job *j, size_t limit)
{
	_cleanup_(view_done) struct view w = { 0 };

	pthread_mutex_lock(&j->lock);
	while (j->result == 0 && j->next < limit && (j->next < j->s->n || j->busy > 0)) {
		if (j->next == j->s->n) {
			j->waiting++;
			pthread_cond_wait(&j->changed, &j->lock);
			j->waiting--;
			continue;
		}
		struct survey_dir *d = j->s->dirs[j->next++];
		j->busy++;
		pthread_mutex_unlock(&j->lock);
		int r = look_into(j, &w, d);
		pthread_mutex_lock(&j->lock);
		give_back(j, &w, d, r);
		j->busy--;
		if (j->waiting > 0)
			pthread_cond_broadcast(&j->changed);
	}
	pthread_mutex_unlock(&j->lock);
}

static void *help(void *arg)
{
	work(arg, SIZE_MAX);
	return NULL;
}

/* Threads that cannot be had are done without. */
static void work_together(struct job *j)
{
	pthread_t threads[SURVEY_THREADS_MAX];
	pthread_attr_t attr;
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1, started = 0;

	/* A thread's own heap grows by an mprotect(2) every few pages, and each stops the others' page faults. */
	mallopt(M_ARENA_MAX, 1);
	if (pthread_attr_init(&attr) == 0) {
		pthread_attr_setstacksize(&attr, THREAD_STACK);
		while (started < SURVEY_THREADS_MAX - 1 && started + 1 < n &&
			pthread_create(&threads[started], &attr, help, j) == 0)
			started++;
		pthread_attr_destroy(&attr);
	}
	work(j, SIZE_MAX);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

int survey_take(int root, enum survey_kind kind, struct survey *ret)
{
	struct job j = { .s = ret,
		.root = root,
		.kind = kind,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	const struct survey_dir above = { .path = (char[]){ "." } };
	int r;

	*ret = (struct survey){ 0 };
	r = add_dir(ret, &above, ".");
	if (r < 0)
		return r;
	work(&j, DIRS_FOR_HELP);
	if (j.result == 0 && j.next < ret->n)
		work_together(&j);
	return j.result;
}
