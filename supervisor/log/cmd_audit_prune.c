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
#include "supervisor/log/collected.h"
#include "supervisor/log/log_prune.h"

enum { WORDS_MAX = 128 };
#define AGE_MAX_S (1000ull * 366 * 24 * 3600)

struct prune_options {
	bool dry_run, collector;
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
	{ NULL },
};

struct pruning {
	struct prune_rules rules;
	struct policy policy;
	char older[WORDS_MAX], size[WORDS_MAX];
	struct log_key key;
	struct pruned done;
};

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
	if (!a->size)
		p->rules.size_where = p->size;
	return 0;
}

static int prune_one(struct pruning *p, int dir, struct diag *d)
{
	return audit_prune(dir, &p->rules, &p->key, (uint64_t)time(NULL), stdout, &p->done, d);
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
		r = prune_one(p, dir, d);
	}
	return r;
}

static int run(const struct command_ctx *ctx)
{
	const struct prune_options *o = ctx->options;
	struct pruning p = { .key = { .id = "" } };
	struct diag d = { "" };
	int r = policy_load(&p.policy, &d), usage = 0;

	if (r == 0)
		usage = take_rules(ctx, &p);
	if (r == 0 && usage == 0)
		r = o->collector ? prune_collected(&p, &d) : prune_own(&p, &d);
	policy_done(&p.policy);
	log_key_done(&p.key);
	if (usage)
		return usage;
	if (r < 0)
		return command_refuse(&d, r);
	printf("%s %" PRIu64 " sessions, %" PRIu64 " bytes\n", o->dry_run ? "would remove" : "removed", p.done.sessions,
		p.done.bytes);
	return EXIT_OK;
}

const struct command_row cmd_audit_prune = {
	.name = "audit prune",
	.synopsis = "[--older AGE] [--size SIZE] [--collector] [--dry-run]",
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
