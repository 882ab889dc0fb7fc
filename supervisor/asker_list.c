/* SPDX-License-Identifier: Apache-2.0 */
/* asker_list - the session's side of RUNTIME/calls (asker.h, call_list.h) */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <time.h>
#include "base/fs.h"
#include "base/io.h"
#include "supervisor/call_list.h"
#include "supervisor/output.h"
#include "supervisor/state_json.h"

enum { DRAIN_MAX = 4096 };

struct held {
	uint64_t id;
	int lock; /* the entry itself */
	char digest[CANONICAL_DIGEST_HEX];
};

struct asker_list {
	struct asker asker;
	char session[AUDIT_SESSION_ID_LEN + 1];
	char *server, *client;
	uid_t uid;
	int dir;
	struct held v[CONFIRM_WAITING_MAX];
	size_t n;
};

static struct asker_list *list_of(struct asker *a)
{
	return (struct asker_list *)a;
}

static void name_of(
	const struct asker_list *l, uint64_t id, const char *prefix, const char *suffix, char *ret, size_t size)
{
	snprintf(ret, size, "%s%s.%" PRIu64 "%s", prefix, l->session, id, suffix);
}

static char *question_text(const struct asker_list *l, const struct asker_question *q)
{
	char when[OUTPUT_TIME_SIZE], *text;
	json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "v", CALL_VERSION, "session", l->session,
		"server", l->server, "client", l->client, "tool", q->tool, "arguments", q->arguments, "rule", q->rule,
		"when", output_time(time(NULL), when));

	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	json_decref(root);
	return text;
}

/* Locked before anybody can see it: who finds it unlocked takes it for litter. */
static int put_entry(struct asker_list *l, uint64_t id, const char *text, int *ret)
{
	char temp[CALL_NAME_SIZE], name[CALL_NAME_SIZE];
	_cleanup_close_ int fd = -1;
	int r;

	name_of(l, id, ".", "", temp, sizeof(temp));
	name_of(l, id, "", "", name, sizeof(name));
	fd = openat(l->dir, temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : io_write_full(fd, text, strlen(text));
	if (r == 0 && renameat(l->dir, temp, l->dir, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(l->dir, temp, 0);
		return r;
	}
	*ret = steal_fd(&fd);
	return 0;
}

static int list_ask(struct asker *a, const struct asker_question *q, struct diag *d)
{
	struct asker_list *l = list_of(a);
	struct held h = { .id = q->id, .lock = -1 };
	_cleanup_free_ char *text = NULL;
	int r;

	if (l->n >= CONFIRM_WAITING_MAX)
		return diag_fail(d, -ENOBUFS, "so many calls wait already");
	text = question_text(l, q);
	if (!text)
		return diag_fail(d, -EINVAL, "the question cannot be written down");
	r = put_entry(l, q->id, text, &h.lock);
	if (r < 0)
		return diag_fail(d, r, "the runtime directory does not take the question: %s", strerror(-r));
	snprintf(h.digest, sizeof(h.digest), "%s", q->digest);
	l->v[l->n++] = h;
	return 0;
}

static void forget(struct asker_list *l, size_t i)
{
	char name[CALL_NAME_SIZE];

	name_of(l, l->v[i].id, "", "", name, sizeof(name));
	unlinkat(l->dir, name, 0);
	name_of(l, l->v[i].id, "", CALL_ANSWER, name, sizeof(name));
	unlinkat(l->dir, name, 0);
	close(l->v[i].lock);
	l->v[i] = l->v[--l->n];
}

static void list_withdraw(struct asker *a, uint64_t id)
{
	struct asker_list *l = list_of(a);

	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].id == id) {
			forget(l, i);
			return;
		}
}

static int parse_answer(const json_t *root, const struct held *h, struct asker_answer *ret)
{
	const char *say = json_string_value(json_object_get(root, "say"));
	const char *digest = json_string_value(json_object_get(root, "digest"));
	const char *channel = json_string_value(json_object_get(root, "channel"));
	const char *by = json_string_value(json_object_get(root, "by"));

	if (!digest || strcmp(digest, h->digest) != 0 || !channel || !by || call_say_parse(say, &ret->say) < 0)
		return -EINVAL;
	snprintf(ret->channel, sizeof(ret->channel), "%s", channel);
	snprintf(ret->by, sizeof(ret->by), "%s", by);
	return 0;
}

/* What is no answer to what was asked is a no. */
static void read_answer(const struct asker_list *l, const char *name, const struct held *h, struct asker_answer *ret)
{
	json_t *root;

	*ret = (struct asker_answer){ .id = h->id };
	if (state_json_read(l->dir, name, l->uid, CALL_ANSWER_FILE_MAX, &root, NULL) < 0 ||
		parse_answer(root, h, ret) < 0) {
		*ret = (struct asker_answer){ .id = h->id, .say = ASKER_NO, .channel = "approve" };
		snprintf(ret->by, sizeof(ret->by), "an answer that is not to this question");
	}
	json_decref(root);
}

static int list_take(struct asker *a, struct asker_answer *ret)
{
	struct asker_list *l = list_of(a);
	char name[CALL_NAME_SIZE], bytes[DRAIN_MAX];

	while (a->fd >= 0 && read(a->fd, bytes, sizeof(bytes)) > 0)
		;
	for (size_t i = 0; i < l->n; i++) {
		name_of(l, l->v[i].id, "", CALL_ANSWER, name, sizeof(name));
		if (faccessat(l->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		read_answer(l, name, &l->v[i], ret);
		forget(l, i);
		return 1;
	}
	return 0;
}

static void list_free(struct asker *a)
{
	struct asker_list *l = list_of(a);

	while (l->n > 0)
		forget(l, 0);
	if (a->fd >= 0)
		close(a->fd);
	if (l->dir >= 0)
		close(l->dir);
	free(l->server);
	free(l->client);
	free(l);
}

static const struct asker_kind list_kind = { list_ask, list_withdraw, list_take, list_free };

int asker_list_new(const struct asker_list_args *a, struct asker **ret, struct diag *d)
{
	struct asker_list *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->asker = (struct asker){ &list_kind, -1 };
	l->dir = -1;
	l->uid = a->paths->uid;
	snprintf(l->session, sizeof(l->session), "%s", a->session);
	l->server = strdup(a->server);
	l->client = strdup(a->client);
	r = l->server && l->client ? paths_open_runtime(a->paths, CALL_DIR, &l->dir, d) : -ENOMEM;
	if (r < 0) {
		list_free(&l->asker);
		return r;
	}
	/* Without one the session looks every ASKER_TICK_MS. */
	l->asker.fd = fs_watch(&l->dir, 1, IN_MOVED_TO);
	*ret = &l->asker;
	return 0;
}
