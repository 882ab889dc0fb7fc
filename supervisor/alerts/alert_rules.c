/* SPDX-License-Identifier: Apache-2.0 */
/* alert_rules - see alert_rules.h */
#include "supervisor/alerts/alert_rules.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/glob.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/policy/policy_keys.h"

enum { FILE_MAX = 256 << 10, SHOWN = 256, SECONDS_DEFAULT = 60 };

static struct alert_rule *rule_of(const struct key *k)
{
	return k->target;
}

static int set_text(const struct key *k, char **ret)
{
	free(*ret);
	*ret = strdup(json_string_value(k->v));
	return *ret ? 0 : -ENOMEM;
}

int alert_set_name(const struct key *k)
{
	const char *name = json_string_value(k->v);

	if (!*name || strlen(name) > 64 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != strlen(name))
		return key_fail(k, "must be 1 to 64 of a-z, 0-9, '-', '_' and '.'");
	return set_text(k, &rule_of(k)->name);
}

/* Written by the log itself, when no rule is asked any more; and those that come of a rule. */
static bool is_seen(enum event_type t)
{
	static const enum event_type unseen[] = { EVENT_SESSION_OPEN, EVENT_SESSION_CLOSE, EVENT_CHECKPOINT,
		EVENT_LOG_BUDGET, EVENT_LOG_FULL, EVENT_LOG_TORN, EVENT_ALERT, EVENT_ALERT_HOOK };

	for (size_t i = 0; i < ARRAY_LEN(unseen); i++)
		if (unseen[i] == t)
			return false;
	return true;
}

int alert_set_event(const struct key *k)
{
	const char *glob = json_string_value(k->v), *names[EVENT_TYPE_COUNT], *near;
	char shown[SHOWN];
	size_t n = 0;

	for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++) {
		if (!is_seen(t))
			continue;
		names[n++] = event_name(t);
		if (glob_match(glob, names[n - 1], strlen(names[n - 1])))
			return set_text(k, &rule_of(k)->event);
	}
	near = text_nearest(glob, names, n);
	return key_fail(k, "is \"%s\", which no event is that a rule is asked about%s%s%s",
		text_escape_str(glob, shown, sizeof(shown)), near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : " (audit.md lists them; the log's own are not among them)");
}

int alert_set_decision(const struct key *k)
{
	static const char *const words[] = { "allow", "deny", "drop", "would deny" };
	static const enum event_decision decisions[] = { EVENT_ALLOW, EVENT_DENY, EVENT_DROP, EVENT_WOULD_DENY };
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	rule_of(k)->decision = decisions[i];
	return r;
}

int alert_set_glob(const struct key *k)
{
	if (!*json_string_value(k->v))
		return key_fail(k, "is empty, which nothing matches; '*' stands for anything");
	return set_text(k, KEY_FIELD(k, char *));
}

int alert_set_new(const struct key *k)
{
	if (strcmp(json_string_value(k->v), "host") != 0)
		return key_fail(k, "takes \"host\": a server's first connection to a host");
	rule_of(k)->new_host = true;
	return 0;
}

int alert_set_count(const struct key *k)
{
	json_int_t n = json_integer_value(k->v);

	if (n < 1 || n > ALERT_COUNT_MAX)
		return key_fail(k, "must be 1 to %d", ALERT_COUNT_MAX);
	rule_of(k)->count = (uint64_t)n;
	return 0;
}

int alert_set_within(const struct key *k)
{
	if (parse_duration(json_string_value(k->v), 1, ALERT_WITHIN_MAX, &rule_of(k)->within_s) < 0)
		return key_fail(k, "must be a time of a second to a day, such as \"30s\", \"1min\" or \"4h\"");
	return 0;
}

int alert_set_severity(const struct key *k)
{
	const char *words[SEVERITY_COUNT];
	size_t i = 0;
	int r;

	for (size_t s = 0; s < SEVERITY_COUNT; s++)
		words[s] = severities[s].name;
	r = key_word(k, words, SEVERITY_COUNT, &i);
	rule_of(k)->severity = (enum severity)i;
	return r;
}

int alert_set_syslog(const struct key *k)
{
	rule_of(k)->syslog = json_is_true(k->v);
	return 0;
}

/* Executed later, by this path: whoever may put another program there may do what the hook may do already, when the
 * file and this program's user are the same or the file is root's. */
static int check_program(const struct key *k, const char *path)
{
	const struct policy_take *take = k->parse->policy;
	_cleanup_close_ int fd = -1;
	struct diag why = { "" };
	struct stat st;

	if (path[0] != '/')
		return key_fail(k, "must begin with an absolute path: it is executed as it is, by no shell");
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return key_fail(k, "names a program that cannot be found: %s", strerror(errno));
	if (!S_ISREG(st.st_mode) || !(st.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return key_fail(k, "names what is no executable file");
	if (fs_check_trusted(fd, path, take->trust, take->uid, &why) < 0)
		return key_fail(k, "names a program that must not be run: %s", why.text);
	return 0;
}

int alert_set_exec(const struct key *k)
{
	struct alert_rule *rule = rule_of(k);
	const json_t *word;
	size_t i;
	int r;

	if (json_array_size(k->v) == 0 || json_array_size(k->v) > ALERT_EXEC_MAX)
		return key_fail(k, "must be a program and its words, %d at most", ALERT_EXEC_MAX);
	r = check_program(k, json_string_value(json_array_get(k->v, 0)));
	json_array_foreach((json_t *)(uintptr_t)k->v, i, word)
	{
		if (r == 0)
			r = strv_add(&rule->exec, json_string_value(word));
	}
	return r;
}

static int complete(const struct key *k, struct alert_rule *rule, unsigned line)
{
	if (!rule->name)
		return key_fail_at(k, line, "has a rule without \"name\"");
	if (!rule->event && !rule->new_host)
		return key_fail_at(k, line, "has a rule that says not when: name \"event\" in \"when\", or \"new\"");
	if (rule->event && rule->new_host)
		return key_fail_at(
			k, line, "has a rule with both \"event\" and \"new\": \"new\" is about connections alone");
	return key_where(k, line, rule->name, &rule->where);
}

int alert_set_rules(const struct key *k)
{
	struct alert_rules *all = KEY_FIELD(k, struct alert_rules);
	char prefix[SHOWN], shown[SHOWN];
	const json_t *item;
	size_t i;
	int r = key_where(k, k->line, NULL, &all->where);

	if (r == 0 && json_array_size(k->v) > ALERT_RULES_MAX)
		return key_fail(k, "holds more than %d rules", ALERT_RULES_MAX);
	all->v = r < 0 ? NULL : calloc(json_array_size(k->v) + 1, sizeof(*all->v));
	if (!all->v)
		return r < 0 ? r : -ENOMEM;
	snprintf(prefix, sizeof(prefix), "%s[]", k->row->path);
	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		struct alert_rule *rule = &all->v[all->n++];
		*rule = (struct alert_rule){ .count = 1, .within_s = SECONDS_DEFAULT, .severity = SEVERITY_WARNING };
		snprintf(shown, sizeof(shown), "%s[%zu]", k->shown, i);
		if (!json_is_object(item))
			return key_fail_at(k, key_item_line(k, i), "must hold objects, not %s", json_file_type(item));
		r = key_walk(k->parse, prefix, shown, item, rule);
		if (r == 0)
			r = complete(k, rule, key_item_line(k, i));
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the user's own --- */

static const struct key_row own_rows[] = {
	{ "$schema", KEY_STRING, policy_set_accepted },
	{ "stockade", KEY_INTEGER, policy_set_format },
	ALERT_ROWS("alerts", 0),
};

int alert_rules_read_own(const struct paths *p, struct alert_rules *ret, struct diag *d)
{
	static const struct key_table table = { .rows = own_rows, .n = ARRAY_LEN(own_rows), .format = "alerts" };
	_cleanup_alert_rules_ struct alert_rules rules = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);
	_cleanup_free_ char *path = NULL;
	struct policy_take take = { .trust = FS_TRUST_USER, .uid = p->uid };
	struct parse ps = { .table = &table, .policy = &take, .d = d };
	int r;

	*ret = rules;
	if (asprintf(&path, "%s/alerts.json", p->config) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	r = fs_read_trusted_file(path, take.trust, take.uid, &b, d);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = json_file_parse(path, b.data ? b.data : "", b.len, &ps.file, d);
	if (r == 0 && !json_is_object(ps.file.root))
		r = diag_fail(d, -EINVAL, "%s holds no object", path);
	if (r == 0)
		r = key_walk(&ps, "", "", ps.file.root, &rules);
	json_file_done(&ps.file);
	if (r < 0) {
		diag_prefix(d, "the alerts of this user cannot be followed, so nothing is started: ");
		return r;
	}
	*ret = rules;
	rules = (struct alert_rules){ 0 };
	return 0;
}

void alert_rules_done(struct alert_rules *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct alert_rule *rule = &r->v[i];
		free(rule->name);
		free(rule->event);
		free(rule->server);
		free(rule->tool);
		free(rule->where);
		strv_done(&rule->exec);
	}
	free(r->v);
	free(r->where);
	*r = (struct alert_rules){ 0 };
}
