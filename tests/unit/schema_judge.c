/* SPDX-License-Identifier: Apache-2.0 */
/* schema_judge - a schema and a value a line each, and for both a word: fits, misfit, undecided, refused */
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "schema/schema.h"

/* A line without its line feed. False: there is none. */
static bool next_line(char **line, size_t *cap, size_t *ret_len)
{
	ssize_t n = getline(line, cap, stdin);

	*ret_len = n > 0 ? (size_t)n - ((*line)[n - 1] == '\n') : 0;
	return n > 0;
}

static const char *judge(struct schema_checker *c, const char *schema, size_t schema_len, const char *value, size_t n)
{
	static const char *const words[] = { "fits", "misfit", "undecided" };
	struct schema_compiled *s;
	struct schema_error error;
	struct diag d;
	int e = schema_compile(schema, schema_len, &(struct schema_options){ .root = "value" }, &s, &d);

	if (e)
		return "refused";
	e = schema_check(s, c, value, n, &error);
	schema_compiled_free(s);
	return e < 0 ? "failed" : words[e];
}

int main(void)
{
	struct schema_checker *c = schema_checker_new();
	_cleanup_free_ char *schema = NULL, *value = NULL;
	size_t schema_cap = 0, value_cap = 0, schema_len, value_len;

	if (!c)
		return 1;
	while (next_line(&schema, &schema_cap, &schema_len) && next_line(&value, &value_cap, &value_len))
		puts(judge(c, schema, schema_len, value, value_len));
	schema_checker_free(c);
	return 0;
}
