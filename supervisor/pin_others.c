/* SPDX-License-Identifier: Apache-2.0 */
/* pin_others - see pin_others.h */
#include "supervisor/pin_others.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/fs.h"
#include "supervisor/pin_store.h"
#include "wire/shim_config.h"

enum { CHUNK = 16 << 10 };

static const char SUFFIX[] = ".pins";

struct taking {
	struct strv *names;
	size_t bytes;
};

/* The canonical inside of a string, as text; NULL: it has none that a name could be told by. Takes no reference. */
static char *plain_name(const char *inside)
{
	_cleanup_free_ char *lexeme = NULL;
	json_t *value;
	char *text;

	if (!strchr(inside, '\\'))
		return strdup(inside);
	if (asprintf(&lexeme, "\"%s\"", inside) < 0) {
		lexeme = NULL;
		return NULL;
	}
	value = json_loads(lexeme, JSON_DECODE_ANY, NULL);
	text = json_is_string(value) ? strdup(json_string_value(value)) : NULL;
	json_decref(value);
	return text;
}

static int take_name(struct taking *t, const json_t *pin)
{
	const char *kind = json_string_value(json_array_get(pin, 0)),
		   *inside = json_string_value(json_array_get(pin, 1));
	char *name;
	size_t n;

	if (!kind || !inside || strcmp(kind, "tool") != 0)
		return 0;
	name = plain_name(inside);
	n = name ? strlen(name) : 0;
	if (n == 0 || t->names->n >= SHIM_OTHERS_MAX || t->bytes + n > SHIM_OTHERS_BYTES_MAX) {
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

int pin_other_names(const struct paths *p, const char *name, const char *subject, struct strv *ret, struct diag *d)
{
	char own[PIN_KEY_SIZE], file[PIN_KEY_SIZE + sizeof(SUFFIX)];
	_cleanup_close_ int dir = -1;
	struct taking t = { ret, 0 };
	struct dirent **found = NULL;
	int n = 0, r = pin_open(p, &dir, d);

	if (r == 0)
		r = pin_key(name, subject, own);
	if (r == 0)
		n = scandirat(dir, ".", &found, is_pin_file, alphasort);
	if (r < 0 || n < 0)
		return r < 0 ? r : -errno;
	snprintf(file, sizeof(file), "%s%s", own, SUFFIX);
	for (int i = 0; i < n; i++) {
		if (r == 0 && i < PIN_OTHERS_FILES_MAX && strcmp(found[i]->d_name, file) != 0)
			r = take_file(dir, found[i]->d_name, p->uid, &t);
		free(found[i]);
	}
	free(found);
	return r;
}
