/* SPDX-License-Identifier: Apache-2.0 */
/* keyring - see keyring.h */
#include "sign/keyring.h"
#include <errno.h>
#include <string.h>
#include "base/ascii.h"
#include "base/text.h"

#define SUFFIX ".pub"
enum { SHOWN = 300 };

void keyring_done(struct keyring *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].name);
		free(r->v[i].file);
	}
	free(r->v);
	*r = (struct keyring){ 0 };
}

bool keyring_name_valid(const char *name, size_t n)
{
	if (n == 0 || n > KEYRING_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!ascii_is_word(name[i]) && name[i] != '-')
			return false;
	return true;
}

const struct keyring_key *keyring_by_id(const struct keyring *r, const uint8_t id[SIGN_ID_BYTES])
{
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->v[i].key.id, id, SIGN_ID_BYTES) == 0)
			return &r->v[i];
	return NULL;
}

const struct keyring_key *keyring_by_name(const struct keyring *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->v[i].name, name) == 0)
			return &r->v[i];
	return NULL;
}

/* Two keys of one id: which of them a signature is held against would be a matter of the order of names. */
static int check_other(
	const struct keyring *r, const char *name, const char *file, const struct sign_key *k, struct diag *d)
{
	const struct keyring_key *same_id = keyring_by_id(r, k->id), *same_name = keyring_by_name(r, name);
	char shown[SHOWN], other[SHOWN], id[SIGN_ID_HEX];

	text_escape_str(file, shown, sizeof(shown));
	if (same_name)
		return diag_fail(d, -EINVAL, "%s: the name '%s' is that of %s as well; rename one of the keys", shown,
			name, text_escape_str(same_name->file, other, sizeof(other)));
	if (same_id && !sign_key_is(&same_id->key, k))
		return diag_fail(d, -EINVAL,
			"%s has the id %s of %s, but is another key: ids are random, so one of them was made to look "
			"like the "
			"other; find out which, and remove it",
			shown, sign_id_text(k->id, id), text_escape_str(same_id->file, other, sizeof(other)));
	/* No signature covers an id: whoever has the one key would sign as two. */
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->v[i].key.key, k->key, sizeof(k->key)) == 0 && !sign_key_is(&r->v[i].key, k))
			return diag_fail(d, -EINVAL,
				"%s is the key of %s under another id, and would count as a second signer: remove one "
				"of them",
				shown, text_escape_str(r->v[i].file, other, sizeof(other)));
	if (r->n >= KEYRING_MAX)
		return diag_fail(d, -E2BIG, "%s: more than %d keys", shown, KEYRING_MAX);
	return 0;
}

static size_t place_of(const struct keyring *r, const char *name)
{
	size_t i = 0;

	while (i < r->n && strcmp(r->v[i].name, name) < 0)
		i++;
	return i;
}

int keyring_add(struct keyring *r, const char *name, const char *file, const struct sign_key *k, struct diag *d)
{
	struct keyring_key new = { .key = *k }, *v;
	size_t at = place_of(r, name);
	int e = check_other(r, name, file, k, d);

	if (e < 0)
		return e;
	v = reallocarray(r->v, r->n + 1, sizeof(*v));
	if (v)
		r->v = v;
	new.name = strdup(name);
	new.file = strdup(file);
	if (!v || !new.name || !new.file) {
		free(new.name);
		free(new.file);
		return diag_fail(d, -ENOMEM, "there is no memory for the keys");
	}
	memmove(v + at + 1, v + at, (r->n - at) * sizeof(*v));
	v[at] = new;
	r->n++;
	return 0;
}

static int add_file(struct keyring *r, int dirfd, const char *dir, const char *entry, enum fs_trust trust, uid_t uid,
	struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SIGN_PUB_MAX);
	_cleanup_free_ char *name = strndup(entry, strlen(entry) - strlen(SUFFIX)), *path = NULL;
	struct sign_key k;
	char shown[SHOWN];
	int e;

	if (!name || asprintf(&path, "%s/%s", dir, entry) < 0) {
		path = NULL;
		return diag_fail(d, -ENOMEM, "there is no memory for the keys");
	}
	if (!keyring_name_valid(name, strlen(name)))
		return diag_fail(d, -EINVAL,
			"%s: a key is called by letters, digits, '-' and '_', at most %d of them; rename the file",
			text_escape_str(path, shown, sizeof(shown)), KEYRING_NAME_MAX);
	e = fs_read_trusted(dirfd, entry, trust, uid, &b, d);
	if (e < 0) {
		diag_prefix(d, "a key of %s: ", text_escape_str(dir, shown, sizeof(shown)));
		return e;
	}
	e = sign_key_parse(path, b.data ? b.data : "", b.len, &k, d);
	return e ? e : keyring_add(r, name, path, &k, d);
}

static bool is_pub(const char *entry)
{
	size_t n = strlen(entry), suffix = strlen(SUFFIX);

	/* A hidden one is a file that is being written (fs_write_atomic), or an editor's. */
	return entry[0] != '.' && n > suffix && strcmp(entry + n - suffix, SUFFIX) == 0;
}

int keyring_add_dir(struct keyring *r, int dirfd, const char *dir, enum fs_trust trust, uid_t uid, struct diag *d)
{
	_cleanup_closedir_ DIR *list = NULL;
	const struct dirent *e;
	char shown[SHOWN];
	int err = fs_check_trusted_dir(dirfd, dir, trust, uid, d);

	if (err < 0)
		return err;
	err = fs_list(dirfd, &list);
	if (err < 0)
		return diag_fail(
			d, err, "cannot list %s: %s", text_escape_str(dir, shown, sizeof(shown)), strerror(-err));
	while ((errno = 0, e = readdir(list))) {
		err = is_pub(e->d_name) ? add_file(r, dirfd, dir, e->d_name, trust, uid, d) : 0;
		if (err < 0)
			return err;
	}
	return errno ? diag_fail(d, -errno, "cannot list %s: %s", text_escape_str(dir, shown, sizeof(shown)),
			       strerror(errno))
		     : 0;
}
