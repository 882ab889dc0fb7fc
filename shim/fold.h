/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fold - Unicode simple case folding, to find keys that some peer takes for one another
 *
 * Process:  shim
 * Owns:     nothing
 *
 * Go's encoding/json and .NET match "Name" and "name", "paramſ" and "params" (mcp.md, section 3). The table is
 * CaseFolding.txt, statuses C and S. Dotted capital I and dotless small i fold to "i" as well: peers that upper-case
 * before they compare (java.lang.String.equalsIgnoreCase) merge them.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

uint32_t fold_char(uint32_t cp);
/* Appends the folded form of n bytes of valid UTF-8. 0, -E2BIG, -ENOMEM. */
int fold_append(struct buf *b, const char *p, size_t n) _must_check_;
/* Do two runs of valid UTF-8 fold to the same? */
bool fold_equal(const char *a, size_t a_len, const char *b, size_t b_len);
/* Eight bytes at a time: ASCII capitals to small letters, all else as it is. */
static inline uint64_t fold_ascii8(uint64_t x)
{
	const uint64_t ones = 0x0101010101010101ULL;
	uint64_t low7 = x & 0x7f * ones;
	uint64_t above_z = low7 + (0x7f - 'Z') * ones;
	uint64_t from_a = low7 + (0x80 - 'A') * ones;
	uint64_t capital = ~x & (from_a ^ above_z) & 0x80 * ones;

	return x | capital >> 2;
}
