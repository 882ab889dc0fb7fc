/* SPDX-License-Identifier: Apache-2.0 */
/* transfer - see transfer.h */
#include "fetch/transfer.h"
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include "base/fs.h"
#include "base/io.h"

#define AGENT	  "stockade-fetch"
#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
enum {
	CA_MAX = 8 << 20,
	REDIRECTIONS = 3,
	CONNECT_SECONDS = 20,
	SLOW_BYTES = 100,
	SLOW_SECONDS = 30,
	GONE = 410,
	NOT_FOUND = 404
};

struct transfer {
	CURL *curl;
	struct buf ca;
	char *proxy;
	char words[CURL_ERROR_SIZE];
	int body, error;
	uint64_t left;
};

/* More than was asked for ends it: nothing of it will be looked at. */
static size_t take_bytes(char *p, size_t size, size_t n, void *ctx)
{
	struct transfer *t = ctx;
	size_t bytes = size * n;

	if (bytes > t->left) {
		t->error = -E2BIG;
		return 0;
	}
	t->left -= bytes;
	t->error = io_write_full(t->body, p, bytes);
	return t->error == 0 ? bytes : 0;
}

static int add_system_ca(struct buf *ca, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(CA_MAX);
	int r = fs_read_trusted_file(SYSTEM_CA, FS_TRUST_ROOT, 0, &b, d);

	/* A machine without public authorities may still have one of its own. */
	if (r == -ENOENT)
		return 0;
	return r ? r : buf_append(ca, b.data, b.len);
}

static int read_ca(const struct fetch_request *f, struct buf *ca, struct diag *d)
{
	int r = add_system_ca(ca, d);

	if (r == 0 && f->ca)
		r = buf_putc(ca, '\n');
	if (r == 0 && f->ca)
		r = buf_puts(ca, f->ca);
	return r;
}

/* What resolves names may be plug-ins of libc, which are loaded when the first name is asked for; afterwards nothing
 * can be. */
static void load_resolver(void)
{
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", NULL, NULL, &found) == 0)
		freeaddrinfo(found);
}

struct setting {
	CURLoption option;
	long value;
};

/* NOSIGNAL: its alarm would need a handler, and its threads cannot have one each. */
static const struct setting numbers[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_FOLLOWLOCATION, 1 },
	{ CURLOPT_MAXREDIRS, REDIRECTIONS },
	{ CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS },
	{ CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES },
	{ CURLOPT_LOW_SPEED_TIME, SLOW_SECONDS },
	{ CURLOPT_FAILONERROR, 1 },
	{ CURLOPT_SSL_VERIFYPEER, 1 },
	{ CURLOPT_SSL_VERIFYHOST, 2 },
	{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
	{ CURLOPT_NETRC, CURL_NETRC_IGNORED },
	{ CURLOPT_HTTPAUTH, CURLAUTH_NONE },
	{ CURLOPT_PROXYAUTH, CURLAUTH_NONE },
	{ CURLOPT_PROXYTYPE, CURLPROXY_HTTP },
	{ CURLOPT_HTTPPROXYTUNNEL, 1 },
	{ CURLOPT_NOPROGRESS, 1 },
};

static CURLcode set_numbers(CURL *c, const struct fetch_request *f)
{
	CURLcode e = CURLE_OK;

	for (size_t i = 0; e == CURLE_OK && i < ARRAY_LEN(numbers); i++)
		e = curl_easy_setopt(c, numbers[i].option, numbers[i].value);
	if (e == CURLE_OK)
		e = curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)f->seconds);
	if (e == CURLE_OK)
		e = curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max);
	return e;
}

static CURLcode set_texts(struct transfer *t, const struct fetch_request *f)
{
	/* Where it may lead is what the first address may be: never from https to http. */
	const char *schemes = strncmp(f->url, "https:", 6) == 0 ? "https" : "http";
	const struct {
		CURLoption option;
		const char *value;
	} texts[] = {
		{ CURLOPT_URL, f->url },
		{ CURLOPT_USERAGENT, AGENT },
		{ CURLOPT_PROTOCOLS_STR, schemes },
		{ CURLOPT_REDIR_PROTOCOLS_STR, schemes },
		/* "": no proxy, whatever the environment says. */
		{ CURLOPT_PROXY, t->proxy ? t->proxy : "" },
		{ CURLOPT_NOPROXY, "" },
		/* Not libcurl's own places: nothing is read any more when they are looked at. */
		{ CURLOPT_CAPATH, NULL },
		{ CURLOPT_CAINFO, NULL },
	};
	CURLcode e = CURLE_OK;

	for (size_t i = 0; e == CURLE_OK && i < ARRAY_LEN(texts); i++)
		e = curl_easy_setopt(t->curl, texts[i].option, texts[i].value);
	return e;
}

static CURLcode set_rest(struct transfer *t)
{
	struct curl_blob ca = { t->ca.data, t->ca.len, CURL_BLOB_NOCOPY };
	CURLcode e = curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take_bytes);

	if (e == CURLE_OK)
		e = curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
	if (e == CURLE_OK)
		e = curl_easy_setopt(t->curl, CURLOPT_ERRORBUFFER, t->words);
	if (e == CURLE_OK && t->ca.len)
		e = curl_easy_setopt(t->curl, CURLOPT_CAINFO_BLOB, &ca);
	return e;
}

static int prepare(struct transfer *t, const struct fetch_request *f, struct diag *d)
{
	CURLcode e;
	int r = read_ca(f, &t->ca, d);

	if (r < 0)
		return r;
	if (f->proxy_host && asprintf(&t->proxy, "http://%s%s%s:%u", strchr(f->proxy_host, ':') ? "[" : "",
				     f->proxy_host, strchr(f->proxy_host, ':') ? "]" : "", f->proxy_port) < 0) {
		t->proxy = NULL;
		return diag_fail(d, -ENOMEM, "there is no memory to fetch anything");
	}
	e = curl_global_init(CURL_GLOBAL_DEFAULT);
	if (e == CURLE_OK)
		t->curl = curl_easy_init();
	if (!t->curl)
		return diag_fail(d, -EIO, "libcurl cannot be used here");
	e = set_numbers(t->curl, f);
	if (e == CURLE_OK)
		e = set_texts(t, f);
	if (e == CURLE_OK)
		e = set_rest(t);
	if (e != CURLE_OK)
		return diag_fail(d, -EINVAL, "libcurl refuses a setting: %s", curl_easy_strerror(e));
	load_resolver();
	return 0;
}

int transfer_prepare(const struct fetch_request *f, int body, struct transfer **ret, struct diag *d)
{
	struct transfer *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return diag_fail(d, -ENOMEM, "there is no memory to fetch anything");
	t->ca = BUF_INIT(2 * CA_MAX);
	t->body = body;
	t->left = f->max;
	r = prepare(t, f, d);
	if (r < 0)
		transfer_free(&t);
	*ret = t;
	return r;
}

enum fetch_status transfer_run(struct transfer *t, struct diag *d)
{
	CURLcode e = curl_easy_perform(t->curl);
	long status = 0;

	if (e == CURLE_OK)
		return FETCH_DONE;
	if (curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && e == CURLE_HTTP_RETURNED_ERROR &&
		(status == NOT_FOUND || status == GONE)) {
		diag_set(d, "the server has no such file (%ld)", status);
		return FETCH_ABSENT;
	}
	if (t->error == -E2BIG || e == CURLE_FILESIZE_EXCEEDED)
		diag_set(d, "it is longer than the limit");
	else
		diag_set(d, "%s", t->words[0] ? t->words : curl_easy_strerror(e));
	return FETCH_FAILED;
}

void transfer_free(struct transfer **t)
{
	if (!*t)
		return;
	curl_easy_cleanup((*t)->curl);
	buf_done(&(*t)->ca);
	free((*t)->proxy);
	free(*t);
	*t = NULL;
}
