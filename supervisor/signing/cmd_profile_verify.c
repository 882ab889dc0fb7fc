/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_profile_verify - `stockade profile verify`: who signed these bytes, and are they enough */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "base/parse.h"
#include "base/text.h"
#include "sign/judge.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/output.h"
#include "supervisor/policy/policy.h"
#include "supervisor/signing/key_file.h"
#include "supervisor/signing/moments.h"
#include "supervisor/signing/signable.h"

enum { SHOWN = 300 };

struct verify_options {
	char *pub, *keys, *need;
	bool json;
};

static const struct option_row verify_rows[] = {
	{ "pub", 0, OPTION_STR, offsetof(struct verify_options, pub), "FILE",
		"believe the public key in FILE, and no other" },
	{ "keys", 0, OPTION_STR, offsetof(struct verify_options, keys), "DIR",
		"believe the public keys in DIR, and no others" },
	{ "need", 0, OPTION_STR, offsetof(struct verify_options, need), "N",
		"so many keys must have signed; 1 unless given" },
	{ "json", 0, OPTION_FLAG, offsetof(struct verify_options, json), NULL, "one JSON object instead of text" },
	{ 0 },
};

static void verify_done(void *options)
{
	struct verify_options *o = options;

	free(o->pub);
	free(o->keys);
	free(o->need);
}

/* As in a directory of keys: the file without ".pub". */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	size_t n = strlen(file);

	return strndup(file, n > 4 && strcmp(file + n - 4, ".pub") == 0 ? n - 4 : n);
}

static int load_pub(const char *path, struct keyring *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(SIGN_PUB_MAX);
	struct sign_key k;
	int r = fs_read_trusted_file(path, FS_TRUST_USER, getuid(), &b, d);

	if (r == 0)
		r = sign_key_parse(path, b.data ? b.data : "", b.len, &k, d);
	_cleanup_free_ char *name = r ? NULL : name_of(path);
	return r ? r : !name ? -ENOMEM : keyring_add(ret, name, path, &k, d);
}

static int load_dir(const char *path, struct keyring *ret, struct diag *d)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char shown[SHOWN];

	if (fd < 0)
		return diag_fail(
			d, -errno, "cannot open %s: %s", text_escape_str(path, shown, sizeof(shown)), strerror(errno));
	return keyring_add_dir(ret, fd, path, FS_TRUST_USER, getuid(), d);
}

static int load_keys(const struct verify_options *o, struct keyring *ret, struct diag *d)
{
	_cleanup_paths_ struct paths p = { 0 };
	int r;

	if (o->pub)
		return load_pub(o->pub, ret, d);
	if (o->keys)
		return load_dir(o->keys, ret, d);
	r = paths_init(&p, d);
	if (r == 0)
		r = key_file_keyring(&p, ret, d);
	if (r < 0 || ret->n > 0)
		return r;
	return diag_fail(d, -ENOENT,
		"there is no key to verify with: " KEYS_DIR " has none%s; name one with --pub FILE or --keys DIR",
		access(POLICY_FILE, F_OK) == 0 ? "" : ", and neither has the user's own configuration");
}

/* --- what was found --- */

struct findings {
	const char *path;
	const struct keyring *keys;
	const struct verified *v;
	struct verdict verdict;
	bool enough;
	const char *words;
};

static void print_text(const struct findings *f)
{
	char file[SHOWN], comment[SHOWN], id[SIGN_ID_HEX], when[OUTPUT_TIME_SIZE];

	for (size_t i = 0; i < f->v->n; i++) {
		const struct signer *s = &f->v->v[i];
		bool said = s->name && s->when;
		printf("%-8s %s  %s  %s\n", s->name ? "good" : "unknown", sign_id_text(s->id, id),
			s->name ? s->name : "-", text_escape_str(s->file, file, sizeof(file)));
		if (s->name)
			printf("         %s%s%s\n", said ? output_time(s->when, when) : "", said ? "  " : "",
				text_escape_str(s->comment, comment, sizeof(comment)));
	}
	printf("%s: %s: %s\n", text_escape_str(f->path, file, sizeof(file)), f->enough ? "verified" : "not verified",
		f->words);
}

static json_t *signer_json(const struct signer *s, enum judge_reason reason)
{
	char id[SIGN_ID_HEX], when[OUTPUT_TIME_SIZE];
	bool said = s->name && s->when;

	return json_pack("{s:s, s:s?, s:s, s:s?, s:s?, s:b, s:b, s:s}", "id", sign_id_text(s->id, id), "key", s->name,
		"file", s->file, "when", said ? output_time(s->when, when) : NULL, "comment", s->comment, "prehashed",
		s->prehashed, "counts", reason == JUDGE_COUNTS, "words", judge_reason_words(reason));
}

static json_t *findings_json(const struct findings *f)
{
	json_t *signers = json_array();

	for (size_t i = 0; signers && i < f->v->n; i++)
		signers = json_list_add(signers, signer_json(&f->v->v[i], f->verdict.of[i]));
	return json_pack("{s:s, s:b, s:i, s:i, s:s, s:o}", "file", f->path, "verified", f->enough, "need",
		(int)f->verdict.need, "counted", (int)f->verdict.counted, "words", f->words, "signers", signers);
}

/* Every key that is believed counts; what policy makes of them is shown by check, of a profile that is in its place. */
static int judge_all(unsigned need, struct findings *f, struct diag *d)
{
	struct judge_key keys[KEYRING_MAX] = { 0 };
	struct judge_rule rule = {
		.need = need, .keys = keys, .n_keys = f->keys->n, .now = (int64_t)time(NULL), .where = "this check"
	};

	for (size_t i = 0; i < f->keys->n; i++)
		keys[i].name = f->keys->v[i].name;
	return judge(&rule, f->keys, f->v, &f->verdict, d);
}

/* A launch asks the same: the clock is wrong, or the signer's was. */
static int check_moments(const struct verified *v, struct diag *d)
{
	struct moments m = { .now = (int64_t)time(NULL) };
	char file[SHOWN];

	for (size_t i = 0; i < v->n; i++)
		if (v->v[i].name)
			moments_tell(&m, v->v[i].when, "the signature %s was made",
				text_escape_str(v->v[i].file, file, sizeof(file)));
	return moments_check(&m, "what signatures are worth hangs on the time", d);
}

static int verify(const struct verify_options *o, unsigned need, const char *path, struct diag *d)
{
	_cleanup_keyring_ struct keyring keys = { 0 };
	_cleanup_verified_ struct verified v = { 0 };
	struct findings f = { .path = path, .keys = &keys, .v = &v };
	int r = sign_init() < 0 ? diag_fail(d, -EIO, "libsodium cannot be used here") : load_keys(o, &keys, d);

	if (r == 0)
		r = signed_read_file(path, FS_TRUST_USER, getuid(), SIGNABLE_BYTES_MAX, &keys, &v, d);
	if (r < 0)
		return r;
	r = judge_all(need, &f, d);
	if (r < 0 && r != -EACCES)
		return r;
	f.enough = r == 0 && check_moments(&v, d) == 0;
	f.words = d->text;
	if (o->json)
		r = output_json(stdout, findings_json(&f), "what was found");
	else
		print_text(&f);
	return o->json && r != EXIT_OK ? r : f.enough ? EXIT_OK : EXIT_FINDINGS;
}

static int run_profile_verify(const struct command_ctx *ctx)
{
	const struct verify_options *o = ctx->options;
	struct diag d = { "out of memory" };
	uint64_t need = 1;
	int r;

	if (o->pub && o->keys)
		return command_usage(ctx, "--pub and --keys both say which keys are believed; one of them is enough");
	if (o->need && parse_u64(o->need, 1, SIGNED_MAX, &need) < 0)
		return command_usage(ctx, "--need %s: a number from 1 to %d, the most signatures that a file has",
			o->need, SIGNED_MAX);
	r = verify(o, (unsigned)need, ctx->args.v[0], &d);
	if (r >= 0)
		return r;
	command_error("%s", d.text);
	/* A signature that is damaged or does not fit is what was looked for. */
	return r == -EBADMSG || r == -EINVAL ? EXIT_FINDINGS : EXIT_REFUSED;
}

const struct command_row cmd_profile_verify = {
	.name = "profile verify",
	.synopsis = "[--pub FILE | --keys DIR] [--need N] [--json] FILE",
	.summary = "say who signed a profile, pins, a bundle or a revocation",
	.details = "Reads FILE once, and FILE.minisig and FILE.WORD.minisig beside it. One signature that is damaged "
		   "or does not fit is an "
		   "error, whatever the others say; one of a key that is not believed counts for nothing.",
	.options = verify_rows,
	.options_size = sizeof(struct verify_options),
	.options_done = verify_done,
	.min_args = 1,
	.max_args = 1,
	.run = run_profile_verify,
};
