/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempts - a hostile MCP server: every tool is an attempt to get out
 *
 * Usage:    attempts NAME [ARG ...]   one attempt, its outcome on stdout: the control, outside
 *           attempts                  serves MCP on stdin and stdout; tools/call {name, arguments: {"args": [...]}}
 *
 * Static, so that it needs no mount but its own file. An attempt runs in a child, so that the server lives to tell.
 * Its reading of JSON is as naive as its only client is well-behaved: what arrives was serialised by stockade-shim.
 */
#include "tests/escape/attempt.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { LINE_BYTES = 64 << 10, NAME_BYTES = 128 };

static const struct attempt *const areas[] = { attempts_files, attempts_proc, attempts_calls, attempts_sockets,
	attempts_ipc, attempts_peers, attempts_resources, attempts_lifetime };

void outcome_set(struct outcome *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->text, sizeof(o->text), fmt, ap);
	va_end(ap);
}

void outcome_of(struct outcome *o, long result)
{
	if (result >= 0)
		outcome_set(o, "SUCCEEDED");
	else
		outcome_set(
			o, "%s %s", errno == ENOENT || errno == ESRCH ? "ABSENT" : "BLOCKED", strerrorname_np(errno));
}

void outcome_reached(struct outcome *o, long result)
{
	outcome_of(o, result < 0 && (errno == EPERM || errno == ENOSYS) ? result : 0);
}

void outcome_in_child(struct outcome *o, void (*run)(struct outcome *o, char *const *arg), char *const *arg)
{
	int fds[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		outcome_of(o, -1);
		return;
	}
	if (pid == 0) {
		close(fds[0]);
		run(o, arg);
		_exit(write(fds[1], o->text, strlen(o->text)) > 0 ? 0 : 1);
	}
	close(fds[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	/* Not to the end of the file: what an attempt leaves behind holds the other end open. */
	n = fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? -1 : read(fds[0], o->text, sizeof(o->text) - 1);
	o->text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	if (WIFSIGNALED(status))
		outcome_set(o, "BLOCKED SIG%s", sigabbrev_np(WTERMSIG(status)));
}

static const struct attempt *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(areas); i++)
		for (const struct attempt *a = areas[i]; a->name; a++)
			if (strcmp(a->name, name) == 0)
				return a;
	return NULL;
}

static void try(struct outcome *o, const char *name, char *const *arg)
{
	const struct attempt *a = find(name);
	size_t n = 0;

	while (arg[n])
		n++;
	if (!a || n < a->args)
		outcome_set(o, "NO SUCH ATTEMPT");
	else
		outcome_in_child(o, a->run, arg);
}

/* The text after "key": in the line; NULL when it is not there. */
static char *value_of(char *line, const char *key)
{
	char quoted[NAME_BYTES];
	char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":", key);
	at = strstr(line, quoted);
	return at ? at + strlen(quoted) : NULL;
}

/* Takes the string that begins at *at (a quote) apart in place; *at is behind it afterwards. */
static char *take_string(char **at)
{
	char *start = *at + 1, *to = start, *from = start;

	while (*from && *from != '"') {
		if (*from == '\\' && from[1])
			from++;
		*to++ = *from++;
	}
	*at = *from ? from + 1 : from;
	*to = '\0';
	return start;
}

static void take_args(char *at, char **arg)
{
	size_t n = 0;

	at = at ? strchr(at, '[') : NULL;
	while (at && n < ATTEMPT_ARGS_MAX) {
		at += strspn(at, "[, ");
		if (*at != '"')
			break;
		arg[n++] = take_string(&at);
	}
	arg[n] = NULL;
}

static void answer(const char *id, size_t id_len, const char *result)
{
	printf("{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}\n", (int)id_len, id, result);
	fflush(stdout);
}

static void call(const char *id, size_t id_len, char *line)
{
	char result[OUTCOME_MAX + 64], *arg[ATTEMPT_ARGS_MAX + 1];
	char *name = value_of(line, "name"), *args = value_of(line, "args");
	struct outcome o = { "" };

	take_args(args, arg);
	try(&o, name && *name == '"' ? take_string(&name) : "", arg);
	for (char *c = o.text; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < 0x20)
			*c = '?';
	snprintf(result, sizeof(result), "{\"content\":[{\"type\":\"text\",\"text\":\"%s\"}]}", o.text);
	answer(id, id_len, result);
}

static void serve_line(char *line)
{
	char *at = value_of(line, "id"), *method = value_of(line, "method"), id[NAME_BYTES] = "";
	size_t id_len;

	if (!at || !method || *method != '"')
		return;
	/* Kept aside: what follows is taken apart in place. */
	id_len = *at == '"' ? strcspn(at + 1, "\"") + 2 : strcspn(at, ",}");
	if (id_len >= sizeof(id))
		return;
	memcpy(id, at, id_len);
	if (strncmp(method, "\"initialize\"", 12) == 0)
		answer(id, id_len,
			"{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":"
			"\"attempts\",\"version\":\"1\"}}");
	else if (strncmp(method, "\"tools/list\"", 12) == 0)
		answer(id, id_len, "{\"tools\":[]}");
	else if (strncmp(method, "\"tools/call\"", 12) == 0)
		call(id, id_len, line);
	else
		answer(id, id_len, "{}");
}

int main(int argc, char **argv)
{
	static char line[LINE_BYTES];
	struct outcome o = { "" };

	if (argc > 1 && strcmp(argv[1], "--mark") != 0) {
		try(&o, argv[1], argv + 2);
		puts(o.text);
		return 0;
	}
	while (fgets(line, sizeof(line), stdin))
		serve_line(line);
	return 0;
}
