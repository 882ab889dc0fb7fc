/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_page - docs/audit.md says which records there are, who sends them, and the order of their members */
#include "tests/unit/audit_unit.h"

#include <string.h>
#include "base/strv.h"

enum { PAGE_MAX = 256 << 10, CELL_SIZE = 256, ROWS_MAX = 64 };

struct row {
	char names[CELL_SIZE], sources[CELL_SIZE];
};

/* The first two cells of each row of the table that begins with that head. */
static size_t read_table(const char *head, struct row ret[ROWS_MAX])
{
	static char page[PAGE_MAX];
	FILE *f = fopen(STOCKADE_DOCS "/audit.md", "r");
	size_t n = 0;
	char *at;

	assert_non_null(f);
	page[fread(page, 1, PAGE_MAX - 1, f)] = '\0';
	fclose(f);
	at = strstr(page, head);
	assert_non_null(at);
	for (at = strchr(strchr(at, '\n') + 1, '\n') + 1; *at == '|'; at += strcspn(at, "\n") + 1) {
		assert_true(n < ROWS_MAX);
		assert_int_equal(sscanf(at, "| %255[^|]| %255[^|\n]", ret[n].names, ret[n].sources), 2);
		n++;
	}
	assert_true(n > 5);
	return n;
}

/* What stands between backticks, in its order. */
static void add_names(struct strv *names, const char *cell)
{
	for (const char *p = cell; (p = strchr(p, '`')); p += strcspn(p, "`") + 1) {
		_cleanup_free_ char *name = strndup(p + 1, strcspn(p + 1, "`"));
		assert_non_null(name);
		assert_int_equal(strv_add(names, name), 0);
		p++;
	}
}

static ssize_t place_of(const struct strv *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->v[i], name) == 0)
			return (ssize_t)i;
	return -1;
}

static void check_order(const struct strv *members, const char *line)
{
	json_t *record = json_loads(line, 0, NULL), *value;
	const char *key, *before = "the beginning";
	ssize_t last = -1;

	assert_non_null(record);
	json_object_foreach(record, key, value)
	{
		ssize_t place = place_of(members, key);
		if (place < 0)
			fail_msg("docs/audit.md does not have the member %s", key);
		if (place <= last)
			fail_msg("docs/audit.md has %s before %s, a record has it behind", key, before);
		last = place;
		before = key;
	}
	json_decref(record);
}

/* Of the one session that is there; returns how many records it has. */
static size_t check_session(const struct log_dir *l, const struct strv *members)
{
	_cleanup_closedir_ DIR *dir = opendir(l->path);
	size_t records = 0;

	assert_non_null(dir);
	for (struct dirent *f; (f = readdir(dir));) {
		char path[512], line[4096];
		FILE *log;
		if (!strstr(f->d_name, "Z-"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", l->path, f->d_name);
		log = fopen(path, "r");
		assert_non_null(log);
		for (; fgets(line, sizeof(line), log); records++)
			check_order(members, line);
		fclose(log);
	}
	return records;
}

static void the_members_of_a_record_come_as_the_page_lists_them(void **state)
{
	const struct log_dir *l = *state;
	struct audit *a = session_open(l, "notes", 0);
	struct event e = { .type = EVENT_CALL,
		.decision = EVENT_DENY,
		.side = EVENT_FROM_CLIENT,
		.call_id = 1,
		.bytes = 2,
		.latency_us = 3,
		.count = 4,
		.bytes_in = 5,
		.bytes_out = 6,
		.port = 7,
		.host = "h",
		.address = "192.0.2.1",
		.method = "tools/call",
		.tool = "t",
		.scope = "read",
		.subject = "s",
		.rule = "r",
		.reason = "why",
		.status = "ok",
		.peer_name = "n",
		.peer_version = "1",
		.protocol = "2025-11-25",
		.arg_keys = "k",
		.arg_hash = "00",
		.args = "{}",
		.args_len = 2 };
	_cleanup_strv_ struct strv members = { 0 };
	struct row rows[ROWS_MAX];
	size_t n = read_table("| member | what |", rows);
	struct diag d = { "" };
	json_t *detail = json_pack("{s:s}", "a", "b");

	for (size_t i = 0; i < n; i++)
		add_names(&members, rows[i].names);
	assert_int_equal(audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d), 0);
	e.type = EVENT_CONFIRM;
	assert_int_equal(audit_append(a, EVENT_FROM_SUPERVISOR, &e, detail, &d), 0);
	json_decref(detail);
	session_close(a);
	assert_int_equal(check_session(l, &members), 4);
}

/* "shim", "gateway, dial" */
static bool has_word(const char *cell, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = cell; (p = strstr(p, word)); p++)
		if ((p == cell || p[-1] == ' ') && strchr(", ", p[n]))
			return true;
	return false;
}

static void the_page_has_every_event_and_who_sends_it(void **state)
{
	_cleanup_strv_ struct strv all = { 0 };
	struct row rows[ROWS_MAX];
	size_t n = read_table("| event | source | when |", rows);

	for (size_t i = 0; i < n; i++) {
		_cleanup_strv_ struct strv names = { 0 };
		add_names(&names, rows[i].names);
		add_names(&all, rows[i].names);
		for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++)
			for (unsigned s = 0; place_of(&names, event_name(t)) >= 0 && s < EVENT_SOURCE_COUNT; s++)
				if (event_allowed(t, s) != has_word(rows[i].sources, event_source_name(s)))
					fail_msg("docs/audit.md: %s is not told of %s as wire/event.h has it",
						event_name(t), event_source_name(s));
	}
	for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++)
		if (place_of(&all, event_name(t)) < 0)
			fail_msg("docs/audit.md does not explain %s", event_name(t));
	assert_int_equal(all.n, EVENT_TYPE_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_members_of_a_record_come_as_the_page_lists_them, log_dir_setup, log_dir_teardown),
		cmocka_unit_test(the_page_has_every_event_and_who_sends_it),
	};

	return cmocka_run_group_tests_name("audit_page", tests, NULL, NULL);
}
