/* SPDX-License-Identifier: Apache-2.0 */
/* signed - see signed.h */
#include "sign/signed.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/strv.h"
#include "base/text.h"

#define SUFFIX ".minisig"
enum { SHOWN = 300 };

static void signer_done(struct signer *s)
{
	free(s->name);
	free(s->file);
	free(s->comment);
	*s = (struct signer){ 0 };
}

void verified_done(struct verified *v)
{
	for (size_t i = 0; i < v->n; i++)
		signer_done(&v->v[i]);
	free(v->v);
	buf_done(&v->bytes);
	*v = (struct verified){ 0 };
}

/* --- one signature --- */

/* What is known of a signer; for one without a key that is the id that the file names, and no more. */
static int describe(const char *file, const struct keyring_key *k, const struct sign_signature *s, struct signer *ret)
{
	memcpy(ret->id, s->id, sizeof(ret->id));
	ret->prehashed = s->prehashed;
	ret->file = strdup(file);
	if (k) {
		ret->when = sign_timestamp(s->trusted);
		ret->name = strdup(k->name);
		ret->comment = strdup(s->trusted);
	}
	return ret->file && (!k || (ret->name && ret->comment)) ? 0 : -ENOMEM;
}

/* Takes s. A key that is there already stays one: of its moments the later one is kept. */
static int put_signer(struct verified *v, struct signer *s)
{
	struct signer *grown;

	for (size_t i = 0; i < v->n; i++)
		if (memcmp(v->v[i].id, s->id, sizeof(s->id)) == 0) {
			struct signer old = v->v[i].when < s->when ? v->v[i] : *s;
			v->v[i] = v->v[i].when < s->when ? *s : v->v[i];
			signer_done(&old);
			return 0;
		}
	grown = v->n < SIGNED_MAX ? reallocarray(v->v, v->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		signer_done(s);
		return v->n < SIGNED_MAX ? -ENOMEM : -E2BIG;
	}
	v->v = grown;
	v->v[v->n++] = *s;
	v->known += s->name != NULL;
	return 0;
}

int signed_add(
	struct verified *v, const char *name, const char *signature, size_t n, const struct keyring *r, struct diag *d)
{
	_cleanup_sign_signature_ struct sign_signature s = { 0 };
	const struct keyring_key *k;
	struct signer who = { 0 };
	char shown[SHOWN];
	int e = sign_signature_parse(name, signature, n, &s, d);

	if (e < 0)
		return e;
	k = keyring_by_id(r, s.id);
	e = k ? sign_verify(&k->key, &s, name, v->bytes.data ? v->bytes.data : "", v->bytes.len, d) : 0;
	if (e < 0)
		return e;
	e = describe(name, k, &s, &who);
	if (e < 0)
		signer_done(&who);
	else
		e = put_signer(v, &who);
	return e ? diag_fail(d, e, "%s: %s", text_escape_str(name, shown, sizeof(shown)), strerror(-e)) : 0;
}

static int copy_signer(const struct signer *s, struct signer *ret)
{
	*ret = (struct signer){ .when = s->when, .prehashed = s->prehashed };
	memcpy(ret->id, s->id, sizeof(ret->id));
	ret->name = strdup(s->name);
	ret->file = strdup(s->file);
	ret->comment = strdup(s->comment);
	return ret->name && ret->file && ret->comment ? 0 : -ENOMEM;
}

int signed_within(struct verified *part, const struct verified *whole, struct diag *d)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < whole->n; i++) {
		struct signer copy;
		if (!whole->v[i].name)
			continue;
		e = copy_signer(&whole->v[i], &copy);
		if (e == 0)
			e = put_signer(part, &copy);
		else
			signer_done(&copy);
	}
	return e == -E2BIG ? diag_fail(d, e, "more than %d keys signed it", SIGNED_MAX)
	       : e	   ? diag_fail(d, e, "there is no memory for the signatures")
			   : 0;
}

/* --- a file and what lies beside it --- */

/* NAME.minisig, or NAME.WORD.minisig. */
static bool is_signature_of(const char *entry, const char *name)
{
	size_t n = strlen(name), entry_n = strlen(entry), suffix = strlen(SUFFIX);

	if (entry_n < n + suffix || strncmp(entry, name, n) != 0 || strcmp(entry + entry_n - suffix, SUFFIX) != 0)
		return false;
	if (entry_n == n + suffix)
		return true;
	return entry[n] == '.' && keyring_name_valid(entry + n + 1, entry_n - suffix - n - 1);
}

static int list_signatures(const struct signed_place *at, const char *name, struct strv *ret, struct diag *d)
{
	_cleanup_closedir_ DIR *list = NULL;
	const struct dirent *e;
	char shown[SHOWN];
	int r = fs_list(at->dirfd, &list);

	while (r == 0 && (errno = 0, e = readdir(list))) {
		if (!is_signature_of(e->d_name, name))
			continue;
		if (ret->n == SIGNED_MAX)
			return diag_fail(d, -E2BIG, "%s has more than %d signatures; remove those that nobody asks for",
				text_escape_str(name, shown, sizeof(shown)), SIGNED_MAX);
		r = strv_add(ret, e->d_name);
	}
	if (r == 0 && errno)
		r = -errno;
	if (r < 0)
		return diag_fail(
			d, r, "cannot list %s: %s", text_escape_str(at->dir, shown, sizeof(shown)), strerror(-r));
	strv_sort(ret);
	return 0;
}

/* Opened below the directory that was checked, named whole in words. */
static int read_below(const struct signed_place *at, const char *name, struct buf *b, char **ret_path, struct diag *d)
{
	if (asprintf(ret_path, "%s/%s", at->dir, name) < 0) {
		*ret_path = NULL;
		return diag_fail(d, -ENOMEM, "there is no memory for a path");
	}
	return fs_read_trusted_as(at->dirfd, name, *ret_path, at->trust, at->uid, b, d);
}

static int add_signature(
	const struct signed_place *at, const char *entry, const struct keyring *r, struct verified *v, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SIGN_FILE_MAX);
	_cleanup_free_ char *path = NULL;
	int e = read_below(at, entry, &b, &path, d);

	/* The file itself is there: only for a file that is not may somebody look elsewhere. */
	if (e < 0)
		return e == -ENOENT ? -ESTALE : e;
	return signed_add(v, path, b.data ? b.data : "", b.len, r, d);
}

int signed_read(const struct signed_place *at, const char *name, size_t max, const struct keyring *r,
	struct verified *ret, struct diag *d)
{
	_cleanup_verified_ struct verified v = { .bytes = BUF_INIT(max) };
	_cleanup_strv_ struct strv files = { 0 };
	_cleanup_free_ char *path = NULL;
	int e = fs_check_trusted_dir(at->dirfd, at->dir, at->trust, at->uid, d);

	if (e == 0)
		e = read_below(at, name, &v.bytes, &path, d);
	if (e == 0)
		e = list_signatures(at, name, &files, d);
	for (size_t i = 0; e == 0 && i < files.n; i++)
		e = add_signature(at, files.v[i], r, &v, d);
	if (e < 0)
		return e;
	*ret = v;
	v = (struct verified){ 0 };
	return 0;
}

int signed_read_file(const char *path, enum fs_trust trust, uid_t uid, size_t max, const struct keyring *r,
	struct verified *ret, struct diag *d)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	_cleanup_close_ int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct signed_place at = { fd, dir, trust, uid };
	char shown[SHOWN];

	if (!dir)
		return diag_fail(d, -ENOMEM, "there is no memory for a path");
	if (fd < 0)
		return diag_fail(
			d, -errno, "cannot open %s: %s", text_escape_str(dir, shown, sizeof(shown)), strerror(errno));
	return signed_read(&at, slash ? slash + 1 : path, max, r, ret, d);
}
