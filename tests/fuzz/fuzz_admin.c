/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_admin - any bytes as an approval of root's: it approves the digest of its name, or nothing
 *
 * Promises: no input crashes; what approves says whose word it is and when, in bounded texts; the same bytes approve no
 * other plan; what approves nothing says why, in words that are fit for a terminal.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/consent/admin.h"
#include "tests/fuzz/fuzz.h"

/* The seeds are about the first. */
static const char *const digests[] = { "6f6e6520706c616e206f662074686520746573747320616e64206e6f206f7468",
	"616e6f7468657220706c616e2c2077686963682069732061707072726f766564" };

static int parse(const uint8_t *data, size_t size, const char *digest, struct approval *ret)
{
	struct diag d = { "" };
	int r;

	snprintf(ret->digest, sizeof(ret->digest), "%s", digest);
	r = admin_parse((const char *)data, size, ret, &d);
	if (*d.text || (r < 0 && r != -ENOMEM))
		check_words(d.text);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_approval_ struct approval a = { 0 }, other = { 0 };

	if (parse(data, size, digests[0], &a) < 0)
		return 0;
	if (strcmp(a.digest, digests[0]) != 0 || !a.user || !*a.user || strlen(a.user) > ADMIN_TEXT_MAX || !a.lineage ||
		strlen(a.lineage) > ADMIN_TEXT_MAX || !a.channel || strcmp(a.channel, ADMIN_CHANNEL) != 0)
		abort();
	if (parse(data, size, digests[1], &other) == 0)
		abort();
	return 0;
}
