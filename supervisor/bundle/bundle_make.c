/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_make - see bundle_make.h */
#include "supervisor/bundle/bundle_make.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/json_file.h"
#include "supervisor/pin_store.h"
#include "supervisor/profile.h"

#define SIGNATURE ".minisig"
enum { SHOWN = 300 };

struct making {
	const char *dir;
	json_t *bundle;
	struct diag *d;
};

/* A folder that is open, and what is in it. */
struct listed {
	const struct making *m;
	int fd;
	struct strv all;
};

struct folder {
	const char *name, *suffix, *key;
	int (*take)(const struct listed *l, const char *file, json_t *list);
};

static bool ends_with(const char *name, const char *suffix)
{
	size_t n = strlen(name), s = strlen(suffix);

	return n > s && strcmp(name + n - s, suffix) == 0;
}

static int read_text(const struct making *m, int fd, const char *file, size_t max, json_t **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(max);
	char shown[SHOWN];
	int r = fs_read_trusted(fd, file, FS_TRUST_USER, getuid(), &b, m->d);

	if (r < 0)
		return r;
	*ret = json_stringn(b.data ? b.data : "", b.len);
	return *ret ? 0
		    : diag_fail(
			      m->d, -EILSEQ, "%s/%s is not UTF-8", m->dir, text_escape_str(file, shown, sizeof(shown)));
}

/* Those that its author and reviewers made of it by itself. */
static int add_signatures(const struct listed *l, const char *file, json_t *one)
{
	json_t *list = json_array(), *text;
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->all.n; i++) {
		const char *name = l->all.v[i];
		if (!ends_with(name, SIGNATURE) || strncmp(name, file, strlen(file)) != 0 || name[strlen(file)] != '.')
			continue;
		r = read_text(l->m, l->fd, name, SIGN_FILE_MAX, &text);
		if (r == 0 && json_array_append_new(list, text) < 0)
			r = -ENOMEM;
	}
	if (r == 0 && json_array_size(list) > 0)
		return json_object_set_new(one, "signatures", list) < 0 ? -ENOMEM : 0;
	json_decref(list);
	return r;
}

/* name_n: how much of the file's name it is called by. */
static int take_file(const struct listed *l, const char *file, size_t name_n, size_t max, json_t *list)
{
	char digest[BUNDLE_DIGEST_SIZE];
	json_t *text = NULL, *one;
	int r = read_text(l->m, l->fd, file, max, &text);

	if (r < 0)
		return r;
	bundle_digest(json_string_value(text), json_string_length(text), digest);
	one = json_pack("{s:s%, s:s, s:o}", "name", file, name_n, "digest", digest, "text", text);
	r = one ? add_signatures(l, file, one) : -ENOMEM;
	if (r == 0 && json_array_append(list, one) < 0)
		r = -ENOMEM;
	json_decref(one);
	return r;
}

static int take_profile(const struct listed *l, const char *file, json_t *list)
{
	return take_file(l, file, strlen(file) - strlen(".json"), PROFILE_BYTES_MAX, list);
}

static int take_pins(const struct listed *l, const char *file, json_t *list)
{
	return take_file(l, file, strlen(file), PIN_FILE_MAX, list);
}

/* An object as it is: what it says is looked at with the whole. */
static int read_object(const struct making *m, int fd, const char *file, json_t **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(PROFILE_BYTES_MAX);
	_cleanup_json_file_ struct json_file f = { 0 };
	_cleanup_free_ char *path = NULL;
	int r = fs_read_trusted(fd, file, FS_TRUST_USER, getuid(), &b, m->d);

	if (r < 0)
		return r;
	if (asprintf(&path, "%s/%s", m->dir, file) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = json_file_parse(path, b.data ? b.data : "", b.len, &f, m->d);
	if (r < 0)
		return r;
	if (!json_is_object(f.root))
		return diag_fail(m->d, -EINVAL, "%s: is %s, not an object", path, json_file_type(f.root));
	*ret = json_incref(f.root);
	return 0;
}

static int take_object(const struct listed *l, const char *file, json_t *list)
{
	json_t *one;
	int r = read_object(l->m, l->fd, file, &one);

	return r < 0 ? r : json_array_append_new(list, one) < 0 ? -ENOMEM : 0;
}

static const struct folder folders[] = {
	{ "profiles", ".json", "profiles", take_profile },
	{ "profiles", ".pins", "pins", take_pins },
	{ "pins", ".pins", "pins", take_pins },
	{ "revocations", ".json", "revocations", take_object },
	{ "kill.d", ".json", "kill", take_object },
};

static int list_names(int fd, struct strv *ret)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	int r = fs_list(fd, &dir);

	for (errno = 0; r == 0 && (e = readdir(dir)); errno = 0)
		if (e->d_name[0] != '.')
			r = strv_add(ret, e->d_name);
	strv_sort(ret);
	return r == 0 && errno ? -errno : r;
}

static bool is_known(const char *folder, const char *file)
{
	bool known = ends_with(file, SIGNATURE);

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		known = known || (strcmp(folders[i].name, folder) == 0 && ends_with(file, folders[i].suffix));
	return known;
}

static int take_names(const struct listed *l, const struct folder *f)
{
	json_t *list = json_object_get(l->m->bundle, f->key);
	char shown[SHOWN];
	int r = 0;

	if (!list && json_object_set_new(l->m->bundle, f->key, list = json_array()) < 0)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < l->all.n; i++) {
		const char *file = l->all.v[i];
		if (!is_known(f->name, file))
			return diag_fail(l->m->d, -EINVAL,
				"%s would not be in the bundle: nothing of that name is looked for there; move it away",
				text_escape_str(file, shown, sizeof(shown)));
		if (ends_with(file, f->suffix))
			r = f->take(l, file, list);
	}
	return r;
}

static void listed_done(struct listed *l)
{
	cleanup_close(&l->fd);
	strv_done(&l->all);
}

static int take_folder(const struct making *m, const struct folder *f, int dir)
{
	_cleanup_(listed_done) struct listed l = { m, openat(dir, f->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), { 0 } };
	int r;

	if (l.fd < 0 && errno == ENOENT)
		return 0;
	if (l.fd < 0)
		return diag_fail(m->d, -errno, "cannot open %s/%s: %s", m->dir, f->name, strerror(errno));
	r = list_names(l.fd, &l.all);
	if (r < 0)
		return diag_fail(m->d, r, "cannot list %s/%s: %s", m->dir, f->name, strerror(-r));
	r = take_names(&l, f);
	if (r < 0)
		diag_prefix(m->d, "%s/%s: ", m->dir, f->name);
	return r;
}

static int take_groups(const struct making *m, int dir)
{
	json_t *groups;
	int r;

	if (faccessat(dir, "groups.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	r = read_object(m, dir, "groups.json", &groups);
	return r < 0 ? r : json_object_set_new(m->bundle, "groups", groups) < 0 ? -ENOMEM : 0;
}

int bundle_make(const char *dir, json_t *bundle, struct diag *d)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char shown[SHOWN];
	const struct making m = { text_escape_str(dir, shown, sizeof(shown)), bundle, d };
	int r = 0;

	if (fd < 0)
		return diag_fail(d, -errno, "cannot open %s: %s", shown, strerror(errno));
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(folders); i++)
		r = take_folder(&m, &folders[i], fd);
	return r < 0 ? r : take_groups(&m, fd);
}
