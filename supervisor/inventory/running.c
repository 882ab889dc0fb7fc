/* SPDX-License-Identifier: Apache-2.0 */
/* running - see running.h */
#include "supervisor/inventory/running.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/client/client.h"
#include "supervisor/lineage.h"
#include "supervisor/lineage_clients.h"

enum { COMMAND_MAX = 128 << 10, STEPS_MAX = 64, WORD_MAX = 16 << 10 };

struct process {
	struct ancestor a;
	pid_t parent;
};

struct look {
	const struct found_list *entries;
	struct process *v;
	size_t n, room;
	struct statx stockade;
	struct running_list *ret;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int read_all(struct look *l)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *e;
	uint64_t pid;
	int r = dir ? 0 : -errno;

	while (r == 0 && l->n < RUNNING_PROCESSES_MAX && (e = readdir(dir))) {
		struct process p = { { 0 }, 0 };
		if (parse_u64(e->d_name, 1, INT32_MAX, &pid) < 0)
			continue;
		if (lineage_read_process((pid_t)pid, &p.a, &p.parent) < 0) {
			ancestor_done(&p.a);
			continue;
		}
		r = GROW(l->v, l->n, l->room);
		if (r == 0)
			l->v[l->n++] = p;
		else
			ancestor_done(&p.a);
	}
	return r;
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return x->a.pid < y->a.pid ? -1 : x->a.pid > y->a.pid;
}

static const struct process *parent_of(const struct look *l, const struct process *p)
{
	const struct process key = { .a = { .pid = p->parent } };
	const struct process *found = l->n ? bsearch(&key, l->v, l->n, sizeof(key), by_pid) : NULL;

	/* A number that was used again meanwhile. */
	return found && found->a.start <= p->a.start ? found : NULL;
}

/* What the kernel remembers of a file: its file system may be one of a user's that never answers (fuse(4)). */
static bool look_at_file(const char *path, struct statx *ret)
{
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, ret) == 0;
}

static bool is_stockade(const struct look *l, const struct process *p)
{
	const struct statx *own = &l->stockade;
	char path[64];
	struct statx st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)p->a.pid);
	return (look_at_file(path, &st) && st.stx_dev_major == own->stx_dev_major &&
		       st.stx_dev_minor == own->stx_dev_minor && st.stx_ino == own->stx_ino) ||
	       (p->a.exe && strncmp(p->a.exe, STOCKADE_LIBEXECDIR "/stockade-", strlen(STOCKADE_LIBEXECDIR) + 10) == 0);
}

/* We ourselves and what started us are no servers of anybody. */
static bool is_ours(const struct look *l, const struct process *p)
{
	for (unsigned i = 0; p && i < STEPS_MAX; i++, p = parent_of(l, p))
		if (is_stockade(l, p))
			return true;
	return false;
}

/* --- certain --- */

/* The words of a command line as found.h has them: escaped. */
static int read_command(pid_t pid, struct strv *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(COMMAND_MAX);
	_cleanup_close_ int fd = -1;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = io_read_all(fd, &b);
	if (r < 0 || b.len == 0)
		return r;
	for (const char *w = b.data, *end = b.data + b.len; r == 0 && w < end; w += strnlen(w, (size_t)(end - w)) + 1) {
		_cleanup_buf_ struct buf word = BUF_INIT(8 * WORD_MAX);
		r = text_escape(&word, w, strnlen(w, (size_t)(end - w)), TEXT_KEEP_BACKSLASH);
		r = r < 0 ? r : buf_puts(&word, "");
		r = r < 0 ? r : strv_add_take(ret, buf_steal(&word));
	}
	return r;
}

/* "npx -y pkg" runs as "node /usr/bin/npx -y pkg": the words behind the program are the last ones, and it stands before
 * them by its base name. */
static bool is_command(const struct strv *line, const struct strv *words)
{
	size_t more;

	if (words->n == 0 || line->n < words->n)
		return false;
	more = line->n - words->n;
	for (size_t i = 1; i < words->n; i++)
		if (strcmp(line->v[more + i], words->v[i]) != 0)
			return false;
	return more <= 1 && strcmp(base_name(line->v[more]), base_name(words->v[0])) == 0;
}

static const struct found *entry_of(const struct look *l, const struct process *p)
{
	_cleanup_strv_ struct strv line = { 0 };

	if (read_command(p->a.pid, &line) < 0)
		return NULL;
	for (size_t i = 0; i < l->entries->n; i++) {
		const struct found *f = &l->entries->v[i];
		if (f->state == FOUND_RAW && is_command(&line, &f->words))
			return f;
	}
	return NULL;
}

/* --- likely --- */

static bool is_pipe(pid_t pid, int fd)
{
	char path[64];
	struct statx st;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	return look_at_file(path, &st) && (S_ISFIFO(st.stx_mode) || S_ISSOCK(st.stx_mode));
}

/* The known client that started it, past shells and launchers; NULL: none. */
static const struct process *client_of(const struct look *l, const struct process *p)
{
	const struct process *at = parent_of(l, p);

	for (unsigned i = 0; at && i < STEPS_MAX; i++, at = parent_of(l, at)) {
		if (at->a.client)
			return at;
		if (!client_is_launcher(&at->a))
			return NULL;
	}
	return NULL;
}

static bool looks_like_one(const struct process *p, const struct process *client)
{
	/* A client of many processes of its own image; a shell or launcher whose child is looked at as well. */
	bool same = p->a.exe && client->a.exe && strcmp(p->a.exe, client->a.exe) == 0 && !p->a.script;

	return !p->a.client && !same && !client_is_launcher(&p->a) && is_pipe(p->a.pid, 0) && is_pipe(p->a.pid, 1);
}

static int note(struct look *l, const struct process *p, const struct process *client, const struct found *entry)
{
	struct running_list *list = l->ret;
	char shown[PATH_MAX];
	struct running r = { .pid = p->a.pid, .client = client ? client->a.client : NULL, .entry = entry };

	if (GROW(list->v, list->n, list->room) < 0)
		return -ENOMEM;
	r.program = strdup(text_escape_str(p->a.exe ? p->a.exe : p->a.comm, shown, sizeof(shown)));
	r.script = p->a.script ? strdup(text_escape_str(p->a.script, shown, sizeof(shown))) : NULL;
	list->v[list->n++] = r;
	return !r.program || (p->a.script && !r.script) ? -ENOMEM : 0;
}

/* A launcher and what it started have the same words: the first is enough. */
static bool is_noted(const struct look *l, const struct process *p, const struct found *entry)
{
	for (size_t i = 0; i < l->ret->n; i++)
		if (l->ret->v[i].entry == entry && l->ret->v[i].pid == p->parent)
			return true;
	return false;
}

static int look_at(struct look *l, const struct process *p)
{
	const struct process *client = client_of(l, p);
	const struct found *entry;

	if (is_ours(l, p))
		return 0;
	entry = entry_of(l, p);
	if (entry ? is_noted(l, p, entry) : !client || !looks_like_one(p, client))
		return 0;
	return note(l, p, client, entry);
}

int running_read(const struct found_list *entries, struct running_list *ret, struct diag *d)
{
	struct look l = { .entries = entries, .ret = ret };
	int r = look_at_file("/proc/self/exe", &l.stockade) ? read_all(&l) : -errno;

	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_pid);
	for (size_t i = 0; r == 0 && i < l.n; i++)
		r = look_at(&l, &l.v[i]);
	for (size_t i = 0; i < l.n; i++)
		ancestor_done(&l.v[i].a);
	free(l.v);
	return r < 0 ? diag_fail(d, r, "cannot look through /proc: %s", strerror(-r)) : 0;
}

void running_list_done(struct running_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].program);
		free(l->v[i].script);
	}
	free(l->v);
	*l = (struct running_list){ 0 };
}
