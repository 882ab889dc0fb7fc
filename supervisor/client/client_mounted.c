/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_mounted - clients that come as an image: AppImage, snap, Flatpak (client_parts.h)
 *
 * snap: its files are below /snap/NAME/REVISION, a mount of root's. The label of AppArmor, where there is one, has to
 * say the same.
 * Flatpak: /.flatpak-info in the root of its process says which application it is, and where its files lie for us
 * (flatpak-metadata(5)). Any program can make itself such a root, and write any name into it; so it is held only where
 * what is executed is a file of root's in the place where Flatpak keeps that application, and no other.
 * AppImage: mounted by its own runtime with FUSE below a directory .mount_*; APPIMAGE in its environment names the
 * file. That is its word, but for kernels that say in fdinfo which process serves which connection of FUSE.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include "base/fs.h"
#include "base/parse.h"
#include "supervisor/client/client_parts.h"

enum { LABEL_MAX = 256, INFO_MAX = 64 << 10, ENVIRON_MAX = 1 << 20, FDS_MAX = 256 };

static int format(char **ret, const char *kind, const char *name, size_t n)
{
	if (asprintf(ret, "%s:%.*s", kind, (int)n, name) >= 0)
		return 0;
	*ret = NULL;
	return -ENOMEM;
}

static int say(char **how, const char *words)
{
	free(*how);
	*how = strdup(words);
	return *how ? 0 : -ENOMEM;
}

/* --- snap --- */

/* "snap.code.code (enforce)": whose label it is; empty where AppArmor says nothing. */
static void read_label(const struct client_look *l, char ret[LABEL_MAX])
{
	static const char *const files[] = { "attr/apparmor/current", "attr/current" };

	ret[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(files) && !ret[0]; i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(LABEL_MAX);
		if (client_read_at(l->proc, files[i], LABEL_MAX - 1, &b) == 0 && strncmp(b.data, "snap.", 5) == 0)
			snprintf(ret, LABEL_MAX, "%.*s", (int)strcspn(b.data + 5, ".\n "), b.data + 5);
	}
}

/* "/snap/NAME/REVISION/...": the rest behind "/snap/", or NULL. */
static const char *snap_path(const char *path)
{
	static const char *const roots[] = { "/snap/", "/var/lib/snapd/snap/" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if (strncmp(path, roots[i], strlen(roots[i])) == 0)
			return path + strlen(roots[i]);
	return NULL;
}

static int take_snap(struct client_look *l, const char *rest)
{
	size_t name = strcspn(rest, "/");
	const char *revision = rest[name] ? rest + name + 1 : "";
	char label[LABEL_MAX];
	int r;

	if (name == 0 || !*revision)
		return 0;
	read_label(l, label);
	l->c->kind = CLIENT_SNAP;
	l->c->version = strndup(revision, strcspn(revision, "/"));
	r = l->c->version ? format(&l->c->package, "snap", rest, name) : -ENOMEM;
	if (r < 0)
		return r;
	if (label[0] && (strlen(label) != name || strncmp(label, rest, name) != 0))
		return say(&l->c->how, "its files are those of this snap, but its AppArmor label is another's");
	l->c->package_held = l->c->exe.held;
	return label[0] ? 0 : say(&l->c->how, "by its files; AppArmor has no label for it");
}

/* --- Flatpak --- */

/* The value of a key of a group, in the form of GLib's key files; cut to fit, "" when it is not there. */
static void key_of(const char *text, const char *group, const char *key, char *ret, size_t size)
{
	const char *at = strstr(text, group), *end = at ? strstr(at + 1, "\n[") : NULL;

	*ret = '\0';
	at = at ? strstr(at, key) : NULL;
	if (at && (!end || at < end))
		snprintf(ret, size, "%.*s", (int)strcspn(at + strlen(key), "\n"), at + strlen(key));
}

static int read_flatpak(const struct client_look *l, struct buf *b)
{
	_cleanup_close_ int root = openat(l->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct stat st;

	if (root < 0)
		return -errno;
	fd = openat(root, ".flatpak-info", O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	char self[32];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return client_read_at(AT_FDCWD, self, INFO_MAX - 1, b);
}

static bool is_app_id(const char *id)
{
	return strchr(id, '.') &&
	       strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(id);
}

bool client_flatpak_parse(const char *text, struct client_flatpak *ret)
{
	key_of(text, "[Application]", "\nname=", ret->id, sizeof(ret->id));
	key_of(text, "[Instance]", "\napp-path=", ret->files, sizeof(ret->files));
	key_of(text, "[Instance]", "\napp-commit=", ret->commit, sizeof(ret->commit));
	return is_app_id(ret->id);
}

/* The last part of a path, which is cut off; NULL: there is none. */
static const char *cut_last(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

/* INSTALLATION/app/ID/ARCH/BRANCH/COMMIT/files, where Flatpak keeps that application (flatpak(1)); of one that is there
 * in part, more follows the commit. */
bool client_flatpak_is_place(const char *real, const struct client_flatpak *f)
{
	_cleanup_free_ char *path = strdup(real);
	const char *files = path ? cut_last(path) : NULL, *commit = files ? cut_last(path) : NULL;

	if (!commit || strcmp(files, "files") != 0 || strncmp(commit, f->commit, strlen(f->commit)) != 0)
		return false;
	const char *branch = cut_last(path), *arch = branch ? cut_last(path) : NULL, *id = arch ? cut_last(path) : NULL;
	const char *app = id ? cut_last(path) : NULL;
	return app && strcmp(id, f->id) == 0 && strcmp(app, "app") == 0;
}

/* What it executes as /app/REST is REST in that place, and root's? */
static bool flatpak_held(const struct client_look *l, const struct client_flatpak *f)
{
	_cleanup_free_ char *place = realpath(f->files, NULL), *path = NULL, *real = NULL;

	if (!place || !client_flatpak_is_place(place, f) || strncmp(l->c->exe.path, "/app/", 5) != 0 ||
		asprintf(&path, "%s/%s", place, l->c->exe.path + 5) < 0)
		return false;
	real = realpath(path, NULL);
	return real && strncmp(real, place, strlen(place)) == 0 && real[strlen(place)] == '/' &&
	       client_file_held(real, &l->st);
}

/* app-flatpak-ID-NUMBER.scope, the id as systemd.unit(5) has what is escaped in a unit's name. */
static int scope_of(const char *id, struct buf *b)
{
	int r = buf_puts(b, "/app-flatpak-");

	for (; r == 0 && *id; id++)
		r = *id == '-' ? buf_puts(b, "\\x2d") : buf_putc(b, *id);
	return r == 0 ? buf_puts(b, "-") : r;
}

/* The word of the user's service manager (systemd.io, "Desktop Environment Integration"). */
static bool cgroup_agrees(const struct client_look *l, const char *id)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CLIENT_PROC_MAX), unit = BUF_INIT(PATH_MAX);

	return scope_of(id, &unit) == 0 && client_read_at(l->proc, "cgroup", CLIENT_PROC_MAX - 1, &b) == 0 &&
	       strstr(b.data, unit.data);
}

static int take_flatpak(struct client_look *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT(INFO_MAX);
	struct client_flatpak f;
	int r = read_flatpak(l, &b);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (!client_flatpak_parse(b.data, &f))
		return 0;
	l->c->kind = CLIENT_FLATPAK;
	l->c->version = f.commit[0] ? strdup(f.commit) : NULL;
	r = (f.commit[0] && !l->c->version) ? -ENOMEM : format(&l->c->package, "flatpak", f.id, strlen(f.id));
	if (r < 0)
		return r;
	l->c->package_held = flatpak_held(l, &f);
	if (l->c->package_held)
		return 0;
	return say(&l->c->how,
		cgroup_agrees(l, f.id)
			? "by /.flatpak-info in its root and the name of its cgroup, which a program of the same user "
			  "can imitate"
			: "by /.flatpak-info in its root alone, which a program of the same user can imitate");
}

/* --- AppImage --- */

/* An ELF file with the mark of an AppImage of type 1 or 2 (AppImage specification, "Type 2 image format"). */
static bool is_appimage(int fd)
{
	unsigned char head[11];

	return pread(fd, head, sizeof(head), 0) == sizeof(head) && memcmp(head, "\177ELF", 4) == 0 && head[8] == 'A' &&
	       head[9] == 'I' && (head[10] == 1 || head[10] == 2);
}

/* Does that process hold /dev/fuse for the connection? The kernel says so in fdinfo, where it knows the line. */
static bool serves(const char *process, unsigned connection)
{
	char path[64], want[64];
	struct dirent *e;

	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo", process);
	snprintf(want, sizeof(want), "\nfuse_connection:\t%u\n", connection);
	_cleanup_closedir_ DIR *dir = opendir(path);
	for (unsigned i = 0; dir && i < FDS_MAX && (e = readdir(dir)); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(1024);
		if (client_read_at(dirfd(dir), e->d_name, 1023, &b) == 0 && strstr(b.data, want))
			return true;
	}
	return false;
}

/* A process that executes that very AppImage serves the mount. */
static bool is_served_by(const struct client_look *l, const struct stat *image)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct dirent *e;
	struct stat st;
	uint64_t pid;

	while (dir && (e = readdir(dir))) {
		char exe[64];
		if (parse_u64(e->d_name, 1, INT32_MAX, &pid) < 0)
			continue;
		snprintf(exe, sizeof(exe), "%.16s/exe", e->d_name);
		if (fstatat(dirfd(dir), exe, &st, 0) == 0 && st.st_dev == image->st_dev && st.st_ino == image->st_ino &&
			serves(e->d_name, minor(l->st.st_dev)))
			return true;
	}
	return false;
}

/* The value of APPIMAGE in the process's environment; heap, NULL: none. */
static char *named_image(const struct client_look *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT(ENVIRON_MAX);

	if (client_read_at(l->proc, "environ", ENVIRON_MAX - 1, &b) < 0)
		return NULL;
	for (const char *at = b.data, *end = b.data + b.len; at < end; at += strlen(at) + 1)
		if (strncmp(at, "APPIMAGE=/", 10) == 0)
			return strdup(at + 9);
	return NULL;
}

static int take_image(struct client_look *l, const char *named)
{
	struct client_file *image = &l->c->image;
	_cleanup_close_ int fd = -1;
	struct stat st;

	image->path = realpath(named, NULL);
	fd = image->path ? client_open_file(image->path, &st) : -1;
	if (fd < 0 || !is_appimage(fd)) {
		free(image->path);
		image->path = NULL;
		return say(&l->c->how, "the file that APPIMAGE in its environment names is no AppImage");
	}
	if (!is_served_by(l, &st))
		return say(&l->c->how, "the AppImage by APPIMAGE in its environment, which is its own word");
	image->held = client_file_held(image->path, &st);
	if (client_file_digest(fd, image->digest) == -ENOMEM)
		return -ENOMEM;
	return say(&l->c->how, "the AppImage serves the files that it executes");
}

static bool is_mounted_image(const struct client_look *l)
{
	struct statfs fs;

	return strstr(l->c->exe.path, "/.mount_") && fstatfs(l->exe, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

static int take_appimage(struct client_look *l)
{
	_cleanup_free_ char *named = named_image(l);

	l->c->kind = CLIENT_APPIMAGE;
	return named ? take_image(l, named) : say(&l->c->how, "its environment names no AppImage");
}

int client_find_kind(struct client_look *l)
{
	const char *snap = snap_path(l->c->exe.path);
	int r = snap ? take_snap(l, snap) : 0;

	if (r == 0 && l->c->kind != CLIENT_SNAP)
		r = take_flatpak(l);
	if (r == 0 && l->c->kind != CLIENT_SNAP && l->c->kind != CLIENT_FLATPAK && is_mounted_image(l))
		r = take_appimage(l);
	return r;
}
