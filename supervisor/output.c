/* SPDX-License-Identifier: Apache-2.0 */
/* output - see output.h */
#include "supervisor/output.h"
#include <time.h>
#include "supervisor/command.h"
#include "supervisor/exit.h"

int output_json(FILE *out, json_t *value, const char *what)
{
	bool printed =
		value && json_dumpf(value, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 && fputc('\n', out) != EOF;

	if (!value)
		command_error("cannot print %s: a name in it is not UTF-8, or memory ran out", what);
	else if (!printed && !ferror(out))
		command_error("cannot print %s: memory ran out", what);
	json_decref(value);
	return printed ? EXIT_OK : EXIT_REFUSED;
}

const char *output_time(int64_t when, char ret[OUTPUT_TIME_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(ret, OUTPUT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(ret, OUTPUT_TIME_SIZE, "?");
	return ret;
}
