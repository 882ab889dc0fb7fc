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
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
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
	unsigned busy;
	int result; /* the first that is not 0 ends it */
};

bool survey_root_alone(const struct stat *st)
{
	return st->st_uid == 0 && (S_ISLNK(st->st_mode) || !(st->st_mode & (S_IWGRP | S_IWOTH)));
}

static void forget(struct survey_dir *d)
{
	for (size_t i = 0; d->v && i < d->names.n; i++)
		free(d->v[i].link);
	free(d->v);
	d->v = NULL;
	code_names_done(&d->names);
}

void survey_done(struct survey *s)
{
	for (size_t i = 0; i < s->n; i++) {
		forget(s->dirs[i]);
		free(s->dirs[i]->path);
		free(s->dirs[i]);
	}
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

static int look_at(const struct job *j, int fd, const char *name, struct survey_entry *e)
{
	if (fstatat(fd, name, &e->st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (j->kind == SURVEY_OWNERS && !survey_root_alone(&e->st))
		return SURVEY_OTHERS;
	return S_ISLNK(e->st.st_mode) ? read_link(fd, name, &e->link) : 0;
}

static int look_into(const struct job *j, struct survey_dir *d, size_t *ret_at)
{
	_cleanup_close_ int fd =
		fs_openat2(j->root, d->path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	int r;

	*ret_at = 0;
	/* What we may not list, the server may not either; but nothing is known of it. */
	if (fd < 0)
		return j->kind == SURVEY_OWNERS ? SURVEY_OTHERS : fd;
	r = code_list(fd, &d->names);
	if (r < 0 || d->names.n == 0)
		return r;
	d->v = calloc(d->names.n, sizeof(*d->v));
	if (!d->v)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < d->names.n; i++) {
		r = look_at(j, fd, d->names.text + d->names.at[i], &d->v[i]);
		*ret_at = i;
	}
	return r;
}

/* --- with the lock --- */

static int add_dir(struct survey *s, const struct survey_dir *parent, const char *name)
{
	bool top = strcmp(parent->path, ".") == 0;
	struct survey_dir *d, **v = s->dirs;

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

static int add_dirs(struct survey *s, struct survey_dir *d)
{
	int r = 0;

	s->files += d->names.n;
	if (s->files > CODE_FILES_MAX)
		return -EFBIG;
	for (size_t i = 0; r == 0 && i < d->names.n; i++) {
		if (!S_ISDIR(d->v[i].st.st_mode))
			continue;
		d->v[i].dir = (uint32_t)s->n;
		r = add_dir(s, d, d->names.text + d->names.at[i]);
	}
	return r;
}

static int add_links(struct survey *s, const struct survey_dir *d)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->names.n; i++) {
		const char *text = d->v[i].link;
		if (text && (*text == '/' || strstr(text, "..")))
			r = strv_addf(&s->links, "%s\t%s", d->path, text);
	}
	return r;
}

static void give_back(struct job *j, struct survey_dir *d, int r, size_t at)
{
	if (r == 0)
		r = add_dirs(j->s, d);
	if (r == 0 && j->kind == SURVEY_OWNERS)
		r = add_links(j->s, d);
	if (r != 0 && j->result == 0) {
		const char *name = r < 0 && d->v ? d->names.text + d->names.at[at] : "";
		j->result = r;
		snprintf(j->s->failed, sizeof(j->s->failed), "%s/%s", d->path, name);
	}
	if (j->kind == SURVEY_OWNERS)
		forget(d);
}

/* Takes directories until limit have been seen or none is left. */
static void work(struct job *j, size_t limit)
{
	size_t at;

	pthread_mutex_lock(&j->lock);
	while (j->result == 0 && j->next < limit && (j->next < j->s->n || j->busy > 0)) {
		if (j->next == j->s->n) {
			pthread_cond_wait(&j->changed, &j->lock);
			continue;
		}
		struct survey_dir *d = j->s->dirs[j->next++];
		j->busy++;
		pthread_mutex_unlock(&j->lock);
		int r = look_into(j, d, &at);
		pthread_mutex_lock(&j->lock);
		give_back(j, d, r, at);
		j->busy--;
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
