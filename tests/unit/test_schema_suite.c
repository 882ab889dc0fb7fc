/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_schema_suite - the official test suite of JSON Schema, as Debian packages it, whole for both drafts
 *
 * What is excepted is named below, schema by schema, and must go on being refused for the reason given: one that is no
 * longer there, or has become acceptable, fails. Texts reach the compiler as they do in the shim, in canonical form.
 */
#include "tests/unit/unit.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/io.h"
#include "schema/schema.h"
#include "shim/json.h"
#include "shim/walk.h"

enum { FILE_MAX = 4 << 20, NAME_MAX_BYTES = 512, EXCEPTIONS_MAX = 128 };

#define OLD "/usr/share/json-schema-test-suite/tests/"
#define NEW "/usr/share/perl5/auto/share/dist/Test-JSON-Schema-Acceptance/tests/"

/* What a schema of a suite is refused for, by design. */
#define REMOTE	"nothing is fetched"
#define DIALECT "dialect that is not known"

struct suite {
	const char *dir;
	const char *dialect; /* put into schemas that name none; NULL: the default is what is tested */
	const char *file;    /* one file alone; NULL: all of the directory */
};

struct exception {
	const char *file, *group; /* the file without its directory */
	const char *why;
};

struct run {
	const struct suite *suite;
	const struct exception *exceptions;
	size_t n_exceptions;
	bool met[EXCEPTIONS_MAX];
	struct schema_checker *checker;
	unsigned passed, failed, excepted;
	char file[NAME_MAX_BYTES];
};

static void say_failed(struct run *r, struct slice group, struct slice test, const char *why)
{
	r->failed++;
	print_error("%s%s: %.*s%s%.*s: %s\n", r->suite->dir, r->file, (int)group.n, group.p, test.n ? ": " : "",
		(int)test.n, test.p ? test.p : "", why);
}

/* A file as one message: the parser takes objects alone, and blanks for white space. */
static void read_file(const char *path, struct json_doc *d)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf b = BUF_INIT(FILE_MAX);

	assert_true(fd >= 0);
	assert_int_equal(buf_puts(&b, "{\"groups\":"), 0);
	assert_int_equal(io_read_all(fd, &b), 0);
	assert_int_equal(buf_puts(&b, "}"), 0);
	for (size_t i = 0; i < b.len; i++)
		b.data[i] = b.data[i] == '\n' || b.data[i] == '\r' || b.data[i] == '\t' ? ' ' : b.data[i];
	int e = json_parse(d, b.data, b.len);
	if (e)
		fail_msg("%s: %s", path, json_error_text(e));
}

static void put_schema(const struct run *r, struct slice schema, struct buf *b)
{
	bool bare = r->suite->dialect && walk_is_object(schema) && !walk_get(schema, "$schema").n;

	if (bare)
		assert_int_equal(buf_printf(b, "{\"$schema\":\"%s\"%s", r->suite->dialect, schema.n > 2 ? "," : ""), 0);
	assert_int_equal(buf_append(b, schema.p + bare, schema.n - bare), 0);
}

static void judge(struct run *r, const struct schema_compiled *s, struct slice group, struct slice test)
{
	struct slice data = walk_get(test, "data"), name = walk_string(walk_get(test, "description"));
	bool valid = slice_is(walk_get(test, "valid"), "true");
	struct schema_error error;
	int e = schema_check(s, r->checker, data.p, data.n, &error);

	if (e == (valid ? SCHEMA_FITS : SCHEMA_MISFIT) && (valid ? error.text[0] == '\0' : error.text[0] != '\0'))
		r->passed++;
	else
		say_failed(r, group, name, e == SCHEMA_FITS ? "it fits, and should not" : error.text);
}

static const struct exception *exception_of(struct run *r, struct slice group)
{
	for (size_t i = 0; i < r->n_exceptions; i++)
		if (strcmp(r->exceptions[i].file, r->file) == 0 && slice_is(group, r->exceptions[i].group)) {
			r->met[i] = true;
			return &r->exceptions[i];
		}
	return NULL;
}

static void run_group(struct run *r, struct slice group)
{
	const struct schema_options options = { .root = "value" };
	struct slice name = walk_string(walk_get(group, "description")), test;
	_cleanup_buf_ struct buf schema = BUF_INIT(FILE_MAX);
	const struct exception *exception = exception_of(r, name);
	struct schema_compiled *s = NULL;
	struct diag d = { 0 };

	put_schema(r, walk_get(group, "schema"), &schema);
	int e = schema_compile(schema.data, schema.len, &options, &s, &d);
	if (exception && e == -EINVAL && strstr(d.text, exception->why))
		r->excepted++;
	else if (exception)
		say_failed(r, name, (struct slice){ NULL, 0 }, e ? d.text : "it is excepted, but not refused");
	else if (e)
		say_failed(r, name, (struct slice){ NULL, 0 }, d.text);
	struct walk w = walk_array(walk_get(group, "tests"));
	while (e == 0 && walk_element(&w, &test))
		judge(r, s, name, test);
	schema_compiled_free(s);
}

static void run_file(struct run *r, const char *name)
{
	char path[2 * NAME_MAX_BYTES];
	struct json_doc d;
	struct slice group;

	json_doc_init(&d, FILE_MAX, 1);
	snprintf(r->file, sizeof(r->file), "%s", name);
	snprintf(path, sizeof(path), "%s%s", r->suite->dir, name);
	read_file(path, &d);
	struct walk w = walk_array(walk_get((struct slice){ d.out.data, d.out.len }, "groups"));
	while (walk_element(&w, &group))
		run_group(r, group);
	json_doc_done(&d);
}

static void run_directory(struct run *r)
{
	_cleanup_closedir_ DIR *dir = opendir(r->suite->dir);
	const struct dirent *e;

	if (!dir)
		fail_msg("%s is not there: './dev deps test' installs it", r->suite->dir);
	while ((e = readdir(dir))) {
		size_t n = strlen(e->d_name);
		if (n > 5 && strcmp(e->d_name + n - 5, ".json") == 0)
			run_file(r, e->d_name);
	}
}

static void run_suites(const struct suite *suites, size_t n, const struct exception *exceptions, size_t n_exceptions)
{
	struct run r = { .exceptions = exceptions, .n_exceptions = n_exceptions, .checker = schema_checker_new() };

	assert_non_null(r.checker);
	assert_true(n_exceptions <= EXCEPTIONS_MAX);
	for (size_t i = 0; i < n; i++) {
		r.suite = &suites[i];
		if (r.suite->file)
			run_file(&r, r.suite->file);
		else
			run_directory(&r);
	}
	for (size_t i = 0; i < n_exceptions; i++)
		if (!r.met[i]) {
			print_error("%s: '%s' is excepted and not there\n", exceptions[i].file, exceptions[i].group);
			r.failed++;
		}
	schema_checker_free(r.checker);
	print_message("# %u cases pass, %u schemas are refused by design\n", r.passed, r.excepted);
	assert_int_equal(r.failed, 0);
	assert_true(r.passed > 0);
}

#define DRAFT_07_DIALECT "http://json-schema.org/draft-07/schema#"

static void every_case_of_2020_12_is_judged_as_the_suite_says(void **state)
{
	static const struct suite suites[] = {
		{ NEW "draft2020-12/", NULL, NULL },
	};
	static const struct exception exceptions[] = {
		{ "anchor.json", "invalid anchors", REMOTE },
		{ "defs.json", "validate definition against metaschema", REMOTE },
		{ "dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $defs first", REMOTE },
		{ "dynamicRef.json", "$ref and $dynamicAnchor are independent of order - $ref first", REMOTE },
		{ "dynamicRef.json", "strict-tree schema, guards against misspelled properties", REMOTE },
		{ "dynamicRef.json", "tests for implementation dynamic anchor and reference link", REMOTE },
		{ "id.json", "Invalid use of fragments in location-independent $id", REMOTE },
		{ "id.json", "Unnormalized $ids are allowed but discouraged", REMOTE },
		{ "id.json", "Valid use of empty fragments in location-independent $id", REMOTE },
		{ "ref.json", "URN base URI with f-component", REMOTE },
		{ "ref.json", "remote ref, containing refs itself", REMOTE },
		{ "refRemote.json", "Location-independent identifier in remote ref", REMOTE },
		{ "refRemote.json", "anchor within remote ref", REMOTE },
		{ "refRemote.json", "base URI change", REMOTE },
		{ "refRemote.json", "base URI change - change folder", REMOTE },
		{ "refRemote.json", "base URI change - change folder in subschema", REMOTE },
		{ "refRemote.json", "fragment within remote ref", REMOTE },
		{ "refRemote.json", "ref within remote ref", REMOTE },
		{ "refRemote.json", "remote HTTP ref with different $id", REMOTE },
		{ "refRemote.json", "remote HTTP ref with different URN $id", REMOTE },
		{ "refRemote.json", "remote HTTP ref with nested absolute ref", REMOTE },
		{ "refRemote.json", "remote ref", REMOTE },
		{ "refRemote.json", "remote ref with ref to defs", REMOTE },
		{ "refRemote.json", "retrieved nested refs resolve relative to their URI not $id", REMOTE },
		{ "refRemote.json", "root ref in remote ref", REMOTE },
		{ "vocabulary.json", "ignore unrecognized optional vocabulary", DIALECT },
		{ "vocabulary.json", "schema that uses custom metaschema with with no validation vocabulary", DIALECT },
	};

	run_suites(suites, ARRAY_LEN(suites), exceptions, ARRAY_LEN(exceptions));
}

static void every_case_of_draft_07_is_judged_as_the_suite_says(void **state)
{
	static const struct suite suites[] = {
		{ NEW "draft7/", DRAFT_07_DIALECT, NULL },
		{ OLD "draft7/", DRAFT_07_DIALECT, NULL },
	};
	static const struct exception exceptions[] = {
		{ "definitions.json", "invalid definition", REMOTE },
		{ "definitions.json", "valid definition", REMOTE },
		{ "definitions.json", "validate definition against metaschema", REMOTE },
		{ "ref.json", "remote ref, containing refs itself", REMOTE },
		{ "refRemote.json", "Location-independent identifier in remote ref", REMOTE },
		{ "refRemote.json", "base URI change", REMOTE },
		{ "refRemote.json", "base URI change - change folder", REMOTE },
		{ "refRemote.json", "base URI change - change folder in subschema", REMOTE },
		{ "refRemote.json", "fragment within remote ref", REMOTE },
		{ "refRemote.json", "ref within remote ref", REMOTE },
		{ "refRemote.json", "remote ref", REMOTE },
		{ "refRemote.json", "remote ref with ref to definitions", REMOTE },
		{ "refRemote.json", "retrieved nested refs resolve relative to their URI not $id", REMOTE },
		{ "refRemote.json", "root ref in remote ref", REMOTE },
	};

	run_suites(suites, ARRAY_LEN(suites), exceptions, ARRAY_LEN(exceptions));
}

static void what_is_optional_and_done_here_is_judged_as_the_suite_says(void **state)
{
	static const struct suite suites[] = {
		{ NEW "draft2020-12/optional/", NULL, "bignum.json" },
		{ NEW "draft2020-12/optional/", NULL, "dependencies-compatibility.json" },
		{ NEW "draft2020-12/optional/", NULL, "ecmascript-regex.json" },
		{ NEW "draft2020-12/optional/", NULL, "float-overflow.json" },
		{ NEW "draft2020-12/optional/", NULL, "no-schema.json" },
		{ NEW "draft2020-12/optional/", NULL, "non-bmp-regex.json" },
		{ NEW "draft2020-12/optional/", NULL, "refOfUnknownKeyword.json" },
		{ NEW "draft7/optional/", DRAFT_07_DIALECT, "bignum.json" },
		{ NEW "draft7/optional/", DRAFT_07_DIALECT, "ecmascript-regex.json" },
		{ NEW "draft7/optional/", DRAFT_07_DIALECT, "float-overflow.json" },
		{ NEW "draft7/optional/", DRAFT_07_DIALECT, "non-bmp-regex.json" },
		{ OLD "draft7/optional/", DRAFT_07_DIALECT, "bignum.json" },
		{ OLD "draft7/optional/", DRAFT_07_DIALECT, "zeroTerminatedFloats.json" },
	};
	static const struct exception exceptions[] = {
		{ "ecmascript-regex.json", "\\\\a is not an ECMA 262 control escape", REMOTE },
	};

	run_suites(suites, ARRAY_LEN(suites), exceptions, ARRAY_LEN(exceptions));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_of_2020_12_is_judged_as_the_suite_says),
		cmocka_unit_test(every_case_of_draft_07_is_judged_as_the_suite_says),
		cmocka_unit_test(what_is_optional_and_done_here_is_judged_as_the_suite_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
