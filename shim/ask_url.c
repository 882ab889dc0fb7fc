/* SPDX-License-Identifier: Apache-2.0 */
/* ask_url - see ask_url.h */
#include "shim/ask_url.h"
#include <string.h>
#include <strings.h>
#include "base/buf.h"
#include "base/parse.h"

static const char SCHEME[] = "https://";

enum { PORT_HTTPS = 443, PORT_DIGITS_MAX = 5 };

/* The names of values that let their holder in: a page that is open to whoever has its address (elicitation, safe URL
 * handling). "token" alone is what a server finds the request by. */
static const char *const credentials[] = { "password", "passwd", "pwd", "secret", "client_secret", "access_token",
	"refresh_token", "id_token", "api_key", "apikey", "private_key" };

/* Backslash, quotes, brackets and what else RFC 3986 does not have; a browser takes a backslash for a slash. */
static bool is_plain(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] > 0x7e || strchr("\"<>\\^`{|}", p[i]))
			return false;
	return true;
}

static bool has_credential(const char *p)
{
	for (; (p = strpbrk(p, "?&;#")); p++) {
		size_t n = strcspn(p + 1, "=&;#");
		for (size_t i = 0; p[1 + n] == '=' && i < ARRAY_LEN(credentials); i++)
			if (n == strlen(credentials[i]) && strncasecmp(p + 1, credentials[i], n) == 0)
				return true;
	}
	return false;
}

/* "host" or "host:port", with nothing else that an authority may have. The host in small letters. */
static bool read_authority(const char *p, size_t n, char host[ASK_URL_HOST_MAX + 1], uint16_t *ret_port)
{
	const char *colon = memchr(p, ':', n);
	size_t len = colon ? (size_t)(colon - p) : n, digits = colon ? n - len - 1 : 0;
	char port[PORT_DIGITS_MAX + 1];
	uint64_t value = PORT_HTTPS;

	if (len == 0 || len > ASK_URL_HOST_MAX || digits > PORT_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		host[i] = p[i] >= 'A' && p[i] <= 'Z' ? (char)(p[i] | 0x20) : p[i];
	host[len] = '\0';
	if (colon) {
		memcpy(port, colon + 1, digits);
		port[digits] = '\0';
		if (parse_u64(port, 1, UINT16_MAX, &value) < 0)
			return false;
	}
	*ret_port = (uint16_t)value;
	return true;
}

static const char *judge(const struct shim_client *c, const char *url, size_t n)
{
	const char *authority = url + sizeof(SCHEME) - 1;
	char host[ASK_URL_HOST_MAX + 1];
	uint16_t port;
	size_t len;

	if (n < sizeof(SCHEME) || memcmp(url, SCHEME, sizeof(SCHEME) - 1) != 0)
		return "its url does not begin with https://";
	if (!is_plain(url, n))
		return "its url has characters that an address has not, or that look like others";
	len = strcspn(authority, "/?#");
	if (memchr(authority, '@', len))
		return "its url holds a user name or a password";
	if (!read_authority(authority, len, host, &port))
		return "its url has a host or a port with no single meaning";
	if (!shim_client_host(c, host, port))
		return "its url leads to a host or a port that the profile does not name";
	return has_credential(authority + len) ? "its url holds a password, a key or a token" : NULL;
}

const char *ask_url_refusal(const struct shim_client *c, const struct secrets *secrets, struct slice inside)
{
	_cleanup_buf_ struct buf url = BUF_INIT(ASK_URL_MAX);
	struct secrets_hit hit;

	if (!inside.n)
		return "it has no url";
	if (walk_is_broken(inside) || walk_text(&url, inside) < 0)
		return "its url is too long or no text";
	if (secrets_find(secrets, true, url.data, url.len, 0, &hit) != 0)
		return "its url holds the value of a secret";
	return judge(c, url.data, url.len);
}
