/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_audit_prune - stockade audit prune: removes logs that are old enough, and says so in the index */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include "audit/prune.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/cmd_audit.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/json_list.h"
#include "supervisor/log/collected.h"
#include "supervisor/log/log_prune.h"
#include "supervisor/output.h"

enum { WORDS_MAX = 128 };
#define AGE_MAX_S (1000ull * 366 * 24 * 3600)

struct prune_options {
	bool dry_run, collector, json;
	char *older, *size;
};

static const struct option_row rows[] = {
	{ "older", 0, OPTION_STR, offsetof(struct prune_options, older), "AGE",
		"sessions that ended so long ago, such as 90d; not where the policy says how long" },
	{ "size", 0, OPTION_STR, offsetof(struct prune_options, size), "SIZE",
		"the oldest sessions, until the rest takes no more than SIZE, such as 10GiB; not where the policy says "
		"how much" },
	{ "collector", 0, OPTION_FLAG, offsetof(struct prune_options, collector), NULL,
		"the logs of all users that the machine's collector keeps; as root or its user" },
	{ "dry-run", 0, OPTION_FLAG, offsetof(struct prune_options, dry_run), NULL,
		"say what would go, and remove nothing" },
	{ "json", 0, OPTION_FLAG, offsetof(struct prune_options, json), NULL, "what went as a JSON object" },
	{ NULL },
};

struct pruning {
	struct prune_rules rules;
	struct policy policy;
	char older[WORDS_MAX], size[WORDS_MAX];
	struct log_key key;
	const char *uid; /* whose log of the collector's; NULL: one's own */
	bool json;
	json_t *logs; /* with json; NULL: no memory for all of them */
	uint64_t sessions, bytes;
};

/* --- what went is told --- */

static void tell(void *of, const struct pruned *one)
{
	struct pruning *p = of;

	p->sessions++;
	p->bytes += one->bytes;
	if (p->json)
		p->logs = json_list_add(
			p->logs, json_pack("{s:s?, s:s, s:s, s:I, s:I, s:s}", "uid", p->uid, "file", one->file,
					 "session", one->session, "records", (json_int_t)one->records, "bytes",
					 (json_int_t)one->bytes, "why", one->why));
	else
		printf("%s %s%s%s: %" PRIu64 " records, %" PRIu64 " bytes, %s\n",
			p->rules.dry ? "would remove" : "removed", p->uid ? p->uid : "", p->uid ? "/" : "", one->file,
			one->records, one->bytes, one->why);
}

/* What went before something failed is gone, and told all the same. */
static int report_json(struct pruning *p, const char *failed)
{
	json_t *logs = p->logs;

	p->logs = NULL;
	return output_json(stdout,
		logs ? json_pack("{s:b, s:I, s:I, s:o, s:s?}", "dry_run", (int)p->rules.dry, "sessions",
			       (json_int_t)p->sessions, "bytes", (json_int_t)p->bytes, "logs", logs, "failed", failed)
		     : NULL,
		"what went");
}

static int report(struct pruning *p, int r, const struct diag *d)
{
	int status = r < 0 ? command_refuse(d, r) : EXIT_OK;

	if (p->json && report_json(p, r < 0 ? d->text : NULL) != EXIT_OK)
		return EXIT_REFUSED;
	if (!p->json && r >= 0)
		printf("%s %" PRIu64 " %s, %" PRIu64 " bytes\n", p->rules.dry ? "would remove" : "removed", p->sessions,
			p->sessions == 1 ? "session" : "sessions", p->bytes);
	return status;
}

/* --- what is to go --- */

static void say_unused(const char *option, const char *where)
{
	fprintf(stderr, "stockade: audit prune: %s counts for nothing here: %s\n", option, where);
}

/* 0, or EXIT_USAGE with the sentence printed. The policy comes before the command line. */
static int take_rules(const struct command_ctx *ctx, struct pruning *p)
{
	const struct prune_options *o = ctx->options;
	const struct policy_audit *a = &p->policy.audit;

	p->rules = log_prune_rules(&p->policy, o->collector);
	p->rules.dry = o->dry_run;
	if (o->older && parse_duration(o->older, 1, AGE_MAX_S, a->older_s ? &(uint64_t){ 0 } : &p->rules.older_s) < 0)
		return command_usage(ctx, "--older takes an age such as 90d or 12h");
	if (o->size && parse_size(o->size, 1, INT64_MAX, a->size ? &(uint64_t){ 0 } : &p->rules.size) < 0)
		return command_usage(ctx, "--size takes a number of bytes such as 500MiB or 10GiB");
	snprintf(p->older, sizeof(p->older), "--older %s", o->older ? o->older : "");
	snprintf(p->size, sizeof(p->size), "--size %s", o->size ? o->size : "");
	if (!a->older_s)
		p->rules.older_where = p->older;
	else if (o->older)
		say_unused(p->older, a->older_where);
	if (!a->size)
		p->rules.size_where = p->size;
	else if (o->size)
		say_unused(p->size, a->size_where);
	return 0;
}

static int prune_one(struct pruning *p, int dir, struct diag *d)
{
	const struct prune_teller teller = { tell, p };

	return audit_prune(dir, &p->rules, &p->key, (uint64_t)time(NULL), &teller, d);
}

static int prune_own(struct pruning *p, struct diag *d)
{
	_cleanup_paths_ struct paths paths = { 0 };
	_cleanup_close_ int state = -1, dir = -1;
	int r = paths_init(&paths, d);

	if (r == 0)
		r = paths_open_state(&paths, "audit", &dir, d);
	if (r == 0)
		r = paths_open_state(&paths, "", &state, d);
	if (r == 0)
		r = log_key_take(state, &p->key, d);
	return r < 0 ? r : prune_one(p, dir, d);
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "0123456789") == strlen(s);
}

static int prune_collected(struct pruning *p, struct diag *d)
{
	_cleanup_collected_ struct collected at = COLLECTED_NONE;
	_cleanup_closedir_ DIR *users = NULL;
	const struct dirent *e;
	int r = collected_open(&at, d);

	if (r < 0)
		return r;
	r = log_key_load(at.state, &p->key, d);
	if (r == -ENOENT)
		return diag_fail(d, r, COLLECTOR_STATE " holds no key: the collector has never run here");
	if (r == 0)
		r = fs_list(at.logs, &users);
	while (r == 0 && (e = readdir(users))) {
		if (!is_number(e->d_name))
			continue;
		_cleanup_close_ int dir = openat(at.logs, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (dir < 0)
			return diag_fail(
				d, -errno, COLLECTOR_LOGS "/%s cannot be opened: %s", e->d_name, strerror(errno));
		p->uid = e->d_name;
		r = prune_one(p, dir, d);
		p->uid = NULL;
	}
	return r;
}

static int run(const struct command_ctx *ctx)
{
	const struct prune_options *o = ctx->options;
	struct pruning p = { .key = { .id = "" }, .json = o->json, .logs = o->json ? json_array() : NULL };
	struct diag d = { "" };
	int r = policy_load(&p.policy, &d), status = 0;

	if (r == 0)
		status = take_rules(ctx, &p);
	if (r == 0 && status == 0)
		r = o->collector ? prune_collected(&p, &d) : prune_own(&p, &d);
	if (status == 0)
		status = report(&p, r, &d);
	json_decref(p.logs);
	policy_done(&p.policy);
	log_key_done(&p.key);
	return status;
}

const struct command_row cmd_audit_prune = {
	.name = "audit prune",
	.synopsis = "[--older AGE] [--size SIZE] [--collector] [--dry-run] [--json]",
	.summary = "remove logs that are old enough, and record which",
	.details = "Whole logs of closed sessions go, by what each session's profile says (audit.delete_after), by "
		   "--older and "
		   "--size, or by\n"
		   "what the policy says in their place. The index keeps which went, and by which rule; 'audit verify' "
		   "accepts "
		   "these and no others.",
	.options = rows,
	.options_size = sizeof(struct prune_options),
	.run = run,
};
