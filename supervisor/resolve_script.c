/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_script - shebang lines and the words of env(1) (resolve_internal.h)
 *
 * The kernel (fs/binfmt_script.c, execve(2)) reads 256 bytes, cuts what is longer, and hands everything behind the
 * interpreter over as one argument. env -S splits that argument: GNU coreutils manual, "env invocation".
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "supervisor/resolve_internal.h"

enum { SHEBANG_MAX = 256 };

void head_done(struct head *h)
{
	free(h->interpreter);
	free(h->argument);
	*h = (struct head){ 0 };
}

static int read_head(struct resolve *c, const char *file, char *buf, size_t *ret)
{
	_cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, SHEBANG_MAX, 0);

	if (n < 0)
		return diag_fail(c->d, errno == ENOENT ? -ENOENT : -EACCES,
			"cannot read %s, so what it would run cannot be shown: %s", SHOWN(file), strerror(errno));
	buf[n] = '\0';
	*ret = (size_t)n;
	return 0;
}

static int parse_shebang(struct resolve *c, const char *file, char *line, struct head *ret)
{
	char *end = strchr(line, '\n'), *name, *rest;

	if (!end)
		return diag_fail(c->d, -ENOEXEC,
			"the first line of %s is longer than the %d bytes that the kernel reads; shorten the path of "
			"its interpreter",
			SHOWN(file), SHEBANG_MAX);
	*end = '\0';
	if (end > line && end[-1] == '\r')
		return diag_fail(c->d, -ENOEXEC,
			"the first line of %s ends in a carriage return (a Windows line ending), so the kernel looks "
			"for an interpreter of that name; convert the file (sed -i 's/\\r$//')",
			SHOWN(file));
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	name = line + 2 + strspn(line + 2, " \t");
	rest = name + strcspn(name, " \t");
	if (*rest) {
		*rest++ = '\0';
		rest += strspn(rest, " \t");
	}
	if (*name != '/')
		return diag_fail(c->d, -ENOEXEC,
			"the first line of %s names the interpreter '%s', which is not an absolute path; correct it",
			SHOWN(file), SHOWN(name));
	ret->kind = HEAD_SCRIPT;
	ret->interpreter = strdup(name);
	ret->argument = *rest ? strdup(rest) : NULL;
	return ret->interpreter && (ret->argument || !*rest) ? 0 : -ENOMEM;
}

int resolve_head(struct resolve *c, const char *file, struct head *ret)
{
	char buf[SHEBANG_MAX + 2];
	size_t n = 0;
	int r = read_head(c, file, buf, &n);

	if (r < 0)
		return r;
	if (n >= 4 && memcmp(buf, "\177ELF", 4) == 0) {
		*ret = (struct head){ .kind = HEAD_ELF };
		return 0;
	}
	if (n >= 2 && buf[0] == '#' && buf[1] == '!') {
		/* A file of one line without its line break is whole all the same. */
		if (n < SHEBANG_MAX && !strchr(buf, '\n'))
			memcpy(buf + n, "\n", 2);
		return parse_shebang(c, file, buf, ret);
	}
	if (n >= 3 && memcmp(buf, "\xef\xbb\xbf", 3) == 0)
		return diag_fail(c->d, -ENOEXEC,
			"%s begins with a byte order mark, so the kernel does not see its '#!'; save it without",
			SHOWN(file));
	return diag_fail(c->d, -ENOEXEC,
		"%s is neither a native program nor a script with a '#!' line; put its interpreter before it (node, "
		"python3, java -jar)",
		SHOWN(file));
}

/* --- env --- */

/* Splits like env -S: blanks separate, quotes group; what env would expand (${NAME}, \c) is refused. */
static int split_words(struct resolve *c, const char *text, struct strv *ret)
{
	_cleanup_buf_ struct buf word = BUF_INIT(RESOLVE_TEXT_MAX);
	bool open = false;
	char quote = 0;
	int r = 0;

	for (const char *s = text; r == 0; s++) {
		if (!*s || (!quote && strchr(" \t\n", *s))) {
			if (quote)
				return diag_fail(c->d, -ENOEXEC,
					"the words for env -S, '%s', have a quote without its pair", SHOWN(text));
			if (open)
				r = strv_add(ret, word.data ? word.data : "");
			buf_clear(&word);
			open = false;
			if (!*s)
				break;
		} else if (*s == quote) {
			quote = 0;
		} else if (!quote && (*s == '"' || *s == '\'')) {
			quote = *s;
			open = true;
		} else if (*s == '$' || *s == '\\' || (*s == '#' && !open)) {
			return diag_fail(c->d, -ENOEXEC,
				"the words for env -S, '%s', hold '%c', which env interprets; write the plain words",
				SHOWN(text), *s);
		} else {
			open = true;
			r = buf_putc(&word, *s);
		}
	}
	return r;
}

static int set_path(struct resolve *c, const char *value)
{
	_cleanup_free_ char *copy = strdup(value);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	strv_done(&c->dirs);
	c->dirs = (struct strv){ 0 };
	for (char *dir = copy ? strtok_r(copy, ":", &save) : NULL; r == 0 && dir; dir = strtok_r(NULL, ":", &save))
		if (*dir == '/')
			r = strv_add(&c->dirs, dir);
	return r;
}

/* Puts the words of -S in the place of the word at i. */
static int replace_words(struct resolve *c, struct strv *words, size_t i, size_t drop, const char *text)
{
	_cleanup_strv_ struct strv split = { 0 }, out = { 0 };
	int r = split_words(c, text, &split);

	if (r == 0)
		r = strv_extend(&out, words->v, i);
	if (r == 0)
		r = strv_extend(&out, split.v, split.n);
	if (r == 0)
		r = strv_extend(&out, words->v + i + drop, words->n - i - drop);
	if (r < 0)
		return r;
	strv_done(words);
	*words = out;
	out = (struct strv){ 0 };
	return 0;
}

/* 1: the word at i was one of env's own and *i is past it; 0: it is the command. */
static int env_word(struct resolve *c, struct strv *words, size_t *i)
{
	const char *w = words->v[*i];
	static const char *const alone[] = { "-", "-i", "--ignore-environment", "-v", "--debug", "--" };
	static const char *const valued[] = { "-u", "--unset", "-C", "--chdir" };

	for (size_t k = 0; k < ARRAY_LEN(alone); k++)
		if (strcmp(w, alone[k]) == 0)
			return (*i)++, 1;
	for (size_t k = 0; k < ARRAY_LEN(valued); k++)
		if (strcmp(w, valued[k]) == 0)
			return *i += 2, 1;
	if (strncmp(w, "--unset=", 8) == 0 || strncmp(w, "-u", 2) == 0)
		return (*i)++, 1;
	if (*w == '-')
		return diag_fail(c->d, -ENOEXEC,
			"'%s' is an option of env that stockade does not know, so the program behind it cannot be "
			"found; leave it out",
			SHOWN(w));
	if (strchr(w, '=')) {
		int r = strncmp(w, "PATH=", 5) == 0 ? set_path(c, w + 5) : 0;
		(*i)++;
		return r < 0 ? r : 1;
	}
	return 0;
}

/* "-S words", "-Swords", "-vS words", "--split-string=words": how many words it takes, and where the text is. */
static size_t split_option(const struct strv *words, size_t i, const char **ret)
{
	const char *w = words->v[i];
	size_t n = strncmp(w, "-vS", 3) == 0 || strncmp(w, "-iS", 3) == 0 ? 3 : strncmp(w, "-S", 2) == 0 ? 2 : 0;

	if (strncmp(w, "--split-string=", 15) == 0)
		n = 15;
	if (n == 0)
		return 0;
	*ret = w + n + strspn(w + n, " \t");
	if (**ret)
		return 1;
	*ret = i + 1 < words->n ? words->v[i + 1] : "";
	return i + 1 < words->n ? 2 : 1;
}

int resolve_env_words(struct resolve *c, struct strv *words, size_t from, size_t *ret)
{
	size_t i = from;

	while (i < words->n) {
		const char *text;
		size_t drop = split_option(words, i, &text);
		int r;
		if (drop) {
			_cleanup_free_ char *copy = strdup(text);
			r = copy ? replace_words(c, words, i, drop, copy) : -ENOMEM;
		} else {
			r = env_word(c, words, &i);
			if (r == 0)
				break;
		}
		if (r < 0)
			return r;
	}
	*ret = i < words->n ? i : words->n;
	return 0;
}

int resolve_env_shebang(struct resolve *c, const char *file, const char *argument, struct strv *ret)
{
	size_t at = 0;
	int r;

	if (!argument)
		return diag_fail(c->d, -ENOEXEC, "the first line of %s names env, but no program for it", SHOWN(file));
	if (*argument != '-' && strpbrk(argument, " \t"))
		return diag_fail(c->d, -ENOEXEC,
			"the first line of %s makes env look for one program named '%s': the kernel does not split "
			"words; write '#!/usr/bin/env -S %s'",
			SHOWN(file), SHOWN(argument), SHOWN(argument));
	r = strv_add(ret, argument);
	if (r == 0)
		r = resolve_env_words(c, ret, 0, &at);
	if (r < 0)
		return r;
	if (at == ret->n)
		return diag_fail(c->d, -ENOEXEC, "the first line of %s names env, but no program for it", SHOWN(file));
	/* What is before the program is env's own. */
	for (size_t i = 0; i < at; i++)
		free(ret->v[i]);
	memmove(ret->v, ret->v + at, (ret->n - at + 1) * sizeof(*ret->v));
	ret->n -= at;
	return 0;
}
