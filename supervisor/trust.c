/* SPDX-License-Identifier: Apache-2.0 */
/* trust - see trust.h */
#include "supervisor/trust.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "supervisor/base_view.h"

/* Where distributions keep the bundle, the first that is there is the host's own. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",		     /* Debian, Arch, Alpine, Gentoo */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* Fedora */
	"/etc/pki/tls/certs/ca-bundle.crt",		     /* Fedora, older */
	"/etc/pki/tls/cert.pem", "/etc/ssl/cert.pem", "/etc/ssl/certs/ca-bundle.crt",
	"/etc/ca-certificates/extracted/tls-ca-bundle.pem", /* Arch */
};

static const struct trust_variable variables[] = {
	{ "NODE_EXTRA_CA_CERTS", TRUST_CA }, /* beside those that node brings along */
	{ "SSL_CERT_FILE", TRUST_BUNDLE },   /* OpenSSL, Go, Python's ssl, Ruby */
	{ "REQUESTS_CA_BUNDLE", TRUST_BUNDLE },
	{ "CURL_CA_BUNDLE", TRUST_BUNDLE },
	{ "GIT_SSL_CAINFO", TRUST_BUNDLE },
	{ "AWS_CA_BUNDLE", TRUST_BUNDLE },
};

const struct trust_variable *trust_variables(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(variables);
	return variables;
}

static bool is_bundle(const char *target)
{
	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		char canonical[PATH_MAX];
		if (strcmp(bundles[i], target) == 0 ||
			(realpath(bundles[i], canonical) && strcmp(canonical, target) == 0))
			return true;
	}
	return false;
}

bool trust_is_file(const struct plan_mount *m)
{
	return m->kind == PLAN_FILE &&
	       (strcmp(m->target, TRUST_CA) == 0 || strcmp(m->target, TRUST_BUNDLE) == 0 || is_bundle(m->target));
}

static int add_file(struct plan *plan, const char *target, const char *content)
{
	struct plan_mount m = { .kind = PLAN_FILE,
		.target = (char *)(uintptr_t)target,
		.mode = 0444,
		.content = (char *)(uintptr_t)content };

	/* What is not laid over a file lies in the root's own file system. */
	plan->root_size += strlen(content) + 4096;
	return plan_add_mount(plan, &m);
}

/* The host's bundle; nothing where it has none. */
static int read_host(struct buf *b, struct diag *d)
{
	char canonical[PATH_MAX];
	int r;

	for (size_t i = 0; i < ARRAY_LEN(bundles); i++) {
		if (!realpath(bundles[i], canonical))
			continue;
		r = fs_read_trusted_file(canonical, FS_TRUST_ROOT, 0, b, d);
		if (r == 0 && b->len && strlen(b->data) != b->len)
			r = diag_fail(d, -EINVAL,
				"%s, this machine's bundle of certificate authorities, holds a NUL byte", canonical);
		return r < 0 || !b->len ? r : buf_putc(b, '\n');
	}
	return 0;
}

static bool has_target(const struct plan *plan, const char *target)
{
	for (size_t i = plan->n_mounts; i > 0; i--)
		if (strcmp(plan->mounts[i - 1].target, target) == 0 && plan->mounts[i - 1].kind == PLAN_FILE)
			return true;
	return false;
}

/* A bundle that is a link leads to the file that is covered, so that every name of it shows the same. */
static int cover_bundles(struct plan *plan, const char *content)
{
	char canonical[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(bundles); i++)
		if (realpath(bundles[i], canonical) && base_view_covers(canonical) && !has_target(plan, canonical))
			r = add_file(plan, canonical, content);
	return r;
}

int trust_add(struct plan *plan, const struct policy *policy, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TRUST_BUNDLE_MAX + POLICY_CA_MAX);
	int r;

	if (!policy->provide.ca)
		return 0;
	r = read_host(&b, d);
	if (r == 0)
		r = buf_puts(&b, policy->provide.ca);
	if (r == 0)
		r = add_file(plan, TRUST_CA, policy->provide.ca);
	if (r == 0)
		r = add_file(plan, TRUST_BUNDLE, b.data);
	if (r == 0)
		r = cover_bundles(plan, b.data);
	if (r < 0 && !d->text[0])
		diag_set(d, "cannot make the bundle of certificates that policy provides (%s): %s",
			policy->provide.ca_where, strerror(-r));
	return r;
}
