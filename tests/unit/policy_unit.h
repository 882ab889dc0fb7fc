/* SPDX-License-Identifier: Apache-2.0 */
/* policy_unit - a policy from its text, trusted as its own user's, and what of one is refused */
#pragma once
#include <fcntl.h>
#include <unistd.h>
#include "supervisor/policy/policy.h"
#include "tests/unit/unit.h"

#define POLICY(members) "{\"stockade\": 1,\n" members "}"

static inline int policy_try(const char *text, struct policy *ret, struct diag *d)
{
	char dir[] = "/tmp/stockade-policy-XXXXXX", path[sizeof(dir) + 16];
	int fd, r;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/policy.json", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	r = policy_load_file(path, FS_TRUST_USER, getuid(), ret, d);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	return r;
}

__attribute__((unused)) static inline void policy_ok(const char *text, struct policy *ret)
{
	struct diag d = { "" };

	if (policy_try(text, ret, &d) < 0)
		fail_msg("%s: %s", text, d.text);
}

__attribute__((unused)) static inline void policy_refused(const char *text, const char *words)
{
	struct diag d = { "" };
	struct policy p;
	int r = policy_try(text, &p, &d);

	if (r >= 0 || !strstr(d.text, words))
		fail_msg("%s: expected '%s', got %d: %s", text, words, r, d.text);
}
