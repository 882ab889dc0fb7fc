/* SPDX-License-Identifier: Apache-2.0 */
/* test_publish - a published port belongs to one plan while sessions of it run, and nobody waits for a stuck one */
#include "tests/unit/consent_world.h"
#include <errno.h>
#include <fcntl.h>
#include "base/fs.h"
#include "supervisor/publish.h"

static const char plan_a[] = "sha256:aaaa", plan_b[] = "sha256:bbbb";

static int claim(const struct world *w, const char *plan, uint16_t first, uint16_t second, struct publish_claims *ret,
	struct diag *d)
{
	const struct net_config c = { .publish = { first, second }, .n_publish = second != 0 ? 2 : first != 0 };

	*d = (struct diag){ "" };
	return publish_claim(&w->paths, &c, plan, ret, d);
}

static int open_port(const struct world *w, const char *port)
{
	struct diag d;
	int dir = -1, fd;

	assert_int_equal(paths_open_runtime(&w->paths, "publish", &dir, &d), 0);
	fd = openat(dir, port, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	close(dir);
	assert_true(fd >= 0);
	return fd;
}

static void sessions_of_one_plan_share_a_port_and_another_plan_has_it_afterwards(void **state)
{
	struct world *w = *state;
	struct publish_claims one, two, other;
	struct diag d;

	assert_int_equal(claim(w, plan_a, 8080, 0, &one, &d), 0);
	assert_int_equal(claim(w, plan_a, 8080, 0, &two, &d), 0);
	assert_int_equal(claim(w, plan_b, 8080, 0, &other, &d), -EADDRINUSE);
	assert_non_null(strstr(d.text, "port 8080 is published by a running session of another server"));
	publish_release(&one);
	assert_int_equal(claim(w, plan_b, 8080, 0, &other, &d), -EADDRINUSE);
	publish_release(&two);
	assert_int_equal(claim(w, plan_b, 8080, 0, &other, &d), 0);
	assert_int_equal(claim(w, plan_a, 8080, 0, &one, &d), -EADDRINUSE);
	publish_release(&other);
}

/* A shorter digest than what lay there before is written whole: nothing of the old one stays behind it. */
static void what_an_earlier_plan_left_in_the_file_is_gone(void **state)
{
	struct world *w = *state;
	struct publish_claims one, two;
	struct diag d;

	assert_int_equal(claim(w, "sha256:aaaaaaaa", 8080, 0, &one, &d), 0);
	publish_release(&one);
	assert_int_equal(claim(w, plan_a, 8080, 0, &one, &d), 0);
	assert_int_equal(claim(w, plan_a, 8080, 0, &two, &d), 0);
	publish_release(&one);
	publish_release(&two);
}

static void one_port_that_is_taken_gives_the_others_back(void **state)
{
	struct world *w = *state;
	struct publish_claims one, two;
	struct diag d;

	assert_int_equal(claim(w, plan_a, 8081, 0, &one, &d), 0);
	assert_int_equal(claim(w, plan_b, 8080, 8081, &two, &d), -EADDRINUSE);
	assert_int_equal(two.n, 0);
	assert_non_null(strstr(d.text, "port 8081"));
	assert_int_equal(claim(w, plan_a, 8080, 0, &two, &d), 0);
	publish_release(&one);
	publish_release(&two);
}

static void a_launch_that_was_stopped_while_it_wrote_holds_up_no_other(void **state)
{
	struct world *w = *state;
	struct flock alone = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	_cleanup_close_ int stopped = open_port(w, "8080");
	struct publish_claims c;
	struct diag d;

	assert_int_equal(fcntl(stopped, F_OFD_SETLK, &alone), 0);
	assert_int_equal(claim(w, plan_a, 8080, 0, &c, &d), -ETIMEDOUT);
	assert_non_null(strstr(d.text, "has begun and does not go on"));
	alone.l_type = F_UNLCK;
	assert_int_equal(fcntl(stopped, F_OFD_SETLK, &alone), 0);
	assert_int_equal(claim(w, plan_a, 8080, 0, &c, &d), 0);
	publish_release(&c);
}

static void a_link_in_place_of_the_file_is_refused(void **state)
{
	struct world *w = *state;
	struct publish_claims c;
	struct diag d;
	int dir = -1;

	assert_int_equal(paths_open_runtime(&w->paths, "publish", &dir, &d), 0);
	assert_int_equal(symlinkat("elsewhere", dir, "8080"), 0);
	assert_int_equal(claim(w, plan_a, 8080, 0, &c, &d), -ELOOP);
	assert_int_equal(faccessat(dir, "elsewhere", F_OK, 0), -1);
	close(dir);
}

static void nothing_published_claims_nothing(void **state)
{
	struct world *w = *state;
	struct publish_claims c;
	struct diag d;

	assert_int_equal(claim(w, plan_a, 0, 0, &c, &d), 0);
	assert_int_equal(c.n, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, world_up, world_down)
	const struct CMUnitTest tests[] = {
		T(sessions_of_one_plan_share_a_port_and_another_plan_has_it_afterwards),
		T(what_an_earlier_plan_left_in_the_file_is_gone),
		T(one_port_that_is_taken_gives_the_others_back),
		T(a_launch_that_was_stopped_while_it_wrote_holds_up_no_other),
		T(a_link_in_place_of_the_file_is_refused),
		T(nothing_published_claims_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
