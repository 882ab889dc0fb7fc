/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_profile_sign - `stockade profile sign`: FILE.minisig beside FILE, or FILE.KEYID.minisig where the first is
 * another's
 *
 * Theory of operation: the bytes that are signed are read once, looked at (signable.h), signed and verified again
 * before anything is written. The signatures that lie there are not touched but for the key's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "sign/signed.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/signing/key_file.h"
#include "supervisor/signing/signable.h"

#define SUFFIX ".minisig"
enum { SHOWN = 300, NAME_SIZE = 256 };

struct sign_options {
	char *key, *comment;
	struct option_fd key_fd, passphrase;
};

static const struct option_row sign_rows[] = {
	{ "key", 0, OPTION_STR, offsetof(struct sign_options, key), "FILE", "sign with the secret key in FILE" },
	{ "key-fd", 0, OPTION_FD, offsetof(struct sign_options, key_fd), "N", "read the secret key from descriptor N" },
	{ "passphrase-fd", 0, OPTION_FD, offsetof(struct sign_options, passphrase), "N",
		"take the passphrase from the first line of descriptor N" },
	{ "comment", 0, OPTION_STR, offsetof(struct sign_options, comment), "TEXT",
		"put TEXT into the trusted comment, which the signature covers" },
	{ 0 },
};

static void sign_done(void *options)
{
	struct sign_options *o = options;

	free(o->key);
	free(o->comment);
}

/* The file that is signed. */
struct subject {
	const char *path, *name; /* name: in dir */
	int dir;
	struct buf bytes;
	enum signable kind;
};

static void subject_done(struct subject *s)
{
	cleanup_close(&s->dir);
	buf_done(&s->bytes);
}

static int read_subject(const char *path, struct subject *s, struct diag *d)
{
	int r = key_file_dir(path, &s->dir, &s->name, d);

	s->path = path;
	s->bytes = BUF_INIT(SIGNABLE_BYTES_MAX);
	if (r == 0)
		r = fs_read_trusted(s->dir, s->name, FS_TRUST_USER, getuid(), &s->bytes, d);
	return r ? r : signable_check(path, s->bytes.data ? s->bytes.data : "", s->bytes.len, &s->kind, d);
}

/* "timestamp:N\tfile:NAME\thashed", as minisign has it, and what the person adds. */
static int make_comment(const struct subject *s, const char *added, char **ret)
{
	char name[NAME_SIZE];

	text_escape_str(s->name, name, sizeof(name));
	if (asprintf(ret, "timestamp:%lld\tfile:%s\thashed%s%s", (long long)time(NULL), name, added ? "\t" : "",
		    added ? added : "") < 0) {
		*ret = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int make_signature(
	const struct subject *s, const struct sign_secret *secret, const char *added, struct buf *ret, struct diag *d)
{
	_cleanup_sign_signature_ struct sign_signature made = { 0 };
	_cleanup_free_ char *comment = NULL;
	struct sign_key k;
	int r = make_comment(s, added, &comment);

	if (r < 0)
		return diag_fail(d, r, "cannot sign: %s", strerror(-r));
	sign_secret_public(secret, &k);
	r = sign_secret_sign(secret, s->bytes.data, s->bytes.len, comment, &made, d);
	/* A processor that errs while it signs can give the key away (fault attacks on Ed25519): such a one goes
	 * nowhere. */
	if (r == 0)
		r = sign_verify(&k, &made, "the new signature", s->bytes.data, s->bytes.len, d);
	if (r < 0)
		return r;
	r = sign_signature_text(&made, NULL, ret);
	return r ? diag_fail(d, r, "cannot write a signature: %s", strerror(-r)) : 0;
}

/* Whose is the signature of that name: 1 ours, 0 there is none, -EEXIST another's or unreadable. */
static int whose(const struct subject *s, const char *name, const struct sign_key *k)
{
	_cleanup_sign_signature_ struct sign_signature there = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT(SIGN_FILE_MAX);
	struct diag d;

	if (faccessat(s->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	if (fs_read_trusted(s->dir, name, FS_TRUST_USER, getuid(), &b, &d) < 0 ||
		sign_signature_parse(name, b.data ? b.data : "", b.len, &there, &d) < 0)
		return -EEXIST;
	return memcmp(there.id, k->id, sizeof(there.id)) == 0 ? 1 : -EEXIST;
}

/* FILE.minisig if it is free or ours, else FILE.KEYID.minisig. */
static int name_signature(const struct subject *s, const struct sign_key *k, char ret[NAME_SIZE], struct diag *d)
{
	char id[SIGN_ID_HEX], shown[SHOWN];
	int n = snprintf(ret, NAME_SIZE, "%s" SUFFIX, s->name);

	if (n < NAME_SIZE && whose(s, ret, k) >= 0)
		return 0;
	n = snprintf(ret, NAME_SIZE, "%s.%s" SUFFIX, s->name, sign_id_text(k->id, id));
	return n < NAME_SIZE ? 0
			     : diag_fail(d, -ENAMETOOLONG, "%s: its name is too long to have a signature beside it",
				       text_escape_str(s->name, shown, sizeof(shown)));
}

/* What other keys signed may have been an earlier version: then all of it denies, and whoever signs should hear that
 * now. */
static void warn_of_others(const struct subject *s, const struct sign_key *k)
{
	_cleanup_keyring_ struct keyring own = { 0 };
	_cleanup_verified_ struct verified v = { 0 };
	struct signed_place at = { s->dir, ".", FS_TRUST_USER, getuid() };
	struct diag d = { "" };
	_cleanup_paths_ struct paths p = { 0 };
	char shown[SHOWN];

	if (paths_init(&p, &d) < 0 || key_file_keyring(&p, &own, &d) < 0)
		keyring_done(&own);
	if (!keyring_by_id(&own, k->id) && keyring_add(&own, "this-key", "this key", k, &d) < 0)
		return;
	if (signed_read(&at, s->name, SIGNABLE_BYTES_MAX, &own, &v, &d) < 0)
		command_error("%s is signed, but it will be refused until this is mended: %s",
			text_escape_str(s->path, shown, sizeof(shown)), d.text);
}

static int write_signature(
	const struct subject *s, const struct sign_secret *secret, const struct buf *text, struct diag *d)
{
	char name[NAME_SIZE], id[SIGN_ID_HEX], shown[SHOWN], file[SHOWN];
	struct sign_key k;
	int r;

	sign_secret_public(secret, &k);
	r = name_signature(s, &k, name, d);
	if (r == 0)
		r = fs_write_atomic(s->dir, name, text->data, text->len, 0644, d);
	if (r < 0)
		return r;
	printf("%s %s signed by key %s: %s\n", signable_words(s->kind), text_escape_str(s->path, shown, sizeof(shown)),
		sign_id_text(k.id, id), text_escape_str(name, file, sizeof(file)));
	warn_of_others(s, &k);
	return 0;
}

static int run_profile_sign(const struct command_ctx *ctx)
{
	const struct sign_options *o = ctx->options;
	_cleanup_(subject_done) struct subject s = { .dir = -1 };
	_cleanup_sign_secret_ struct sign_secret *secret = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(SIGN_FILE_MAX);
	struct diag d = { "out of memory" };
	int r;

	if (!o->key == !o->key_fd.given)
		return command_usage(ctx, "one of --key FILE and --key-fd N says which key signs");
	r = read_subject(ctx->args.v[0], &s, &d);
	if (r == 0)
		r = key_file_open(o->key, &o->key_fd, &o->passphrase, &secret, &d);
	if (r == 0)
		r = make_signature(&s, secret, o->comment, &text, &d);
	if (r == 0)
		r = write_signature(&s, secret, &text, &d);
	if (r == 0)
		return EXIT_OK;
	return command_refuse(&d, r);
}

const struct command_row cmd_profile_sign = {
	.name = "profile sign",
	.synopsis = "--key FILE | --key-fd N [--passphrase-fd N] [--comment TEXT] FILE",
	.summary = "sign a profile, pins, a bundle or a revocation",
	.details = "Writes FILE.minisig, or FILE.KEYID.minisig where the first is another key's, so that several can "
		   "sign one file. "
		   "What has a mistake in it is not signed. Debian's minisign verifies such a signature with -V -x.",
	.options = sign_rows,
	.options_size = sizeof(struct sign_options),
	.options_done = sign_done,
	.min_args = 1,
	.max_args = 1,
	.loosens = true,
	.run = run_profile_sign,
};
