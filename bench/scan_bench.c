/* SPDX-License-Identifier: Apache-2.0 */
/* scan_bench - what it costs to scan a list of tools: that of a real server with 118 tools, and texts that are made to
 * be slow */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "scan/scan.h"

enum { RUNS = 41, TOOLS_MAX = 256 };

/* Processor time: what else the machine does is not counted. */
static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
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

static void row(const char *what, double figure, const char *unit, double goal)
{
	printf("%-44s %8.2f %s   goal <= %5.1f   %s\n", what, figure, unit, goal,
		figure > 0 && figure <= goal ? "met" : "MISSED");
}

/* As the first list of a session is. */
static int time_list(const char *path)
{
	json_t *server = json_load_file(path, 0, NULL), *tools = json_object_get(server, "tools");
	char *texts[TOOLS_MAX];
	size_t n = json_array_size(tools), bytes = 0;
	double times[RUNS];
	char what[80];

	if (n == 0 || n > TOOLS_MAX)
		return 1;
	for (size_t i = 0; i < n; i++) {
		texts[i] = json_dumps(json_array_get(tools, i), JSON_COMPACT);
		if (!texts[i])
			return 1;
		bytes += strlen(texts[i]);
	}
	for (int r = 0; r < RUNS; r++) {
		double from = now_us();
		struct scan *s = scan_new();
		for (size_t i = 0; i < n; i++)
			if (!s || scan_definition(s, SCAN_TOOL, texts[i], strlen(texts[i]))->worst > SCAN_HIGH)
				return 1;
		scan_free(s);
		times[r] = now_us() - from;
	}
	snprintf(what, sizeof(what), "a list of %zu tools, %zu KB", n, bytes / 1000);
	row(what, median(times) / 1e3, "ms", 3);
	for (size_t i = 0; i < n; i++)
		free(texts[i]);
	json_decref(server);
	return 0;
}

/* A megabyte of what each part of a scan likes least. */
static int time_floods(struct scan *s)
{
	static const char *const units[] = { "a", "ignore ", "do not never before call pass the ", "~/.ssh ", "<!--",
		"![](http", "\xe2\x80\x8b",
		("\xd0\xb0"
		 "b "),
		"QUJD", "%41", "http://a?{", "i g n o r e ", "<|im_start|>", "\xe5\xbf\xbd" };
	char *text = malloc(SCAN_TEXT_MAX);

	if (!text)
		return 1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i]), n = 0;
		double from;
		for (; n + len <= SCAN_TEXT_MAX; n += len)
			memcpy(text + n, units[i], len);
		from = now_us();
		scan_begin(s, SCAN_TOOL);
		for (int k = 0; k < SCAN_TOTAL_MAX / SCAN_TEXT_MAX; k++)
			scan_text(s, "description", text, n);
		if (scan_end(s)->n > SCAN_FINDINGS_MAX)
			return 1;
		char what[80];
		snprintf(what, sizeof(what), "1 MiB of it: '%.30s'", units[i]);
		row(what, (now_us() - from) / 1e3, "ms", 250);
	}
	free(text);
	return 0;
}

int main(int argc, char **argv)
{
	struct scan *s = scan_new();
	int status = argc != 2 || !s || time_list(argv[1]) || time_floods(s);

	if (argc != 2)
		fprintf(stderr, "scan_bench tests/scan/corpus/real/zereight-mcp-gitlab.json\n");
	scan_free(s);
	return status;
}
