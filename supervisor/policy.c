/* SPDX-License-Identifier: Apache-2.0 */
/* policy - see policy.h */
#include "supervisor/policy.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/json_file.h"
#include "supervisor/network.h"

enum { SHOWN = 300 };

struct take {
	struct json_file file;
	struct policy *policy;
	enum fs_trust trust;
	uid_t uid;
	struct diag *d;
};

/* One member of an object of the file. */
struct member {
	struct take *take;
	const char *path; /* "provide.proxy" */
	const char *key;  /* "proxy" */
	const json_t *v;
	unsigned line;
};

static int fail(const struct member *m, const char *words)
{
	return diag_fail(m->take->d, -EINVAL, "%s:%u: %s %s", m->take->file.name, m->line, m->path, words);
}

static int where_of(const struct member *m, const char *text, char **ret)
{
	char shown[SHOWN];
	int n = text ? asprintf(ret, "%s:%u (%s \"%s\")", m->take->file.name, m->line, m->path,
			       text_escape_str(text, shown, sizeof(shown)))
		     : asprintf(ret, "%s:%u (%s)", m->take->file.name, m->line, m->path);

	if (n < 0)
		*ret = NULL;
	return n < 0 ? -ENOMEM : 0;
}

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
static int take_proxy_grant(const struct member *m, const struct net_grant *g)
{
	char text[NET_ADDRESS_TEXT];
	bool single = g->kind == NET_NAME || g->kind == NET_LOCALHOST ||
		      (g->kind == NET_PREFIX && g->prefix == (g->address.family == 4 ? 32 : 128));

	if (!single || g->n_ports != 1)
		return fail(m, "must name one host and one port");
	m->take->policy->proxy_port = g->ports[0];
	m->take->policy->proxy_host =
		strdup(g->kind == NET_NAME	   ? g->name
			: g->kind == NET_LOCALHOST ? "127.0.0.1"
						   : net_address_text(&g->address, text, sizeof(text)));
	return m->take->policy->proxy_host ? where_of(m, NULL, &m->take->policy->proxy_where) : -ENOMEM;
}

static int take_proxy(const struct member *m)
{
	_cleanup_free_ char *host = NULL, *where = NULL;
	struct net_grant g = { 0 };
	const char *authority = NULL, *colon, *wrong;
	size_t n = 0;
	int r;

	wrong = proxy_form(json_string_value(m->v), &authority, &n);
	if (wrong)
		return fail(m, wrong);
	host = strndup(authority, n);
	if (!host || where_of(m, NULL, &where) < 0)
		return -ENOMEM;
	colon = strrchr(host, ':');
	if (!colon || strchr(colon, ']'))
		return fail(m, "names no port: write http://HOST:PORT, as in \"http://proxy.example.com:3128\"");
	r = network_grant_parse(host, where, &g, m->take->d);
	if (r == 0)
		r = take_proxy_grant(m, &g);
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

static int take_ca(const struct member *m)
{
	_cleanup_buf_ struct buf b = BUF_INIT(POLICY_CA_MAX);
	const char *path = json_string_value(m->v), *wrong;
	struct diag why = { "" };
	int r;

	if (path[0] != '/')
		return fail(m, "must be an absolute path, as in \"/etc/stockade/ca/corp.pem\"");
	r = fs_read_trusted_file(path, m->take->trust, m->take->uid, &b, &why);
	if (r < 0)
		return diag_fail(m->take->d, r, "%s:%u: %s: %s", m->take->file.name, m->line, m->path,
			why.text[0] ? why.text : strerror(-r));
	wrong = ca_form(b.data ? b.data : "", b.len);
	if (wrong)
		return fail(m, wrong);
	m->take->policy->ca = buf_steal(&b);
	return where_of(m, path, &m->take->policy->ca_where);
}

/* --- pins --- */

static int take_findings(const struct member *m)
{
	static const enum definition_severity from[] = { DEFINITION_LOW, DEFINITION_MEDIUM, DEFINITION_HIGH };
	const char *word = json_string_value(m->v);

	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		if (strcmp(word, definition_severity_name(from[i])) != 0)
			continue;
		m->take->policy->findings = from[i];
		return where_of(m, word, &m->take->policy->findings_where);
	}
	return fail(m,
		"must be \"low\", \"medium\" or \"high\": the severity from which on a finding of the scan keeps a "
		"server from being pinned");
}

/* --- the format --- */

static int take_accepted(const struct member *m)
{
	return 0;
}

static int take_format(const struct member *m)
{
	return json_integer_value(m->v) == 1 ? 0 : fail(m, "must be 1: this version reads no other format of policies");
}

static int take_refused(const struct member *m)
{
	return fail(m, "is not enforced by this version, so a policy that relies on it denies every launch; take it "
		       "out, and do not rely on it");
}

static int take_grants(const struct member *m)
{
	const char *word = json_string_value(m->v);

	if (strcmp(word, "never") == 0)
		return where_of(m, NULL, &m->take->policy->no_grants);
	return strcmp(word, "profile") == 0 ? 0
					    : fail(m, "is \"never\", or \"profile\": what profiles let a person lift");
}

static int take_provide(const struct member *m);
static int take_tools(const struct member *m);
static int take_pins(const struct member *m);

/* Every key there is. What the whole format has and this version does not keep is known by name, and refused. */
static const struct row {
	const char *path;
	json_type type; /* in a row that refuses: any */
	int (*take)(const struct member *m);
} rows[] = {
	{ "$schema", JSON_STRING, take_accepted },
	{ "stockade", JSON_INTEGER, take_format },
	{ "description", JSON_STRING, take_accepted },
	{ "owner", JSON_STRING, take_accepted },
	{ "provide", JSON_OBJECT, take_provide },
	{ "provide.proxy", JSON_STRING, take_proxy },
	{ "provide.ca", JSON_STRING, take_ca },
	{ "pins", JSON_OBJECT, take_pins },
	{ "pins.findings", JSON_STRING, take_findings },
	{ "mode", JSON_NULL, take_refused },
	{ "consent", JSON_NULL, take_refused },
	{ "profiles", JSON_NULL, take_refused },
	{ "signatures", JSON_NULL, take_refused },
	{ "keys", JSON_NULL, take_refused },
	{ "servers", JSON_NULL, take_refused },
	{ "packages", JSON_NULL, take_refused },
	{ "filesystem", JSON_NULL, take_refused },
	{ "network", JSON_NULL, take_refused },
	{ "ipc", JSON_NULL, take_refused },
	{ "tools", JSON_OBJECT, take_tools },
	{ "tools.grants", JSON_STRING, take_grants },
	{ "tools.allow", JSON_NULL, take_refused },
	{ "tools.deny", JSON_NULL, take_refused },
	{ "tools.scopes", JSON_NULL, take_refused },
	{ "limits", JSON_NULL, take_refused },
	{ "client", JSON_NULL, take_refused },
	{ "kill", JSON_NULL, take_refused },
	{ "audit", JSON_NULL, take_refused },
	{ "inventory", JSON_NULL, take_refused },
	{ "provide.env", JSON_NULL, take_refused },
};

static const struct row *find(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strcmp(rows[i].path, path) == 0)
			return &rows[i];
	return NULL;
}

static int fail_unknown(const struct member *m)
{
	const char *names[ARRAY_LEN(rows)], *near;
	char shown[SHOWN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		names[i] = rows[i].path;
	near = text_nearest(m->path, names, ARRAY_LEN(names));
	return diag_fail(m->take->d, -EINVAL, "%s:%u: \"%s\" is no key of a policy%s%s%s", m->take->file.name, m->line,
		text_escape_str(m->path, shown, sizeof(shown)), near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
}

static int take_member(const struct member *m)
{
	const struct row *row = strchr(m->key, '.') ? NULL : find(m->path);
	char words[SHOWN];

	/* A key with a dot in it is no member of an object, however its path reads. */
	if (!row)
		return fail_unknown(m);
	if (row->take != take_refused && json_typeof(m->v) != row->type) {
		snprintf(words, sizeof(words), "cannot be %s", json_file_type(m->v));
		return fail(m, words);
	}
	return row->take(m);
}

static int walk(struct take *t, const char *prefix, const json_t *object)
{
	const json_t *v;
	const char *key;
	int r = 0;

	json_object_foreach((json_t *)(uintptr_t)object, key, v)
	{
		_cleanup_free_ char *path = NULL;
		if (asprintf(&path, "%s%s%s", prefix, *prefix ? "." : "", key) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		struct member m = { t, path, key, v, json_file_key_line(&t->file, object, key) };
		r = take_member(&m);
		if (r < 0)
			return r;
	}
	return r;
}

static int take_provide(const struct member *m)
{
	return walk(m->take, "provide", m->v);
}

static int take_tools(const struct member *m)
{
	return walk(m->take, "tools", m->v);
}

static int take_pins(const struct member *m)
{
	return walk(m->take, "pins", m->v);
}

static int parse(struct take *t, const char *path, const struct buf *b)
{
	int r = json_file_parse(path, b->data ? b->data : "", b->len, &t->file, t->d);

	if (r < 0)
		return r;
	if (!json_is_object(t->file.root))
		return diag_fail(
			t->d, -EINVAL, "%s:1: a policy is a JSON object, not %s", path, json_file_type(t->file.root));
	if (!json_object_get(t->file.root, "stockade"))
		return diag_fail(t->d, -EINVAL, "%s: has no \"stockade\": 1, which says the format", path);
	return walk(t, "", t->file.root);
}

/* Whoever meets the error can seldom mend it, but has to know that it is not the server's. */
static int explain(int r, const char *path, struct diag *d)
{
	struct diag why = *d;

	return diag_fail(d, r,
		"the policy of this machine cannot be followed, so nothing is started: %s. Ask who manages %s",
		why.text[0] ? why.text : strerror(-r), path);
}

int policy_load_file(const char *path, enum fs_trust trust, uid_t uid, struct policy *ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(POLICY_BYTES_MAX);
	struct take t = { .policy = ret, .trust = trust, .uid = uid, .d = d };
	int r;

	*ret = (struct policy){ 0 };
	diag_set(d, "%s", "");
	r = fs_read_trusted_file(path, trust, uid, &b, d);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = parse(&t, path, &b);
	json_file_done(&t.file);
	if (r == 0)
		return 0;
	policy_done(ret);
	return explain(r == -ENOENT ? -EINVAL : r, path, d);
}

int policy_load(struct policy *ret, struct diag *d)
{
	return policy_load_file(POLICY_FILE, FS_TRUST_ROOT, 0, ret, d);
}

void policy_done(struct policy *p)
{
	free(p->proxy_host);
	free(p->proxy_where);
	free(p->ca);
	free(p->ca_where);
	free(p->no_grants);
	free(p->findings_where);
	*p = (struct policy){ 0 };
}
