/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_bundle_show - `stockade bundle show`: what a bundle says, and whose signatures lie beside it */
#include <errno.h>
#include <string.h>
#include <time.h>
#include "base/text.h"
#include "supervisor/bundle/bundle.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/kill/kill_set.h"
#include "supervisor/output.h"
#include "supervisor/profile_parse.h"
#include "supervisor/question_words.h"
#include "supervisor/signing/key_file.h"

enum { SHOWN = 512 };

struct show_options {
	bool json;
};

static const struct option_row show_rows[] = {
	{ "json", 0, OPTION_FLAG, offsetof(struct show_options, json), NULL, "one JSON object instead of text" },
	{ 0 },
};

struct showing {
	struct bundle b;
	struct verified v;
	struct keyring keys;
	struct kill_set kills;
	struct paths paths;
};

static void showing_done(struct showing *s)
{
	kill_set_done(&s->kills);
	bundle_done(&s->b);
	verified_done(&s->v);
	keyring_done(&s->keys);
	paths_done(&s->paths);
}

static int load(const char *path, struct showing *s, struct diag *d)
{
	int r = sign_init() < 0 ? diag_fail(d, -EIO, "libsodium cannot be used here") : paths_init(&s->paths, d);

	if (r == 0)
		r = key_file_keyring(&s->paths, &s->keys, d);
	if (r == 0)
		r = signed_read_file(path, FS_TRUST_USER, getuid(), BUNDLE_BYTES_MAX, &s->keys, &s->v, d);
	if (r == 0)
		r = bundle_parse(path, s->v.bytes.data ? s->v.bytes.data : "", s->v.bytes.len, &s->keys, &s->b, d);
	return r < 0 ? r : kill_set_add_list(&s->kills, s->b.kills, path);
}

/* -1: it cannot be read. */
static json_int_t version_of(const struct bundle_file *f)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct diag ignored = { "" };

	return profile_parse(f->where, f->verified.bytes.data ? f->verified.bytes.data : "", f->verified.bytes.len,
		       f->name, &p, &ignored) < 0
		       ? -1
		       : (json_int_t)p.version;
}

static json_t *files_json(const struct bundle_file *v, size_t n, bool profiles)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < n; i++) {
		char digest[BUNDLE_DIGEST_SIZE];
		json_t *version = profiles ? json_integer(version_of(&v[i])) : NULL;
		bundle_digest(
			v[i].verified.bytes.data ? v[i].verified.bytes.data : "", v[i].verified.bytes.len, digest);
		all = json_list_add(all, json_pack("{s:o, s:s, s:o*}", "name", question_shown_json(v[i].name), "digest",
						 digest, "version", version));
	}
	return all;
}

static json_t *kills_json(const struct kill_set *set)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < set->n; i++)
		all = json_list_add(all, kill_entry_json(&set->v[i]));
	return all;
}

static json_t *groups_json(const struct policy_groups *g)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < g->n; i++)
		all = json_list_add(all, question_shown_json(g->v[i].name));
	return all;
}

static json_t *signers_json(const struct verified *v)
{
	json_t *all = json_array();

	for (size_t i = 0; all && i < v->n; i++) {
		char id[SIGN_ID_HEX];
		all = json_list_add(
			all, json_pack("{s:s, s:s?}", "id", sign_id_text(v->v[i].id, id), "key", v->v[i].name));
	}
	return all;
}

static const struct {
	const char *word, *line;
} holds[] = {
	[BUNDLE_HOLDS] = { "now", NULL },
	[BUNDLE_OVER] = { "over",
		"It has expired: nothing of it holds, and a machine where it is the newest starts nothing." },
	[BUNDLE_AHEAD] = { "ahead", "It was issued later than this machine's clock says: none takes it before, and one "
				    "where it lies in its place starts nothing." },
};
_Static_assert(ARRAY_LEN(holds) == BUNDLE_AHEAD + 1, "words for each");

static json_t *describe(const struct showing *s)
{
	char issued[OUTPUT_TIME_SIZE], expires[OUTPUT_TIME_SIZE];

	return json_pack("{s:o, s:I, s:s, s:s, s:s, s:o, s:o, s:O, s:o, s:o, s:o}", "bundle",
		question_shown_json(s->b.name), "version", (json_int_t)s->b.version, "issued",
		output_time(s->b.issued, issued), "expires", output_time(s->b.expires, expires), "holds",
		holds[bundle_holds(&s->b, (int64_t)time(NULL))].word, "profiles",
		files_json(s->b.profiles, s->b.n_profiles, true), "pins", files_json(s->b.pins, s->b.n_pins, false),
		"revocations", s->b.revocations, "kill", kills_json(&s->kills), "groups", groups_json(&s->b.groups),
		"signers", signers_json(&s->v));
}

static void print(const struct showing *s)
{
	const char *line = holds[bundle_holds(&s->b, (int64_t)time(NULL))].line;
	char name[SHOWN], by[KILL_WORDS_SIZE], from[OUTPUT_TIME_SIZE], to[OUTPUT_TIME_SIZE], id[SIGN_ID_HEX];

	printf("bundle '%s', version %llu, from %s to %s\n", text_escape_str(s->b.name, name, sizeof(name)),
		(unsigned long long)s->b.version, output_time(s->b.issued, from), output_time(s->b.expires, to));
	if (line)
		printf("  %s\n", line);
	for (size_t i = 0; i < s->b.n_profiles; i++)
		printf("  profile  %s, version %lld\n", text_escape_str(s->b.profiles[i].name, name, sizeof(name)),
			(long long)version_of(&s->b.profiles[i]));
	for (size_t i = 0; i < s->b.n_pins; i++)
		printf("  pins     %s\n", text_escape_str(s->b.pins[i].name, name, sizeof(name)));
	if (json_array_size(s->b.revocations))
		printf("  revokes  %zu statements\n", json_array_size(s->b.revocations));
	for (size_t i = 0; i < s->kills.n; i++)
		printf("  kills    %s, %s\n", kill_entry_what(&s->kills.v[i], name, sizeof(name)),
			kill_entry_by(&s->kills.v[i], by, sizeof(by)));
	for (size_t i = 0; i < s->b.groups.n; i++)
		printf("  group    %s\n", text_escape_str(s->b.groups.v[i].name, name, sizeof(name)));
	for (size_t i = 0; i < s->v.n; i++)
		printf("  signed   by %s (key %s)\n",
			s->v.v[i].name ? text_escape_str(s->v.v[i].name, name, sizeof(name)) : "an unknown key",
			sign_id_text(s->v.v[i].id, id));
	if (s->v.n == 0)
		puts("  It is not signed.");
}

static int run_bundle_show(const struct command_ctx *ctx)
{
	const struct show_options *o = ctx->options;
	_cleanup_(showing_done) struct showing s = { 0 };
	struct diag d = { "out of memory" };

	if (load(ctx->args.v[0], &s, &d) < 0)
		return command_refuse(&d, 0);
	if (o->json)
		return output_json(stdout, describe(&s), "the bundle");
	print(&s);
	return EXIT_OK;
}

const struct command_row cmd_bundle_show = {
	.name = "bundle show",
	.synopsis = "[--json] FILE",
	.summary = "say what is in a bundle, and whose signatures it has",
	.details = "Of a signature by a key that is not known here the id alone is said. Whether they are enough is "
		   "'stockade profile verify' to say.",
	.options = show_rows,
	.options_size = sizeof(struct show_options),
	.min_args = 1,
	.max_args = 1,
	.run = run_bundle_show,
};
