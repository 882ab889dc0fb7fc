/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit_key - stockade audit key: the public key of this installation's log, and a new one in its place */
#include <errno.h>
#include <string.h>
#include "audit/log_key.h"
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/lineage.h"
#include "supervisor/log/collected_key.h"
#include "supervisor/log/key_event.h"
#include "supervisor/output.h"
#include "supervisor/record_alone.h"

struct key_options {
	bool json, new, collector;
};

static const struct option_row rows[] = {
	{ "new", 0, OPTION_FLAG, offsetof(struct key_options, new), NULL,
		"sign with a new key from now on; the log says so, signed by the old one" },
	{ "collector", 0, OPTION_FLAG, offsetof(struct key_options, collector), NULL,
		"the key of the machine's collector; --new as root" },
	{ "json", 0, OPTION_FLAG, offsetof(struct key_options, json), NULL, "the keys as a list of objects" },
	{ NULL },
};

/* The change stands in the log before it is made: whoever trusts the old key knows by it which the new one is. */
static int record_change(const struct paths *p, const struct log_key *now, struct diag *d)
{
	_cleanup_lineage_ struct lineage lineage = { 0 };
	struct event e;
	json_t *detail = NULL;
	int r = lineage_read(&lineage, d);

	if (r == 0)
		r = key_event(now, &e, &detail);
	if (r < 0)
		return r;
	struct record_alone_args a = { .paths = p, .lineage = &lineage, .server = "", .channel = "key" };
	r = record_alone(&a, &e, detail, d);
	json_decref(detail);
	return r;
}

static int change(const struct paths *p, int state, struct diag *d)
{
	_cleanup_log_key_ struct log_key old = { .id = "" }, now = { .id = "" };
	int r = log_key_take(state, &old, d);

	if (r < 0)
		return r;
	log_key_make(&now);
	r = record_change(p, &now, d);
	return r < 0 ? r : log_key_replace(state, &old, &now, d);
}

static json_t *list_json(const struct log_keys *keys)
{
	char line[LOG_KEY_LINE_MAX];
	json_t *list = json_array();

	for (size_t i = 0; list && i < keys->n; i++) {
		log_key_line(&keys->v[i], line);
		if (json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "id", keys->v[i].id, "public", line,
							"signs", (int)(i == 0))) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static int print(const struct log_keys *keys)
{
	char line[LOG_KEY_LINE_MAX];

	for (size_t i = 0; i < keys->n; i++) {
		log_key_line(&keys->v[i], line);
		printf("%s%s\n", line, i == 0 ? "" : " before");
	}
	return EXIT_OK;
}

static int take_own(bool new, struct log_keys *ret, struct diag *d)
{
	_cleanup_paths_ struct paths p = { 0 };
	_cleanup_log_key_ struct log_key key = { .id = "" };
	_cleanup_close_ int state = -1;
	int r = paths_init(&p, d);

	if (r == 0)
		r = paths_open_state(&p, "", &state, d);
	if (r == 0)
		r = new ? change(&p, state, d) : log_key_take(state, &key, d);
	return r < 0 ? r : log_keys_own(ret, state, d);
}

static int take_collected(bool new, struct log_keys *ret, struct diag *d)
{
	int r = new ? collected_key_change(d) : 0;

	if (new &&r == 0)
		fputs("stockade: audit key: the collector signs with it once it is restarted: systemctl restart "
		      "stockade-collector.service (a session that runs keeps the key of before)\n",
			stderr);
	return r < 0 ? r : collected_keys(ret, d);
}

static int run(const struct command_ctx *ctx)
{
	const struct key_options *o = ctx->options;
	_cleanup_log_keys_ struct log_keys keys = { 0 };
	struct diag d = { "" };
	int r = o->collector ? take_collected(o->new, &keys, &d) : take_own(o->new, &keys, &d);

	if (r < 0)
		return command_refuse(&d, r);
	return o->json ? output_json(stdout, list_json(&keys), "the keys") : print(&keys);
}

const struct command_row cmd_audit_key = {
	.name = "audit key",
	.synopsis = "[--new] [--collector] [--json]",
	.summary = "print the public key that checks the log's signatures, or change it",
	.details =
		"Keep what it prints where the user of this account cannot write, and give it to 'stockade audit "
		"verify "
		"--key FILE'.\n"
		"The first line is the key that signs now, those after it signed before; a file may hold several. With "
		"--new the\n"
		"secret of before is gone: nobody can sign with it any more, not even who takes over this account.",
	.options = rows,
	.options_size = sizeof(struct key_options),
	.run = run,
};
