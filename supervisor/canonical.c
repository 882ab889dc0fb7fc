/* SPDX-License-Identifier: Apache-2.0 */
/* canonical - see canonical.h */
#include "supervisor/canonical.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>

int canonical_text(const json_t *value, char **ret)
{
	_cleanup_free_ char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	if (!text)
		return -ENOMEM;
	if (strlen(text) > CANONICAL_BYTES_MAX)
		return -E2BIG;
	*ret = STEAL_PTR(text);
	return 0;
}

int canonical_digest_text(const char *text, char ret[CANONICAL_DIGEST_HEX])
{
	unsigned char hash[32];

	if (crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, strlen(text), NULL, 0) != 0)
		return -EIO;
	sodium_bin2hex(ret, CANONICAL_DIGEST_HEX, hash, sizeof(hash));
	return 0;
}

int canonical_digest(const json_t *value, char ret[CANONICAL_DIGEST_HEX])
{
	_cleanup_free_ char *text = NULL;
	int r = canonical_text(value, &text);

	return r < 0 ? r : canonical_digest_text(text, ret);
}

int canonical_is_digest(const char *s)
{
	return strlen(s) == CANONICAL_DIGEST_HEX - 1 && strspn(s, "0123456789abcdef") == CANONICAL_DIGEST_HEX - 1;
}
