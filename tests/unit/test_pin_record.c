/* SPDX-License-Identifier: Apache-2.0 */
/* test_pin_record - who pinned what is in the log */
#include "tests/unit/consent_world.h"
#include <dirent.h>
#include <fcntl.h>
#include "base/io.h"
#include "supervisor/pin_record.h"

#define T(text) ((char *)(uintptr_t)(text))

static struct definition_finding findings[] = {
	{ DEFINITION_HIGH, T("hidden-text"), T("t"), T("p"), T("s") },
	{ DEFINITION_HIGH, T("hidden-text"), T("t"), T("p"), T("s") },
	{ DEFINITION_MEDIUM, T("long-text"), T("t"), T("p"), T("s") },
	{ DEFINITION_HIGH, T("orders"), T("t"), T("p"), T("s") },
};

/* The one log that there is, as text. */
static void read_log(const struct world *w, struct buf *b)
{
	_cleanup_close_ int dir = -1, fd = -1;
	struct diag d = { "" };
	struct dirent *e;
	DIR *list;

	assert_int_equal(paths_open_state(&w->paths, "audit", &dir, &d), 0);
	list = fdopendir(dup(dir));
	assert_non_null(list);
	while (fd < 0 && (e = readdir(list)))
		if (strchr(e->d_name, 'Z'))
			fd = openat(dir, e->d_name, O_RDONLY | O_CLOEXEC);
	closedir(list);
	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, b), 0);
	assert_int_equal(buf_putc(b, '\0'), 0);
}

/* The record of that event. */
static json_t *record_of(const struct buf *log, const char *event)
{
	for (const char *p = log->data; *p; p = strchr(p, '\n') + 1) {
		json_t *o = json_loads(p, JSON_DISABLE_EOF_CHECK, NULL);
		if (strcmp(json_string_value(json_object_get(o, "event")), event) == 0)
			return o;
		json_decref(o);
	}
	return NULL;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));

	return text ? text : "";
}

static void pinning_records_who_did_it_in_place_of_what_and_what_was_accepted(void **state)
{
	const struct world *w = *state;
	struct definition tool = { .findings = findings, .n_findings = ARRAY_LEN(findings) };
	const struct pin_set before = { .digest = "aaaa" };
	const struct definitions found = { .v = &tool, .n = 1 };
	const struct pin_set made = { .digest = "bbbb", .definitions = { .n = 7 } };
	const struct record_alone_args a = { .paths = &w->paths,
		.lineage = &w->lineage,
		.server = "notes",
		.channel = "digest",
		.plan = "cccc",
		.approval = "dddd" };
	_cleanup_free_ char *client = lineage_words(&w->lineage), *list = NULL;
	_cleanup_buf_ struct buf log = BUF_INIT(1 << 20);
	struct diag d = { "" };
	json_t *o;

	if (pin_record(&a, &before, &made, &found, NULL, &d) < 0)
		fail_msg("%s", d.text);
	read_log(w, &log);
	o = record_of(&log, "pin.made");
	assert_non_null(o);
	assert_string_equal(text_of(o, "server"), "notes");
	assert_string_equal(text_of(o, "user"), w->paths.user);
	assert_string_equal(text_of(o, "client"), client);
	assert_string_equal(text_of(o, "channel"), "digest");
	assert_string_equal(text_of(o, "plan"), "cccc");
	assert_string_equal(text_of(o, "approval"), "dddd");
	assert_string_equal(text_of(o, "status"), "pinned");
	assert_int_equal(json_integer_value(json_object_get(o, "count")), 7);
	list = json_dumps(json_object_get(o, "detail"), JSON_COMPACT | JSON_SORT_KEYS);
	assert_string_equal(list, "{\"accepted\":[\"hidden-text\",\"orders\"],\"before\":\"aaaa\",\"pins\":\"bbbb\"}");
	json_decref(o);
}

static void pins_that_are_written_to_a_file_are_recorded_with_its_name(void **state)
{
	const struct world *w = *state;
	const struct definitions found = { 0 };
	const struct pin_set made = { .digest = "bbbb" };
	const struct record_alone_args a = {
		.paths = &w->paths, .lineage = &w->lineage, .server = "notes", .channel = "pin"
	};
	_cleanup_buf_ struct buf log = BUF_INIT(1 << 20);
	struct diag d = { "" };
	json_t *o;

	assert_int_equal(pin_record(&a, NULL, &made, &found, "a\x1b.pins", &d), 0);
	read_log(w, &log);
	o = record_of(&log, "pin.made");
	assert_non_null(o);
	assert_string_equal(text_of(o, "status"), "written");
	assert_string_equal(text_of(o, "reason"), "a\\x1b.pins");
	assert_null(json_object_get(json_object_get(o, "detail"), "before"));
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			pinning_records_who_did_it_in_place_of_what_and_what_was_accepted, world_up, world_down),
		cmocka_unit_test_setup_teardown(
			pins_that_are_written_to_a_file_are_recorded_with_its_name, world_up, world_down),
	};

	return cmocka_run_group_tests_name("pin_record", tests, NULL, NULL);
}
