/* SPDX-License-Identifier: Apache-2.0 */
/* lineage - see lineage.h */
#include "supervisor/lineage.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "base/io.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "supervisor/lineage_clients.h"

enum { CMDLINE_MAX = 8192, STAT_MAX = 1024, STATUS_MAX = 4096, LINEAGE_WORDS_MAX = 16 << 10, STAT_START_FIELD = 22 };

int lineage_parse_stat(const char *stat, struct lineage_stat *ret)
{
	const char *open = strchr(stat, '('), *close = strrchr(stat, ')');
	_cleanup_free_ char *rest = NULL;
	char *at, *save = NULL, *field;
	uint64_t ppid = 0, start = 0;
	int n = 3; /* the field after comm */

	if (!open || !close || close < open)
		return -EINVAL;
	snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)(close - open - 1), open + 1);
	rest = strdup(close + 1);
	if (!rest)
		return -ENOMEM;
	for (at = rest; (field = strtok_r(at, " \n", &save)); at = NULL, n++) {
		if (n == 4 && parse_u64(field, 0, INT32_MAX, &ppid) < 0)
			return -EINVAL;
		if (n == STAT_START_FIELD && parse_u64(field, 0, UINT64_MAX, &start) < 0)
			return -EINVAL;
	}
	if (n <= STAT_START_FIELD)
		return -EINVAL;
	ret->ppid = (pid_t)ppid;
	ret->start = start;
	return 0;
}

/* At most size-1 bytes of a file of /proc, NUL after them; how many, or -errno. */
static ssize_t read_some(int dir, const char *name, char *ret, size_t size)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t at = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	while (at < size - 1 && (n = read(fd, ret + at, size - 1 - at)) > 0)
		at += (size_t)n;
	if (n < 0)
		return -errno;
	ret[at] = '\0';
	return (ssize_t)at;
}

static int read_stat(int dir, struct lineage_stat *ret)
{
	char text[STAT_MAX];
	ssize_t n = read_some(dir, "stat", text, sizeof(text));

	return n < 0 ? (int)n : lineage_parse_stat(text, ret);
}

/* Which interpreters there are, and their options that take the next word. prefix: "python3.11" is one of python. */
static const struct interpreter {
	const char *name;
	bool prefix;
	const char *with_value[8];
} interpreters[] = {
	{ "node", false, { "-r", "--require", "--import", "--loader", "--experimental-loader", "-C" } },
	{ "nodejs", false, { "-r", "--require", "--import", "--loader" } },
	{ "electron", false, { "-r", "--require" } },
	{ "bun", false, { "-r", "--preload" } },
	{ "deno", false, { "--config", "--import-map" } },
	{ "java", false, { "-cp", "-classpath", "--class-path", "-p", "--module-path", "--add-modules" } },
	{ "python", true, { "-W", "-X", "--check-hash-based-pycs" } },
	{ "ruby", true, { "-I", "-r" } },
	{ "perl", true, { "-I" } },
	{ "bash", false, { "-o", "-O", "--rcfile", "--init-file" } },
	{ "sh", false, { "-o" } },
	{ "dash", false, { "-o" } },
	{ "zsh", false, { "-o" } },
};

static const struct interpreter *find_interpreter(const char *exe)
{
	const char *slash = strrchr(exe, '/'), *name = slash ? slash + 1 : exe;

	for (size_t i = 0; i < ARRAY_LEN(interpreters); i++) {
		const struct interpreter *row = &interpreters[i];
		if (row->prefix ? strncmp(name, row->name, strlen(row->name)) == 0 : strcmp(name, row->name) == 0)
			return row;
	}
	return NULL;
}

bool lineage_is_interpreter(const char *exe)
{
	return find_interpreter(exe) != NULL;
}

static bool takes_value(const struct interpreter *row, const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(row->with_value) && row->with_value[i]; i++)
		if (strcmp(row->with_value[i], option) == 0)
			return true;
	return false;
}

/* The script among the words of cmdline (NUL after each), or NULL: none, -c, -e, or an interactive one. */
static const char *script_word(const struct interpreter *row, const char *words, size_t n)
{
	const char *end = words + n;

	/* read_some put a NUL after the last word, so that one past it is still ours to look at. */
	for (const char *w = words + strlen(words) + 1; w < end; w += strlen(w) + 1) {
		if (w[0] != '-')
			return w;
		if (strcmp(w, "-m") == 0) /* python -m MODULE */
			return w + 3 < end ? w + 3 : NULL;
		if (strcmp(w, "-c") == 0 || strcmp(w, "-e") == 0 || strcmp(w, "-p") == 0 || w[1] == '\0')
			return NULL;
		if (takes_value(row, w))
			w += strlen(w) + 1;
	}
	return NULL;
}

/* By its ids; the owner of its /proc directory is root where it may not be dumped, as who runs it can choose. */
static bool is_own_process(int dir)
{
	char text[STATUS_MAX], ids[96];
	uid_t me = geteuid();
	const char *at;

	if (read_some(dir, "status", text, sizeof(text)) <= 0 || !(at = strstr(text, "\nUid:\t")))
		return false;
	snprintf(ids, sizeof(ids), "\nUid:\t%u\t%u\t%u\t%u\n", me, me, me, me);
	return strncmp(at, ids, strlen(ids)) == 0;
}

/* Symbolic links say little (/usr/local/bin/claude): the file behind them says who wrote it. Those below /proc and /dev
 * are another process's, and would lead to our own descriptors. No link is followed that another user has named: root
 * would follow it with rights that are not that user's. */
static char *script_path(int dir, const char *word)
{
	bool ours = strncmp(word, "/proc/", 6) == 0 || strncmp(word, "/dev/", 5) == 0;
	char *real = word[0] == '/' && !ours && is_own_process(dir) ? realpath(word, NULL) : NULL;

	return real ? real : strdup(word);
}

static int read_exe(int dir, struct ancestor *a)
{
	char link[PATH_MAX + 16], words[CMDLINE_MAX];
	ssize_t n = readlinkat(dir, "exe", link, sizeof(link) - 1);
	const struct interpreter *row;
	const char *word;

	if (n < 0) /* another user's process: its comm has to do */
		return 0;
	link[n] = '\0';
	a->exe = strdup(link);
	row = a->exe ? find_interpreter(a->exe) : NULL;
	n = row ? read_some(dir, "cmdline", words, sizeof(words)) : 0;
	word = n > 0 ? script_word(row, words, (size_t)n) : NULL;
	a->script = word ? script_path(dir, word) : NULL;
	return a->exe && (!word || a->script) ? 0 : -ENOMEM;
}

void ancestor_done(struct ancestor *a)
{
	free(a->exe);
	free(a->script);
	free(a->comm);
	*a = (struct ancestor){ 0 };
}

int lineage_read_process(pid_t pid, struct ancestor *a, pid_t *ret_ppid)
{
	char path[32];
	struct lineage_stat st;
	int r;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	_cleanup_close_ int dir = open(path, O_DIRECTORY | O_PATH | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	r = read_stat(dir, &st);
	if (r < 0)
		return r;
	*a = (struct ancestor){ .pid = pid };
	a->start = st.start;
	a->comm = strdup(st.comm);
	r = a->comm ? read_exe(dir, a) : -ENOMEM;
	a->client = lineage_client_name(a->exe, a->script, a->comm);
	*ret_ppid = st.ppid;
	return r;
}

int lineage_read(struct lineage *ret, struct diag *d)
{
	uint64_t younger = UINT64_MAX;
	pid_t pid = getppid(), next = 0;

	*ret = (struct lineage){ 0 };
	for (; pid > 0 && ret->n < LINEAGE_MAX; pid = next) {
		struct ancestor *a = &ret->v[ret->n++];
		int r = lineage_read_process(pid, a, &next);

		/* It ended while we looked, or its number belongs to a later process by now: the chain ends before it.
		 */
		if (r == -ENOENT || r == -ESRCH || (r == 0 && a->start > younger)) {
			ret->n--;
			ancestor_done(a);
			return 0;
		}
		if (r < 0) {
			lineage_done(ret);
			return diag_fail(d, r, "cannot read /proc/%d: %s", (int)pid, strerror(-r));
		}
		younger = a->start;
	}
	ret->cut = pid > 0;
	return 0;
}

static int ancestor_words(struct buf *b, const struct ancestor *a)
{
	const char *slash = a->exe ? strrchr(a->exe, '/') : NULL;
	const char *name = slash ? slash + 1 : a->comm;
	int r = text_escape(b, name, strlen(name), 0);

	if (r == 0 && a->script) {
		r = buf_putc(b, ' ');
		r = r < 0 ? r : text_escape(b, a->script, strlen(a->script), 0);
	}
	r = r < 0 ? r : buf_printf(b, " (pid %d", (int)a->pid);
	if (r == 0 && a->exe) {
		r = buf_puts(b, ", ");
		r = r < 0 ? r : text_escape(b, a->exe, strlen(a->exe), 0);
	}
	return r < 0 ? r : buf_putc(b, ')');
}

char *lineage_words(const struct lineage *l)
{
	_cleanup_buf_ struct buf b = BUF_INIT(LINEAGE_WORDS_MAX);
	int r = buf_puts(&b, "");

	for (size_t i = 0; i < l->n && r == 0; i++) {
		size_t before = b.len;
		r = i > 0 ? buf_puts(&b, " < ") : 0;
		r = r < 0 ? r : ancestor_words(&b, &l->v[i]);
		if (r == -E2BIG) { /* absurdly long paths: the nearest ancestors are what tells */
			b.len = before;
			b.data[before] = '\0';
			break;
		}
	}
	return r < 0 && r != -E2BIG ? NULL : buf_steal(&b);
}

const struct ancestor *lineage_find_client(const struct lineage *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].client)
			return &l->v[i];
	return NULL;
}

void lineage_done(struct lineage *l)
{
	for (size_t i = 0; i < l->n; i++)
		ancestor_done(&l->v[i]);
	*l = (struct lineage){ 0 };
}
