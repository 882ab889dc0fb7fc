/* SPDX-License-Identifier: Apache-2.0 */
/* kill_set - see kill_set.h */
#include "supervisor/kill/kill_set.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/io.h"
#include "base/text.h"
#include "supervisor/kill/kill_bundle.h"

enum { SHOWN = 512 };

void kill_set_done(struct kill_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		kill_entry_done(&set->v[i]);
	free(set->v);
	*set = (struct kill_set){ 0 };
}

int kill_set_add(struct kill_set *set, struct kill_entry *e)
{
	int r = GROW(set->v, set->n, set->room);

	if (r < 0) {
		kill_entry_done(e);
		return r;
	}
	set->v[set->n++] = *e;
	*e = (struct kill_entry){ 0 };
	return 0;
}

/* What is known of it is where it lies and why it says nothing. */
static int add_damaged(struct kill_set *set, struct kill_entry *e, const char *why)
{
	char *words = NULL, shown[SHOWN];

	text_escape_str(e->file, shown, sizeof(shown));
	if (asprintf(&words, "%s: %s; whoever may write it has to mend it or to take it away", shown, why) < 0)
		words = NULL;
	free(e->damaged);
	e->damaged = words;
	if (e->server && e->damaged)
		return kill_set_add(set, e);
	kill_entry_done(e);
	return -ENOMEM;
}

/* Everything is killed, since nobody can tell what is meant. */
static int add_unreadable(struct kill_set *set, const char *path, enum kill_origin origin, const char *why)
{
	struct kill_entry e = { .server = strdup("*"), .file = strdup(path), .origin = origin };

	if (e.file)
		return add_damaged(set, &e, why);
	kill_entry_done(&e);
	return -ENOMEM;
}

static bool is_fresh(int dir, const char *name)
{
	struct stat st;
	int64_t now = (int64_t)io_wall_us() / 1000, then;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return false;
	then = (int64_t)st.st_ctim.tv_sec * 1000 + st.st_ctim.tv_nsec / 1000000;
	return then <= now && now - then < KILL_SETTLE_MS;
}

static int read_bytes(int dir, const char *name, enum kill_origin origin, uid_t uid, struct buf *b, struct diag *d)
{
	return fs_read_trusted(dir, name, origin == KILL_BY_ROOT ? FS_TRUST_ROOT : FS_TRUST_USER, uid, b, d);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What the name says holds as well, where what the file says is damaged or something else. */
static int add_of_name(struct kill_set *set, const struct kill_entry *e, const char *name, bool *ret_named)
{
	struct kill_entry named = { .origin = e->origin, .fresh = e->fresh };
	int r = kill_entry_of_name(name, &named.server, &named.tool);

	*ret_named = false;
	if (r == -EINVAL)
		return 0;
	if (r < 0)
		return r;
	*ret_named = true;
	if (!e->damaged && same(named.server, e->server) && same(named.tool, e->tool)) {
		kill_entry_done(&named);
		return 0;
	}
	named.file = strdup(e->file);
	if (!named.file) {
		kill_entry_done(&named);
		return -ENOMEM;
	}
	return add_damaged(set, &named, e->damaged ? e->damaged : "it says something else than its name");
}

/* e: as it was read; its file is named. */
static int add_read(struct kill_set *set, struct kill_entry *e, const char *name)
{
	_cleanup_free_ char *why = e->damaged ? strdup(e->damaged) : NULL;
	bool named;
	int r = e->damaged && !why ? -ENOMEM : add_of_name(set, e, name, &named);

	if (r < 0) {
		kill_entry_done(e);
		return r;
	}
	if (!e->damaged)
		return kill_set_add(set, e);
	/* Nothing in it can be read, but its name can: that is what it means. */
	if (named && strcmp(e->server, "*") == 0) {
		kill_entry_done(e);
		return 0;
	}
	return add_damaged(set, e, why);
}

static int read_one(
	int dir, const char *path, const char *name, enum kill_origin origin, uid_t uid, struct kill_set *set)
{
	_cleanup_buf_ struct buf b = BUF_INIT(KILL_FILE_MAX);
	struct kill_entry e = { 0 };
	struct diag d = { "" };
	int r = read_bytes(dir, name, origin, uid, &b, &d);

	/* Taken away since it was listed. */
	if (r == -ENOENT)
		return 0;
	if (r == 0) {
		r = kill_entry_parse(b.data, b.len, &e);
	} else if (r != -ENOMEM) {
		e.server = strdup("*");
		e.damaged = strdup(d.text[0] ? d.text : strerror(-r));
		r = e.server && e.damaged ? KILL_DAMAGED : -ENOMEM;
	}
	if (r >= 0 && asprintf(&e.file, "%s/%s", path, name) < 0) {
		e.file = NULL;
		r = -ENOMEM;
	}
	if (r < 0) {
		kill_entry_done(&e);
		return r;
	}
	e.origin = origin;
	e.fresh = r == KILL_DAMAGED && is_fresh(dir, name);
	return add_read(set, &e, name);
}

static bool counts(const char *name)
{
	size_t n = strlen(name);

	/* One that begins with a dot is being written. */
	return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".json") == 0;
}

static int read_all(int fd, const char *path, enum kill_origin origin, uid_t uid, struct kill_set *set)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char why[128];
	unsigned n = 0;
	int r = fs_list(fd, &dir);

	if (r < 0)
		return r == -ENOMEM ? r : add_unreadable(set, path, origin, strerror(-r));
	errno = 0;
	for (const struct dirent *e; r == 0 && (e = readdir(dir)); errno = 0) {
		if (!counts(e->d_name))
			continue;
		if (++n > KILL_ENTRIES_MAX) {
			snprintf(why, sizeof(why), "it holds more than %d entries, and nobody looks at more",
				KILL_ENTRIES_MAX);
			return add_unreadable(set, path, origin, why);
		}
		r = read_one(fd, path, e->d_name, origin, uid, set);
	}
	return r == 0 && errno ? add_unreadable(set, path, origin, strerror(errno)) : r;
}

int kill_set_read_dir(const char *path, enum kill_origin origin, uid_t uid, struct kill_set *set)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct diag d = { "" };
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return add_unreadable(set, path, origin, strerror(errno));
	r = fs_check_trusted_dir(fd, path, origin == KILL_BY_ROOT ? FS_TRUST_ROOT : FS_TRUST_USER, uid, &d);
	return r < 0 ? add_unreadable(set, path, origin, d.text) : read_all(fd, path, origin, uid, set);
}

static int add_object(struct kill_set *set, const json_t *object, const char *where)
{
	_cleanup_free_ char *text = json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY), *why = NULL;
	struct kill_entry e = { 0 };
	int r = text ? kill_entry_parse(text, strlen(text), &e) : -ENOMEM;

	if (r < 0)
		return r;
	e.origin = KILL_BY_BUNDLE;
	e.file = strdup(where);
	why = e.damaged ? strdup(e.damaged) : NULL;
	if (e.file && !e.damaged)
		return kill_set_add(set, &e);
	if (e.file && why)
		return add_damaged(set, &e, why);
	kill_entry_done(&e);
	return -ENOMEM;
}

/* Nobody looks at more of them than of files in a directory. */
static int add_too_many(struct kill_set *set, const char *where)
{
	char why[128];

	snprintf(why, sizeof(why), "it holds more than %d entries, and nobody looks at more", KILL_ENTRIES_MAX);
	return add_unreadable(set, where, KILL_BY_BUNDLE, why);
}

int kill_set_add_list(struct kill_set *set, const json_t *list, const char *where)
{
	const json_t *object;
	size_t i;
	int r = 0;

	if (json_array_size(list) > KILL_ENTRIES_MAX)
		return add_too_many(set, where);
	json_array_foreach(list, i, object)
	{
		r = add_object(set, object, where);
		if (r < 0)
			break;
	}
	return r;
}

static char *copy(const char *s, int *r)
{
	char *made = s ? strdup(s) : NULL;

	if (s && !made)
		*r = -ENOMEM;
	return made;
}

static int add_copy(struct kill_set *set, const struct kill_entry *e)
{
	int r = 0;
	struct kill_entry one = { .server = copy(e->server, &r),
		.tool = copy(e->tool, &r),
		.who = copy(e->who, &r),
		.when = copy(e->when, &r),
		.why = copy(e->why, &r),
		.damaged = copy(e->damaged, &r),
		.file = copy(e->file, &r),
		.origin = e->origin };

	if (r == 0)
		return kill_set_add(set, &one);
	kill_entry_done(&one);
	return r;
}

static int add_bundle(struct kill_set *set, struct kill_bundle *b)
{
	int r = kill_bundle_look(b);

	for (size_t i = 0; r == 0 && i < b->set.n; i++)
		r = add_copy(set, &b->set.v[i]);
	return r;
}

int kill_set_read(const struct paths *p, struct kill_set *ret)
{
	_cleanup_kill_bundle_ struct kill_bundle once = { 0 };

	return kill_set_read_with(p, &once, ret);
}

int kill_set_read_with(const struct paths *p, struct kill_bundle *b, struct kill_set *ret)
{
	_cleanup_kill_set_ struct kill_set set = { 0 };
	_cleanup_free_ char *own = NULL;
	int r;

	if (asprintf(&own, "%s/" KILL_DIR, p->state) < 0) {
		own = NULL;
		return -ENOMEM;
	}
	r = kill_set_read_dir(KILL_SYSTEM_DIR, KILL_BY_ROOT, p->uid, &set);
	if (r == 0)
		r = kill_set_read_dir(own, KILL_BY_USER, p->uid, &set);
	if (r == 0)
		r = add_bundle(&set, b);
	if (r < 0)
		return r;
	*ret = set;
	set = (struct kill_set){ 0 };
	return 0;
}

const struct kill_entry *kill_set_server(const struct kill_set *set, const char *server)
{
	for (size_t i = 0; i < set->n; i++)
		if (kill_entry_hits_server(&set->v[i], server))
			return &set->v[i];
	return NULL;
}

const struct kill_entry *kill_set_tool(const struct kill_set *set, const char *server, const char *tool)
{
	for (size_t i = 0; i < set->n; i++)
		if (kill_entry_hits_tool(&set->v[i], server, tool))
			return &set->v[i];
	return NULL;
}

int kill_set_refuse(const struct kill_entry *e, struct diag *d)
{
	char by[KILL_WORDS_SIZE], file[SHOWN];

	kill_entry_by(e, by, sizeof(by));
	if (e->damaged)
		return diag_fail(d, -EPERM, "nothing was started: it is killed %s", by);
	return diag_fail(d, -EPERM, "nothing was started: it is killed %s (%s)", by,
		text_escape_str(e->file, file, sizeof(file)));
}
