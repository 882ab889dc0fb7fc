/* SPDX-License-Identifier: Apache-2.0 */
/* registry - see registry.h */
#include "supervisor/registry.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/parse.h"
#include "supervisor/json_list.h"
#include "supervisor/state_json.h"

enum { REGISTRY_FILE_MAX = 64 << 10, STAT_MAX = 4096, START_FIELD = 22, BOOT_SIZE = 37 };

_Static_assert(offsetof(struct registry_counters, version) == REGISTRY_COUNTERS_FIRST, "what earlier versions read");

/* Of /proc/PID/stat what is behind the command in parentheses, which may hold anything; NULL: there is no such process.
 */
static char *read_stat(pid_t pid, struct buf *b)
{
	_cleanup_close_ int fd = -1;
	char path[64], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || io_read_all(fd, b) < 0 || !b->data)
		return NULL;
	p = strrchr(b->data, ')');
	return p ? p + 1 : NULL;
}

/* Blank-separated field n (from 3), a number. */
static int stat_field(pid_t pid, unsigned field, uint64_t *ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STAT_MAX);
	char *p = read_stat(pid, &b), *save = NULL;

	p = p ? strtok_r(p, " \n", &save) : NULL;
	for (unsigned i = 3; p && i < field; i++)
		p = strtok_r(NULL, " \n", &save);
	return p ? parse_u64(p, 0, UINT64_MAX, ret) : -ESRCH;
}

/* It has: nobody has asked for its status yet. */
static bool has_ended(pid_t pid)
{
	_cleanup_buf_ struct buf b = BUF_INIT(STAT_MAX);
	const char *p = read_stat(pid, &b);

	return !p || strncmp(p, " Z", 2) == 0 || strncmp(p, " X", 2) == 0;
}

int registry_start_time(pid_t pid, uint64_t *ret)
{
	return stat_field(pid, START_FIELD, ret);
}

/* Opened first, checked after: the pid cannot be used again while the answer is drawn from it. */
int registry_open_verified(pid_t pid, uint64_t start, int *ret)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	uint64_t now;

	if (fd < 0)
		return -errno;
	if (registry_start_time(pid, &now) < 0 || now != start || has_ended(pid))
		return -ESRCH;
	*ret = steal_fd(&fd);
	return 0;
}

uint64_t registry_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

/* Which boot of the machine this is: random(4). NULL: nobody can tell. */
static const char *boot_id(char ret[BOOT_SIZE])
{
	_cleanup_close_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, ret, BOOT_SIZE - 1) != BOOT_SIZE - 1)
		return NULL;
	ret[BOOT_SIZE - 1] = '\0';
	return ret;
}

static int map_counters(struct registration *r, struct diag *d)
{
	char name[64];
	_cleanup_close_ int fd = -1;
	void *p;
	int full;

	snprintf(name, sizeof(name), "%s.stat", r->id);
	fd = openat(r->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return diag_fail(d, -errno, "cannot make the session's counters: %s", strerror(errno));
	/* From here on the files of that name are ours to remove. */
	r->made = true;
	/* A page that no full file system refuses later, when nobody asks any more: that would be a SIGBUS. */
	full = posix_fallocate(fd, 0, sizeof(*r->counters));
	if (full)
		return diag_fail(d, -full, "cannot make the session's counters: %s", strerror(full));
	p = mmap(NULL, sizeof(*r->counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return diag_fail(d, -errno, "cannot map the session's counters: %s", strerror(errno));
	r->counters = p;
	return 0;
}

static json_t *writable_paths(const struct fs_grants *g)
{
	json_t *array = json_array();

	for (size_t i = 0; array && g && i < g->n; i++)
		if (g->v[i].write)
			array = json_list_add(array, json_string(g->v[i].canonical));
	return array;
}

static int write_entry(const struct registry_args *a, int dirfd, struct diag *d)
{
	const struct ancestor *client = a->lineage->n ? &a->lineage->v[0] : NULL;
	_cleanup_free_ char *text = NULL;
	uint64_t start = 0, init_start = 0;
	char name[64], boot[BOOT_SIZE];
	json_t *j;

	if (registry_start_time(getpid(), &start) < 0 || registry_start_time(a->init_pid, &init_start) < 0)
		return diag_fail(d, -ESRCH, "cannot read a start time below /proc: is it mounted?");
	j = json_pack("{s:s, s:s, s:s, s:s, s:o, s:i, s:I, s:i, s:I, s:i, s:I, s:I, s:I, s:s*, s:o*, s:s*}", "session",
		a->id, "name", a->name, "client", a->client, "digest", a->digest, "writes", writable_paths(a->grants),
		"pid", getpid(), "start", (json_int_t)start, "init_pid", a->init_pid, "init_start",
		(json_int_t)init_start, "client_pid", client ? client->pid : 0, "client_start",
		client ? (json_int_t)client->start : 0, "since", (json_int_t)time(NULL), "pid_namespace",
		(json_int_t)registry_pid_namespace(), "boot", boot_id(boot), "identity",
		a->identity ? client_json(a->identity) : NULL, "observe_until", a->observe_until);
	text = j ? json_dumps(j, JSON_COMPACT) : NULL;
	json_decref(j);
	if (!text)
		return diag_fail(d, -ENOMEM, "cannot describe the session: out of memory, or a name that is not UTF-8");
	snprintf(name, sizeof(name), "%s.json", a->id);
	return fs_write_atomic(dirfd, name, text, strlen(text), 0600, d);
}

int registry_add(const struct registry_args *a, struct registration *ret, struct diag *d)
{
	int r;

	*ret = (struct registration){ .dirfd = -1 };
	snprintf(ret->id, sizeof(ret->id), "%s", a->id);
	r = paths_open_runtime(a->paths, "sessions", &ret->dirfd, d);
	if (r == 0)
		r = map_counters(ret, d);
	if (r == 0)
		r = write_entry(a, ret->dirfd, d);
	if (r < 0)
		registration_done(ret);
	return r;
}

static void remove_files(int dirfd, const char *id)
{
	static const char *const suffixes[] = { "json", "stat", "kill" };
	char name[64];

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		snprintf(name, sizeof(name), "%s.%s", id, suffixes[i]);
		unlinkat(dirfd, name, 0);
	}
}

void registration_done(struct registration *r)
{
	if (r->counters)
		munmap(r->counters, sizeof(*r->counters));
	r->counters = NULL;
	if (r->dirfd < 0)
		return;
	if (r->made)
		remove_files(r->dirfd, r->id);
	close(r->dirfd);
	r->dirfd = -1;
}

static void entry_done(struct registry_entry *e)
{
	free(e->name);
	free(e->client);
	json_decref(e->writes);
	json_decref(e->identity);
	free(e->observe_until);
}

void registry_list_done(struct registry_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		entry_done(&l->v[i]);
	free(l->v);
	*l = (struct registry_list){ 0 };
}

static int parse_entry(json_t *j, struct registry_entry *ret)
{
	const char *id, *name, *client;
	json_int_t pid, start, init_pid, init_start, since;
	json_int_t namespace =
		(json_int_t)registry_pid_namespace(); /* of a session that began before an upgrade: ours */
	int r = json_unpack(j, "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s?:I}", "session", &id, "name", &name,
		"client", &client, "pid", &pid, "start", &start, "init_pid", &init_pid, "init_start", &init_start,
		"since", &since, "pid_namespace", &namespace);

	const char *until = json_string_value(json_object_get(j, "observe_until")),
		   *boot = json_string_value(json_object_get(j, "boot"));
	char here[BOOT_SIZE];

	*ret = (struct registry_entry){ 0 };
	/* It goes to terminals as it is, of other users' sessions to root's. */
	if (r == 0 && strlen(id) == AUDIT_SESSION_ID_LEN && strspn(id, "0123456789abcdef") == AUDIT_SESSION_ID_LEN &&
		pid > 0 && pid <= INT32_MAX && init_pid > 0 && init_pid <= INT32_MAX) {
		snprintf(ret->id, sizeof(ret->id), "%s", id);
		ret->name = strdup(name);
		ret->client = strdup(client);
		ret->writes = json_incref(json_object_get(j, "writes"));
		ret->identity = json_incref(json_object_get(j, "identity"));
		ret->observe_until = until ? strdup(until) : NULL;
		ret->pid = (pid_t)pid;
		ret->start = (uint64_t)start;
		ret->init_pid = (pid_t)init_pid;
		ret->init_start = (uint64_t)init_start;
		ret->since = since;
		ret->other_boot = boot && boot_id(here) && strcmp(boot, here) != 0;
		ret->foreign = (uint64_t) namespace != registry_pid_namespace();
	} else {
		r = -EINVAL;
	}
	return r < 0 ? -EINVAL : ret->name && ret->client ? 0 : -ENOMEM;
}

static bool is_alive(const struct registry_entry *e)
{
	uint64_t start;

	if (e->other_boot || e->foreign)
		return !e->other_boot;
	return registry_start_time(e->pid, &start) == 0 && start == e->start && !has_ended(e->pid);
}

/* Whoever could plant a file here could plant an entry as well; a link or another's file is none of ours all the same.
 */
static void read_counters(int dirfd, uid_t uid, struct registry_entry *e)
{
	struct registry_counters c = { 0 };
	char name[64];
	_cleanup_close_ int fd = -1;
	struct stat st;
	ssize_t n;

	snprintf(name, sizeof(name), "%s.stat", e->id);
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != uid)
		return;
	n = read(fd, &c, sizeof(c));
	if (n < REGISTRY_COUNTERS_FIRST)
		return;
	e->counters = c;
	if (n < (ssize_t)sizeof(c) || c.version < REGISTRY_COUNTERS_VERSION)
		memset((char *)&e->counters + REGISTRY_COUNTERS_FIRST, 0, sizeof(c) - REGISTRY_COUNTERS_FIRST);
}

static bool is_of_file(const struct registry_entry *e, const char *file)
{
	return strncmp(file, e->id, AUDIT_SESSION_ID_LEN) == 0;
}

/* Takes the entry over. */
static int add(struct registry_list *list, struct registry_entry *e)
{
	int r = GROW(list->v, list->n, list->room);

	if (r == 0)
		list->v[list->n++] = *e;
	else
		entry_done(e);
	return r;
}

static int read_one(int dirfd, uid_t uid, const char *file, struct registry_list *list)
{
	struct registry_entry e;
	json_t *root;
	int r = state_json_read(dirfd, file, uid, REGISTRY_FILE_MAX, &root, NULL);

	if (r == 0)
		r = parse_entry(root, &e);
	json_decref(root);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	/* What is of a session that has ended is taken away. */
	if (!is_alive(&e) || !is_of_file(&e, file)) {
		char id[AUDIT_SESSION_ID_LEN + 1];
		snprintf(id, sizeof(id), "%.*s", AUDIT_SESSION_ID_LEN, file);
		remove_files(dirfd, id);
		entry_done(&e);
		return 0;
	}
	read_counters(dirfd, uid, &e);
	return add(list, &e);
}

static int by_age(const void *a, const void *b)
{
	const struct registry_entry *x = a, *y = b;

	return x->since < y->since ? -1 : x->since > y->since;
}

static bool is_entry(const char *name)
{
	size_t n = strlen(name);

	return n == AUDIT_SESSION_ID_LEN + strlen(".json") && strcmp(name + AUDIT_SESSION_ID_LEN, ".json") == 0;
}

static int read_dir(int fd, uid_t uid, struct registry_list *l)
{
	_cleanup_closedir_ DIR *dir = NULL;
	int r = fs_list(fd, &dir);

	for (const struct dirent *e; r == 0 && (e = readdir(dir));)
		if (is_entry(e->d_name))
			r = read_one(fd, uid, e->d_name, l);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_age);
	return r;
}

static int give(struct registry_list *l, int r, struct registry_list *ret, struct diag *d)
{
	if (r < 0)
		return diag_fail(d, r, "cannot read the list of sessions: %s", strerror(-r));
	*ret = *l;
	*l = (struct registry_list){ 0 };
	return 0;
}

int registry_read(const struct paths *p, struct registry_list *ret, struct diag *d)
{
	_cleanup_registry_ struct registry_list l = { 0 };
	_cleanup_close_ int fd = -1;
	int r = paths_open_runtime(p, "sessions", &fd, d);

	*ret = (struct registry_list){ 0 };
	return r < 0 ? r : give(&l, read_dir(fd, p->uid, &l), ret, d);
}

/* --- another user's --- */

/* A FIFO, a lease or a mount in the place of a file lets nobody wait. */
static int read_others_bytes(int dirfd, uid_t uid, const char *file, struct buf *b)
{
	_cleanup_close_ int fd = fs_openat2(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != uid || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return -EPERM;
	return io_read_all(fd, b);
}

static int read_others_one(int dirfd, uid_t uid, const char *file, size_t *bytes, struct registry_list *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT(REGISTRY_FILE_MAX);
	struct registry_entry e;
	int r = read_others_bytes(dirfd, uid, file, &b);
	json_t *root = r == 0 && b.data ? json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL) : NULL;

	*bytes += b.len;
	r = root ? parse_entry(root, &e) : r == -ENOMEM ? r : -EINVAL;
	json_decref(root);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (is_of_file(&e, file))
		return add(l, &e);
	entry_done(&e);
	return 0;
}

int registry_read_others(int dir, uid_t uid, struct registry_list *ret, struct diag *d)
{
	_cleanup_registry_ struct registry_list l = { 0 };
	_cleanup_closedir_ DIR *names = NULL;
	size_t names_seen = 0, seen = 0, bytes = 0;
	int r = fs_list(dir, &names);

	*ret = (struct registry_list){ 0 };
	for (const struct dirent *e; r == 0 && !l.more && (e = readdir(names));) {
		bool entry = is_entry(e->d_name);
		seen += entry;
		l.more = ++names_seen > REGISTRY_OTHERS_NAMES || seen > REGISTRY_OTHERS_MAX ||
			 bytes > REGISTRY_OTHERS_BYTES;
		if (entry && !l.more)
			r = read_others_one(dir, uid, e->d_name, &bytes, &l);
	}
	return give(&l, r, ret, d);
}

bool registry_is_init_of(pid_t pid, uid_t uid)
{
	char path[64], line[256];
	_cleanup_fclose_ FILE *f = NULL;
	unsigned ids[4] = { 0 };
	bool theirs = false, init = false;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		int here, below;
		if (sscanf(line, "Uid: %u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4)
			theirs = ids[0] == uid && ids[1] == uid && ids[2] == uid && ids[3] == uid;
		if (sscanf(line, "NSpid: %d %d", &here, &below) == 2)
			init = here == pid && below == 1;
	}
	return theirs && init;
}

/* --- memory --- */

enum { PROCESSES_MAX = 65536 };

struct registry_process {
	pid_t pid, parent;
	enum { DESCENT_UNKNOWN, DESCENT_OURS, DESCENT_OTHER } descent;
};

static uint64_t memory_of(pid_t pid)
{
	char path[64], line[256];
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long kib = 0, pages = 0;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Pss: %llu kB", &kib) == 1)
			return kib << 10;
	if (f)
		fclose(f);
	snprintf(path, sizeof(path), "/proc/%d/statm", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%*u %llu", &pages) == 1)
		return pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

static size_t list_processes(struct registry_process *v, size_t max)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *e;
	uint64_t pid, parent;
	size_t n = 0;

	while (dir && n < max && (e = readdir(dir)))
		if (parse_u64(e->d_name, 1, INT32_MAX, &pid) == 0 && stat_field((pid_t)pid, 4, &parent) == 0)
			v[n++] = (struct registry_process){ .pid = (pid_t)pid, .parent = (pid_t)parent };
	return n;
}

static int by_pid(const void *a, const void *b)
{
	const struct registry_process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct registry_process *find_process(struct registry_process *v, size_t n, pid_t pid)
{
	const struct registry_process key = { .pid = pid };

	return bsearch(&key, v, n, sizeof(*v), by_pid);
}

/* Up to the first ancestor of which it is known, then down again: each process is visited twice, however deep they are.
 * A listing that was made while pids were used again can hold a circle: its members are marked as others' on the way
 * up. */
static bool descends(struct registry_process *v, size_t n, struct registry_process *from, pid_t root)
{
	struct registry_process *p = from;
	bool ours;

	while (p && p->descent == DESCENT_UNKNOWN && p->parent != root) {
		p->descent = DESCENT_OTHER;
		p = find_process(v, n, p->parent);
	}
	ours = p && (p->descent == DESCENT_OURS || p->parent == root);
	if (!ours)
		return false;
	for (struct registry_process *q = from; q != p; q = find_process(v, n, q->parent))
		q->descent = DESCENT_OURS;
	p->descent = DESCENT_OURS;
	return true;
}

void registry_processes_read(struct registry_processes *ret)
{
	ret->v = calloc(PROCESSES_MAX, sizeof(*ret->v));
	ret->n = ret->v ? list_processes(ret->v, PROCESSES_MAX) : 0;
	if (ret->n > 1)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_pid);
}

void registry_processes_done(struct registry_processes *p)
{
	free(p->v);
	*p = (struct registry_processes){ 0 };
}

uint64_t registry_memory(struct registry_processes *p, pid_t root)
{
	uint64_t total = memory_of(root);

	for (size_t i = 0; i < p->n; i++)
		p->v[i].descent = DESCENT_UNKNOWN;
	for (size_t i = 0; i < p->n; i++)
		if (p->v[i].pid != root && descends(p->v, p->n, &p->v[i], root))
			total += memory_of(p->v[i].pid);
	return total;
}

/* --- rate --- */

uint64_t registry_rate(const struct registry_counters *c, uint64_t wall_us)
{
	uint64_t minute = wall_us / REGISTRY_MINUTE_US, left = REGISTRY_MINUTE_US - wall_us % REGISTRY_MINUTE_US;
	uint64_t now = minute == c->minute ? c->calls_now : 0;
	uint64_t before = minute == c->minute ? c->calls_before : minute == c->minute + 1 ? c->calls_now : 0;

	/* A file is only a file: what is in it may be any number. */
	if (before > UINT64_MAX / REGISTRY_MINUTE_US)
		return now;
	return now + (before * left + REGISTRY_MINUTE_US / 2) / REGISTRY_MINUTE_US;
}
