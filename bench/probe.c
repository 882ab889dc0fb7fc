/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - the smallest server: its first act is to say when it was
 *
 * Without arguments it writes CLOCK_MONOTONIC in nanoseconds as one line to stderr and ends. With "serve" it answers
 * `initialize` and every other request by a fixed result, as fast as lines can be answered; no JSON is parsed beyond
 * the id.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1 << 16 };

static void say_when(void)
{
	char line[32];
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	int n = snprintf(line, sizeof(line), "%lld\n", (long long)t.tv_sec * 1000000000LL + t.tv_nsec);
	if (write(2, line, (size_t)n) != n)
		_exit(1);
}

/* What a tool answers: n bytes of text. Built once. */
static char *make_result(size_t bytes)
{
	static const char words[] = "The quick brown fox jumps over the lazy dog. ";
	char *text = malloc(bytes + 1);

	for (size_t i = 0; text && i < bytes; i++)
		text[i] = words[i % (sizeof(words) - 1)];
	if (text)
		text[bytes] = '\0';
	return text;
}

static void answer(const char *line, const char *text)
{
	static const char hello[] = "{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},"
				    "\"serverInfo\":{\"name\":\"probe\",\"version\":\"1\"}}";
	const char *id = strstr(line, "\"id\":");

	if (!id)
		return;
	long number = strtol(id + 5, NULL, 10);
	if (strstr(line, "\"initialize\""))
		printf("{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":%s}\n", number, hello);
	else
		printf("{\"jsonrpc\":\"2.0\",\"id\":%ld,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}}"
		       "\n",
			number, text);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char line[LINE_MAX_BYTES];
	char *text;

	if (argc < 2) {
		say_when();
		return 0;
	}
	text = make_result(argc > 2 ? strtoul(argv[2], NULL, 10) : 16);
	if (!text)
		return 1;
	while (fgets(line, sizeof(line), stdin))
		answer(line, text);
	free(text);
	return 0;
}
