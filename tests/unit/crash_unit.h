/* SPDX-License-Identifier: Apache-2.0 */
/* crash_unit - writers that end at a moment that nobody chose: what they said was acknowledged, and what is there */
#pragma once
#include "tests/unit/audit_unit.h"

#include <time.h>

/* How often an end at random is tried: a SIGKILL, a full disk. */
enum { RANDOM_ENDS = 200 };

/* Somewhere among the first records, or in the middle of opening the log. */
static inline void nap_before_end(unsigned k)
{
	struct timespec t = { .tv_nsec = (long)(k * 7919 % 4000) * 1000 };

	nanosleep(&t, NULL);
}

/* A pipe that takes a byte for each acknowledgement without making anybody wait. */
static inline void acks_open(int ret[2])
{
	assert_int_equal(pipe2(ret, O_CLOEXEC), 0);
	assert_true(fcntl(ret[1], F_SETPIPE_SZ, 1 << 20) > 0);
}

static inline uint64_t acks_count(int fd)
{
	char bytes[4096];
	uint64_t count = 0;
	ssize_t n;

	while ((n = read(fd, bytes, sizeof bytes)) > 0)
		count += (uint64_t)n;
	return count;
}

/* Records of an event in every session's file that are whole lines. What a peer said has its quotes escaped. */
static inline uint64_t count_events(const struct log_dir *l, const char *event)
{
	uint64_t count = 0;
	char name[256], member[64];

	snprintf(member, sizeof member, ",\"event\":\"%s\",", event);
	for (unsigned n = 0; session_file(l, n, name); n++) {
		_cleanup_buf_ struct buf b;
		file_read(l, name, &b);
		char *end = b.data ? strrchr(b.data, '\n') : NULL;
		for (char *p = b.data; end && (p = strstr(p, member)) && p < end; p++)
			count++;
	}
	return count;
}
