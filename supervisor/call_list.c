/* SPDX-License-Identifier: Apache-2.0 */
/* call_list - the side of `stockade approve`; see call_list.h */
#include "supervisor/call_list.h"
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include "base/fs.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/state_json.h"

static const char *const say_names[] = {
	[ASKER_NO] = "no",
	[ASKER_ONCE] = "once",
	[ASKER_SESSION] = "session",
};

const char *call_say_name(enum asker_say say)
{
	return say_names[say];
}

int call_say_parse(const char *name, enum asker_say *ret)
{
	for (size_t i = 0; name && i < ARRAY_LEN(say_names); i++)
		if (strcmp(name, say_names[i]) == 0) {
			*ret = (enum asker_say)i;
			return 0;
		}
	return -EINVAL;
}

/* The length stands first, so that no name can reach into the arguments. */
int call_digest(const char *tool, const char *arguments, char ret[CANONICAL_DIGEST_HEX])
{
	_cleanup_free_ char *text = NULL;

	if (asprintf(&text, "%zu:%s%s", strlen(tool), tool, arguments) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return canonical_digest_text(text, ret);
}

static void entry_done(struct call_entry *e)
{
	free(e->session);
	free(e->server);
	free(e->client);
	free(e->tool);
	free(e->arguments);
	free(e->rule);
	free(e->damaged);
	*e = (struct call_entry){ 0 };
}

void call_list_done(struct call_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		entry_done(&l->v[i]);
	free(l->v);
	*l = (struct call_list){ 0 };
}

static int copy_members(struct call_entry *e, const json_t *root)
{
	const struct {
		const char *key;
		char **to;
	} rows[] = {
		{ "session", &e->session },
		{ "server", &e->server },
		{ "client", &e->client },
		{ "tool", &e->tool },
		{ "arguments", &e->arguments },
		{ "rule", &e->rule },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *text = json_string_value(json_object_get(root, rows[i].key));
		if (!text)
			return -EINVAL;
		*rows[i].to = strdup(text);
		if (!*rows[i].to)
			return -ENOMEM;
	}
	return 0;
}

static int take_entry(const json_t *root, struct call_entry *e)
{
	const json_t *v = json_object_get(root, "v");
	const char *when = json_string_value(json_object_get(root, "when"));

	if (json_integer_value(v) != CALL_VERSION || !when || parse_time(when, &e->when) < 0)
		return -EINVAL;
	int r = copy_members(e, root);
	return r < 0 ? r : call_digest(e->tool, e->arguments, e->digest);
}

static int read_entry(int dir, uid_t uid, struct call_entry *e)
{
	struct diag d = { "" };
	json_t *root;
	int r = state_json_read(dir, e->name, uid, CALL_FILE_MAX, &root, &d);

	if (r == 0) {
		diag_set(&d, "the entry is damaged");
		r = take_entry(root, e);
	}
	json_decref(root);
	if (r == 0 || r == -ENOMEM || r == -ENOENT)
		return r;
	e->damaged = strdup(d.text);
	return e->damaged ? 0 : -ENOMEM;
}

/* Of the form SESSION.ID. */
static bool is_entry(const char *name)
{
	uint64_t id;

	return strlen(name) < CALL_NAME_SIZE && strspn(name, "0123456789abcdef") == AUDIT_SESSION_ID_LEN &&
	       name[AUDIT_SESSION_ID_LEN] == '.' && parse_u64(name + AUDIT_SESSION_ID_LEN + 1, 1, UINT64_MAX, &id) == 0;
}

static void remove_litter(int dir, const char *name)
{
	char answer[CALL_NAME_SIZE + sizeof(CALL_ANSWER)];

	snprintf(answer, sizeof(answer), "%s" CALL_ANSWER, name);
	unlinkat(dir, answer, 0);
	unlinkat(dir, name, 0);
}

static int list_entry(int dir, uid_t uid, const char *name, struct call_list *l)
{
	struct call_entry e = { 0 }, *grown;
	int r;

	if (!fs_is_locked(dir, name)) {
		remove_litter(dir, name);
		return 0;
	}
	snprintf(e.name, sizeof(e.name), "%s", name);
	r = read_entry(dir, uid, &e);
	grown = r == 0 ? reallocarray(l->v, l->n + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		entry_done(&e);
		return r == -ENOENT ? 0 : -ENOMEM;
	}
	l->v = grown;
	l->v[l->n++] = e;
	return 0;
}

static int by_time(const void *a, const void *b)
{
	const struct call_entry *x = a, *y = b;

	return x->when != y->when ? (x->when < y->when ? -1 : 1) : strverscmp(x->name, y->name);
}

int call_list_read(const struct paths *p, struct call_list *ret, struct diag *d)
{
	_cleanup_call_list_ struct call_list l = { 0 };
	_cleanup_close_ int fd = -1;
	int r = paths_open_runtime(p, CALL_DIR, &fd, d);

	if (r < 0)
		return r;
	_cleanup_closedir_ DIR *dir = NULL;
	r = fs_list(fd, &dir);
	if (r < 0)
		return diag_fail(d, r, "cannot list the calls that wait: %s", strerror(-r));
	for (struct dirent *e; (e = readdir(dir));) {
		r = is_entry(e->d_name) ? list_entry(fd, p->uid, e->d_name, &l) : 0;
		if (r < 0)
			return diag_fail(d, r, "cannot list the calls that wait: %s", strerror(-r));
	}
	if (l.n > 1)
		qsort(l.v, l.n, sizeof(*l.v), by_time);
	*ret = l;
	l = (struct call_list){ 0 };
	return 0;
}

bool call_waits(const struct paths *p, const struct call_entry *e)
{
	_cleanup_close_ int dir = -1;

	return paths_open_runtime(p, CALL_DIR, &dir, NULL) == 0 && fs_is_locked(dir, e->name);
}

int call_answer(const struct paths *p, const struct call_entry *e, enum asker_say say, const char *channel,
	const struct lineage *l, struct diag *d)
{
	_cleanup_free_ char *chain = lineage_words(l), *text = NULL;
	_cleanup_close_ int dir = -1;
	char name[CALL_NAME_SIZE + sizeof(CALL_ANSWER)], by[ASKER_BY_MAX];
	json_t *root;
	int r = paths_open_runtime(p, CALL_DIR, &dir, d);

	if (r < 0)
		return r;
	if (!fs_is_locked(dir, e->name))
		return diag_fail(d, -ENOENT,
			"the call waits no longer: its time was over, the client gave it up, or its session has ended");
	text_escape_str(chain ? chain : "", by, sizeof(by));
	root = json_pack("{s:i, s:s, s:s, s:s, s:s}", "v", CALL_VERSION, "say", call_say_name(say), "digest", e->digest,
		"channel", channel, "by", by);
	text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	json_decref(root);
	if (!text)
		return diag_fail(d, -EINVAL, "cannot write down the answer");
	snprintf(name, sizeof(name), "%s" CALL_ANSWER, e->name);
	return fs_write_atomic(dir, name, text, strlen(text), 0600, d);
}
