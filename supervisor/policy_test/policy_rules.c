/* SPDX-License-Identifier: Apache-2.0 */
/* policy_rules - see policy_rules.h */
#include "supervisor/policy_test/policy_rules.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/text.h"
#include "supervisor/json_file.h"
#include "supervisor/question_words.h"
#include "supervisor/signing/vouch.h"

enum { KEY_SIZE = 512, SHOWN = 300 };

struct walk {
	const struct json_file *file;
	json_t *rules;
};

static int put(const struct walk *w, const char *key, unsigned line, const json_t *v)
{
	_cleanup_free_ char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	json_t *o = text ? json_pack("{s:i, s:o, s:O, s:o}", "line", (int)line, "key", question_shown_json(key),
				   "value", v, "shown", question_shown_json(text))
			 : NULL;

	return json_array_append_new(w->rules, o) < 0 ? -ENOMEM : 0;
}

static int walk(const struct walk *w, const char *prefix, const json_t *object)
{
	const char *name;
	json_t *v;
	int r = 0;

	json_object_foreach((json_t *)(uintptr_t)object, name, v)
	{
		char key[KEY_SIZE];
		unsigned line = json_file_key_line(w->file, object, name);
		snprintf(key, sizeof(key), "%s%s%s", prefix, *prefix ? "." : "", name);
		if (json_is_object(v) && json_object_size(v))
			r = walk(w, key, v);
		else if (!json_is_array(v) || json_array_size(v) == 0)
			r = put(w, key, line, v);
		else
			for (size_t i = 0; r == 0 && i < json_array_size(v); i++)
				r = put(w, key, json_file_line(w->file, v, i), json_array_get(v, i));
		if (r < 0)
			return r;
	}
	return 0;
}

int policy_rules(const char *path, enum fs_trust trust, uid_t uid, json_t **ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(POLICY_BYTES_MAX);
	_cleanup_json_file_ struct json_file f = { 0 };
	struct walk w = { .file = &f };
	int r = fs_read_trusted_file(path, trust, uid, &b, d);

	r = r < 0 ? r : json_file_parse(path, b.data ? b.data : "", b.len, &f, d);
	if (r < 0)
		return r;
	w.rules = json_array();
	r = w.rules ? walk(&w, "", f.root) : -ENOMEM;
	if (r == 0)
		*ret = w.rules;
	else
		json_decref(w.rules);
	return r;
}

/* --- what looks wrong --- */

static int find(json_t *found, const char *severity, const char *fmt, ...) _printf_(3, 4);
static int find(json_t *found, const char *severity, const char *fmt, ...)
{
	char words[DIAG_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	return json_array_append_new(
		       found, json_pack("{s:s, s:o}", "severity", severity, "words", question_shown_json(words))) < 0
		       ? -ENOMEM
		       : 0;
}

/* Keys that a signer is to have, and does not here; and one that is over. */
static int lint_signers(const struct policy *p, json_t *found)
{
	const struct policy_signatures *s = &p->signatures;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n; i++) {
		char path[SHOWN];
		snprintf(path, sizeof(path), JUDGING_KEYS_DIR "/%s.pub", s->keys[i].name);
		if (access(path, F_OK) < 0)
			r = find(found, "warning",
				"%s: there is no %s on this machine, so its signatures count for nothing",
				s->keys[i].where, path);
		if (r == 0 && s->keys[i].expires && s->keys[i].expires <= time(NULL))
			r = find(found, "warning", "%s: that key is over", s->keys[i].where);
	}
	return r;
}

/* Names of /etc/group; a number need not stand there. */
static int lint_groups(const struct policy *p, json_t *found)
{
	_cleanup_fclose_ FILE *f = p->groups.n ? fopen("/etc/group", "re") : NULL;
	_cleanup_strv_ struct strv names = { 0 };
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	int r = 0;

	while (f && r == 0 && getline(&line, &room, f) > 0) {
		line[strcspn(line, ":\n")] = '\0';
		r = strv_add(&names, line);
	}
	for (size_t i = 0; f && r == 0 && i < p->groups.n; i++) {
		const char *name = p->groups.v[i].name;
		if (strncmp(name, "gid:", 4) != 0 && !strv_contains(&names, name))
			r = find(found, "warning",
				"%s: there is no such group in /etc/group here, so nobody is in it (gid:NUMBER names "
				"one of "
				"a directory server)",
				p->groups.v[i].where);
	}
	return r;
}

int policy_lint(const char *path, json_t *found, struct diag *d)
{
	_cleanup_policy_ struct policy p = { 0 };
	int r = policy_read_file(path, FS_TRUST_USER, getuid(), &p, d);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return find(found, "error", "%s", d->text);
	r = lint_signers(&p, found);
	return r < 0 ? r : lint_groups(&p, found);
}
