/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_key - `stockade key new`: a pair of files, NAME.key that signs and NAME.pub that everybody may have */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/signing/key_file.h"
#include "supervisor/signing/passphrase.h"

enum { SHOWN = 300, PATH_SIZE = KEYRING_NAME_MAX + 8 };

struct key_new_options {
	struct option_fd passphrase;
	char *format;
};

static const struct option_row key_new_rows[] = {
	{ "passphrase-fd", 0, OPTION_FD, offsetof(struct key_new_options, passphrase), "N",
		"take the passphrase from the first line of descriptor N" },
	{ "format", 0, OPTION_STR, offsetof(struct key_new_options, format), "FORM",
		"stockade (Argon2id, the default) or minisign (scrypt)" },
	{ 0 },
};

static void key_new_done(void *options)
{
	free(((struct key_new_options *)options)->format);
}

/* What is about to be made. */
struct making {
	int dir;
	char key[PATH_SIZE], pub[PATH_SIZE];
	enum sign_protection how;
};

static void making_done(struct making *m)
{
	cleanup_close(&m->dir);
}

static int find_format(const char *word, enum sign_protection *ret)
{
	if (!word || strcmp(word, "stockade") == 0)
		*ret = SIGN_ARGON2ID;
	else if (strcmp(word, "minisign") == 0)
		*ret = SIGN_SCRYPT;
	else
		return -EINVAL;
	return 0;
}

/* Both names are free, before a passphrase is asked for. */
static int prepare(const char *path, struct making *m, struct diag *d)
{
	const char *name = NULL;
	char shown[SHOWN];
	struct stat st;
	int r = key_file_dir(path, &m->dir, &name, d);

	if (r < 0)
		return r;
	if (!keyring_name_valid(name, strlen(name)))
		return diag_fail(d, -EINVAL,
			"a key is called by letters, digits, '-' and '_', at most %d of them, not '%s'",
			KEYRING_NAME_MAX, text_escape_str(name, shown, sizeof(shown)));
	snprintf(m->key, sizeof(m->key), "%s.key", name);
	snprintf(m->pub, sizeof(m->pub), "%s.pub", name);
	if (fstatat(m->dir, m->key, &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		fstatat(m->dir, m->pub, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return diag_fail(d, -EEXIST,
			"%s or %s exists, and a key is never overwritten: take another name, or move the old one away",
			m->key, m->pub);
	return 0;
}

static int make(const struct making *m, const struct sign_secret *s, const char *passphrase, struct diag *d)
{
	_cleanup_wiped_buf_ struct buf secret = BUF_INIT(SIGN_SECRET_MAX);
	_cleanup_buf_ struct buf public = BUF_INIT(SIGN_PUB_MAX);
	struct sign_key k;
	int r = sign_secret_text(s, m->how, NULL, passphrase, &secret, d);

	if (r < 0)
		return r;
	sign_secret_public(s, &k);
	r = sign_key_text(&k, NULL, &public);
	if (r < 0)
		return diag_fail(d, r, "cannot write the public key: %s", strerror(-r));
	r = key_file_make(m->dir, m->key, &secret, 0600, d);
	if (r < 0)
		return r;
	r = key_file_make(m->dir, m->pub, &public, 0644, d);
	if (r < 0)
		/* Half a pair is of no use, and its name would be taken. */
		unlinkat(m->dir, m->key, 0);
	else if (fsync(m->dir) < 0 && errno != EINVAL)
		r = diag_fail(d, -errno, "cannot sync the directory: %s", strerror(errno));
	return r;
}

static int key_new(const struct command_ctx *ctx, struct making *m, struct diag *d)
{
	const struct key_new_options *o = ctx->options;
	_cleanup_sign_secret_ struct sign_secret *s = NULL;
	_cleanup_passphrase_ char *passphrase = NULL;
	char id[SIGN_ID_HEX];
	struct sign_key k;
	int r = prepare(ctx->args.v[0], m, d);

	if (r == 0)
		r = passphrase_hide(d);
	if (r == 0)
		r = passphrase_read(&o->passphrase, "for the new key", true, &passphrase, d);
	if (r == 0)
		r = sign_secret_new(&s, d);
	if (r == 0)
		r = make(m, s, passphrase, d);
	if (r < 0)
		return r;
	sign_secret_public(s, &k);
	printf("key %s\n  %s  signs; keep it secret, and a copy of it and its passphrase where this machine's loss "
	       "does not "
	       "reach\n  %s  verifies; it goes to " KEYS_DIR " of each machine that shall believe this key\n",
		sign_id_text(k.id, id), m->key, m->pub);
	return 0;
}

static int run_key_new(const struct command_ctx *ctx)
{
	const struct key_new_options *o = ctx->options;
	_cleanup_(making_done) struct making m = { .dir = -1 };
	struct diag d = { "out of memory" };

	if (find_format(o->format, &m.how) < 0)
		return command_usage(ctx, "--format is 'stockade' or 'minisign', not '%s'", o->format);
	if (key_new(ctx, &m, &d) == 0)
		return EXIT_OK;
	return command_refuse(&d, 0);
}

const struct command_row cmd_key_new = {
	.name = "key new",
	.synopsis = "[--format FORM] [--passphrase-fd N] NAME",
	.summary = "make a key that signs profiles, and its public half",
	.details = "Writes NAME.key, which a passphrase protects, and NAME.pub. Public keys and signatures are "
		   "minisign's; so is "
		   "the secret key with --format minisign, which that program can open as well. Nothing is ever "
		   "overwritten.",
	.options = key_new_rows,
	.options_size = sizeof(struct key_new_options),
	.options_done = key_new_done,
	.min_args = 1,
	.max_args = 1,
	.run = run_key_new,
};
