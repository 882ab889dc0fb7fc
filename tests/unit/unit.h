/* SPDX-License-Identifier: Apache-2.0 */
/* unit - cmocka and what it needs first, in the order it wants */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

/* What this process has computed, in microseconds: other work on the machine does not count. */
static inline uint64_t unit_cpu_us(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0
		       ? (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000
		       : 0;
}
