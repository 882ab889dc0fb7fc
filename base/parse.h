/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse - numbers and sizes that come from outside, strictly
 *
 * Process:  any
 * Returns:  0, -EINVAL (not of the form), -ERANGE (outside min..max)
 *
 * The whole string must match; no blanks, no sign, no leading '+', no empty string.
 */
#pragma once
#include <stdint.h>
#include "base/cleanup.h"

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret) _must_check_;
/* "512", "64KiB", "256MiB", "1GiB": bytes; binary units only. */
int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret) _must_check_;
/* "30s", "30min", "4h", "90d": seconds. */
int parse_duration(const char *s, uint64_t min, uint64_t max, uint64_t *ret) _must_check_;
/* "10/min", "2/s", "100/h", "5/d": how many (1..max) in how many seconds. */
int parse_rate(const char *s, uint64_t max, uint64_t *ret, uint64_t *ret_seconds) _must_check_;
/* RFC 3339 UTC "2027-04-01T00:00:00Z" or a date "2026-10-01": seconds since the epoch. */
int parse_time(const char *s, int64_t *ret) _must_check_;
