/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inventory - stockade inventory: every server that clients are configured with, and those that run past stockade
 */
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "supervisor/commands.h"
#include "supervisor/exit.h"
#include "supervisor/inventory/found.h"
#include "supervisor/inventory/running.h"
#include "supervisor/json_list.h"
#include "supervisor/output.h"
#include "supervisor/profile.h"
#include "supervisor/signing/vouch.h"

/* NOBODY: whom the kernel shows where it has no number to show (user_namespaces(7)). */
enum { SHOWN = 512, FIRST_USER = 1000, NOBODY = 65534 };

struct inventory_options {
	bool json, all_users, fail_raw;
	struct strv projects;
};

static const struct option_row inventory_rows[] = {
	{ "all-users", 0, OPTION_FLAG, offsetof(struct inventory_options, all_users), NULL,
		"of every user of this machine (as root)" },
	{ "project", 0, OPTION_STRV, offsetof(struct inventory_options, projects), "DIR",
		"look into the project in DIR, too" },
	{ "fail-raw", 0, OPTION_FLAG, offsetof(struct inventory_options, fail_raw), NULL,
		"exit status 1 when anything runs or would run past stockade" },
	{ "json", 0, OPTION_FLAG, offsetof(struct inventory_options, json), NULL, "one JSON object" },
	{ NULL },
};

struct inventory {
	struct found_list found;
	struct running_list running;
	struct strv projects, failed; /* failed: users whose configurations could not be read, in words */
	struct paths paths;
	struct vouching vouching; /* for the profiles of entries */
	bool vouches;		  /* false: the policy cannot be followed, and nothing is said of profiles */
};

static void inventory_done(struct inventory *i)
{
	running_list_done(&i->running);
	found_list_done(&i->found);
	strv_done(&i->projects);
	strv_done(&i->failed);
	vouching_done(&i->vouching);
	paths_done(&i->paths);
}

/* --- reading --- */

/* The working directory and those that were named: absolute, since another process looks. */
static int list_projects(const struct strv *named, struct strv *ret, struct diag *d)
{
	_cleanup_free_ char *cwd = realpath(".", NULL);
	int r = cwd ? strv_add(ret, cwd) : 0;

	for (size_t i = 0; r == 0 && i < named->n; i++) {
		char *real = realpath(named->v[i], NULL), shown[SHOWN];
		if (!real)
			return diag_fail(d, -errno, "--project %s: %s",
				text_escape_str(named->v[i], shown, sizeof(shown)), strerror(errno));
		r = strv_add_take(ret, real);
	}
	return r;
}

static int read_user(struct inventory *i, const struct found_user *u)
{
	struct diag d = { "" };
	int r = found_read(u, &i->projects, &i->found, &d);

	return r == 0 ? 0 : r == -ENOMEM ? r : strv_add(&i->failed, d.text);
}

static int read_own(struct inventory *i)
{
	const struct found_user u = { .name = i->paths.user,
		.home = i->paths.home,
		.uid = i->paths.uid,
		.gid = i->paths.gid,
		.own = true,
		.system = true };

	return read_user(i, &u);
}

/* /etc/passwd alone: NSS is not linked. */
static int read_others(struct inventory *i)
{
	_cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
	struct passwd *pw;
	int r = f ? 0 : -errno;

	while (r == 0 && (pw = fgetpwent(f))) {
		const struct found_user u = {
			.name = pw->pw_name, .home = pw->pw_dir, .uid = pw->pw_uid, .gid = pw->pw_gid
		};
		if (pw->pw_uid >= FIRST_USER && pw->pw_uid != NOBODY && pw->pw_dir[0] == '/')
			r = read_user(i, &u);
	}
	return r;
}

static int read_inventory(struct inventory *i, const struct inventory_options *o, struct diag *d)
{
	struct diag ignored;
	int r = paths_init(&i->paths, d);

	i->vouches = r == 0 && vouching_load(&i->paths, &i->vouching, &ignored) == 0;
	r = r < 0 ? r : list_projects(&o->projects, &i->projects, d);
	r = r < 0 ? r : read_own(i);
	if (r == 0 && o->all_users)
		r = read_others(i);
	return r < 0 ? r : running_read(&i->found, &i->running, d);
}

/* --- what is said of an entry --- */

/* Of a managed profile, or one of our own: another user's profile is not ours to parse. */
static int profile_facts(struct inventory *i, const struct found *f, json_t *o)
{
	_cleanup_profile_ struct profile p = { 0 };
	struct diag d = { "" };
	int r = json_object_set_new(o, "profile", f->profile ? json_string(f->profile) : json_null());

	if (!f->profile || !i->vouches || strcmp(f->user, i->paths.user) != 0 ||
		profile_load(&i->vouching, f->profile, &p, &d) < 0)
		return r;
	r |= json_object_set_new(o, "profile_file", p.file ? json_string(p.file) : json_null());
	r |= json_object_set_new(o, "profile_version", json_integer((json_int_t)p.version));
	r |= json_object_set_new(o, "owner", p.owner ? json_string(p.owner) : json_null());
	r |= json_object_set_new(o, "reviewed", p.reviewed ? json_string(p.reviewed) : json_null());
	return r;
}

static json_t *names(const struct strv *s)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < s->n; i++)
		a = json_list_add(a, json_string(s->v[i]));
	return a;
}

/* The program alone of the command: its words can hold secrets. */
static json_t *entry_json(struct inventory *i, const struct found *f)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:s?, s:s?, s:s, s:b, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o}",
		"user", f->user, "client", f->client, "file", f->file, "line", (int)f->line, "project", f->project,
		"name", f->name, "state", found_state_name(f->state), "off", f->off, "program",
		f->words.n ? f->words.v[0] : NULL, "package", f->package, "version", f->version, "url", f->url, "doubt",
		f->doubt, "why", f->unread, "variables", names(&f->variables));

	if (o && profile_facts(i, f, o) == 0)
		return o;
	json_decref(o);
	return NULL;
}

static json_t *running_json(const struct running *r)
{
	return json_pack("{s:i, s:s?, s:s, s:s?, s:s, s:s?, s:s?, s:i}", "pid", (int)r->pid, "client", r->client,
		"program", r->program, "script", r->script, "how", r->entry ? "certain" : "likely", "name",
		r->entry ? r->entry->name : NULL, "file", r->entry ? r->entry->file : NULL, "line",
		r->entry ? (int)r->entry->line : 0);
}

static json_t *inventory_json(struct inventory *i)
{
	json_t *entries = json_array(), *running = json_array(), *failed = names(&i->failed);
	int r = entries && running && failed ? 0 : -1;

	for (size_t k = 0; r == 0 && k < i->found.n; k++)
		r = json_array_append_new(entries, entry_json(i, &i->found.v[k]));
	for (size_t k = 0; r == 0 && k < i->running.n; k++)
		r = json_array_append_new(running, running_json(&i->running.v[k]));
	if (r == 0)
		return json_pack("{s:o, s:o, s:o}", "entries", entries, "running", running, "failed", failed);
	json_decref(entries);
	json_decref(running);
	json_decref(failed);
	return NULL;
}

/* --- for people --- */

static void print_text(const char *text)
{
	char shown[SHOWN];

	fputs(text_escape_str(text, shown, sizeof(shown)), stdout);
}

static void print_more(const char *before, const char *text)
{
	if (!text)
		return;
	fputs(before, stdout);
	print_text(text);
}

static void print_entry(struct inventory *i, const struct found *f, bool user)
{
	json_t *facts = json_object();

	printf("%-8s ", f->off ? "off" : found_state_name(f->state));
	print_text(f->client);
	print_more(": ", f->name);
	print_more(", of ", user ? f->user : NULL);
	print_more(", ", f->package ? f->package : f->url);
	print_more(" ", f->package ? f->version : NULL);
	print_more(", profile ", f->profile);
	if (profile_facts(i, f, facts) == 0) {
		print_more(", owner ", json_string_value(json_object_get(facts, "owner")));
		print_more(", reviewed ", json_string_value(json_object_get(facts, "reviewed")));
	}
	print_more(", for ", f->project);
	print_more("; not taken for wrapped: ", f->doubt);
	print_more(": ", f->unread);
	fputs("\n         ", stdout);
	print_text(f->file);
	if (f->line)
		printf(":%u", f->line);
	for (size_t k = 0; k < f->variables.n; k++)
		print_more(k ? " " : "  sets ", f->variables.v[k]);
	putchar('\n');
	json_decref(facts);
}

static void print_running(const struct running *r)
{
	printf("running  process %d", (int)r->pid);
	print_more(" of ", r->client);
	print_more(": ", r->program);
	print_more(" ", r->script);
	if (r->entry) {
		print_more(", certain: it is ", r->entry->name);
		print_more(" of ", r->entry->file);
		printf(":%u\n", r->entry->line);
	} else {
		puts(", likely: it talks with its client through pipes");
	}
}

static int print_inventory(struct inventory *i, bool users)
{
	for (size_t k = 0; k < i->found.n; k++)
		print_entry(i, &i->found.v[k], users);
	for (size_t k = 0; k < i->running.n; k++)
		print_running(&i->running.v[k]);
	if (i->found.n + i->running.n == 0)
		fputs("no client that is known has a server here, and none runs past stockade\n", stderr);
	return EXIT_OK;
}

/* What could not be read may hold anything. */
static bool has_raw(struct inventory *i)
{
	for (size_t k = 0; k < i->found.n; k++) {
		const struct found *f = &i->found.v[k];
		if ((f->state == FOUND_RAW && !f->off) || f->state == FOUND_UNREAD)
			return true;
	}
	return i->running.n > 0;
}

static int run_inventory(const struct command_ctx *ctx)
{
	const struct inventory_options *o = ctx->options;
	_cleanup_(inventory_done) struct inventory i = { { 0 } };
	struct diag d = { "out of memory" };
	int status;

	if (o->all_users && geteuid() != 0) {
		command_error("--all-users reads what belongs to others, which root alone may: start it as root, or "
			      "leave it out for your own");
		return EXIT_REFUSED;
	}
	if (read_inventory(&i, o, &d) < 0)
		return command_refuse(&d, 0);
	status = o->json ? output_json(stdout, inventory_json(&i), "the inventory") : print_inventory(&i, o->all_users);
	for (size_t k = 0; k < i.failed.n; k++)
		command_error("%s", i.failed.v[k]);
	if (i.failed.n && status == EXIT_OK)
		status = EXIT_REFUSED;
	return status == EXIT_OK && o->fail_raw && has_raw(&i) ? EXIT_FINDINGS : status;
}

static void inventory_options_done(void *options)
{
	strv_done(&((struct inventory_options *)options)->projects);
}

const struct command_row cmd_inventory = {
	.name = "inventory",
	.synopsis = "[--all-users] [--project DIR]... [--fail-raw] [--json]",
	.summary = "list the servers that clients are configured with, and whether stockade holds them",
	.details = "Every entry of every client's configuration that is found, wrapped in 'stockade run' or raw, with "
		   "its profile, owner, "
		   "package and the names of its variables;\nand the servers that run now past stockade. Values are "
		   "never shown.",
	.options = inventory_rows,
	.options_size = sizeof(struct inventory_options),
	.options_done = inventory_options_done,
	.run = run_inventory,
};
