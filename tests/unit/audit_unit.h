/* SPDX-License-Identifier: Apache-2.0 */
/* audit_unit - a log directory of a test's own, and sessions in it */
#pragma once
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/index.h"
#include "audit/record.h"
#include "base/buf.h"
#include "base/io.h"

enum { TEST_FILE_MAX = 64 << 20 };

struct log_dir {
	char path[64];
	int fd;
};

static inline void log_dir_empty(const struct log_dir *l)
{
	_cleanup_closedir_ DIR *dir = opendir(l->path);
	struct dirent *e;

	assert_non_null(dir);
	while ((e = readdir(dir))) {
		if (e->d_name[0] != '.' && unlinkat(l->fd, e->d_name, 0) < 0)
			assert_int_equal(unlinkat(l->fd, e->d_name, AT_REMOVEDIR), 0);
	}
}

static inline int log_dir_setup(void **state)
{
	struct log_dir *l = calloc(1, sizeof *l);

	if (!l)
		return -1;
	strcpy(l->path, "/tmp/stockade-audit-XXXXXX");
	l->fd = mkdtemp(l->path) ? open(l->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	*state = l;
	return l->fd < 0 ? -1 : 0;
}

static inline int log_dir_teardown(void **state)
{
	struct log_dir *l = *state;

	log_dir_empty(l);
	close(l->fd);
	rmdir(l->path);
	free(l);
	return 0;
}

static inline struct audit *session_open(const struct log_dir *l, const char *server, uint64_t budget)
{
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct audit *a = NULL;
	struct diag d = { "" };

	audit_new_session_id(session);
	struct audit_identity id = { .session = session,
		.user = "alice",
		.groups = "alice,dev",
		.client = "code (pid 812)",
		.server = server,
		.version = "4",
		.plan_digest = "00ff",
		.approval = "a1",
		.channel = "terminal" };
	struct audit_options o = { .dirfd = l->fd, .budget = budget };
	int r = audit_open(&o, &id, &a, &d);
	if (r < 0)
		print_error("audit_open: %s\n", d.text);
	assert_int_equal(r, 0);
	return a;
}

static inline struct event call_event(const char *tool)
{
	struct event e = { .type = EVENT_CALL,
		.decision = EVENT_ALLOW,
		.side = EVENT_FROM_CLIENT,
		.call_id = 1,
		.method = "tools/call",
		.rule = "profiles/github.json:38 (tools.allow)",
		.arg_keys = "owner,repo" };

	snprintf(e.tool, sizeof e.tool, "%s", tool);
	return e;
}

static inline void session_call(struct audit *a, const char *tool)
{
	struct event e = call_event(tool);
	struct diag d = { "" };
	int r = audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d);

	if (r < 0)
		print_error("audit_append: %s\n", d.text);
	assert_int_equal(r, 0);
}

static inline void session_close(struct audit *a)
{
	struct diag d = { "" };
	int r = audit_close(a, "exited with status 0", &d);

	if (r < 0)
		print_error("audit_close: %s\n", d.text);
	assert_int_equal(r, 0);
	audit_free(a);
}

/* The n-th session's file by name (0 first); false when there are fewer. */
static inline bool session_file(const struct log_dir *l, unsigned n, char ret[256])
{
	struct dirent **names = NULL;
	int count = scandir(l->path, &names, NULL, alphasort);
	bool found = false;

	for (int i = 0; i < count; i++) {
		if (!found && strstr(names[i]->d_name, ".jsonl") && strcmp(names[i]->d_name, INDEX_FILE) != 0 &&
			n-- == 0) {
			snprintf(ret, 256, "%s", names[i]->d_name);
			found = true;
		}
		free(names[i]);
	}
	free(names);
	return found;
}

static inline void file_read(const struct log_dir *l, const char *name, struct buf *ret)
{
	_cleanup_close_ int fd = openat(l->fd, name, O_RDONLY | O_CLOEXEC);

	*ret = BUF_INIT(TEST_FILE_MAX);
	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, ret), 0);
}

/* A closed session's file is sealed: its mode stays what it is. */
static inline int file_open_write(const struct log_dir *l, const char *name, int flags)
{
	struct stat st;
	bool exists = fstatat(l->fd, name, &st, 0) == 0;

	if (exists)
		assert_int_equal(fchmodat(l->fd, name, 0600, 0), 0);
	int fd = openat(l->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
	assert_true(fd >= 0);
	if (exists)
		assert_int_equal(fchmod(fd, st.st_mode & 07777), 0);
	return fd;
}

static inline void file_write(const struct log_dir *l, const char *name, const void *p, size_t n)
{
	_cleanup_close_ int fd = file_open_write(l, name, O_TRUNC);

	assert_int_equal(io_write_full(fd, p, n), 0);
}

/* Line n (0 first), parsed; NULL when there are fewer. */
static inline json_t *file_line(const struct log_dir *l, const char *name, size_t n)
{
	_cleanup_buf_ struct buf b;
	json_t *ret = NULL;

	file_read(l, name, &b);
	char *p = b.data;
	for (char *end; p && (end = strchr(p, '\n')); p = end + 1) {
		if (n-- > 0)
			continue;
		ret = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(ret);
		break;
	}
	return ret;
}

static inline const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static inline json_int_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* What verify prints goes to *ret_text (heap) when it is not NULL. Not inline: gcc 12 takes open_memstream's bytes for
 * the address of the local that points to them. */
__attribute__((noinline, unused)) static int verify_log(const struct log_dir *l, bool read_only, char **ret_text)
{
	struct audit_verify_options o = { .read_only = read_only };
	struct diag d = { "" };
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	int r = audit_verify(l->fd, &o, out, &d);
	fclose(out);
	if (r < 0)
		print_error("audit_verify: %s\n", d.text);
	if (ret_text)
		*ret_text = text;
	else
		free(text);
	return r;
}

static inline void assert_whole(const struct log_dir *l)
{
	_cleanup_free_ char *text = NULL;
	int r = verify_log(l, true, &text);

	if (r != AUDIT_WHOLE)
		print_error("%s", text);
	assert_int_equal(r, AUDIT_WHOLE);
}

static inline void assert_damaged(const struct log_dir *l, const char *words)
{
	_cleanup_free_ char *text = NULL;
	int r = verify_log(l, true, &text);

	if (r != AUDIT_DAMAGED || !strstr(text, words))
		print_error("expected '%s' in:\n%s", words, text);
	assert_int_equal(r, AUDIT_DAMAGED);
	assert_non_null(strstr(text, words));
}
