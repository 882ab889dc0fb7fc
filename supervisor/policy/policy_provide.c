/* SPDX-License-Identifier: Apache-2.0 */
/* policy_provide - see policy_provide.h */
#include "supervisor/policy/policy_provide.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/network.h"
#include "supervisor/policy/policy_keys.h"

/* --- provide.proxy --- */

/* "http://HOST:PORT", a slash behind it or none. The sentence that is wanted, or NULL. */
static const char *proxy_form(const char *url, const char **ret_authority, size_t *ret_n)
{
	const char *authority = url + strlen("http://");
	size_t n;

	if (strncasecmp(url, "https://", 8) == 0)
		return "is an https:// URL: TLS to the proxy itself is not spoken yet; name its http:// port. What "
		       "goes through it is encrypted end to end all the same";
	if (strncasecmp(url, "http://", 7) != 0)
		return "must be http://HOST:PORT, as in \"http://proxy.example.com:3128\"";
	n = strcspn(authority, "/?#");
	if (memchr(authority, '@', n))
		return "holds a user or a password: a proxy that asks for them is not spoken to yet, and a file that "
		       "everybody reads is no place for them";
	if (authority[n] && strcmp(authority + n, "/") != 0)
		return "has a path behind the host: a proxy for CONNECT is http://HOST:PORT alone";
	*ret_authority = authority;
	*ret_n = n;
	return NULL;
}

/* A name or one address, and one port. The grammar of grants, less what stands for many. */
static int take_proxy_grant(const struct key *k, const struct net_grant *g)
{
	struct policy_provide *p = KEY_FIELD(k, struct policy_provide);
	char text[NET_ADDRESS_TEXT];
	bool single = g->kind == NET_NAME || g->kind == NET_LOCALHOST ||
		      (g->kind == NET_PREFIX && g->prefix == (g->address.family == 4 ? 32 : 128));

	if (!single || g->n_ports != 1)
		return key_fail(k, "must name one host and one port");
	p->proxy_port = g->ports[0];
	p->proxy_host = strdup(g->kind == NET_NAME	  ? g->name
			       : g->kind == NET_LOCALHOST ? "127.0.0.1"
							  : net_address_text(&g->address, text, sizeof(text)));
	return p->proxy_host ? key_where(k, k->line, NULL, &p->proxy_where) : -ENOMEM;
}

int policy_set_proxy(const struct key *k)
{
	_cleanup_free_ char *host = NULL, *where = NULL;
	struct net_grant g = { 0 };
	const char *authority = NULL, *colon, *wrong;
	size_t n = 0;
	int r;

	wrong = proxy_form(json_string_value(k->v), &authority, &n);
	if (wrong)
		return key_fail(k, "%s", wrong);
	host = strndup(authority, n);
	if (!host || key_where(k, k->line, NULL, &where) < 0)
		return -ENOMEM;
	colon = strrchr(host, ':');
	if (!colon || strchr(colon, ']'))
		return key_fail(k, "names no port: write http://HOST:PORT, as in \"http://proxy.example.com:3128\"");
	r = network_grant_parse(host, where, &g, k->parse->d);
	if (r == 0)
		r = take_proxy_grant(k, &g);
	network_grant_done(&g);
	return r;
}

/* --- provide.ca --- */

static const char BEGIN[] = "-----BEGIN CERTIFICATE-----", END[] = "-----END CERTIFICATE-----";

/* What stands in every sandbox must be certificates and nothing else; the sentence that is wanted, or NULL. */
static const char *ca_form(const char *text, size_t len)
{
	unsigned found = 0;

	if (strlen(text) != len)
		return "holds no text: certificates are wanted in PEM (openssl x509 -inform der -in CA.crt -out "
		       "CA.pem)";
	if (strstr(text, "PRIVATE KEY-----"))
		return "holds a private key, which no sandbox may read: leave only the certificates in it";
	for (const char *at = text; (at = strstr(at, BEGIN)); found++) {
		const char *body = at + strlen(BEGIN), *end = strstr(body, END);
		if (!end ||
			body + strspn(body, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n") !=
				end)
			return "holds a certificate that does not end, or that is no base64";
		at = end;
	}
	return found ? NULL : "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)";
}

int policy_set_ca(const struct key *k)
{
	_cleanup_buf_ struct buf b = BUF_INIT(POLICY_CA_MAX);
	struct policy_provide *p = KEY_FIELD(k, struct policy_provide);
	const char *path = json_string_value(k->v), *wrong;
	struct diag why = { "" };
	int r;

	if (path[0] != '/')
		return key_fail(k, "must be an absolute path, as in \"/etc/stockade/ca/corp.pem\"");
	r = fs_read_trusted_file(path, k->parse->policy->trust, k->parse->policy->uid, &b, &why);
	if (r < 0)
		return diag_fail(k->parse->d, r, "%s:%u: %s: %s", k->parse->file.name, k->line, k->shown,
			why.text[0] ? why.text : strerror(-r));
	wrong = ca_form(b.data ? b.data : "", b.len);
	if (wrong)
		return key_fail(k, "%s", wrong);
	p->ca = buf_steal(&b);
	return key_where(k, k->line, path, &p->ca_where);
}

void policy_provide_done(struct policy_provide *p)
{
	free(p->proxy_host);
	free(p->proxy_where);
	free(p->ca);
	free(p->ca_where);
	*p = (struct policy_provide){ 0 };
}
