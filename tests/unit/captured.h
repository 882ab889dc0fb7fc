/* SPDX-License-Identifier: Apache-2.0 */
/* captured - what is written to stderr between two moments; nothing of the test's own may be said there meanwhile */
#pragma once
#include "tests/unit/unit.h"
#include <stdio.h>
#include <unistd.h>

struct captured {
	FILE *file;
	int before;
};

static inline struct captured capture_stderr(void)
{
	struct captured c = { tmpfile(), dup(STDERR_FILENO) };

	assert_true(c.file && c.before >= 0);
	fflush(stderr);
	assert_true(dup2(fileno(c.file), STDERR_FILENO) >= 0);
	return c;
}

static inline void captured_read(struct captured *c, char *ret, size_t size)
{
	fflush(stderr);
	assert_true(dup2(c->before, STDERR_FILENO) >= 0);
	close(c->before);
	rewind(c->file);
	ret[fread(ret, 1, size - 1, c->file)] = '\0';
	fclose(c->file);
}
