/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_offer - see bundle_offer.h */
#include "supervisor/bundle/bundle_offer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/io.h"
#include "base/text.h"
#include "supervisor/bundle/fetch_run.h"
#include "supervisor/identity.h"

#define SUFFIX	 ".minisig"
#define FILE_OF	 "bundle.json"
#define CURRENT	 "current"
#define PREVIOUS "previous"
#define NEW	 "new"
enum { SHOWN = 300, SECONDS = 120, URL_SIZE = FETCH_URL_MAX + KEYRING_NAME_MAX + 32, NAME_SIZE = 64 };

void bundle_offer_done(struct bundle_offer *o)
{
	free(o->name);
	buf_done(&o->bytes);
	for (size_t i = 0; i < o->n; i++)
		buf_done(&o->signatures[i].text);
	*o = (struct bundle_offer){ 0 };
}

/* Takes text. One that does not fit is an error here, where it can still be told who gave it. */
static int add_signature(
	struct bundle_offer *o, const char *name, struct buf *text, const struct bundle_args *a, struct diag *d)
{
	_cleanup_sign_signature_ struct sign_signature s = { 0 };
	const struct keyring_key *k;
	int r = o->n < SIGNED_MAX ? sign_signature_parse(name, text->data ? text->data : "", text->len, &s, d)
				  : diag_fail(d, -E2BIG, "more than %d signatures", SIGNED_MAX);

	if (r < 0)
		return r;
	k = keyring_by_id(a->keys, s.id);
	r = k ? sign_verify(&k->key, &s, name, o->bytes.data, o->bytes.len, d) : 0;
	if (r < 0)
		return r;
	sign_id_text(s.id, o->signatures[o->n].id);
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->signatures[i].id, o->signatures[o->n].id) == 0)
			return 0;
	o->signatures[o->n++].text = *text;
	*text = (struct buf){ 0 };
	return 0;
}

/* --- a file --- */

int bundle_offer_read(const char *path, const struct bundle_args *a, struct bundle_offer *ret, struct diag *d)
{
	_cleanup_bundle_offer_ struct bundle_offer o = { .name = strdup(path) };
	_cleanup_verified_ struct verified v = { 0 };
	struct stat st;
	int r;

	if (!o.name)
		return diag_fail(d, -ENOMEM, "there is no memory for a bundle");
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? BUNDLE_NONE
				       : diag_fail(d, -errno, "cannot look at %s: %s", path, strerror(errno));
	o.when = (int64_t)st.st_mtim.tv_sec;
	r = signed_read_file(path, FS_TRUST_ROOT, 0, BUNDLE_BYTES_MAX, a->keys, &v, d);
	if (r < 0)
		return r;
	o.bytes = v.bytes;
	v.bytes = (struct buf){ 0 };
	for (size_t i = 0; r == 0 && i < v.n; i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(SIGN_FILE_MAX);
		r = fs_read_trusted_file(v.v[i].file, FS_TRUST_ROOT, 0, &text, d);
		if (r == 0)
			r = add_signature(&o, v.v[i].file, &text, a, d);
	}
	if (r < 0)
		return r;
	*ret = o;
	o = (struct bundle_offer){ 0 };
	return 0;
}

/* --- an address --- */

struct fetching {
	struct fetch_request request;
	struct bundle_offer *offer;
	const struct bundle_args *args;
	const char *url;
	uint64_t deadline;
	struct diag *d;
};

static int out_of_time(const struct fetching *f, const char *url)
{
	char shown[SHOWN];

	return diag_fail(f->d, -ETIMEDOUT,
		"cannot fetch %s: the time that there is for all of it is over; its server is too slow, or keeps it "
		"waiting",
		text_escape_str(url, shown, sizeof(shown)));
}

static int fetch(struct fetching *f, const char *url, size_t max, struct buf *ret)
{
	int r;

	if (io_now_us() >= f->deadline)
		return out_of_time(f, url);
	f->request.url = (char *)(uintptr_t)url;
	f->request.max = max;
	*ret = BUF_INIT(max);
	r = fetch_run(&f->request, f->deadline, ret, f->d);
	f->request.url = NULL; /* the caller's, who may be leaving */
	return r < 0 && io_now_us() >= f->deadline ? out_of_time(f, url) : r;
}

/* The signature behind that suffix, if the server has it. */
static int fetch_signature(struct fetching *f, const char *suffix)
{
	_cleanup_buf_ struct buf text = { 0 };
	char url[URL_SIZE];
	int r;

	snprintf(url, sizeof(url), "%s%s" SUFFIX, f->url, suffix);
	r = fetch(f, url, SIGN_FILE_MAX, &text);
	if (r == FETCH_ABSENT)
		return 0;
	return r ? r : add_signature(f->offer, url, &text, f->args, f->d);
}

static bool is_enough(const struct fetching *f)
{
	_cleanup_bundle_ struct bundle b = { 0 };
	struct diag ignored = { "" };

	return bundle_offer_judge(f->offer, f->args, &b, &ignored) == 0;
}

static bool has_signature(const struct bundle_offer *o, const char *id)
{
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->signatures[i].id, id) == 0)
			return true;
	return false;
}

/* A further signer has a file of his own: by his key's id, as `profile sign` names it, or by his key's name. */
static int fetch_further(struct fetching *f)
{
	const struct judge_rule *rule = f->args->rule;
	int r = 0;

	for (size_t i = 0; r == 0 && i < rule->n_keys && !is_enough(f); i++) {
		const struct keyring_key *k = keyring_by_name(f->args->keys, rule->keys[i].name);
		char suffix[KEYRING_NAME_MAX + 2], id[SIGN_ID_HEX];
		if (!k || has_signature(f->offer, sign_id_text(k->key.id, id)))
			continue;
		snprintf(suffix, sizeof(suffix), ".%s", id);
		r = fetch_signature(f, suffix);
		if (r < 0 || has_signature(f->offer, id))
			continue;
		snprintf(suffix, sizeof(suffix), ".%s", k->name);
		r = fetch_signature(f, suffix);
	}
	return r;
}

static int fetch_all(struct fetching *f)
{
	char shown[SHOWN];
	int r = fetch(f, f->url, BUNDLE_BYTES_MAX, &f->offer->bytes);

	if (r == FETCH_ABSENT)
		return diag_fail(f->d, -ENOENT, "the server of bundle.url has no %s",
			text_escape_str(f->url, shown, sizeof(shown)));
	if (r == 0)
		r = fetch_signature(f, "");
	return r ? r : fetch_further(f);
}

int bundle_offer_fetch(const struct policy *policy, const struct bundle_args *a, uint64_t deadline,
	struct bundle_offer *ret, struct diag *d)
{
	_cleanup_bundle_offer_ struct bundle_offer o = { .name = strdup(policy->bundle.url) };
	struct fetching f = { .offer = &o, .args = a, .url = policy->bundle.url, .deadline = deadline, .d = d };
	struct paths root = { .uid = 0 };
	struct identity id = { 0 };
	int r = identity_find(&root, &id, d);

	if (r < 0)
		return r;
	f.request = (struct fetch_request){ .uid = id.uid,
		.gid = id.gid,
		.proxy_host = policy->provide.proxy_host,
		.proxy_port = policy->provide.proxy_port,
		.ca = policy->provide.ca,
		.seconds = SECONDS };
	if (!o.name || fetch_url_form(policy->bundle.url, &f.request.port))
		return diag_fail(d, -ENOMEM, "there is no memory for an address");
	r = fetch_all(&f);
	if (r < 0)
		return r;
	*ret = o;
	o = (struct bundle_offer){ 0 };
	return 0;
}

/* --- judging and keeping --- */

int bundle_offer_judge(const struct bundle_offer *o, const struct bundle_args *a, struct bundle *ret, struct diag *d)
{
	_cleanup_verified_ struct verified v = { .bytes = BUF_INIT(BUNDLE_BYTES_MAX) };
	int r = buf_append(&v.bytes, o->bytes.data, o->bytes.len);

	if (r < 0)
		return diag_fail(d, r, "there is no memory for a bundle");
	for (size_t i = 0; r == 0 && i < o->n; i++)
		r = signed_add(&v, o->name, o->signatures[i].text.data, o->signatures[i].text.len, a->keys, d);
	return r ? r : bundle_load_verified(o->name, &v, a, ret, d);
}

static void remove_directory(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	_cleanup_closedir_ DIR *list = NULL;
	const struct dirent *e;

	if (fd < 0 || fs_list(fd, &list) < 0)
		return;
	while ((e = readdir(list)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			unlinkat(fd, e->d_name, 0);
	unlinkat(dir, name, AT_REMOVEDIR);
}

/* A copy of an old file is as old: nobody confirmed it by copying. */
static int keep_time(const struct bundle_offer *o, int fd, struct diag *d)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = o->when } };

	if (o->when && utimensat(fd, FILE_OF, times, AT_SYMLINK_NOFOLLOW) < 0)
		return diag_fail(d, -errno, "cannot set the time of the new bundle: %s", strerror(errno));
	return 0;
}

static int write_new(const struct bundle_offer *o, int dir, struct diag *d)
{
	_cleanup_close_ int fd = -1;
	char name[NAME_SIZE];
	int r;

	if (mkdirat(dir, NEW, 0755) < 0)
		return diag_fail(d, -errno, "cannot make " BUNDLE_KEPT_DIR "/" NEW ": %s", strerror(errno));
	fd = openat(dir, NEW, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fchmod(fd, 0755) < 0)
		return diag_fail(d, -errno, "cannot open " BUNDLE_KEPT_DIR "/" NEW ": %s", strerror(errno));
	r = fs_write_atomic(fd, FILE_OF, o->bytes.data, o->bytes.len, 0644, d);
	for (size_t i = 0; r == 0 && i < o->n; i++) {
		snprintf(name, sizeof(name), FILE_OF "%s%s" SUFFIX, i ? "." : "", i ? o->signatures[i].id : "");
		r = fs_write_atomic(fd, name, o->signatures[i].text.data, o->signatures[i].text.len, 0644, d);
	}
	return r ? r : keep_time(o, fd, d);
}

static int exchange(int dir, struct diag *d)
{
	int r = renameat2(dir, NEW, dir, CURRENT, RENAME_EXCHANGE);

	if (r == 0)
		r = renameat(dir, NEW, dir, PREVIOUS);
	else if (errno == ENOENT)
		r = renameat2(dir, NEW, dir, CURRENT, RENAME_NOREPLACE);
	if (r < 0 || fsync(dir) < 0)
		return diag_fail(d, -errno, "cannot put the new bundle into " BUNDLE_KEPT_DIR "/" CURRENT ": %s",
			strerror(errno));
	return 0;
}

int bundle_offer_keep(const struct bundle_offer *o, int dir, struct diag *d)
{
	int r;

	remove_directory(dir, NEW);
	remove_directory(dir, PREVIOUS);
	r = write_new(o, dir, d);
	return r ? r : exchange(dir, d);
}
