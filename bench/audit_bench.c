/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_bench - records a second into the log, one session and eight, into files and through a collector's writers,
 * beside plain write(2) of the same bytes
 *
 *   audit_bench [DIRECTORY]   (default: the working directory; a directory of its own is made there)
 *
 * The variants take turns in one run; medians are printed.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/log_key.h"
#include "base/io.h"
#include "tests/unit/writer_unit.h"

enum { RECORDS = 20000, ROUNDS = 11, WRITERS_MAX = 8, LINE_MAX_BYTES = 2048, BATCH = 16 };

struct bench {
	int dir;
	struct log_key key;
	struct users_account *account; /* of the user, whose share is not what is measured: emptied each round */
	char line[LINE_MAX_BYTES];     /* a record as the log writes it */
	size_t len;
};

static void die(const char *what)
{
	fprintf(stderr, "audit_bench: %s\n", what);
	exit(1);
}

static int start_writer(const struct bench *b)
{
	const struct writer_args like = { .logs = b->dir,
		.key = &b->key,
		.account = b->account,
		.user_bytes = WRITER_USER_BYTES,
		.user_files = USERS_FILES };
	int sock = -1;

	if (writer_start(&like, (uid_t)-1, &sock) < 0)
		die("no writer");
	return sock;
}

static struct audit *open_session(const struct bench *b, int sender)
{
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct audit *a = NULL;
	struct diag d = { "" };

	audit_new_session_id(session);
	struct audit_identity id = { .session = session,
		.user = "alice",
		.groups = "alice,dev,docker",
		.server = "github",
		.client = "code (/usr/share/code/code) < systemd",
		.version = "4",
		.approval = "a1b2c3",
		.channel = "terminal",
		.plan_digest = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef" };
	if (audit_open(&(struct audit_options){ .dirfd = b->dir, .budget = 1u << 30, .key = &b->key, .sender = sender },
		    &id, &a, &d) < 0)
		die(d.text);
	return a;
}

static struct event call(void)
{
	return (struct event){ .type = EVENT_CALL,
		.decision = EVENT_ALLOW,
		.side = EVENT_FROM_CLIENT,
		.call_id = 7,
		.method = "tools/call",
		.tool = "create_issue",
		.rule = "profiles/github.json:38 (tools.allow \"create_*\")",
		.arg_keys = "owner,repo,title,body" };
}

static void log_records(const struct bench *b)
{
	struct audit *a = open_session(b, 0);
	struct event e = call();
	struct diag d = { "" };

	for (unsigned i = 0; i < RECORDS; i++) {
		if (audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d) < 0)
			die(d.text);
	}
	audit_free(a);
}

/* As the supervisor does it: a batch of the shim's records is settled before the next is taken. */
static void collect_records(const struct bench *b)
{
	struct audit *a = open_session(b, start_writer(b));
	struct event e = call();
	struct diag d = { "" };

	for (unsigned i = 0; i < RECORDS; i++) {
		if (audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d) < 0 ||
			(i % BATCH == BATCH - 1 && audit_settle(a, &d) < 0))
			die(d.text);
	}
	if (audit_settle(a, &d) < 0)
		die(d.text);
	audit_free(a);
	while (wait(NULL) > 0)
		;
}

static void plain_writes(const struct bench *b)
{
	char name[32];

	(void)snprintf(name, sizeof name, "plain-%d", (int)getpid());
	int fd = openat(b->dir, name, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	for (unsigned i = 0; i < RECORDS; i++) {
		if (write(fd, b->line, b->len) != (ssize_t)b->len)
			die("write");
	}
	close(fd);
}

/* Microseconds for all of them. */
static uint64_t run(const struct bench *b, void (*work)(const struct bench *), unsigned writers)
{
	uint64_t before = io_now_us();
	int status;

	for (unsigned w = 0; w < writers; w++) {
		if (fork() == 0) {
			work(b);
			_exit(0);
		}
	}
	while (wait(&status) > 0) {
		if (status != 0)
			die("a writer failed");
	}
	return io_now_us() - before;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void remove_all(int dir)
{
	DIR *list = fdopendir(dup(dir));
	struct dirent *e;

	/* A dup(2) shares its position with the last one, which is at the end. */
	if (list)
		rewinddir(list);
	while (list && (e = readdir(list))) {
		if (e->d_name[0] == '.' || unlinkat(dir, e->d_name, 0) == 0)
			continue;
		int below = openat(dir, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		remove_all(below);
		close(below);
		(void)unlinkat(dir, e->d_name, AT_REMOVEDIR);
	}
	if (list)
		closedir(list);
}

static double median(uint64_t v[ROUNDS])
{
	qsort(v, ROUNDS, sizeof *v, compare);
	return (double)v[ROUNDS / 2];
}

static void measure(struct bench *b, unsigned writers)
{
	uint64_t log[ROUNDS], collected[ROUNDS], plain[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		users_counted(b->account, 0, 0, 0);
		atomic_store(&b->account->paid_until, 0);
		log[i] = run(b, log_records, writers);
		collected[i] = run(b, collect_records, writers);
		plain[i] = run(b, plain_writes, writers);
		remove_all(b->dir);
	}
	double n = (double)RECORDS * writers, l = median(log), c = median(collected), p = median(plain);
	printf("{\"sessions\":%u,\"bytes\":%zu,\"log_per_s\":%.0f,\"collector_per_s\":%.0f,\"write_per_s\":%.0f,\"log_"
	       "us\":%."
	       "2f,\"collector_us\":%.2f,\"write_us\":%.2f,\"ratio\":%.2f,\"collector_ratio\":%.2f}\n",
		writers, b->len, n * 1e6 / l, n * 1e6 / c, n * 1e6 / p, l / n, c / n, p / n, l / p, c / p);
}

/* The bytes of a real record. */
static void take_line(struct bench *b)
{
	struct audit *a = open_session(b, 0);
	struct event e = call();
	struct diag d = { "" };
	char *text = NULL, *newline;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (audit_append(a, EVENT_FROM_SHIM, &e, NULL, &d) < 0 ||
		audit_show(b->dir, &(struct audit_show_options){ .json = true }, out, &d) < 0)
		die(d.text);
	fclose(out);
	newline = strchr(text, '\n');
	b->len = strlen(newline + 1);
	if (b->len >= sizeof b->line)
		die("a record is longer than expected");
	memcpy(b->line, newline + 1, b->len);
	free(text);
	audit_free(a);
}

int main(int argc, char **argv)
{
	struct bench b = { .dir = -1 };
	char path[4096];

	(void)snprintf(path, sizeof path, "%s/audit-bench-XXXXXX", argc > 1 ? argv[1] : ".");
	if (!mkdtemp(path))
		die("mkdtemp");
	b.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	log_key_make(&b.key);
	b.account = account_new();
	if (b.dir < 0 || !b.account)
		die("no room");
	take_line(&b);
	measure(&b, 1);
	measure(&b, WRITERS_MAX);
	remove_all(b.dir);
	return rmdir(path) == 0 ? 0 : 1;
}
