/* SPDX-License-Identifier: Apache-2.0 */
/* schema_bench - what it costs to check a tool call against its schema, to compile one, and to run out of steps */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/buf.h"
#include "schema/schema.h"

enum { RUNS = 41, CALLS = 2000, TEXT_MAX = 8 << 20 };

/* As SDKs write them: ten properties of the usual kinds, one of them an object, one a list, one of two types. */
static const char schema[] =
	"{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"type\":\"object\",\"properties\":{"
	"\"owner\":{\"type\":\"string\",\"description\":\"who owns it\",\"minLength\":1,\"maxLength\":100},"
	"\"repo\":{\"type\":\"string\",\"maxLength\":100},"
	"\"title\":{\"type\":\"string\"},\"body\":{\"type\":\"string\"},"
	"\"state\":{\"type\":\"string\",\"enum\":[\"open\",\"closed\",\"all\"]},"
	"\"page\":{\"type\":\"integer\",\"minimum\":1},\"per_page\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":"
	"100},"
	"\"draft\":{\"type\":\"boolean\",\"default\":false},"
	"\"labels\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},"
	"\"milestone\":{\"anyOf\":[{\"type\":\"number\"},{\"type\":\"null\"}]}},"
	"\"required\":[\"owner\",\"repo\",\"title\"],\"additionalProperties\":false}";
static const char value[] = "{\"owner\":\"example\",\"repo\":\"widgets\",\"title\":\"Found a bug\",\"body\":\"I'm "
			    "having a problem with this.\","
			    "\"state\":\"open\",\"page\":1,\"per_page\":50,\"draft\":false,\"labels\":[\"bug\",\"help "
			    "wanted\"],\"milestone\":null}";

/* Processor time: what else the machine does is not counted. */
static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct schema_compiled *compile(const char *text, bool strict)
{
	const struct schema_options options = { .root = "arguments", .strict = strict };
	struct schema_compiled *s;
	struct diag d;

	return schema_compile(text, strlen(text), &options, &s, &d) == 0 ? s : NULL;
}

static double median(double *times)
{
	for (int i = 1; i < RUNS; i++)
		for (int j = i; j > 0 && times[j] < times[j - 1]; j--) {
			double t = times[j];
			times[j] = times[j - 1];
			times[j - 1] = t;
		}
	return times[RUNS / 2];
}

/* Microseconds for one; below 0 when a check does not say what it must. */
static double check_us(const struct schema_compiled *s, struct schema_checker *c, const char *text, int wanted)
{
	struct schema_error error;
	double times[RUNS];
	size_t n = strlen(text);

	for (int i = 0; i < RUNS; i++) {
		double from = now_us();
		for (int j = 0; j < CALLS; j++)
			if (schema_check(s, c, text, n, &error) != wanted)
				return -1;
		times[i] = (now_us() - from) / CALLS;
	}
	return median(times);
}

static double compile_us(void)
{
	double times[RUNS];

	for (int i = 0; i < RUNS; i++) {
		double from = now_us();
		for (int j = 0; j < 100; j++)
			schema_compiled_free(compile(schema, true));
		times[i] = (now_us() - from) / 100;
	}
	return median(times);
}

static void row(const char *what, double figure, const char *unit, double goal)
{
	printf("%-44s %8.2f %s   goal <= %5.1f   %s\n", what, figure, unit, goal,
		figure > 0 && figure <= goal ? "met" : "MISSED");
}

static int time_calls(struct schema_checker *c)
{
	struct schema_compiled *open = compile(schema, false), *strict = compile(schema, true);

	if (!open || !strict)
		return 1;
	row("a call with 10 properties", check_us(open, c, value, SCHEMA_FITS), "us", 2);
	row("the same, strict", check_us(strict, c, value, SCHEMA_FITS), "us", 2);
	row("one that is refused, and its words", check_us(open, c, "{\"owner\":\"\",\"repo\":1}", SCHEMA_MISFIT), "us",
		5);
	row("to compile that schema", compile_us(), "us", 25);
	schema_compiled_free(open);
	schema_compiled_free(strict);
	return 0;
}

/* The longest that a value can keep a check busy: until its steps are used up. */
static int time_floods(struct schema_checker *c)
{
	static const struct {
		const char *what, *schema, *head, *unit, *tail;
		size_t n;
	} floods[] = {
		{ "steps used up by a pattern", "{\"pattern\":\"^(a+)+$\"}", "\"", "a", "!\"", 60 },
		{ "by a pattern on a long text", "{\"pattern\":\"^(.*)*(.*)*(.*)*[0-9]$\"}", "\"", "a", "\"", 1 << 20 },
		{ "by patterns of many names", "{\"patternProperties\":{\"(x+)+(y+)+[!?]\":true,\"a\":true}}",
			"{\"a\":1", ",\"xxxxxxxxxxxxxxxxxxxxyyyyyyyyyyyy\":1", "}", 100000 },
		{ "by a nest of references",
			"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"},{\"$ref\":\"#/"
			"$defs/b\"}]},"
			"\"b\":{\"allOf\":[{\"items\":{\"$ref\":\"#/$defs/a\"}},{\"items\":{\"$ref\":\"#/$defs/"
			"a\"}}]}}}",
			"[[[[[[[[[[[[[[[[", "1,", "1]]]]]]]]]]]]]]]]", 20 },
	};

	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT(TEXT_MAX);
		struct schema_compiled *s = compile(floods[i].schema, false);
		struct schema_error error;
		int e = buf_puts(&b, floods[i].head);
		for (size_t j = 0; e == 0 && j < floods[i].n; j++)
			e = buf_puts(&b, floods[i].unit);
		if (e || buf_puts(&b, floods[i].tail) || !s)
			return 1;
		double from = now_us();
		e = schema_check(s, c, b.data, b.len, &error);
		row(floods[i].what, e == SCHEMA_UNDECIDED ? (now_us() - from) / 1e3 : -1, "ms", 250);
		schema_compiled_free(s);
	}
	return 0;
}

int main(void)
{
	struct schema_checker *c = schema_checker_new();
	int status = !c || time_calls(c) || time_floods(c);

	schema_checker_free(c);
	return status;
}
