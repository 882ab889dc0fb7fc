/* SPDX-License-Identifier: Apache-2.0 */
/* consent_world - a home of a test's own and launches made by hand, for the tests of consent and question */
#pragma once
#include "tests/unit/unit.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/canonical.h"
#include "supervisor/effective_lines.h"
#include "supervisor/lineage.h"
#include "supervisor/paths.h"

struct world {
	char root[64];
	struct paths paths;
	struct lineage lineage;
};

static inline void world_set(const struct world *w, const char *variable, const char *rest, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", w->root, rest);
	assert_int_equal(mkdir(path, mode), 0);
	setenv(variable, path, 1);
}

static inline int world_up(void **state)
{
	static struct world w;
	struct diag d = { "" };

	w = (struct world){ .root = "/tmp/stockade-consent-XXXXXX" };
	assert_non_null(mkdtemp(w.root));
	world_set(&w, "HOME", "home", 0755);
	world_set(&w, "XDG_RUNTIME_DIR", "run", 0700);
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	if (paths_init(&w.paths, &d) < 0 || lineage_read(&w.lineage, &d) < 0)
		fail_msg("%s", d.text);
	*state = &w;
	return 0;
}

static inline int world_down(void **state)
{
	struct world *w = *state;
	char command[128];

	paths_done(&w->paths);
	lineage_done(&w->lineage);
	snprintf(command, sizeof(command), "rm -rf %s", w->root);
	return system(command);
}

static inline void rehash(struct effective *e)
{
	assert_int_equal(canonical_digest(e->canonical, e->digest), 0);
}

/* A launch of "node server.js", reading what is named. */
static inline void make_launch(struct effective *e, const char *name, const char *reads)
{
	*e = (struct effective){ 0 };
	e->name = strdup(name);
	e->subject = strdup("/srv/server.js");
	assert_int_equal(strv_add(&e->cmd.argv, "node"), 0);
	assert_int_equal(strv_add(&e->cmd.argv, "/srv/server.js"), 0);
	assert_int_equal(effective_add_line(e, LINE_READ, 0, "--ro", "%s", reads), 0);
	e->canonical = json_pack("{s:i, s:s, s:[s, s], s:{s:[s], s:[]}}", "plan", 1, "name", name, "argv", "node",
		"/srv/server.js", "filesystem", "read", reads, "write");
	rehash(e);
}

static inline void launch_done(struct effective *e)
{
	free(e->name);
	free(e->subject);
	strv_done(&e->cmd.argv);
	for (size_t i = 0; i < e->n_lines; i++) {
		free(e->lines[i].text);
		free(e->lines[i].where);
	}
	free(e->lines);
	json_decref(e->canonical);
	*e = (struct effective){ 0 };
}
