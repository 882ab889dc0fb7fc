/* SPDX-License-Identifier: Apache-2.0 */
/* test_profile_schema - the published schema and the manual say what the parser does */
#include "tests/unit/unit.h"
#include <fcntl.h>
#include <stdio.h>
#include "base/io.h"
#include "supervisor/profile_parse.h"

enum { FILE_MAX = 1 << 20 };

static json_t *deref(json_t *schema, json_t *node)
{
	const char *ref = json_string_value(json_object_get(node, "$ref"));

	return ref ? json_object_get(json_object_get(schema, "$defs"), ref + strlen("#/$defs/")) : node;
}

static json_t *member(json_t *schema, json_t *node, const char *name)
{
	node = deref(schema, node);
	if (!strcmp(name, "*"))
		return json_object_get(node, "additionalProperties");
	return json_object_get(json_object_get(node, "properties"), name);
}

/* Lists whose items are objects, and the schema's definition of such an item. */
static const struct {
	const char *list, *definition;
} item_rows[] = { { "tools.allow[]", "tool" }, { "network.allow[]", "host" }, { "tools.redact[]", "redaction" } };

/* Where the schema has the key: "tools.allow[].name" lies in the definition of a tool. */
static json_t *find(json_t *schema, const char *path)
{
	_cleanup_free_ char *copy = strdup(path);
	json_t *node = schema;
	char *rest = copy, *name;

	for (size_t i = 0; i < ARRAY_LEN(item_rows); i++) {
		size_t n = strlen(item_rows[i].list);
		if (strncmp(path, item_rows[i].list, n) != 0)
			continue;
		node = json_object_get(json_object_get(schema, "$defs"), item_rows[i].definition);
		rest = path[n] ? copy + n + 1 : NULL;
	}
	while (rest && (name = strsep(&rest, ".")))
		node = member(schema, node, name);
	return node;
}

static json_t *schema_load(void)
{
	json_error_t e;
	json_t *schema = json_load_file(STOCKADE_PROFILES "/schema.json", JSON_REJECT_DUPLICATES, &e);

	if (!schema)
		fail_msg("%s:%d: %s", e.source, e.line, e.text);
	return schema;
}

static void every_key_of_the_parser_is_in_the_schema(void **state)
{
	json_t *schema = schema_load();
	const struct key_row *rows = profile_keys.rows;
	size_t n = profile_keys.n;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		json_t *node = find(schema, rows[i].path);

		if (!node)
			fail_msg("%s is not in the schema", rows[i].path);
		if (rows[i].words && !json_object_get(node, "description") &&
			!json_object_get(deref(schema, node), "description"))
			fail_msg("%s: the schema does not say that it is not enforced yet", rows[i].path);
	}
	json_decref(schema);
}

static void assert_has_row(const char *path)
{
	const struct key_row *rows = profile_keys.rows;
	size_t n = profile_keys.n;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(rows[i].path, path))
			return;
	fail_msg("%s of the schema is unknown to the parser", path);
}

static void walk(json_t *schema, json_t *node, const char *prefix)
{
	const char *name;
	json_t *child;

	node = deref(schema, node);
	json_object_foreach(json_object_get(node, "properties"), name, child)
	{
		char path[128];

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", name);
		assert_has_row(path);
		walk(schema, child, path);
	}
}

static void every_key_of_the_schema_is_known_to_the_parser(void **state)
{
	json_t *schema = schema_load();

	(void)state;
	walk(schema, schema, "");
	walk(schema, find(schema, "parameters.*"), "parameters.*");
	for (size_t i = 0; i < ARRAY_LEN(item_rows); i++)
		walk(schema, find(schema, item_rows[i].list), item_rows[i].list);
	json_decref(schema);
}

static void every_example_of_the_manual_is_a_profile_that_loads(void **state)
{
	_cleanup_close_ int fd = open(STOCKADE_DOCS "/profiles.md", O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);
	unsigned examples = 0;
	char *at;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(io_read_all(fd, &b), 0);
	at = b.data;
	while ((at = strstr(at, "```json\n"))) {
		char *text = at + strlen("```json\n"), *end = strstr(text, "\n```");
		_cleanup_profile_ struct profile p = { 0 };
		struct diag d = { 0 };

		assert_non_null(end);
		*end = '\0';
		if (profile_parse("profiles.md", text, strlen(text), NULL, &p, &d) < 0)
			fail_msg("%s\n%s", d.text, text);
		examples++;
		at = end + 1;
	}
	assert_true(examples >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_of_the_parser_is_in_the_schema),
		cmocka_unit_test(every_key_of_the_schema_is_known_to_the_parser),
		cmocka_unit_test(every_example_of_the_manual_is_a_profile_that_loads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
