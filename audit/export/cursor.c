/* SPDX-License-Identifier: Apache-2.0 */
/* cursor - see cursor.h */
#include "audit/export/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/session_check.h"
#include "base/fs.h"
#include "base/text.h"

enum { CURSOR_VERSION = 1, CURSOR_SHOWN = 300, CURSOR_LINE_MAX = AUDIT_RECORD_MAX + 1 };

static int refuse(const struct cursor *c, int error, const char *why, struct diag *d)
{
	char shown[CURSOR_SHOWN];

	return diag_fail(d, error,
		"the cursor %s %s: nothing was exported. What came through so far is still where it went; begin anew "
		"with a cursor of another name, and let whoever reads it take each record (session, seq) once",
		text_escape_str(c->path, shown, sizeof shown), why);
}

/* --- reading --- */

static bool take_number(const json_t *o, const char *key, uint64_t *ret)
{
	const json_t *v = json_object_get(o, key);

	*ret = json_is_integer(v) && json_integer_value(v) >= 0 ? (uint64_t)json_integer_value(v) : 0;
	return json_is_integer(v) && json_integer_value(v) >= 0;
}

static bool take_position(const json_t *o, struct position *ret)
{
	const char *hash = json_string_value(json_object_get(o, "hash"));
	const char *file = json_string_value(json_object_get(o, "file"));

	*ret = (struct position){ .over = false };
	if (!hash || !file || strlen(file) >= sizeof ret->file || !take_number(o, "seq", &ret->seq) ||
		!take_number(o, "offset", &ret->offset))
		return false;
	if (strlen(hash) != (ret->offset ? RECORD_HASH_HEX : 0) || strspn(hash, "0123456789abcdef") != strlen(hash))
		return false;
	memcpy(ret->hash, hash, strlen(hash) + 1);
	memcpy(ret->file, file, strlen(file) + 1);
	ret->dropped = json_is_true(json_object_get(o, "dropped"));
	return true;
}

static int take_sessions(struct cursor *c, const json_t *all)
{
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct position p;
	const json_t *one;
	size_t i;

	if (!json_is_array(all))
		return -EINVAL;
	json_array_foreach(all, i, one)
	{
		if (!take_position(one, &p) || !session_of_file(p.file, session))
			return -EINVAL;
		if (GROW(c->v, c->n, c->room) < 0)
			return -ENOMEM;
		c->v[c->n++] = p;
	}
	return 0;
}

static bool take_output(struct cursor *c, const json_t *o)
{
	c->has_output = json_is_object(o);
	return json_is_null(o) || (take_number(o, "dev", &c->output_dev) && take_number(o, "ino", &c->output_ino) &&
					  take_number(o, "size", &c->output_size));
}

static char *text_of(json_t *root, char hash[RECORD_HASH_HEX + 1])
{
	char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);

	if (text)
		record_hash(text, strlen(text), hash);
	return text;
}

/* Is it whole? Its own hash is over all but itself. */
static bool is_sound(json_t *root)
{
	_cleanup_free_ char *text = NULL, *claimed = NULL;
	const char *own = json_string_value(json_object_get(root, "hash"));
	char hash[RECORD_HASH_HEX + 1];
	uint64_t version;

	claimed = own ? strdup(own) : NULL;
	if (!claimed || !take_number(root, "stockade_cursor", &version) || version != CURSOR_VERSION)
		return false;
	(void)json_object_del(root, "hash");
	text = text_of(root, hash);
	return text && strcmp(hash, claimed) == 0;
}

static int parse(struct cursor *c, json_t *root, struct diag *d)
{
	const char *what = json_string_value(json_object_get(root, "what"));
	int r = 0;

	if (!json_is_object(root) || !is_sound(root))
		return refuse(c, -EINVAL, "is damaged, or no cursor at all", d);
	if (!what || strcmp(what, c->what) != 0)
		return refuse(c, -EINVAL, "is that of an export with another format or other filters", d);
	if (!take_position(json_object_get(root, "index"), &c->index) ||
		!take_output(c, json_object_get(root, "output")))
		r = -EINVAL;
	if (r == 0)
		r = take_sessions(c, json_object_get(root, "sessions"));
	c->found = r == 0;
	return r == -EINVAL ? refuse(c, r, "is damaged", d) : r;
}

static int read_file(struct cursor *c, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CURSOR_BYTES_MAX);
	json_t *root;
	int r = faccessat(c->dirfd, c->name, F_OK, AT_SYMLINK_NOFOLLOW);

	if (r < 0 && errno == ENOENT)
		return 0;
	r = fs_read_trusted(c->dirfd, c->name, FS_TRUST_USER, geteuid(), &b, d);
	if (r < 0)
		return r;
	root = json_loadb(b.data ? b.data : "", b.len, JSON_REJECT_DUPLICATES, NULL);
	r = parse(c, root, d);
	json_decref(root);
	return r;
}

/* --- opening --- */

static int open_place(struct cursor *c, const char *path, struct diag *d)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	char shown[CURSOR_SHOWN];

	c->path = strdup(path);
	c->name = strdup(slash ? slash + 1 : path);
	if (!dir || !c->path || !c->name)
		return -ENOMEM;
	text_escape_str(path, shown, sizeof shown);
	if (!*c->name)
		return diag_fail(d, -EISDIR, "the cursor %s is a directory: name a file", shown);
	c->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->dirfd < 0)
		return diag_fail(
			d, -errno, "the cursor %s has no directory that can be opened: %s", shown, strerror(errno));
	return 0;
}

static int take_lock(struct cursor *c, struct diag *d)
{
	_cleanup_free_ char *name = NULL;
	char shown[CURSOR_SHOWN];

	text_escape_str(c->path, shown, sizeof shown);
	if (asprintf(&name, "%s.lock", c->name) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	c->lock = openat(c->dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->lock < 0)
		return diag_fail(d, -errno, "%s.lock cannot be opened, so that two exports could use one cursor: %s",
			shown, strerror(errno));
	if (flock(c->lock, LOCK_EX | LOCK_NB) < 0)
		return diag_fail(d, -EBUSY,
			"another export uses the cursor %s: end it, or give this one a cursor of its own", shown);
	return 0;
}

int cursor_open(struct cursor *c, const char *path, const char *what, struct diag *d)
{
	int r;

	c->what = strdup(what);
	if (!c->what)
		return -ENOMEM;
	if (!path)
		return 0;
	r = open_place(c, path, d);
	if (r == 0)
		r = take_lock(c, d);
	return r < 0 ? r : read_file(c, d);
}

/* --- writing --- */

static json_t *position_json(const struct position *p)
{
	return json_pack("{s:s, s:I, s:I, s:s, s:b}", "file", p->file, "seq", (json_int_t)p->seq, "offset",
		(json_int_t)p->offset, "hash", p->hash, "dropped", p->dropped);
}

static json_t *output_json(const struct cursor *c)
{
	return c->has_output ? json_pack("{s:I, s:I, s:I}", "dev", (json_int_t)c->output_dev, "ino",
				       (json_int_t)c->output_ino, "size", (json_int_t)c->output_size)
			     : json_null();
}

static json_t *sessions_json(const struct cursor *c)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < c->n; i++) {
		if (json_array_append_new(all, position_json(&c->v[i])) == 0)
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}

int cursor_write(const struct cursor *c, struct diag *d)
{
	_cleanup_free_ char *plain = NULL, *text = NULL;
	char hash[RECORD_HASH_HEX + 1];
	json_t *root;
	int r = -ENOMEM;

	if (c->dirfd < 0)
		return 0;
	root = json_pack("{s:i, s:s, s:o, s:o, s:o}", "stockade_cursor", CURSOR_VERSION, "what", c->what, "index",
		position_json(&c->index), "output", output_json(c), "sessions", sessions_json(c));
	plain = root ? text_of(root, hash) : NULL;
	if (plain && json_object_set_new(root, "hash", json_string(hash)) == 0)
		text = json_dumps(root, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (text)
		r = fs_write_atomic(c->dirfd, c->name, text, strlen(text), 0600, d);
	json_decref(root);
	return r;
}

/* --- positions --- */

struct position *cursor_find(struct cursor *c, const char *file)
{
	for (size_t i = 0; i < c->n; i++) {
		if (strcmp(c->v[i].file, file) == 0)
			return &c->v[i];
	}
	return NULL;
}

int cursor_add(struct cursor *c, const char *file)
{
	if (GROW(c->v, c->n, c->room) < 0)
		return -ENOMEM;
	c->v[c->n] = (struct position){ .over = false };
	(void)snprintf(c->v[c->n++].file, LOG_FILE_NAME_MAX, "%s", file);
	return 0;
}

void cursor_collapse(struct cursor *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		if (!c->v[i].over)
			c->v[kept++] = c->v[i];
	}
	c->n = kept;
}

void cursor_done(struct cursor *c)
{
	if (c->dirfd >= 0)
		close(c->dirfd);
	if (c->lock >= 0)
		close(c->lock);
	free(c->name);
	free(c->path);
	free(c->what);
	free(c->v);
	*c = CURSOR_INIT;
}

int position_holds(int fd, const struct position *p)
{
	size_t n = p->offset < CURSOR_LINE_MAX ? (size_t)p->offset : CURSOR_LINE_MAX;
	_cleanup_free_ char *bytes = malloc(n + 1);
	char hash[RECORD_HASH_HEX + 1];
	const char *start;

	if (!bytes)
		return -ENOMEM;
	if (n == 0)
		return 1;
	ssize_t got = pread(fd, bytes, n, (off_t)(p->offset - n));
	if (got < 0)
		return -errno;
	if ((size_t)got != n || bytes[n - 1] != '\n')
		return 0;
	start = memrchr(bytes, '\n', n - 1);
	start = start ? start + 1 : bytes;
	return record_line_hash(start, (size_t)(bytes + n - 1 - start), hash) && strcmp(hash, p->hash) == 0;
}
