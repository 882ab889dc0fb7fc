/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - the smallest server: its first act is to say when it was
 *
 * Without arguments it writes CLOCK_MONOTONIC in nanoseconds as one line to stderr and ends. With "serve" it answers
 * `initialize`, `tools/list` (one tool of ten properties) and every other request by a fixed result, as fast as lines
 * can be answered; no JSON is parsed but the id.
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
	static const char list[] =
		"{\"tools\":[{\"name\":\"t\",\"description\":\"Creates an issue in the repository that is named.\","
		"\"inputSchema\":{\"type\":\"object\",\"required\":[\"owner\",\"repo\",\"title\"],\"properties\":{"
		"\"owner\":{\"type\":\"string\",\"maxLength\":64},\"repo\":{\"type\":\"string\",\"maxLength\":64},"
		"\"title\":{\"type\":\"string\",\"minLength\":1},\"body\":{\"type\":\"string\"},"
		"\"labels\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"milestone\":{\"type\":\"integer\"},"
		"\"state\":{\"enum\":[\"open\",\"closed\"]},\"locked\":{\"type\":\"boolean\"},"
		"\"assignee\":{\"type\":\"string\"},\"score\":{\"type\":\"number\",\"minimum\":0}}}}]}";
	const char *id = strstr(line, "\"id\":");

	if (!id)
		return;
	id += 5;
	int n = (int)strcspn(id, ",}");
	if (strstr(line, "\"initialize\""))
		printf("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}\n", n, id, hello);
	else if (strstr(line, "\"tools/list\""))
		printf("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}\n", n, id, list);
	else
		printf("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}"
		       "}"
		       "\n",
			n, id, text);
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
