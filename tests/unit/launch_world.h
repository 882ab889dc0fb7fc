/* SPDX-License-Identifier: Apache-2.0 */
/*
 * launch_world - one launch in a home of the test's own, in which every right is used that a profile can give
 *
 * ~/bin/server is a link to the script ~/code/server; ~/docs is granted for reading and ~/work for writing.
 */
#pragma once
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include "base/fs.h"
#include "base/buf.h"
#include "supervisor/consent.h"
#include "supervisor/effective.h"

enum { LAUNCH_ENV_MAX = 16, LAUNCH_TEXT_MAX = 8192 };

struct launch {
	struct world *world;
	char profile[LAUNCH_TEXT_MAX];
	char file[PATH_MAX]; /* where the profile lies; "": a launch without one */
	char workspace[PATH_MAX];
	char policy[LAUNCH_TEXT_MAX]; /* "": the machine's */
	struct grants grants;
	char *env[LAUNCH_ENV_MAX + 1];
	struct effective e;
	struct diag d;
};

static const char launch_profile[] =
	"{\"stockade\": 1, \"name\": \"notes\", \"version\": 3, \"description\": \"keeps notes\", \"owner\": "
	"\"one@example.com\",\n"
	"\"reviewed\": \"2026-01-01\", \"expires\": \"2999-01-01T00:00:00Z\", \"approval\": {\"by\": "
	"\"a@example.com\", \"ticket\": \"T-1\"},\n"
	"\"data\": {\"classification\": \"internal\"},\n"
	"\"parameters\": {\"level\": {\"type\": \"integer\", \"default\": 3}},\n"
	"\"command\": [\"sh\", \"~/bin/server\", \"--level=${level}\"], \"cwd\": \"~/work\",\n"
	"\"env\": {\"set\": {\"MODE\": \"quiet\"}, \"pass\": [\"API_TOKEN\", \"NODE_OPTIONS\"]},\n"
	"\"filesystem\": {\"read\": [\"~/docs\"],\n"
	"  \"write\": [\"~/work\"], \"protect\": \"default\", \"deny\": [\"**/.env\"], \"home\": \"empty\", \"tmp\": "
	"\"1MiB\"},\n"
	"\"network\": {\"allow\": [{\"host\": \"api.example.com\", \"ports\": [443], \"sni\": true, \"private\": "
	"false}],\n"
	"  \"publish\": [20123], \"addresses\": \"198.18.0.0/15\", \"limits\": {\"connections\": 10, \"names\": 11, "
	"\"queries\": 12, \"connect\": \"13s\",\n"
	"  \"hello\": \"14s\", \"resolve\": \"15s\", \"idle\": \"16s\"}},\n"
	"\"ipc\": {\"unix\": [\"?~/absent.socket\"]}, \"seccomp\": \"default\",\n"
	"\"limits\": {\"processes\": 20, \"files\": 64, \"message\": \"1MiB\"},\n"
	"\"tools\": {\"allow\": [\"read_*\", {\"name\": \"put\", \"arguments\": {\"minProperties\": 1}}], \"deny\": "
	"[\"delete_*\"]}, \"resources\": {\"allow\": [\"file:*\"]}, "
	"\"prompts\": {\"allow\": [\"ask\"]},\n"
	"\"extensions\": {\"allow\": [\"x/*\"]},\n"
	"\"client\": {\"sampling\": false, \"elicitation\": false, \"roots\": [\"~/work\"]},\n"
	"\"audit\": {\"arguments\": \"keys\", \"delete_after\": \"90d\"}}\n";

/* HOME/relative, or an absolute path as it is. */
static inline char *launch_at(const struct launch *l, const char *relative, char ret[PATH_MAX])
{
	int n = *relative == '/' ? snprintf(ret, PATH_MAX, "%s", relative)
				 : snprintf(ret, PATH_MAX, "%s/%s", l->world->paths.home, relative);

	assert_in_range(n, 1, PATH_MAX - 1);
	return ret;
}
#define LAUNCH_AT(l, relative) launch_at((l), (relative), (char[PATH_MAX]){ 0 })

static inline void launch_mkdir(const struct launch *l, const char *relative)
{
	struct diag d;
	int fd = -1;

	assert_int_equal(fs_mkdirs(LAUNCH_AT(l, relative), 0755, &fd, &d), 0);
	close(fd);
}

static inline void launch_put(const struct launch *l, const char *relative, mode_t mode, const char *text)
{
	int fd = open(LAUNCH_AT(l, relative), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline void launch_link(const struct launch *l, const char *relative, const char *target)
{
	unlink(LAUNCH_AT(l, relative));
	assert_int_equal(symlink(target, LAUNCH_AT(l, relative)), 0);
}

/* NAME=VALUE in the caller's environment. */
static inline void launch_setenv(struct launch *l, const char *setting)
{
	size_t n = strcspn(setting, "="), i = 0;

	while (l->env[i] && !(strncmp(l->env[i], setting, n) == 0 && l->env[i][n] == '='))
		i++;
	assert_in_range(i, 0, LAUNCH_ENV_MAX - 1);
	free(l->env[i]);
	l->env[i] = strdup(setting);
	assert_non_null(l->env[i]);
}

/* The one place where from stands in the profile says to instead. */
static inline void launch_edit(struct launch *l, const char *from, const char *to)
{
	_cleanup_buf_ struct buf b = BUF_INIT(LAUNCH_TEXT_MAX - 1);
	char *at = strstr(l->profile, from);

	if (!at || strstr(at + 1, from))
		fail_msg("'%s' does not stand once in the profile", from);
	assert_int_equal(buf_printf(&b, "%.*s%s%s", (int)(at - l->profile), l->profile, to, at + strlen(from)), 0);
	snprintf(l->profile, sizeof(l->profile), "%s", b.data);
}

static inline int launch_up(void **state)
{
	static struct launch l;
	static const char *const dirs[] = { "bin", "code", "docs", "work", "other" };

	l = (struct launch){ 0 };
	if (world_up((void **)&l.world) != 0)
		return -1;
	snprintf(l.profile, sizeof(l.profile), "%s", launch_profile);
	launch_at(&l, "notes.json", l.file);
	launch_at(&l, "work", l.workspace);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		launch_mkdir(&l, dirs[i]);
	launch_put(&l, "code/server", 0755, "#!/bin/sh\nexec true\n");
	launch_put(&l, "code/copy", 0755, "#!/bin/sh\nexec true\n");
	launch_put(&l, "docs/one", 0644, "one\n");
	launch_link(&l, "bin/server", "../code/server");
	launch_setenv(&l, "PATH=/usr/bin:/bin");
	launch_setenv(&l, "API_TOKEN=abc");
	launch_setenv(&l, "NODE_OPTIONS=--enable-source-maps");
	launch_setenv(&l, "LANG=C.UTF-8");
	*state = &l;
	return 0;
}

static inline int launch_down(void **state)
{
	struct launch *l = *state;
	void *world = l->world;

	effective_done(&l->e);
	grants_done(&l->grants);
	for (size_t i = 0; i < ARRAY_LEN(l->env); i++)
		free(l->env[i]);
	return world_down(&world);
}

/* Describes it anew: 0 or what effective_build says, with words in d. */
static inline int launch_build(struct launch *l)
{
	char *path = LAUNCH_AT(l, "policy.json");
	const struct effective_policy policy = { path, FS_TRUST_USER };
	struct effective_args a = { &l->world->paths, &l->grants, l->env, l->workspace, *l->policy ? &policy : NULL };

	if (*l->policy)
		launch_put(l, "policy.json", 0644, l->policy);

	effective_done(&l->e);
	*l->d.text = '\0';
	free(l->grants.profile_file);
	l->grants.profile_file = NULL;
	if (*l->file) {
		launch_put(l, l->file, 0644, l->profile);
		l->grants.profile_file = strdup(l->file);
	}
	return effective_build(&a, &l->e, &l->d);
}

static inline void launch_digest(struct launch *l)
{
	_cleanup_approvals_ struct approvals all = { 0 };

	if (consent_list(&l->world->paths, &all, &l->d) < 0 ||
		effective_digest(&l->world->paths, &all, &l->e, &l->d) < 0)
		fail_msg("%s", l->d.text);
}

static inline void launch_look(struct launch *l)
{
	if (launch_build(l) < 0 || effective_look(&l->e, &l->d) < 0)
		fail_msg("%s", l->d.text);
}

static inline void launch_describe(struct launch *l)
{
	launch_look(l);
	launch_digest(l);
}

/* The line of that kind whose text holds the words, or NULL. */
static inline const struct effective_line *launch_line(
	const struct launch *l, enum effective_kind kind, const char *words)
{
	for (size_t i = 0; i < l->e.n_lines; i++)
		if (l->e.lines[i].kind == kind && strstr(l->e.lines[i].text, words))
			return &l->e.lines[i];
	return NULL;
}
