/* SPDX-License-Identifier: Apache-2.0 */
/* fetch - see fetch.h */
#include "wire/fetch.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/ascii.h"
#include "base/io.h"
#include "base/parse.h"

enum { HTTPS_PORT = 443, HTTP_PORT = 80, PORT_MAX = 65535, PORT_TEXT = 8 };

int fetch_request_encode(const struct fetch_request *f, struct wire_writer *w)
{
	wire_begin(w, WIRE_FETCH, FETCH_REQUEST_MAX);
	wire_put_u32(w, f->uid);
	wire_put_u32(w, f->gid);
	wire_put_str(w, f->url);
	wire_put_u32(w, f->port);
	wire_put_str(w, f->proxy_host);
	wire_put_u32(w, f->proxy_port);
	wire_put_str(w, f->ca);
	wire_put_u64(w, f->max);
	wire_put_u32(w, f->seconds);
	return wire_finish(w);
}

int fetch_request_decode(const void *p, size_t n, struct fetch_request *ret)
{
	struct wire_reader r;
	uint32_t port, proxy_port;
	int e = wire_open(&r, p, n, WIRE_FETCH);

	if (e < 0)
		return e;
	ret->uid = wire_get_u32(&r);
	ret->gid = wire_get_u32(&r);
	ret->url = wire_get_str(&r);
	port = wire_get_u32(&r);
	ret->proxy_host = wire_get_str(&r);
	proxy_port = wire_get_u32(&r);
	ret->ca = wire_get_str(&r);
	ret->max = wire_get_u64(&r);
	ret->seconds = wire_get_u32(&r);
	ret->port = (uint16_t)port;
	ret->proxy_port = (uint16_t)proxy_port;
	if (!ret->url || port == 0 || port > PORT_MAX || proxy_port > PORT_MAX || ret->max == 0 || ret->seconds == 0)
		wire_refuse(&r);
	return wire_close(&r);
}

int fetch_request_read(int fd, struct fetch_request *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(FETCH_REQUEST_MAX);
	int r = io_memfd_read(fd, &b);

	if (r < 0)
		return diag_fail(
			d, r, "cannot read what to fetch: %s (this program is started by stockade sync)", strerror(-r));
	r = fetch_request_decode(b.data, b.len, ret);
	if (r < 0)
		return diag_fail(d, r, "what to fetch is told by another build: %s", strerror(-r));
	close(fd);
	return 0;
}

void fetch_request_done(struct fetch_request *f)
{
	free(f->url);
	free(f->proxy_host);
	free(f->ca);
	*f = (struct fetch_request){ 0 };
}

/* --- addresses --- */

/* Of a name nothing but letters, digits, '-' and '.', of an address what may stand in brackets. */
static bool is_host(const char *p, size_t n)
{
	bool bracketed = n > 2 && p[0] == '[' && p[n - 1] == ']';

	for (size_t i = bracketed; i < n - bracketed; i++)
		if (!ascii_is_digit(p[i]) && !ascii_is_letter(p[i]) && p[i] != '.' && p[i] != (bracketed ? ':' : '-'))
			return false;
	return n > 0;
}

static bool is_loopback(const char *host, size_t n)
{
	static const char *const names[] = { "127.0.0.1", "[::1]", "localhost" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strlen(names[i]) == n && strncmp(host, names[i], n) == 0)
			return true;
	return false;
}

static const char *take_port(const char *p, size_t n, uint16_t *ret)
{
	char text[PORT_TEXT] = "";
	uint64_t port;

	if (n < sizeof(text))
		memcpy(text, p, n);
	if (n >= sizeof(text) || parse_u64(text, 1, PORT_MAX, &port) < 0)
		return "has no port behind its colon";
	*ret = (uint16_t)port;
	return NULL;
}

static bool is_plain(const char *path)
{
	for (; *path; path++)
		if (!ascii_is_word(*path) && !strchr("/-.~%+=@,:", *path))
			return false;
	return true;
}

const char *fetch_url_form(const char *url, uint16_t *ret_port)
{
	bool tls = strncmp(url, "https://", 8) == 0;
	const char *host = url + (tls ? 8 : 7), *path, *colon, *wrong;
	size_t n;

	if (!tls && strncmp(url, "http://", 7) != 0)
		return "must be https://HOST/PATH";
	if (strlen(url) > FETCH_URL_MAX)
		return "is longer than 2048 bytes";
	n = strcspn(host, "/");
	path = host + n;
	if (*path != '/' || !is_plain(path))
		return "must have a path of plain characters, without '?' and '#': the signature is fetched from the "
		       "same "
		       "address with \".minisig\" behind it";
	if (memchr(host, '@', n))
		return "must name no user and no password: a file that everybody reads is no place for them";
	*ret_port = tls ? HTTPS_PORT : HTTP_PORT;
	colon = memrchr(host, ':', n);
	if (colon && !memchr(colon, ']', (size_t)(path - colon))) {
		wrong = take_port(colon + 1, (size_t)(path - colon) - 1, ret_port);
		if (wrong)
			return wrong;
		n = (size_t)(colon - host);
	}
	if (!is_host(host, n))
		return "must name a host";
	/* The signature is what is trusted, but whoever can read and answer in its place would see which machines ask,
	 * and keep them from what is new. */
	return tls || is_loopback(host, n) ? NULL
					   : "must be https://; http:// is for this machine's own loopback alone";
}
