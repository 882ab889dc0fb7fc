/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_bundle_new - `stockade bundle new`: one file of all that a fleet shall have, to be signed
 *
 * Theory of operation: the parts are read from a directory that is laid out as /etc/stockade is (bundle_make.h); what
 * came of it is then looked at as `profile sign` does before it signs, each part by the parser that will read it. Only
 * then is it written, all at once.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/fs.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/bundle/bundle_make.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/output.h"
#include "supervisor/signing/key_file.h"
#include "supervisor/signing/signable.h"

enum { SHOWN = 300 };

struct new_options {
	char *name, *expires, *description, *output;
	uint64_t version;
};

static const struct option_row new_rows[] = {
	{ "name", 0, OPTION_STR, offsetof(struct new_options, name), "NAME", "what it is called, for people" },
	{ "version", 0, OPTION_U64, offsetof(struct new_options, version), "N", "a whole number, higher with each" },
	{ "expires", 0, OPTION_STR, offsetof(struct new_options, expires), "TIME",
		"from then on nothing of it holds: a date, or a moment in UTC" },
	{ "description", 0, OPTION_STR, offsetof(struct new_options, description), "TEXT", "for people" },
	{ "output", 'o', OPTION_STR, offsetof(struct new_options, output), "FILE",
		"where it is written; bundle.json where nothing else is said" },
	{ 0 },
};

static void new_done(void *options)
{
	struct new_options *o = options;

	free(o->name);
	free(o->expires);
	free(o->description);
	free(o->output);
}

static json_t *head(const struct new_options *o, int64_t expires)
{
	char issued[OUTPUT_TIME_SIZE], until[OUTPUT_TIME_SIZE];

	return json_pack("{s:i, s:s, s:I, s:s, s:s, s:s*}", "stockade", 1, "bundle", o->name, "version",
		(json_int_t)o->version, "issued", output_time((int64_t)time(NULL), issued), "expires",
		output_time(expires, until), "description", o->description);
}

static int check(const char *path, const char *text, struct diag *d)
{
	enum signable kind;
	int r = strlen(text) > BUNDLE_BYTES_MAX
			? diag_fail(d, -E2BIG, "it would have %zu bytes, and nobody reads one of more than %d",
				  strlen(text), BUNDLE_BYTES_MAX)
			: signable_check(path, text, strlen(text), &kind, d);

	if (r < 0)
		diag_prefix(d, "nothing was written: ");
	return r;
}

static int write_bundle(const char *path, const char *text, struct diag *d)
{
	_cleanup_close_ int dir = -1;
	const char *name;
	int r = key_file_dir(path, &dir, &name, d);

	return r < 0 ? r : fs_write_atomic(dir, name, text, strlen(text), 0644, d);
}

static void say(const char *path, const json_t *bundle)
{
	char shown[SHOWN];

	static const struct {
		const char *key, *one, *more;
	} parts[] = {
		{ "profiles", "profile", "profiles" },
		{ "pins", "file of pins", "files of pins" },
		{ "revocations", "revocation", "revocations" },
		{ "kill", "kill entry", "kill entries" },
		{ "groups", "group", "groups" },
	};

	printf("%s: ", text_escape_str(path, shown, sizeof(shown)));
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const json_t *part = json_object_get(bundle, parts[i].key);
		size_t n = json_is_object(part) ? json_object_size(part) : json_array_size(part);
		printf("%s%zu %s", i ? ", " : "", n, n == 1 ? parts[i].one : parts[i].more);
	}
	puts("; 'stockade profile sign' signs it");
}

static int make(const struct new_options *o, const char *from, int64_t expires, struct diag *d)
{
	const char *path = o->output ? o->output : "bundle.json";
	json_t *bundle = head(o, expires);
	_cleanup_free_ char *text = NULL;
	int r = bundle ? bundle_make(from, bundle, d) : diag_fail(d, -EILSEQ, "--name is not UTF-8");

	if (r == 0 && !(text = json_dumps(bundle, JSON_INDENT(1))))
		r = -ENOMEM;
	if (r == 0)
		r = check(path, text, d);
	if (r == 0)
		r = write_bundle(path, text, d);
	if (r == 0)
		say(path, bundle);
	json_decref(bundle);
	return r;
}

static int run_bundle_new(const struct command_ctx *ctx)
{
	const struct new_options *o = ctx->options;
	struct diag d = { "out of memory" };
	int64_t expires;

	if (!o->name || !o->version || !o->expires)
		return command_usage(ctx, "--name, --version and --expires have to be given");
	if (o->version > INT64_MAX || parse_time(o->expires, &expires) < 0)
		return command_usage(ctx, "--expires takes a date or a moment in UTC, such as 2027-01-01T00:00:00Z");
	if (make(o, ctx->args.v[0], expires, &d) == 0)
		return EXIT_OK;
	return command_refuse(&d, 0);
}

const struct command_row cmd_bundle_new = {
	.name = "bundle new",
	.synopsis = "--name NAME --version N --expires TIME [--description TEXT] [-o FILE] DIR",
	.summary = "put profiles, pins, revocations, kills and groups into one file",
	.details =
		"DIR is laid out as /etc/stockade is: profiles/, pins/, revocations/, kill.d/, groups.json; each may "
		"be absent. Digests are filled in, and each part is looked at by what will read it: one with a "
		"mistake in it makes no bundle. 'stockade profile sign' signs the file.",
	.options = new_rows,
	.options_size = sizeof(struct new_options),
	.options_done = new_done,
	.min_args = 1,
	.max_args = 1,
	.run = run_bundle_new,
};
