/* SPDX-License-Identifier: Apache-2.0 */
/* pin_others - see pin_others.h */
#include "supervisor/pin_others.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/fs.h"
#include "supervisor/pin_store.h"
#include "wire/shim_config.h"

enum { CHUNK = 16 << 10 };

static const char SUFFIX[] = ".pins";

struct taking {
	struct strv *names;
	size_t bytes;
	size_t names_max, bytes_max; /* once the file that is being read has had its share */
	bool cut;		     /* names were left out */
};

static int take_name(struct taking *t, const json_t *pin)
{
	const char *kind = json_string_value(json_array_get(pin, 0)),
		   *inside = json_string_value(json_array_get(pin, 1));
	char *name;
	size_t n;

	if (!kind || !inside || strcmp(kind, "tool") != 0)
		return 0;
	name = pin_plain_name(inside);
	n = name ? strlen(name) : 0;
	if (n == 0 || t->names->n >= t->names_max || t->bytes + n > t->bytes_max) {
		t->cut = t->cut || n > 0;
		free(name);
		return 0;
	}
	t->bytes += n;
	return strv_add_take(t->names, name);
}

/* The first line, without its end: what a launch reads of a pin file. */
static int read_head(int dir, const char *file, uid_t uid, struct buf *ret)
{
	_cleanup_close_ int fd = openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct diag why;
	const char *end = NULL;
	int r = fd < 0 ? -errno : fs_check_trusted(fd, file, FS_TRUST_USER, uid, &why);

	while (r == 0 && !end) {
		ssize_t n;
		r = buf_reserve(ret, CHUNK);
		n = r == 0 ? read(fd, ret->data + ret->len, CHUNK) : 0;
		if (r == 0 && n <= 0)
			return n < 0 ? -errno : -ENODATA;
		end = r == 0 ? memchr(ret->data + ret->len, '\n', (size_t)n) : NULL;
		ret->len = end ? (size_t)(end - ret->data) : ret->len + (size_t)n;
	}
	return r;
}

static int take_file(int dir, const char *file, uid_t uid, struct taking *t)
{
	_cleanup_buf_ struct buf head = BUF_INIT(PIN_OTHERS_HEAD_MAX);
	int r = read_head(dir, file, uid, &head);
	json_t *root = r == 0 ? json_loadb(head.data, head.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const json_t *pins = json_object_get(root, "pins");

	for (size_t i = 0; r == 0 && i < json_array_size(pins); i++)
		r = take_name(t, json_array_get(pins, i));
	json_decref(root);
	return r == -ENOMEM ? r : 0;
}

static int is_pin_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return e->d_name[0] != '.' && n > sizeof(SUFFIX) - 1 &&
	       strcmp(e->d_name + n - (sizeof(SUFFIX) - 1), SUFFIX) == 0;
}

struct pin_file {
	const char *name;
	off_t size;
};

/* What the small ones leave of their share is for those that are larger. */
static int by_size(const void *a, const void *b)
{
	const struct pin_file *x = a, *y = b;

	return x->size != y->size ? (x->size < y->size ? -1 : 1) : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each has a share of the room, so that no server with many tools leaves the others unguarded. */
static int take_files(int dir, struct pin_file *files, size_t n, uid_t uid, struct taking *t)
{
	int r = 0;

	qsort(files, n, sizeof(*files), by_size);
	for (size_t i = 0; r == 0 && i < n; i++) {
		t->names_max = t->names->n + (SHIM_OTHERS_MAX - t->names->n) / (n - i);
		t->bytes_max = t->bytes + (SHIM_OTHERS_BYTES_MAX - t->bytes) / (n - i);
		r = take_file(dir, files[i].name, uid, t);
	}
	if (t->names->n > 1)
		qsort(t->names->v, t->names->n, sizeof(*t->names->v), by_name);
	return r;
}

int pin_other_names(
	const struct paths *p, const char *name, const char *subject, struct strv *ret, bool *ret_cut, struct diag *d)
{
	char own[PIN_KEY_SIZE], file[PIN_KEY_SIZE + sizeof(SUFFIX)];
	_cleanup_close_ int dir = -1;
	struct pin_file files[PIN_OTHERS_FILES_MAX];
	struct taking t = { .names = ret };
	struct dirent **found = NULL;
	size_t n_files = 0;
	struct stat st;
	int n = 0, r = pin_open(p, &dir, d);

	if (r == 0)
		r = pin_key(name, subject, own);
	if (r == 0)
		n = scandirat(dir, ".", &found, is_pin_file, alphasort);
	if (r < 0 || n < 0)
		return r < 0 ? r : -errno;
	snprintf(file, sizeof(file), "%s%s", own, SUFFIX);
	for (int i = 0; i < n; i++) {
		if (strcmp(found[i]->d_name, file) == 0 || fstatat(dir, found[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (n_files < PIN_OTHERS_FILES_MAX)
			files[n_files++] = (struct pin_file){ found[i]->d_name, st.st_size };
		else
			t.cut = true;
	}
	r = take_files(dir, files, n_files, p->uid, &t);
	*ret_cut = t.cut;
	for (int i = 0; i < n; i++)
		free(found[i]);
	free(found);
	return r;
}
