/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_revocations - any bytes as a file of revocations: statements, or refused in one line that is fit for a terminal
 *
 * What must hold: each statement has bounds and a place; and what it revokes is refused in words, by its name and both
 * ends of its bounds.
 */
#include <string.h>
#include "supervisor/signing/revocations.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 16 };

static void check_profile(const struct revocations *r, const struct revoked_profile *p)
{
	const uint64_t versions[] = { p->versions.first, p->versions.last };

	must(p->glob && p->where && p->versions.first <= p->versions.last, "half a statement");
	check_words(p->where);
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		struct diag d = { "" };
		/* A pattern matches itself, whatever its '*' stands for. */
		must(revocations_check(r, p->glob, versions[i], &d) < 0, "a revoked version that is good");
		check_words(d.text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct revocations r = { 0 };
	struct diag d = { "" };

	if (size > INPUT_MAX)
		return 0;
	if (revocations_parse(&r, "fuzz.json", (const char *)data, size, &d) < 0)
		check_words(d.text);
	must(r.n_keys + r.n_profiles <= REVOCATIONS_MAX, "more than there may be");
	for (size_t i = 0; i < r.n_keys; i++)
		must(revocations_has_key(&r, r.keys[i]), "a revoked key that is good");
	for (size_t i = 0; i < r.n_profiles; i++)
		check_profile(&r, &r.profiles[i]);
	revocations_done(&r);
	return 0;
}
