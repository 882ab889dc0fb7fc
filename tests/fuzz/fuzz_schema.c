/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_schema - any schema, and any value against it
 *
 * The input is a schema, a line feed, and a value. What must hold: a schema is refused with words or compiled; a value
 * is judged, and a second time in the same way; what does not fit is said in words of one line; what strict lets pass
 * fits without it. That nothing takes long is the fuzzer's own time limit.
 */
#include <errno.h>
#include <string.h>
#include "schema/schema.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 64 << 10 };

static struct schema_compiled *compile(const char *text, size_t n, bool strict)
{
	const struct schema_options options = { .root = "value", .strict = strict };
	struct schema_compiled *s;
	struct diag d = { 0 };
	int e = schema_compile(text, n, &options, &s, &d);

	must(e == 0 || e == -EINVAL, "compiling ends neither well nor in a refusal");
	must(e == 0 || d.text[0], "a schema is refused without words");
	must((e == 0) == (s != NULL), "a schema that is refused is there");
	return s;
}

static bool is_safe(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static int check(const struct schema_compiled *s, struct schema_checker *c, const char *text, size_t n)
{
	struct schema_error first, second;
	int e = schema_check(s, c, text, n, &first);

	must(e == SCHEMA_FITS || e == SCHEMA_MISFIT || e == SCHEMA_UNDECIDED, "a check ends in no result");
	must((e == SCHEMA_FITS) == (first.text[0] == '\0'), "a result and its words differ");
	must(is_safe(first.text) && is_safe(first.where), "words hold a raw control");
	must(schema_check(s, c, text, n, &second) == e && strcmp(first.text, second.text) == 0,
		"the second check differs");
	return e;
}

static void judge(const char *schema, size_t schema_len, const char *value, size_t value_len)
{
	struct schema_compiled *open = compile(schema, schema_len, false), *strict = compile(schema, schema_len, true);
	struct schema_checker *c = schema_checker_new();

	must(c != NULL, "no memory");
	must(open || !strict, "strict takes a schema that is refused without it");
	if (open && strict) {
		int e = check(open, c, value, value_len);
		must(check(strict, c, value, value_len) != SCHEMA_FITS || e == SCHEMA_FITS, "strict lets more pass");
	}
	schema_checker_free(c);
	schema_compiled_free(open);
	schema_compiled_free(strict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *feed = size ? memchr(data, '\n', size) : NULL;
	size_t n = feed ? (size_t)(feed - data) : size, rest = feed ? size - n - 1 : 0;
	char *schema, *value;

	if (size > INPUT_MAX)
		return 0;
	/* Each in a block of its own, so that a byte read too much is found. */
	schema = malloc(n ? n : 1);
	value = malloc(rest ? rest : 1);
	must(schema && value, "no memory");
	if (n)
		memcpy(schema, data, n);
	if (rest)
		memcpy(value, feed + 1, rest);
	judge(schema, n, value, rest);
	free(schema);
	free(value);
	return 0;
}
