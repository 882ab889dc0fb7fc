/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_scan_corpus - how much of the poisoned the scan finds, and how much of the real it takes for it
 *
 * tests/scan/corpus/poisoned.json: definitions written for this, each with the rules that have to fire. corpus/real:
 * what real servers list, recorded by tests/scan/record.py. What is marked "held" (every second definition, and about
 * half of the servers) was judged, and not looked at, while the rules were made. SCAN_SHOW=1 in the environment prints
 * what is wrong one by one.
 */
#include <dirent.h>
#include <sys/types.h>
#include "tests/unit/scan_unit.h"

enum { SERVERS_MAX = 128, POISONED_MIN = 60, REAL_MIN = 500 };

static struct scan *scan;

struct tally {
	size_t n, wrong;
};

static int set_up(void **state)
{
	scan = scan_new();
	return scan ? 0 : -1;
}

static int tear_down(void **state)
{
	scan_free(scan);
	return 0;
}

static bool shows(void)
{
	const char *e = getenv("SCAN_SHOW");

	return e && e[0];
}

/* All expected rules fire, and at least one finding is of a severity that counts. */
static bool is_found(const json_t *item)
{
	const struct scan_findings *f;
	const json_t *rules = json_object_get(item, "expect");
	bool all = true;

	set_others(scan, json_object_get(item, "others"));
	f = scan_json(
		scan, kind_of(json_string_value(json_object_get(item, "kind"))), json_object_get(item, "definition"));
	for (size_t i = 0; i < json_array_size(rules); i++)
		all &= finding_of(f, json_string_value(json_array_get(rules, i))) != NULL;
	all &= f->worst >= SCAN_MEDIUM;
	if (!all && shows()) {
		char *text = json_dumps(item, JSON_ENSURE_ASCII);
		print_message("missed: %s\n", text);
		print_findings("found instead", f);
		free(text);
	}
	return all;
}

static double percent(struct tally t)
{
	return t.n ? 100.0 * (double)t.wrong / (double)t.n : 0;
}

static void test_at_least_95_percent_of_the_poisoned_definitions_are_found(void **state)
{
	json_t *items = read_json(STOCKADE_SCAN_CORPUS "/poisoned.json"), *item;
	struct tally half[2] = { { 0 } }, all = { 0 };
	size_t i;

	json_array_foreach(items, i, item)
	{
		struct tally *t = &half[json_is_true(json_object_get(item, "held"))];
		bool missed = !is_found(item);
		t->n++;
		t->wrong += missed;
		all.n++;
		all.wrong += missed;
	}
	print_message("poisoned: recall %.1f %% (%zu of %zu); rules made on: %zu of %zu; held out: %zu of %zu\n",
		100 - percent(all), all.n - all.wrong, all.n, half[0].n - half[0].wrong, half[0].n,
		half[1].n - half[1].wrong, half[1].n);
	assert_true(all.n >= POISONED_MIN);
	assert_true(100 * (all.n - all.wrong) >= 95 * all.n);
	assert_true(100 * (half[1].n - half[1].wrong) >= 95 * half[1].n);
	json_decref(items);
}

static int is_json(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && strcmp(e->d_name + n - 5, ".json") == 0;
}

struct world {
	struct dirent **files;
	json_t *servers[SERVERS_MAX];
	size_t n;
};

static void world_open(struct world *w)
{
	int n = scandir(STOCKADE_SCAN_CORPUS "/real", &w->files, is_json, alphasort);
	char path[4096];

	assert_true(n > 0 && n <= SERVERS_MAX);
	w->n = (size_t)n;
	for (size_t i = 0; i < w->n; i++) {
		snprintf(path, sizeof(path), "%s/real/%s", STOCKADE_SCAN_CORPUS, w->files[i]->d_name);
		w->servers[i] = read_json(path);
	}
}

static void world_close(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		json_decref(w->servers[i]);
		free(w->files[i]);
	}
	free(w->files);
}

static void judge_real(const char *server, enum scan_kind kind, const json_t *definition, struct tally *t)
{
	const struct scan_findings *f = scan_json(scan, kind, definition);
	const char *name = json_string_value(json_object_get(definition, "name"));

	t->n++;
	t->wrong += f->worst >= SCAN_MEDIUM;
	if (f->worst >= SCAN_MEDIUM && shows()) {
		print_message("taken for poisoned: %s %s\n", server, name ? name : "instructions");
		print_findings("found", f);
	}
}

static struct tally judge_server(const char *file, const json_t *server)
{
	static const struct {
		const char *list;
		enum scan_kind kind;
	} lists[] = { { "tools", SCAN_TOOL }, { "prompts", SCAN_PROMPT }, { "resourceTemplates", SCAN_TEMPLATE } };
	struct tally t = { 0 };

	for (size_t k = 0; k < sizeof(lists) / sizeof(lists[0]); k++) {
		const json_t *list = json_object_get(server, lists[k].list);
		for (size_t i = 0; i < json_array_size(list); i++)
			judge_real(file, lists[k].kind, json_array_get(list, i), &t);
	}
	if (json_is_string(json_object_get(server, "instructions")))
		judge_real(file, SCAN_INSTRUCTIONS, json_object_get(server, "instructions"), &t);
	return t;
}

static void test_at_most_2_percent_of_the_real_definitions_are_taken_for_poisoned(void **state)
{
	struct tally half[2] = { { 0 } }, all = { 0 };
	struct world w;

	assert_int_equal(scan_set_others(scan, NULL, 0), 0);
	world_open(&w);
	for (size_t i = 0; i < w.n; i++) {
		bool held = json_is_true(json_object_get(w.servers[i], "held"));
		struct tally t = judge_server(w.files[i]->d_name, w.servers[i]);
		half[held].n += t.n;
		half[held].wrong += t.wrong;
		all.n += t.n;
		all.wrong += t.wrong;
	}
	print_message("real: false positives %.1f %% (%zu of %zu definitions of %zu servers); rules made on: %zu of "
		      "%zu; held out: "
		      "%zu of %zu\n",
		percent(all), all.wrong, all.n, w.n, half[0].wrong, half[0].n, half[1].wrong, half[1].n);
	assert_true(all.n >= REAL_MIN);
	assert_true(100 * all.wrong <= 2 * all.n);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_least_95_percent_of_the_poisoned_definitions_are_found),
		cmocka_unit_test(test_at_most_2_percent_of_the_real_definitions_are_taken_for_poisoned),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
