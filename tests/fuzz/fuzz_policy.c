/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_policy - any bytes as a policy: rules that take away, or refused in words that are fit for a terminal
 *
 * Promises: no input crashes; what is said of one fits a terminal; one that is read grants nothing to a launch that has
 * nothing, raises no limit, and lifts no list of names.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "supervisor/policy/ceilings.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 15 };

static void check_taken(const struct profile *f, const struct profile *was)
{
	must(f->fs_read.n + f->fs_write.n + f->env_pass.n + f->env_set.n + f->unix_sockets.n + f->roots.n == 0,
		"a policy that grants");
	must(f->network.n_grants == 0 && f->network.n_publish == 0, "a policy that opens the network");
	must(f->limit_processes <= was->limit_processes && f->limit_files <= was->limit_files,
		"a limit that is raised");
	must(f->limit_message <= was->limit_message && f->tmp_size <= was->tmp_size, "a limit that is raised");
	must(strcmp(f->seccomp, "default") == 0 && f->home == was->home, "more system calls, or another home");
	must(!f->client.sampling.on || was->client.sampling.on, "a client that is asked");
}

/* Every rule says where it stands. */
static void check_rules(const struct effective *e)
{
	for (size_t i = 0; i < e->n_lines; i++)
		must(e->lines[i].where && strstr(e->lines[i].where, "fuzz.json:"), "a line without its rule");
	for (const struct shim_rules *r = &e->profile.tools; r; r = r->ceiling)
		for (size_t i = 0; i < r->n; i++)
			must(r->rules[i].where != NULL, "a rule without its place");
}

static void check_policy(struct effective *e)
{
	_cleanup_profile_ struct profile was = { 0 };
	struct diag d = { "" };

	if (profile_init_unprofiled(&e->profile) < 0 || profile_init_unprofiled(&was) < 0)
		return;
	if (ceilings_apply_rules(e, &d) < 0)
		return;
	check_taken(&e->profile, &was);
	check_rules(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_effective_ struct effective e = { 0 };
	_cleanup_buf_ struct buf b = BUF_INIT(INPUT_MAX);
	struct diag d = { "" };

	if (size > INPUT_MAX || buf_append(&b, data, size) < 0)
		return 0;
	if (policy_parse("fuzz.json", &b, FS_TRUST_USER, getuid(), &e.policy, &d) < 0)
		check_words(d.text);
	else
		check_policy(&e);
	return 0;
}
