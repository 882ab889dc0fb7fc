/* SPDX-License-Identifier: Apache-2.0 */
/* kill_report - see kill_report.h */
#include "supervisor/kill/kill_report.h"
#include <errno.h>
#include "base/text.h"
#include "supervisor/command.h"
#include "supervisor/exit.h"

enum { SHOWN = 512, WORDS = 256 };

/* --- what failed --- */

static size_t failures(const struct kill_report *r, char ret[4][DIAG_MAX + WORDS])
{
	const struct kill_told *t = r->told;
	size_t n = 0;

	if (!r->path)
		snprintf(ret[n++], DIAG_MAX + WORDS,
			"it does not hold: %s. What starts from now on is not stopped by it", r->not_written);
	if (t->left)
		snprintf(ret[n++], DIAG_MAX + WORDS, "not every session was reached: %s",
			*r->not_told ? r->not_told : t->why.text);
	if (t->left_alive)
		snprintf(ret[n++], DIAG_MAX + WORDS,
			"%u session%s still %s processes after %d s: they hang in the kernel", t->left_alive,
			t->left_alive == 1 ? "" : "s", t->left_alive == 1 ? "has" : "have", KILL_GONE_MS / 1000);
	if (*r->not_recorded)
		snprintf(ret[n++], DIAG_MAX + WORDS, "it is not recorded: %s", r->not_recorded);
	return n;
}

int kill_report_status(const struct kill_report *r)
{
	return !r->path || r->told->left || r->told->left_alive || *r->not_recorded ? EXIT_REFUSED : EXIT_OK;
}

/* --- what was not looked at --- */

typedef int (*note_fn)(void *arg, const uid_t *user, const char *why);

static int note_told(const struct kill_told *t, note_fn take, void *arg)
{
	char why[WORDS];
	int r = 0;

	if (t->more) {
		snprintf(why, sizeof(why), "there are more than %d sessions, or names without end", KILL_SESSIONS_MAX);
		r = take(arg, &t->uid, why);
	}
	if (r == 0 && t->unlisted) {
		snprintf(why, sizeof(why), "%u of them say%s nothing, and no list of sessions says what runs there",
			t->unlisted, t->unlisted == 1 ? "s" : "");
		r = take(arg, &t->uid, why);
	}
	return r;
}

static int note_passed(const struct kill_passed *p, note_fn take, void *arg)
{
	char why[WORDS];

	snprintf(why, sizeof(why), KILL_USERS_DIR "/%u: %s", p->uid, p->why);
	return take(arg, &p->uid, why);
}

static int each_note(const struct kill_report *r, note_fn take, void *arg)
{
	char why[WORDS];
	int x = note_told(r->told, take, arg);

	for (size_t i = 0; x == 0 && i < r->others->n; i++)
		x = note_told(&r->others->v[i], take, arg);
	for (size_t i = 0; x == 0 && i < r->others->n_passed; i++)
		x = note_passed(&r->others->passed[i], take, arg);
	if (x == 0 && r->others->more) {
		snprintf(why, sizeof(why), "there are more than %d users in " KILL_USERS_DIR, KILL_USERS_MAX);
		x = take(arg, NULL, why);
	}
	return x;
}

/* --- for people --- */

static int say_note(void *arg, const uid_t *user, const char *why)
{
	(void)arg;
	fputs("  Not looked at: ", stderr);
	if (user)
		fprintf(stderr, "sessions of user %u", *user);
	else
		fputs("sessions of other users", stderr);
	fprintf(stderr, " (%s). They hear of it by watching for the entry\n", why);
	return 0;
}

static void say_done(const struct kill_report *r)
{
	const struct kill_told *t = r->told;
	char what[SHOWN], path[SHOWN];
	unsigned n = t->reached + t->forced;

	fprintf(stderr, "%s is killed: ", kill_entry_what(r->entry, what, sizeof(what)));
	if (n == 0)
		fputs(r->entry->origin == KILL_BY_ROOT
				? "no session of it was found; one that keeps its runtime directory "
				  "elsewhere ends as soon as it sees the entry"
				: "no session of it runs now",
			stderr);
	else
		fprintf(stderr, "%u session%s %s, %llu.%llu ms", n, n == 1 ? "" : "s",
			r->entry->tool ? n == 1 ? "was told" : "were told" : "ended",
			(unsigned long long)(r->took_us / 1000), (unsigned long long)(r->took_us / 100 % 10));
	if (t->forced)
		fprintf(stderr, " (%u did not answer, and %s processes were killed)", t->forced,
			t->forced == 1 ? "its" : "their");
	fputs(".\n", stderr);
	if (r->path)
		fprintf(stderr, "  It holds until 'stockade restore' with the same words lifts it%s: %s\n",
			r->entry->origin == KILL_BY_ROOT ? ", by root" : "",
			text_escape_str(r->path, path, sizeof(path)));
}

void kill_report_say(const struct kill_report *r)
{
	char words[4][DIAG_MAX + WORDS];
	size_t n = failures(r, words);

	say_done(r);
	(void)each_note(r, say_note, NULL);
	for (size_t i = 0; i < n; i++)
		command_error("%s", words[i]);
}

/* --- for programs --- */

static int add_note(void *arg, const uid_t *user, const char *why)
{
	json_t *note = json_pack("{s:o, s:s}", "user", user ? json_integer(*user) : json_null(), "why", why);

	return json_array_append_new(arg, note) < 0 ? -ENOMEM : 0;
}

/* Takes both over. */
static json_t *join(const struct kill_report *r, json_t *notes, json_t *failed)
{
	const struct kill_told *t = r->told;

	return json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s?, s:i, s:i, s:I, s:o, s:o}", "server", r->entry->server,
		"tool", r->entry->tool, "who", r->entry->who, "when", r->entry->when, "why", r->entry->why, "file",
		r->path, "sessions", (int)(t->reached + t->forced), "forced", (int)t->forced, "took_us",
		(json_int_t)r->took_us, "not_looked_at", notes, "failed", failed);
}

json_t *kill_report_json(const struct kill_report *r)
{
	char words[4][DIAG_MAX + WORDS];
	size_t n = failures(r, words);
	json_t *notes = json_array(), *failed = json_array();
	int x = notes && failed ? each_note(r, add_note, notes) : -ENOMEM;

	for (size_t i = 0; x == 0 && i < n; i++)
		x = json_array_append_new(failed, json_string(words[i])) < 0 ? -ENOMEM : 0;
	if (x == 0)
		return join(r, notes, failed);
	json_decref(notes);
	json_decref(failed);
	return NULL;
}
