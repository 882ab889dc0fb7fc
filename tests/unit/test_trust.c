/* SPDX-License-Identifier: Apache-2.0 */
/* test_trust - the authority that policy provides is beside the host's own, by every name under which a bundle is read
 */
#include "tests/unit/unit.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "supervisor/base_view.h"
#include "supervisor/trust.h"

static const char authority[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

static struct policy policy_with(const char *ca)
{
	static char where[] = "/etc/stockade/policy.json:3";

	return (struct policy){ .provide.ca = (char *)(uintptr_t)ca, .provide.ca_where = where };
}

static const struct plan_mount *mount_at(const struct plan *plan, const char *target)
{
	for (size_t i = 0; i < plan->n_mounts; i++)
		if (strcmp(plan->mounts[i].target, target) == 0)
			return &plan->mounts[i];
	return NULL;
}

/* What is laid there, for reading alone; "" where nothing is. */
static const char *content_at(const struct plan *plan, const char *target)
{
	const struct plan_mount *m = mount_at(plan, target);

	if (!m)
		return "";
	assert_int_equal(m->kind, PLAN_FILE);
	assert_int_equal(m->mode, 0444);
	return m->content;
}

static void add(struct plan *plan, const char *ca)
{
	struct policy policy = policy_with(ca);
	struct diag d = { "" };

	if (trust_add(plan, &policy, &d) < 0)
		fail_msg("%s", d.text);
}

static void a_policy_without_an_authority_adds_nothing(void **state)
{
	_cleanup_plan_ struct plan plan = { .root_size = 7 };

	(void)state;
	add(&plan, NULL);
	assert_int_equal(plan.n_mounts, 0);
	assert_int_equal(plan.root_size, 7);
}

static void the_authority_lies_alone_in_one_file_and_last_in_the_other(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	const char *bundle;

	(void)state;
	add(&plan, authority);
	assert_string_equal(content_at(&plan, TRUST_CA), authority);
	bundle = content_at(&plan, TRUST_BUNDLE);
	assert_true(strlen(bundle) >= strlen(authority));
	assert_string_equal(bundle + strlen(bundle) - strlen(authority), authority);
}

/* Debian's package of certificates is what the tests need for TLS, so that the bundle is there. */
static const char host_bundle[] = "/etc/ssl/certs/ca-certificates.crt";

static void the_hosts_own_authorities_stay(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	const char *content;
	FILE *f = fopen(host_bundle, "re");
	struct stat st;
	char *own;

	(void)state;
	if (!f)
		return; /* then the authority is all there is, as the case before says */
	assert_int_equal(fstat(fileno(f), &st), 0);
	own = calloc(1, (size_t)st.st_size + 1);
	assert_non_null(own);
	assert_int_equal(fread(own, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	add(&plan, authority);
	content = content_at(&plan, TRUST_BUNDLE);
	assert_int_equal(strlen(content), (size_t)st.st_size + 1 + strlen(authority));
	assert_memory_equal(content, own, st.st_size);
	assert_int_equal(content[st.st_size], '\n');
	free(own);
}

static void each_bundle_of_the_base_view_shows_the_same_and_is_laid_once(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	char canonical[PATH_MAX];
	const char *content;

	(void)state;
	add(&plan, authority);
	content = content_at(&plan, TRUST_BUNDLE);
	for (size_t i = 0; i < plan.n_mounts; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(plan.mounts[i].target, plan.mounts[k].target);
	for (size_t i = 0; i < plan.n_mounts; i++)
		if (strcmp(plan.mounts[i].target, TRUST_CA) != 0)
			assert_string_equal(plan.mounts[i].content, content);
	if (realpath(host_bundle, canonical) && base_view_covers(canonical))
		assert_non_null(mount_at(&plan, canonical));
}

static void the_root_grows_by_what_lies_in_it(void **state)
{
	_cleanup_plan_ struct plan plan = { .root_size = 1 << 20 };
	uint64_t bytes = 0;

	(void)state;
	add(&plan, authority);
	for (size_t i = 0; i < plan.n_mounts; i++)
		bytes += strlen(plan.mounts[i].content);
	assert_true(plan.root_size >= (1 << 20) + bytes);
}

static void an_authority_that_is_too_long_is_refused_with_who_provides_it(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	size_t n = (size_t)TRUST_BUNDLE_MAX + POLICY_CA_MAX + 1;
	char *ca = malloc(n + 1);
	struct policy policy = policy_with(ca);
	struct diag d = { "" };

	(void)state;
	assert_non_null(ca);
	memset(ca, 'A', n);
	ca[n] = '\0';
	assert_true(trust_add(&plan, &policy, &d) < 0);
	assert_non_null(strstr(d.text, "cannot make the bundle of certificates that policy provides "
				       "(/etc/stockade/policy.json:3)"));
	assert_int_equal(plan.n_mounts, 0);
	free(ca);
}

static const struct {
	enum plan_mount_kind kind;
	const char *target;
	bool is;
} mounts[] = {
	{ PLAN_FILE, TRUST_CA, true },
	{ PLAN_FILE, TRUST_BUNDLE, true },
	{ PLAN_FILE, "/etc/ssl/certs/ca-certificates.crt", true },
	{ PLAN_FILE, "/etc/pki/tls/cert.pem", true },
	{ PLAN_BIND, "/etc/ssl/certs/ca-certificates.crt", false },
	{ PLAN_FILE, "/etc/hosts", false },
	{ PLAN_FILE, "/etc/ssl/stockade", false },
};

static void its_files_are_known_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		struct plan_mount m = { .kind = mounts[i].kind, .target = (char *)(uintptr_t)mounts[i].target };
		assert_int_equal(trust_is_file(&m), mounts[i].is);
	}
}

/* NODE_EXTRA_CA_CERTS adds to what node brings along, the others replace what a program would have taken. */
static void each_variable_names_a_file_that_is_there(void **state)
{
	_cleanup_plan_ struct plan plan = { 0 };
	size_t n;
	const struct trust_variable *v = trust_variables(&n);

	(void)state;
	add(&plan, authority);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(mount_at(&plan, v[i].path));
		assert_string_equal(v[i].path, strcmp(v[i].name, "NODE_EXTRA_CA_CERTS") == 0 ? TRUST_CA : TRUST_BUNDLE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_policy_without_an_authority_adds_nothing),
		cmocka_unit_test(the_authority_lies_alone_in_one_file_and_last_in_the_other),
		cmocka_unit_test(the_hosts_own_authorities_stay),
		cmocka_unit_test(each_bundle_of_the_base_view_shows_the_same_and_is_laid_once),
		cmocka_unit_test(the_root_grows_by_what_lies_in_it),
		cmocka_unit_test(an_authority_that_is_too_long_is_refused_with_who_provides_it),
		cmocka_unit_test(its_files_are_known_and_no_others),
		cmocka_unit_test(each_variable_names_a_file_that_is_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
