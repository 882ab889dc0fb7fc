/* SPDX-License-Identifier: Apache-2.0 */
/* captured - what is written to stdout or stderr between two moments; the test itself says nothing there meanwhile */
#pragma once
#include "tests/unit/unit.h"
#include <stdio.h>
#include <unistd.h>

struct captured {
	FILE *of, *file;
	int before;
};

static inline struct captured capture(FILE *of)
{
	struct captured c = { of, tmpfile(), dup(fileno(of)) };

	assert_true(c.file && c.before >= 0);
	fflush(of);
	assert_true(dup2(fileno(c.file), fileno(of)) >= 0);
	return c;
}

static inline void captured_read(struct captured *c, char *ret, size_t size)
{
	fflush(c->of);
	assert_true(dup2(c->before, fileno(c->of)) >= 0);
	close(c->before);
	rewind(c->file);
	ret[fread(ret, 1, size - 1, c->file)] = '\0';
	fclose(c->file);
}
