/* SPDX-License-Identifier: Apache-2.0 */
/* test_base - buffers, vectors, numbers, globs, descriptors */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "base/buf.h"
#include "base/diag.h"
#include "base/fs.h"
#include "base/glob.h"
#include "base/image.h"
#include "base/io.h"
#include "base/landlock.h"
#include "base/parse.h"
#include "base/strv.h"

static void a_buffer_takes_exactly_its_limit_and_not_a_byte_more(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(10);

	assert_int_equal(buf_append(&b, "0123456789", 10), 0);
	assert_string_equal(b.data, "0123456789");
	assert_int_equal(buf_putc(&b, 'x'), -E2BIG);
	assert_int_equal(buf_printf(&b, "%d", 1), -E2BIG);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -E2BIG);
	assert_int_equal(b.len, 10);
	buf_consume(&b, 4);
	assert_string_equal(b.data, "456789");
	assert_int_equal(buf_puts(&b, "abcd"), 0);
	assert_int_equal(buf_puts(&b, "e"), -E2BIG);
}

static void a_buffer_grows_byte_by_byte_to_any_limit(void **state)
{
	for (size_t limit = 0; limit < 1100; limit += 37) {
		_cleanup_buf_ struct buf b = BUF_INIT(limit);
		for (size_t i = 0; i < limit; i++)
			assert_int_equal(buf_putc(&b, 'a'), 0);
		assert_int_equal(buf_putc(&b, 'a'), -E2BIG);
		assert_int_equal(b.len, limit);
		assert_true(b.cap <= limit + 1 || b.cap <= 256); /* the first block */
	}
}

static void stealing_leaves_an_empty_buffer_that_works_again(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(100);
	_cleanup_free_ char *empty = buf_steal(&b);

	assert_string_equal(empty, "");
	assert_int_equal(buf_printf(&b, "%s-%d", "x", 7), 0);
	_cleanup_free_ char *text = buf_steal(&b);
	assert_string_equal(text, "x-7");
	assert_int_equal(b.len, 0);
	buf_clear(&b);
	assert_int_equal(buf_puts(&b, "again"), 0);
	assert_string_equal(b.data, "again");
}

static void a_diagnosis_is_cut_and_marked_and_may_be_null(void **state)
{
	static char longer[DIAG_MAX * 2];
	struct diag d = { 0 };

	memset(longer, 'x', sizeof(longer) - 1);
	diag_set(NULL, "ignored");
	diag_prefix(NULL, "ignored");
	assert_int_equal(diag_fail(NULL, -EPERM, "ignored"), -EPERM);
	assert_int_equal(diag_fail(&d, -ENOENT, "no %s", "file"), -ENOENT);
	diag_prefix(&d, "p.json:%d: ", 3);
	assert_string_equal(d.text, "p.json:3: no file");
	diag_set(&d, "%s", longer);
	assert_int_equal(strlen(d.text), DIAG_MAX - 1);
	assert_string_equal(d.text + DIAG_MAX - 4, "...");
	diag_prefix(&d, "prefix ");
	assert_memory_equal(d.text, "prefix xxx", 10);
	assert_string_equal(d.text + DIAG_MAX - 4, "...");
}

static void a_vector_stays_null_terminated_while_it_grows(void **state)
{
	_cleanup_strv_ struct strv s = { 0 }, copy = { 0 };

	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(strv_addf(&s, "%zu", i), 0);
		assert_null(s.v[s.n]);
	}
	assert_int_equal(strv_extend(&copy, s.v, s.n), 0);
	strv_sort(&copy);
	assert_string_equal(copy.v[0], "0");
	assert_string_equal(copy.v[999], "999");
	assert_string_equal(copy.v[998], "998");
	assert_true(strv_contains(&s, "512"));
	assert_false(strv_contains(&s, "1000"));
	assert_int_equal(strv_add_take(&s, NULL), -ENOMEM);
}

static void a_vector_takes_no_more_than_its_limit(void **state)
{
	_cleanup_strv_ struct strv s = { 0 };

	for (size_t i = 0; i < STRV_MAX; i++)
		assert_int_equal(strv_add(&s, ""), 0);
	assert_int_equal(strv_add(&s, ""), -E2BIG);
	assert_int_equal(s.n, STRV_MAX);
}

static void an_environment_name_is_matched_whole(void **state)
{
	_cleanup_strv_ struct strv e = { 0 };

	assert_int_equal(strv_env_set(&e, "PATHX", "no"), 0);
	assert_null(strv_env_get(&e, "PATH"));
	assert_int_equal(strv_env_set(&e, "PATH", "/bin"), 0);
	assert_int_equal(strv_env_set(&e, "PATH", "/usr/bin=x"), 0);
	assert_int_equal(e.n, 2);
	assert_string_equal(strv_env_get(&e, "PATH"), "/usr/bin=x");
	assert_null(strv_env_get(&e, "PAT"));
}

typedef int parser(const char *s, uint64_t min, uint64_t max, uint64_t *ret);
static const struct {
	parser *parse;
	const char *text;
	uint64_t min, max;
	int result;
	uint64_t value;
} numbers[] = {
	{ parse_u64, "0", 0, 10, 0, 0 },
	{ parse_u64, "10", 0, 10, 0, 10 },
	{ parse_u64, "11", 0, 10, -ERANGE, 0 },
	{ parse_u64, "0", 1, 10, -ERANGE, 0 },
	{ parse_u64, "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ parse_u64, "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
	{ parse_u64, "", 0, 10, -EINVAL, 0 },
	{ parse_u64, " 1", 0, 10, -EINVAL, 0 },
	{ parse_u64, "1 ", 0, 10, -EINVAL, 0 },
	{ parse_u64, "+1", 0, 10, -EINVAL, 0 },
	{ parse_u64, "-1", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_u64, "010", 0, 10, -EINVAL, 0 },
	{ parse_u64, "0x1", 0, 10, -EINVAL, 0 },
	{ parse_u64, "1e1", 0, 10, -EINVAL, 0 },
	{ parse_u64, "1\n", 0, 10, -EINVAL, 0 },
	{ parse_u64, "\xd9\xa1", 0, 10, -EINVAL, 0 }, /* an Arabic-Indic digit */
	{ parse_size, "512", 0, UINT64_MAX, 0, 512 },
	{ parse_size, "64KiB", 0, UINT64_MAX, 0, 65536 },
	{ parse_size, "256MiB", 0, UINT64_MAX, 0, 256 << 20 },
	{ parse_size, "1GiB", 0, 1 << 30, 0, 1 << 30 },
	{ parse_size, "1TiB", 0, UINT64_MAX, 0, 1ULL << 40 },
	{ parse_size, "16777216TiB", 0, UINT64_MAX, -ERANGE, 0 }, /* 2^64 */
	{ parse_size, "1GiB", 0, 1 << 29, -ERANGE, 0 },
	{ parse_size, "1GB", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_size, "1gib", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_size, "1 GiB", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_size, "1.5GiB", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_size, "MiB", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_duration, "30s", 0, UINT64_MAX, 0, 30 },
	{ parse_duration, "30min", 0, UINT64_MAX, 0, 1800 },
	{ parse_duration, "4h", 0, UINT64_MAX, 0, 14400 },
	{ parse_duration, "90d", 0, UINT64_MAX, 0, 7776000 },
	{ parse_duration, "90", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_duration, "1m", 0, UINT64_MAX, -EINVAL, 0 }, /* minute or month: neither */
	{ parse_duration, "1dd", 0, UINT64_MAX, -EINVAL, 0 },
	{ parse_duration, "99999999999999999d", 0, UINT64_MAX, -ERANGE, 0 },
};

static void numbers_sizes_and_durations_are_read_strictly(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		uint64_t v = 4242;
		int r = numbers[i].parse(numbers[i].text, numbers[i].min, numbers[i].max, &v);
		if (r != numbers[i].result)
			print_error("at \"%s\"\n", numbers[i].text);
		assert_int_equal(r, numbers[i].result);
		assert_int_equal(v, r == 0 ? numbers[i].value : 4242);
	}
}

static const struct {
	const char *text;
	int result;
	uint64_t count, seconds;
} rates[] = {
	{ "10/min", 0, 10, 60 },
	{ "2/s", 0, 2, 1 },
	{ "100/h", 0, 100, 3600 },
	{ "1000/d", 0, 1000, 86400 },
	{ "0/s", -ERANGE, 0, 0 },
	{ "1001/s", -ERANGE, 0, 0 },
	{ "99999999999999999999/s", -ERANGE, 0, 0 },
	{ "010/s", -EINVAL, 0, 0 },
	{ "10", -EINVAL, 0, 0 },
	{ "10/", -EINVAL, 0, 0 },
	{ "10/m", -EINVAL, 0, 0 },
	{ "10/min ", -EINVAL, 0, 0 },
	{ "-1/s", -EINVAL, 0, 0 },
	{ "1 /s", -EINVAL, 0, 0 },
	{ "/s", -EINVAL, 0, 0 },
	{ "1/s/s", -EINVAL, 0, 0 },
};

static void rates_are_read_strictly(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
		uint64_t count = 0, seconds = 0;
		int r = parse_rate(rates[i].text, 1000, &count, &seconds);
		if (r != rates[i].result || (r == 0 && (count != rates[i].count || seconds != rates[i].seconds)))
			fail_msg("\"%s\": %d", rates[i].text, r);
	}
}

static const struct {
	const char *text;
	int result;
	int64_t value;
} times[] = {
	{ "1970-01-01", 0, 0 },
	{ "2027-04-01T00:00:00Z", 0, 1806537600 },
	{ "2024-02-29", 0, 1709164800 },
	{ "2023-02-29", -EINVAL, 0 },
	{ "2026-13-01", -EINVAL, 0 },
	{ "2026-00-10", -EINVAL, 0 },
	{ "2026-04-31", -EINVAL, 0 },
	{ "2026-04-00", -EINVAL, 0 },
	{ "2026-04-01T24:00:00Z", -EINVAL, 0 },
	{ "2026-04-01T23:60:00Z", -EINVAL, 0 },
	{ "2026-04-01T23:59:60Z", -EINVAL, 0 },
	{ "2026-04-01T00:00:00+00:00", -EINVAL, 0 },
	{ "2026-04-01T00:00:00", -EINVAL, 0 },
	{ "2026-04-01t00:00:00z", -EINVAL, 0 },
	{ "2026-4-1", -EINVAL, 0 },
	{ "", -EINVAL, 0 },
};

static void a_date_is_one_that_exists_in_one_form(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		int64_t t = 0;
		assert_int_equal(parse_time(times[i].text, &t), times[i].result);
		assert_int_equal(t, times[i].value);
	}
}

static const struct {
	const char *pattern, *text;
	bool match;
} globs[] = {
	{ "", "", true },
	{ "", "a", false },
	{ "*", "", true },
	{ "*", "anything/at\nall", true },
	{ "get_*", "get_", true },
	{ "get_*", "Get_x", false },
	{ "get_*", "xget_x", false },
	{ "*_secret", "a_secret_secret", true },
	{ "*a*b", "xaxbxb", true },
	{ "*a*b", "xaxbxc", false },
	{ "a*b*c", "abc", true },
	{ "a?c", "abc", false },
	{ "[ab]", "a", false },
	{ "\\*", "*", false },
	{ "**", "x", true },
	{ "a", "a ", false },
};

static void only_the_star_is_special_and_the_whole_name_must_match(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(globs); i++)
		assert_int_equal(glob_match(globs[i].pattern, globs[i].text, strlen(globs[i].text)), globs[i].match);
	assert_true(glob_match("a*c", "a\0c", 3));
	assert_false(glob_match("a", "a\0", 2));
}

static void a_pattern_of_many_stars_takes_no_exponential_time(void **state)
{
	static char text[1 << 16];
	char pattern[200] = "";

	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < 90; i++)
		memcpy(pattern + 2 * i, "a*", 3);
	memcpy(pattern + 180, "b", 2);
	uint64_t start = unit_cpu_us();
	assert_false(glob_match(pattern, text, sizeof(text)));
	assert_true(unit_cpu_us() - start < 1000000);
}

static void a_sealed_memory_file_reads_back_and_cannot_be_changed(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(100);
	_cleanup_close_ int fd = -1;

	assert_int_equal(io_memfd_sealed("plan", "bytes", 5, &fd), 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(mmap(NULL, 5, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(io_memfd_read(fd, &b), 0);
	assert_string_equal(b.data, "bytes");
}

/* As gateway and dial do: each would move the offset under the other's feet. */
static void two_who_share_one_open_memory_file_do_not_disturb_each_other(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(100);
	_cleanup_close_ int fd = -1;

	assert_int_equal(io_memfd_sealed("config", "bytes", 5, &fd), 0);
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	assert_int_equal(io_memfd_read(fd, &b), 0);
	assert_string_equal(b.data, "bytes");
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
}

static void a_memory_file_larger_than_the_limit_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = BUF_INIT(4);
	_cleanup_close_ int fd = -1;

	assert_int_equal(io_memfd_sealed("config", "bytes", 5, &fd), 0);
	assert_int_equal(io_memfd_read(fd, &b), -E2BIG);
}

static void a_memory_file_that_lacks_one_seal_is_refused(void **state)
{
	static const int seals[] = { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE };

	for (size_t left_out = 0; left_out < ARRAY_LEN(seals); left_out++) {
		_cleanup_buf_ struct buf b = BUF_INIT(100);
		_cleanup_close_ int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		int some = 0;
		for (size_t i = 0; i < ARRAY_LEN(seals); i++)
			some |= i == left_out ? 0 : seals[i];
		assert_int_equal(fcntl(fd, F_ADD_SEALS, some), 0);
		assert_int_equal(io_memfd_read(fd, &b), -EPERM);
	}
	_cleanup_buf_ struct buf b = BUF_INIT(100);
	_cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(io_memfd_read(null, &b) < 0);
}

static void reading_stops_at_the_limit(void **state)
{
	for (size_t max = 0; max < 8; max++) {
		_cleanup_buf_ struct buf b = BUF_INIT(max);
		int p[2];
		assert_int_equal(pipe2(p, O_CLOEXEC), 0);
		assert_int_equal(io_write_full(p[1], "12345", 5), 0);
		close(p[1]);
		assert_int_equal(io_read_all(p[0], &b), max < 5 ? -E2BIG : 0);
		close(p[0]);
	}
}

/* How many descriptors this process has. */
static size_t open_descriptors(void)
{
	_cleanup_closedir_ DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(d))
		n++;
	return n;
}

static void surplus_descriptors_of_a_message_are_closed(void **state)
{
	int s[2], send[5], got[2];
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	for (size_t i = 0; i < ARRAY_LEN(send); i++)
		send[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_send_msg(s[0], "x", 1, send, ARRAY_LEN(send)), 0);
	assert_int_equal(io_send_msg(s[0], "y", 1, send, 1), 0);
	size_t before = open_descriptors(), n = ARRAY_LEN(got);
	assert_int_equal(io_recv_msg(s[1], &byte, 1, got, &n), 1);
	assert_int_equal(n, 2);
	assert_int_equal(open_descriptors(), before + 2);
	assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(io_recv_msg(s[1], &byte, 1, NULL, NULL), 1);
	assert_int_equal(open_descriptors(), before + 2);
	close(got[0]);
	close(got[1]);
	for (size_t i = 0; i < ARRAY_LEN(send); i++)
		close(send[i]);
	close(s[0]);
	assert_int_equal(io_recv_msg(s[1], &byte, 1, NULL, NULL), 0);
	close(s[1]);
}

static void a_message_that_was_cut_is_refused_and_its_descriptors_closed(void **state)
{
	int s[2], got[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int many[IO_FDS_MAX + 1] = { 0 };
	char small[4];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	assert_int_equal(io_send_msg(s[0], "12345", 5, &null, 1), 0);
	size_t before = open_descriptors(), n = ARRAY_LEN(got);
	assert_int_equal(io_recv_msg(s[1], small, sizeof(small), got, &n), -EMSGSIZE);
	assert_int_equal(n, 0);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(io_send_msg(s[0], "x", 1, many, ARRAY_LEN(many)), -E2BIG);
	close(s[0]);
	close(s[1]);
	close(null);
}

/* Runs fn in a child; its return is the exit status. */
static int in_child(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int close_stdin_and_stderr(void)
{
	close(0);
	close(2);
	int extra = fcntl(1, F_DUPFD, 50);
	int mask = io_sanitise_descriptors(NULL, 0);
	char byte;
	return mask == (1 << 0 | 1 << 2) && fcntl(extra, F_GETFD) < 0 && read(0, &byte, 1) == 0 && write(2, "x", 1) == 1
		       ? 0
		       : 1;
}

static int keep_some(void)
{
	static const int keep[] = { 1, 20, 22 };

	for (int fd = 10; fd < 30; fd++)
		if (dup2(0, fd) != fd)
			return 2;
	if (io_close_except(10, keep, ARRAY_LEN(keep)) < 0)
		return 3;
	for (int fd = 10; fd < 40; fd++)
		if ((fcntl(fd, F_GETFD) >= 0) != (fd == 20 || fd == 22))
			return 4;
	return fcntl(2, F_GETFD) >= 0 ? 0 : 5;
}

static void closed_standard_descriptors_become_dev_null_and_the_rest_is_closed(void **state)
{
	assert_int_equal(in_child(close_stdin_and_stderr), 0);
}

static void all_but_the_named_descriptors_are_closed_and_none_below_the_first(void **state)
{
	assert_int_equal(in_child(keep_some), 0);
}

static void each_landlock_abi_knows_all_that_the_one_before_knew(void **state)
{
	static const struct {
		int abi;
		struct landlock_attr all;
	} known[] = { { 0, { 0, 0, 0 } }, { 1, { 0x1fff, 0, 0 } }, { 2, { 0x3fff, 0, 0 } }, { 3, { 0x7fff, 0, 0 } },
		{ 4, { 0x7fff, 3, 0 } }, { 5, { 0xffff, 3, 0 } }, { 6, { 0xffff, 3, 3 } }, { 7, { 0xffff, 3, 3 } } };

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct landlock_attr got = landlock_all(known[i].abi);
		assert_memory_equal(&got, &known[i].all, sizeof(got));
	}
	assert_true(landlock_abi() >= 1);
}

static void a_path_beneath_no_directory_is_masked_to_file_rights(void **state)
{
	struct landlock_attr all = landlock_all(landlock_abi());
	_cleanup_close_ int ruleset = -1, file = open("/etc/passwd", O_PATH | O_CLOEXEC),
			    dir = open("/etc", O_PATH | O_CLOEXEC);

	assert_int_equal(landlock_create(&all, &ruleset), 0);
	assert_int_equal(landlock_allow_path(ruleset, file, all.fs), 0);
	assert_int_equal(landlock_allow_path(ruleset, dir, all.fs), 0);
	assert_true(landlock_allow_path(ruleset, -1, all.fs) < 0);
}

/* Pages of files that are resident: proc(5), statm. */
static unsigned long pages_of_files(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*u %*u %lu", &pages), 1);
	fclose(f);
	return pages;
}

/* A megabyte of the program's own file is read, and then it is not there until it is read again. */
static void what_a_program_has_read_of_its_own_file_can_go_and_comes_back(void **state)
{
	enum { BYTES = 1 << 20, PAGE = 4096 };
	static const char large[BYTES] = { [0] = 'a', [BYTES - 1] = 'z' };
	const volatile char *p = large;
	char sum = 0;

	for (size_t i = 0; i < BYTES; i += PAGE)
		sum = (char)(sum + p[i]);
	assert_int_equal(sum, 'a');
	unsigned long before = pages_of_files();
	image_give_back();
	assert_in_range(pages_of_files(), 1, before - BYTES / PAGE / 2);
	assert_int_equal(p[BYTES - 1], 'z');
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_takes_exactly_its_limit_and_not_a_byte_more),
		cmocka_unit_test(a_buffer_grows_byte_by_byte_to_any_limit),
		cmocka_unit_test(stealing_leaves_an_empty_buffer_that_works_again),
		cmocka_unit_test(a_diagnosis_is_cut_and_marked_and_may_be_null),
		cmocka_unit_test(a_vector_stays_null_terminated_while_it_grows),
		cmocka_unit_test(a_vector_takes_no_more_than_its_limit),
		cmocka_unit_test(an_environment_name_is_matched_whole),
		cmocka_unit_test(numbers_sizes_and_durations_are_read_strictly),
		cmocka_unit_test(rates_are_read_strictly),
		cmocka_unit_test(a_date_is_one_that_exists_in_one_form),
		cmocka_unit_test(only_the_star_is_special_and_the_whole_name_must_match),
		cmocka_unit_test(a_pattern_of_many_stars_takes_no_exponential_time),
		cmocka_unit_test(a_sealed_memory_file_reads_back_and_cannot_be_changed),
		cmocka_unit_test(two_who_share_one_open_memory_file_do_not_disturb_each_other),
		cmocka_unit_test(a_memory_file_larger_than_the_limit_is_refused),
		cmocka_unit_test(a_memory_file_that_lacks_one_seal_is_refused),
		cmocka_unit_test(reading_stops_at_the_limit),
		cmocka_unit_test(surplus_descriptors_of_a_message_are_closed),
		cmocka_unit_test(a_message_that_was_cut_is_refused_and_its_descriptors_closed),
		cmocka_unit_test(closed_standard_descriptors_become_dev_null_and_the_rest_is_closed),
		cmocka_unit_test(all_but_the_named_descriptors_are_closed_and_none_below_the_first),
		cmocka_unit_test(what_a_program_has_read_of_its_own_file_can_go_and_comes_back),
		cmocka_unit_test(each_landlock_abi_knows_all_that_the_one_before_knew),
		cmocka_unit_test(a_path_beneath_no_directory_is_masked_to_file_rights),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
