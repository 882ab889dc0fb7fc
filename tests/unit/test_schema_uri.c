/* SPDX-License-Identifier: Apache-2.0 */
/* test_schema_uri - references resolved as RFC 3986 says, with the cases of its section 5.4 */
#include "tests/unit/unit.h"
#include <stdlib.h>
#include "schema/uri.h"

static void references_resolve_as_rfc_3986_says(void **state)
{
	static const char base[] = "http://a/b/c/d;p?q";
	static const struct {
		const char *base, *reference, *uri;
	} cases[] = {
		{ base, "g:h", "g:h" },
		{ base, "g", "http://a/b/c/g" },
		{ base, "./g", "http://a/b/c/g" },
		{ base, "g/", "http://a/b/c/g/" },
		{ base, "/g", "http://a/g" },
		{ base, "//g", "http://g" },
		{ base, "?y", "http://a/b/c/d;p?y" },
		{ base, "g?y", "http://a/b/c/g?y" },
		{ base, "g#s", "http://a/b/c/g" },
		{ base, ";x", "http://a/b/c/;x" },
		{ base, ".", "http://a/b/c/" },
		{ base, "./", "http://a/b/c/" },
		{ base, "..", "http://a/b/" },
		{ base, "../g", "http://a/b/g" },
		{ base, "../..", "http://a/" },
		{ base, "../../../g", "http://a/g" },
		{ base, "/./g", "http://a/g" },
		{ base, "/../g", "http://a/g" },
		{ base, "g.", "http://a/b/c/g." },
		{ base, "..g", "http://a/b/c/..g" },
		{ base, "./../g", "http://a/b/g" },
		{ base, "g/./h", "http://a/b/c/g/h" },
		{ base, "g/../h", "http://a/b/c/h" },
		{ base, "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "http://a", "g", "http://a/g" },
		{ "", "g/h", "g/h" },
		{ "g/h", "i", "g/i" },
		{ "urn:a:b", "urn:c:d#e", "urn:c:d" },
		{ "tag:x,2026:y", "1z", "tag:1z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *uri = NULL;
		assert_int_equal(uri_resolve(cases[i].base, cases[i].reference, strlen(cases[i].reference), &uri), 0);
		if (strcmp(uri, cases[i].uri) != 0)
			fail_msg("%s from %s: %s", cases[i].reference, cases[i].base, uri);
	}
}

static void percent_signs_are_undone_where_they_are_escapes(void **state)
{
	static const char in[] = "%25%41%zz%4";
	_cleanup_buf_ struct buf b = BUF_INIT(64);

	assert_int_equal(uri_unescape(in, strlen(in), &b), 0);
	assert_string_equal(b.data, "%A%zz%4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references_resolve_as_rfc_3986_says),
		cmocka_unit_test(percent_signs_are_undone_where_they_are_escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
