/* SPDX-License-Identifier: Apache-2.0 */
/* test_pin_others - a server is told from the others by the names that they are pinned with */
#include "tests/unit/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/pin_others.h"
#include "supervisor/pin_store.h"
#include "tests/unit/tree.h"
#include "wire/shim_config.h"

struct world {
	char root[64];
	struct paths paths;
};

static int up(void **state)
{
	static struct world w;

	w = (struct world){ .root = "/tmp/stockade-others-XXXXXX" };
	assert_non_null(mkdtemp(w.root));
	w.paths = (struct paths){ .uid = getuid(), .state = w.root };
	*state = &w;
	return 0;
}

static int down(void **state)
{
	struct world *w = *state;

	return remove_tree(w->root);
}

static void add(struct definitions *l, enum definition_kind kind, const char *name)
{
	struct definition *to;

	assert_int_equal(definitions_add(l, &to), 0);
	to->kind = kind;
	to->name = strdup(name);
	assert_non_null(to->name);
}

/* Pins profile NAME with these tools, and a prompt that is nobody's tool. */
static void pin(const struct world *w, const char *name, const char *const *tools, size_t n)
{
	_cleanup_definitions_ struct definitions l = { 0 };
	_cleanup_buf_ struct buf text = { 0 };
	char subject[64];
	struct diag d = { "" };

	for (size_t i = 0; i < n; i++)
		add(&l, DEFINITION_TOOL, tools[i]);
	add(&l, DEFINITION_PROMPT, "prompt_of_no_tool");
	definitions_sort(&l);
	snprintf(subject, sizeof(subject), "profile:%s", name);
	assert_int_equal(pin_text(&l, subject, &text), 0);
	if (pin_save(&w->paths, name, subject, &text, &d) < 0)
		fail_msg("%s", d.text);
}
#define PIN(w, name, ...)                                                                                              \
	do {                                                                                                           \
		static const char *const tools_[] = { __VA_ARGS__ };                                                   \
		pin((w), (name), tools_, ARRAY_LEN(tools_));                                                           \
	} while (0)

static void expect(const struct world *w, const char *name, const char *words)
{
	_cleanup_strv_ struct strv names = { 0 };
	char subject[64], all[512] = "";
	struct diag d = { "" };
	bool cut = true;

	snprintf(subject, sizeof(subject), "profile:%s", name);
	if (pin_other_names(&w->paths, name, subject, &names, &cut, &d) < 0)
		fail_msg("%s", d.text);
	for (size_t i = 0; i < names.n; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s;", names.v[i]);
	assert_string_equal(all, words);
	assert_false(cut);
}

static void all_tools_of_the_others_are_named_and_none_of_its_own(void **state)
{
	struct world *w = *state;

	expect(w, "mail", "");
	PIN(w, "mail", "send_mail", "read_mail");
	PIN(w, "files", "read_file", "a\\\"b", "caf\xc3\xa9");
	expect(w, "mail", "a\"b;caf\xc3\xa9;read_file;");
	expect(w, "files", "read_mail;send_mail;");
	expect(w, "third", "a\"b;caf\xc3\xa9;read_file;read_mail;send_mail;");
}

static void write_file(const struct world *w, const char *name, const char *text, mode_t mode)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/pins/%s", w->root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void a_file_that_cannot_be_believed_names_nothing_and_stops_nobody_else(void **state)
{
	struct world *w = *state;
	char path[128], link[128];

	PIN(w, "mail", "send_mail");
	write_file(w, "a.pins", "{\"pins\":[[\"tool\",\"no_line\",\"\"]]}", 0600);
	write_file(w, "b.pins", "", 0600);
	write_file(w, "c.pins", "{\"pins\":[[\"tool\",\"open_to_all\",\"\"]]}\n", 0666);
	write_file(w, "d.pins", "{\"pins\":[[\"tool\"],7,{},[\"tool\",7],[\"tool\",\"\\\\ud800\",\"\"]]}\n", 0600);
	write_file(w, "e.other", "{\"pins\":[[\"tool\",\"no_pins\",\"\"]]}\n", 0600);
	write_file(w, "f.pins", "nothing\n", 0600);
	snprintf(path, sizeof(path), "%s/pins/e.other", w->root);
	snprintf(link, sizeof(link), "%s/pins/g.pins", w->root);
	assert_int_equal(symlink(path, link), 0);
	snprintf(link, sizeof(link), "%s/pins/h.pins", w->root);
	assert_int_equal(mkfifo(link, 0600), 0);
	expect(w, "files", "send_mail;");
}

static void there_are_so_many_names_and_so_many_bytes_of_them(void **state)
{
	enum { LONG = 1000 };
	struct world *w = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 23);
	_cleanup_strv_ struct strv names = { 0 }, longer = { 0 };
	struct diag d = { "" };
	size_t bytes = 0;
	bool cut = false;

	PIN(w, "z", "zzz");
	assert_int_equal(buf_puts(&text, "{\"pins\":[[\"tool\",\"t\",\"\"]"), 0);
	for (int i = 0; i < SHIM_OTHERS_MAX + 10; i++)
		assert_int_equal(buf_printf(&text, ",[\"tool\",\"t%d\",\"\"]", i), 0);
	assert_int_equal(buf_puts(&text, "]}\n"), 0);
	write_file(w, "a.pins", text.data, 0600);
	assert_int_equal(pin_other_names(&w->paths, "n", "profile:n", &names, &cut, &d), 0);
	assert_int_equal(names.n, SHIM_OTHERS_MAX);
	assert_true(cut);
	/* The one that has few is not crowded out by the one that has many. */
	assert_true(strv_contains(&names, "zzz"));
	assert_false(strv_contains(&names, "t4095"));
	buf_clear(&text);
	assert_int_equal(buf_puts(&text, "{\"pins\":[[\"tool\",\"t\",\"\"]"), 0);
	for (int i = 0; i < SHIM_OTHERS_BYTES_MAX / LONG + 10; i++)
		assert_int_equal(buf_printf(&text, ",[\"tool\",\"%0*d\",\"\"]", LONG, i), 0);
	assert_int_equal(buf_puts(&text, "]}\n"), 0);
	write_file(w, "a.pins", text.data, 0600);
	assert_int_equal(pin_other_names(&w->paths, "n", "profile:n", &longer, &cut, &d), 0);
	for (size_t i = 0; i < longer.n; i++)
		bytes += strlen(longer.v[i]);
	assert_in_range(bytes, SHIM_OTHERS_BYTES_MAX - LONG, SHIM_OTHERS_BYTES_MAX);
	/* A line of more than is read. */
	while (text.len <= 2 * (size_t)PIN_OTHERS_HEAD_MAX)
		assert_int_equal(
			buf_puts(&text, "                                                                "), 0);
	memset(text.data + text.len - 64, '\n', 64);
	text.data[strcspn(text.data, "\n")] = ' ';
	write_file(w, "a.pins", text.data, 0600);
	expect(w, "n", "zzz;");
}

static void of_servers_with_many_tools_each_has_a_share(void **state)
{
	static const char *const files[] = { "a.pins", "b.pins", "c.pins" };
	struct world *w = *state;
	_cleanup_strv_ struct strv names = { 0 };
	size_t each[ARRAY_LEN(files)] = { 0 };
	struct diag d = { "" };
	bool cut = false;

	PIN(w, "z", "zzz");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_buf_ struct buf text = BUF_INIT(1 << 23);
		assert_int_equal(buf_puts(&text, "{\"pins\":[[\"prompt\",\"p\",\"\"]"), 0);
		for (int k = 0; k < SHIM_OTHERS_MAX; k++)
			assert_int_equal(buf_printf(&text, ",[\"tool\",\"%.1s%04d\",\"\"]", files[i], k), 0);
		assert_int_equal(buf_puts(&text, "]}\n"), 0);
		write_file(w, files[i], text.data, 0600);
	}
	assert_int_equal(pin_other_names(&w->paths, "n", "profile:n", &names, &cut, &d), 0);
	assert_true(cut);
	assert_int_equal(names.n, SHIM_OTHERS_MAX);
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != 'z')
			each[names.v[i][0] - 'a']++;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		assert_int_equal(each[i], (SHIM_OTHERS_MAX - 1) / ARRAY_LEN(files));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_tools_of_the_others_are_named_and_none_of_its_own, up, down),
		cmocka_unit_test_setup_teardown(
			a_file_that_cannot_be_believed_names_nothing_and_stops_nobody_else, up, down),
		cmocka_unit_test_setup_teardown(there_are_so_many_names_and_so_many_bytes_of_them, up, down),
		cmocka_unit_test_setup_teardown(of_servers_with_many_tools_each_has_a_share, up, down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
