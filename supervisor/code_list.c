/* SPDX-License-Identifier: Apache-2.0 */
/* code_list - see code_list.h */
#include "supervisor/code_list.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LIST_BUFFER = 32768 };

struct linux_dirent {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

void code_names_done(struct code_names *n)
{
	free(n->text);
	free(n->at);
	*n = (struct code_names){ 0 };
}

static int add_name(struct code_names *n, unsigned char type, const char *name)
{
	size_t len = strlen(name) + 2;

	if (n->len + len > CODE_NAMES_MAX)
		return -EFBIG;
	if (n->len + len > n->cap) {
		size_t cap = n->cap ? 2 * n->cap : 4096;
		char *text = realloc(n->text, cap < n->len + len ? n->len + len : cap);
		if (!text)
			return -ENOMEM;
		n->text = text;
		n->cap = cap < n->len + len ? n->len + len : cap;
	}
	if (n->n == n->n_cap) {
		size_t cap = n->n_cap ? 2 * n->n_cap : 64;
		uint32_t *at = reallocarray(n->at, cap, sizeof(*at));
		if (!at)
			return -ENOMEM;
		n->at = at;
		n->n_cap = cap;
	}
	n->at[n->n++] = (uint32_t)n->len + 1;
	n->text[n->len] = (char)type;
	memcpy(n->text + n->len + 1, name, len - 1);
	n->len += len;
	return 0;
}

static int compare(const void *a, const void *b, void *text)
{
	return strcmp((const char *)text + *(const uint32_t *)a, (const char *)text + *(const uint32_t *)b);
}

int code_list(int dirfd, struct code_names *ret)
{
	_Alignas(struct linux_dirent) char buf[LIST_BUFFER];
	long n;
	int r = 0;

	ret->len = ret->n = 0;
	while (r == 0 && (n = syscall(SYS_getdents64, dirfd, buf, sizeof(buf))) != 0) {
		if (n < 0)
			return -errno;
		for (long at = 0; r == 0 && at < n;) {
			const struct linux_dirent *e = (const void *)(buf + at);
			if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
				r = add_name(ret, e->d_type, e->d_name);
			at += e->d_reclen;
		}
	}
	return r;
}

void code_names_sort(struct code_names *n)
{
	if (n->n > 1)
		qsort_r(n->at, n->n, sizeof(*n->at), compare, n->text);
}

unsigned char code_names_type(const struct code_names *n, size_t i)
{
	return (unsigned char)n->text[n->at[i] - 1];
}

void code_names_set_type(struct code_names *n, size_t i, unsigned char type)
{
	n->text[n->at[i] - 1] = (char)type;
}
