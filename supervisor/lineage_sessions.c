/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineage_sessions - ancestors that are the client of a running session, whatever they are called (lineage.h)
 *
 * The registry is RUNTIME/sessions/ID.json, one file a session: "client_pid" and "client_start" say who it serves. A
 * file that cannot be read or parsed names nobody; a session that is just ending leaves such a one.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include "base/fs.h"
#include "supervisor/lineage.h"
#include "supervisor/registry.h"
#include "supervisor/state_json.h"

enum { SESSION_FILE_MAX = 64 << 10 };

static void mark(struct lineage *l, json_int_t pid, json_int_t start)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].pid == pid && l->v[i].start == (uint64_t)start && !l->v[i].client)
			l->v[i].client = "the client of a running session";
}

/* A session that was killed leaves its file; its client is then nobody's client any more. */
static bool is_running(json_int_t pid, json_int_t start)
{
	uint64_t now;

	return pid > 0 && pid <= INT32_MAX && registry_start_time((pid_t)pid, &now) == 0 && now == (uint64_t)start;
}

static int mark_file(struct lineage *l, int dir, const char *name, uid_t uid)
{
	json_int_t pid = 0, start = 0, own = 0, own_start = 0;
	json_int_t namespace = (json_int_t)registry_pid_namespace();
	json_t *root;
	int r = state_json_read(dir, name, uid, SESSION_FILE_MAX, &root, NULL);

	if (r == -ENOMEM)
		return r;
	if (r == 0 &&
		json_unpack(root, "{s:I, s:I, s:I, s:I, s?:I}", "client_pid", &pid, "client_start", &start, "pid", &own,
			"start", &own_start, "pid_namespace", &namespace) == 0 &&
		(uint64_t) namespace == registry_pid_namespace() && pid > 0 && is_running(own, own_start))
		mark(l, pid, start);
	json_decref(root);
	return 0;
}

int lineage_mark_sessions(struct lineage *l, const struct paths *p, struct diag *d)
{
	_cleanup_close_ int fd = -1;
	int r = paths_open_runtime(p, "sessions", &fd, d);

	if (r < 0)
		return r;
	_cleanup_closedir_ DIR *dir = NULL;
	r = fs_list(fd, &dir);
	if (r < 0)
		return diag_fail(d, r, "cannot list the running sessions: %s", strerror(-r));
	for (struct dirent *e; (e = readdir(dir));) {
		size_t n = strlen(e->d_name);
		if (n > 5 && strcmp(e->d_name + n - 5, ".json") == 0 && e->d_name[0] != '.') {
			r = mark_file(l, fd, e->d_name, p->uid);
			if (r < 0)
				return diag_fail(d, r, "cannot read the running sessions: %s", strerror(-r));
		}
	}
	return 0;
}

int lineage_client_above(struct lineage *l, const struct paths *p, char **ret, struct diag *d)
{
	const struct ancestor *client;
	int n, r = lineage_mark_sessions(l, p, d);

	*ret = NULL;
	if (r < 0)
		return r;
	client = lineage_find_client(l);
	if (!client && !l->cut)
		return 0;
	if (client)
		n = asprintf(ret, "%s (process %d) is among the programs that started this command", client->client,
			(int)client->pid);
	else
		n = asprintf(ret,
			"more than %d programs started one another down to this command, so that a client above them "
			"cannot be seen",
			LINEAGE_MAX);
	if (n >= 0)
		return 0;
	*ret = NULL;
	return diag_fail(d, -ENOMEM, "out of memory");
}
