/* SPDX-License-Identifier: Apache-2.0 */
/* test_filesystem - which paths can be granted, and what becomes of grants and code in the plan */
#include "tests/unit/launch_world.h"
#include <sys/socket.h>
#include <sys/un.h>
#include "supervisor/filesystem.h"
#include "tests/unit/unprivileged.h"

struct grant_row {
	const char *path; /* below the home, or absolute */
	bool write, optional;
	int error;
	const char *words; /* of the message */
};

/* One grant for reading or writing, opened. */
static int open_one(struct launch *l, const char *path, bool write, bool optional, struct fs_grants *ret)
{
	struct profile_item item = { LAUNCH_AT(l, path), (char[]){ "x.json:1 (filesystem)" }, optional };
	struct profile f = { 0 };

	*(write ? &f.fs_write : &f.fs_read) = (struct profile_items){ &item, 1, true };
	*l->d.text = '\0';
	*ret = (struct fs_grants){ 0 };
	int r = fs_grants_open(&l->world->paths, &f, ret, &l->d);
	for (size_t i = 0; i < ret->n; i++)
		ret->v[i].where = "x.json:1 (filesystem)";
	return r;
}

static void put_socket(const struct launch *l, const char *relative)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", LAUNCH_AT(l, relative));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
}

static const struct grant_row grant_rows[] = {
	{ "docs", false, false, 0, "" },
	{ "docs", true, false, 0, "" },
	{ "docs/one", true, false, 0, "" },
	{ "absent", false, false, -ENOENT, "cannot grant" },
	{ "absent", false, false, -ENOENT, "put '?' before it" },
	{ "absent", false, true, 0, "" },
	{ "docs/one/below", false, true, -ENOTDIR, "cannot grant" },
	{ "dangling", false, false, -ENOENT, "cannot grant" },
	{ "loop", false, false, -ELOOP, "cannot grant" },
	{ "socket", false, false, -EINVAL, "is a socket (ipc.unix grants those)" },
	{ "fifo", false, false, -EINVAL, "neither a directory nor a regular file" },
	{ "/dev/null", true, false, -EINVAL, "neither a directory nor a regular file" },
	{ "", false, false, -EPERM, "x.json:1 (filesystem): " },
	{ "/", false, false, -EPERM, "cannot be granted" },
	{ ".local/state/stockade", false, false, -EPERM, "cannot be granted" },
	{ ".local/state/stockade/approvals", false, false, -EPERM, "cannot be granted" },
	{ ".local/state", true, false, -EPERM, "cannot be granted" },
	{ ".config/stockade", false, false, -EPERM, "cannot be granted" },
	{ "to-run", false, false, -EPERM, "cannot be granted" },
	{ "to-run/stockade", false, false, -EPERM, "cannot be granted" },
	{ ".cursor/mcp.json", false, false, -EPERM, "cannot be granted" },
	{ "to-state", false, false, -EPERM, "cannot be granted" },
};

static void what_is_granted_is_a_directory_or_a_file_and_nothing_of_ours_or_a_clients(void **state)
{
	struct launch *l = *state;

	launch_mkdir(l, ".local/state/stockade/approvals");
	launch_mkdir(l, ".config/stockade");
	launch_mkdir(l, "../run/stockade");
	launch_mkdir(l, ".cursor");
	launch_put(l, ".cursor/mcp.json", 0600, "{}");
	launch_link(l, "dangling", "absent");
	launch_link(l, "loop", "loop");
	launch_link(l, "to-state", ".local/state");
	launch_link(l, "to-run", "../run");
	put_socket(l, "socket");
	assert_int_equal(mkfifo(LAUNCH_AT(l, "fifo"), 0600), 0);
	for (size_t i = 0; i < ARRAY_LEN(grant_rows); i++) {
		const struct grant_row *row = &grant_rows[i];
		struct fs_grants g;
		int r = open_one(l, row->path, row->write, row->optional, &g);
		if (r != row->error || !strstr(l->d.text, row->words) ||
			(r < 0 && !strstr(l->d.text, "x.json:1 (filesystem)")))
			fail_msg("'%s': %d: %s", row->path, r, l->d.text);
		if (r == 0 && g.n != (row->optional ? 0 : 1))
			fail_msg("'%s': %zu grants", row->path, g.n);
		fs_grants_done(&g);
	}
}

static void a_grant_knows_what_it_leads_to(void **state)
{
	struct launch *l = *state;
	struct fs_grants g;
	struct stat st;

	launch_link(l, "alias", "docs");
	assert_int_equal(open_one(l, "alias", true, false, &g), 0);
	assert_string_equal(g.v[0].given, LAUNCH_AT(l, "alias"));
	assert_string_equal(g.v[0].canonical, LAUNCH_AT(l, "docs"));
	assert_int_equal(stat(LAUNCH_AT(l, "docs"), &st), 0);
	assert_int_equal(g.v[0].dev, st.st_dev);
	assert_int_equal(g.v[0].ino, st.st_ino);
	assert_int_equal(g.v[0].type, S_IFDIR);
	assert_true(g.v[0].directory && g.v[0].write);
	assert_true(fs_grants_cover(&g, LAUNCH_AT(l, "alias/x")));
	assert_true(fs_grants_cover(&g, LAUNCH_AT(l, "docs/x")));
	assert_false(fs_grants_cover(&g, LAUNCH_AT(l, "docs2")));
	assert_ptr_equal(fs_grants_writable_over(&g, LAUNCH_AT(l, "docs/one")), &g.v[0]);
	assert_ptr_equal(fs_grants_writable_over(&g, l->world->paths.home), &g.v[0]);
	assert_null(fs_grants_writable_over(&g, LAUNCH_AT(l, "docs2")));
	g.v[0].write = false;
	assert_null(fs_grants_writable_over(&g, LAUNCH_AT(l, "docs")));
	fs_grants_done(&g);
}

static void a_source_is_identified_without_following_a_link(void **state)
{
	struct launch *l = *state;
	struct plan_mount m = { 0 };
	struct stat st;

	launch_link(l, "alias", "docs");
	assert_int_equal(fs_identify(LAUNCH_AT(l, "docs/one"), &m), 0);
	assert_int_equal(stat(LAUNCH_AT(l, "docs/one"), &st), 0);
	assert_int_equal(m.type, S_IFREG);
	assert_int_equal(m.ino, st.st_ino);
	assert_int_equal(fs_identify(LAUNCH_AT(l, "alias"), &m), 0);
	assert_int_equal(m.type, S_IFLNK);
	assert_int_equal(fs_identify(LAUNCH_AT(l, "absent"), &m), -ENOENT);
}

/* --- mounts: "r PATH", "w PATH", "l PATH -> TEXT", below the home --- */

struct wanted {
	char kind;
	const char *target, *content;
};

static void expect_mounts(const struct launch *l, const struct plan *p, const struct wanted *v, size_t n)
{
	assert_int_equal(p->n_mounts, n);
	for (size_t i = 0; i < n; i++) {
		const struct plan_mount *m = &p->mounts[i];
		char kind = m->kind == PLAN_SYMLINK ? 'l'
			    : m->kind != PLAN_BIND  ? '?'
			    : m->flags & PLAN_WRITE ? 'w'
						    : 'r';
		if (kind != v[i].kind || strcmp(m->target, LAUNCH_AT(l, v[i].target)) != 0)
			fail_msg("mount %zu is %c %s", i, kind, m->target);
		if (v[i].content)
			assert_string_equal(
				m->content, v[i].content[0] == '~' ? LAUNCH_AT(l, v[i].content + 2) : v[i].content);
		if (kind != 'l') {
			assert_string_equal(m->source, m->target);
			assert_true(m->ino != 0);
		}
	}
}
#define MOUNTS(l, p, ...)                                                                                              \
	expect_mounts(                                                                                                 \
		(l), (p), (const struct wanted[]){ __VA_ARGS__ }, ARRAY_LEN(((const struct wanted[]){ __VA_ARGS__ })))

static void mount_all(struct launch *l, struct profile_item *reads, size_t n_reads, struct profile_item *writes,
	size_t n_writes, const struct resolved *cmd, struct plan *ret)
{
	struct profile f = { .fs_read = { reads, n_reads, true }, .fs_write = { writes, n_writes, true } };
	struct fs_grants g = { 0 };

	if (fs_grants_open(&l->world->paths, &f, &g, &l->d) < 0 || fs_grants_mount(&g, cmd, ret, &l->d) < 0)
		fail_msg("%s", l->d.text);
	fs_sort_mounts(ret, 0);
	fs_grants_done(&g);
}

#define ITEM(l, path)                                                                                                  \
	{                                                                                                              \
		LAUNCH_AT((l), (path)), (char[]){ "here" }, false                                                      \
	}

static void parents_are_mounted_before_what_lies_in_them(void **state)
{
	struct launch *l = *state;
	struct profile_item reads[] = { ITEM(l, "docs/one"), ITEM(l, "other") },
			    writes[] = { ITEM(l, "work"), ITEM(l, "docs") };
	struct resolved cmd = { 0 };
	_cleanup_plan_ struct plan p = { 0 };

	mount_all(l, reads, 2, writes, 2, &cmd, &p);
	MOUNTS(l, &p, { 'w', "docs", NULL }, { 'r', "docs/one", NULL }, { 'r', "other", NULL }, { 'w', "work", NULL });
}

static void what_is_granted_twice_is_mounted_once_and_can_be_written(void **state)
{
	struct launch *l = *state;
	struct profile_item reads[] = { ITEM(l, "docs"), ITEM(l, "docs") }, writes[] = { ITEM(l, "docs") };
	struct resolved cmd = { 0 };
	_cleanup_plan_ struct plan p = { 0 };

	mount_all(l, reads, 2, writes, 1, &cmd, &p);
	MOUNTS(l, &p, { 'w', "docs", NULL });
}

static void a_granted_link_is_a_link_inside_unless_its_place_is_mounted(void **state)
{
	struct launch *l = *state;

	launch_link(l, "alias", "docs");
	launch_link(l, "work/alias", "../other");
	struct profile_item reads[] = { ITEM(l, "alias"), ITEM(l, "work/alias") }, writes[] = { ITEM(l, "work") };
	struct resolved cmd = { 0 };
	_cleanup_plan_ struct plan p = { 0 };

	mount_all(l, reads, 2, writes, 1, &cmd, &p);
	MOUNTS(l, &p, { 'l', "alias", "~/docs" }, { 'r', "docs", NULL }, { 'r', "other", NULL }, { 'w', "work", NULL });
}

static void code_is_mounted_read_only_once_and_not_where_the_base_view_has_it(void **state)
{
	struct launch *l = *state;
	struct profile_item writes[] = { ITEM(l, "work") };
	struct code_tree trees[] = { { LAUNCH_AT(l, "code"), (char[]){ "script" }, false },
		{ LAUNCH_AT(l, "code"), (char[]){ "again" }, false },
		{ LAUNCH_AT(l, "work"), (char[]){ "granted" }, false },
		{ (char[]){ "/usr/bin" }, (char[]){ "system" }, true } };
	struct resolved cmd = { .trees = trees, .n_trees = ARRAY_LEN(trees) };
	_cleanup_plan_ struct plan p = { 0 };

	mount_all(l, NULL, 0, writes, 1, &cmd, &p);
	MOUNTS(l, &p, { 'r', "code", NULL }, { 'w', "work", NULL });
}

static void links_of_the_command_are_made_where_nothing_is_mounted(void **state)
{
	struct launch *l = *state;
	struct profile_item reads[] = { ITEM(l, "bin") };
	struct resolved cmd = { 0 };
	_cleanup_plan_ struct plan p = { 0 };
	char row[2 * PATH_MAX];

	snprintf(row, sizeof(row), "%s\t../code/server", LAUNCH_AT(l, "bin/server"));
	assert_int_equal(strv_add(&cmd.symlinks, row), 0);
	snprintf(row, sizeof(row), "%s\tcode/server", LAUNCH_AT(l, "shortcut"));
	assert_int_equal(strv_add(&cmd.symlinks, row), 0);
	assert_int_equal(strv_add(&cmd.symlinks, row), 0);
	mount_all(l, reads, 1, NULL, 0, &cmd, &p);
	MOUNTS(l, &p, { 'r', "bin", NULL }, { 'l', "shortcut", "code/server" });
	strv_done(&cmd.symlinks);
}

static void code_that_is_gone_is_no_plan(void **state)
{
	struct launch *l = *state;
	struct code_tree tree = { LAUNCH_AT(l, "absent"), (char[]){ "script" }, false };
	struct resolved cmd = { .trees = &tree, .n_trees = 1 };
	struct fs_grants g = { 0 };
	_cleanup_plan_ struct plan p = { 0 };

	assert_int_equal(fs_grants_mount(&g, &cmd, &p, &l->d), -ENOENT);
	assert_non_null(strstr(l->d.text, "cannot lay out what is granted"));
}

static void rows_before_the_first_keep_their_order_and_a_mask_follows_its_bind(void **state)
{
	const struct plan_mount in[] = { { .kind = PLAN_TMPFS, .target = (char[]){ "/z" } },
		{ .kind = PLAN_DIR, .target = (char[]){ "/y" } }, { .kind = PLAN_MASK, .target = (char[]){ "/b" } },
		{ .kind = PLAN_BIND, .source = (char[]){ "/b" }, .target = (char[]){ "/b" } },
		{ .kind = PLAN_BIND, .source = (char[]){ "/a/x" }, .target = (char[]){ "/a/x" } },
		{ .kind = PLAN_BIND, .source = (char[]){ "/a" }, .target = (char[]){ "/a" } } };
	static const char *const out[] = { "/z", "/y", "/a", "/a/x", "/b", "/b" };
	_cleanup_plan_ struct plan p = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(in); i++)
		assert_int_equal(plan_add_mount(&p, &in[i]), 0);
	fs_sort_mounts(&p, 2);
	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		assert_string_equal(p.mounts[i].target, out[i]);
	assert_int_equal(p.mounts[4].kind, PLAN_BIND);
	assert_int_equal(p.mounts[5].kind, PLAN_MASK);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, launch_up, launch_down)
	const struct CMUnitTest tests[] = {
		T(what_is_granted_is_a_directory_or_a_file_and_nothing_of_ours_or_a_clients),
		T(a_grant_knows_what_it_leads_to),
		T(a_source_is_identified_without_following_a_link),
		T(parents_are_mounted_before_what_lies_in_them),
		T(what_is_granted_twice_is_mounted_once_and_can_be_written),
		T(a_granted_link_is_a_link_inside_unless_its_place_is_mounted),
		T(code_is_mounted_read_only_once_and_not_where_the_base_view_has_it),
		T(links_of_the_command_are_made_where_nothing_is_mounted),
		T(code_that_is_gone_is_no_plan),
		cmocka_unit_test(rows_before_the_first_keep_their_order_and_a_mask_follows_its_bind),
	};
	return become_unprivileged() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
