/* SPDX-License-Identifier: Apache-2.0 */
/* test_inventory - configurations are read as their clients read them, and whoever reads them can do nothing else */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "inventory/confine.h"
#include "inventory/node.h"

typedef int parse_fn(const char *text, size_t n, struct node **ret, struct diag *d);

static struct node *parsed(parse_fn *parse, const char *text)
{
	struct node *root = NULL;
	struct diag d = { "" };

	if (parse(text, strlen(text), &root, &d) < 0)
		fail_msg("%s: %s", text, d.text);
	return root;
}

static const char json[] = "\xef\xbb\xbf// c\n{\"a\": {\"b\": [1, true, null, \"x\\u00e9\\n\\ud83d\"], }, /* \n */ "
			   "\"a\": {\"c\": \"d\"}}\n";
static const char toml[] =
	"\xef\xbb\xbf# c\na.\"b.c\" = [1, 'x\\', \"\"\"\\\n   y\"\"\"\"\", { k = 1, l.m = 2 }]\n[t.u]\nv = 1979-05-27 "
	"07:32:00Z # w\n[[l]]\nn = 1\n[[l]]\nn = 2\n[l.deep]\no = '''\np'''\n";
static const char yaml[] = "# c\na: &x {b: [1, *x]}\nl:\n  - n: \"1\"\n  - n: |\n      two\n";

static void test_json_is_read_with_comments_and_the_last_of_two_keys_counts(void **state)
{
	_cleanup_node_ struct node *root = parsed(json_parse, json);

	assert_string_equal(node_text(node_get(root, "a"), "c"), "d");
	assert_null(node_get(node_get(root, "a"), "b"));
	assert_string_equal(node_get(root->v[0], "b")->v[3]->text, "x\xc3\xa9\n\xef\xbf\xbd");
	assert_int_equal(node_get(root, "a")->line, 3);
}

static void test_toml_is_read_with_tables_of_every_spelling(void **state)
{
	_cleanup_node_ struct node *root = parsed(toml_parse, toml);
	const struct node *list = node_get(node_get(root, "a"), "b.c");

	assert_int_equal(list->n, 4);
	assert_string_equal(list->v[1]->text, "x\\");
	assert_string_equal(list->v[2]->text, "y\"\"");
	assert_string_equal(node_text(node_get(list->v[3], "l"), "m"), "2");
	assert_string_equal(node_text(node_get(node_get(root, "t"), "u"), "v"), "07:32:00Z");
	list = node_get(root, "l");
	assert_int_equal(list->n, 2);
	assert_string_equal(node_text(list->v[1], "n"), "2");
	assert_string_equal(node_text(node_get(list->v[1], "deep"), "o"), "p");
}

static void test_yaml_is_read_and_an_alias_is_a_text(void **state)
{
	_cleanup_node_ struct node *root = parsed(yaml_parse, yaml);

	assert_string_equal(node_get(node_get(root, "a"), "b")->v[1]->text, "x");
	assert_string_equal(node_text(node_get(root, "l")->v[1], "n"), "two\n");
	assert_int_equal(node_get(root, "l")->v[1]->line, 5);
}

/* What a parser makes of it does not matter here; that it comes back, and with words when it says no. */
static void parse_damaged(parse_fn *parse, const char *text, size_t n)
{
	_cleanup_node_ struct node *root = NULL;
	struct diag d = { "" };
	char *copy = malloc(n + 1);
	int r;

	assert_non_null(copy);
	memcpy(copy, text, n);
	copy[n] = '\0';
	r = parse(copy, n, &root, &d);
	assert_true(r == 0 ? root != NULL : root == NULL);
	assert_true(r == 0 || d.text[0]);
	free(copy);
}

static void test_a_file_that_was_cut_or_changed_anywhere_does_no_harm(void **state)
{
	static const struct {
		parse_fn *parse;
		const char *text;
	} cases[] = { { json_parse, json }, { toml_parse, toml }, { yaml_parse, yaml } };
	static const char put[] = { '\0', '"', '\'', '[', ']', '{', '}', '\\', '\n', '#', '&', '*', ',', '=', '.',
		(char)0xff };

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		size_t n = strlen(cases[i].text);
		for (size_t at = 0; at < n; at++) {
			_cleanup_free_ char *copy = strdup(cases[i].text);
			assert_non_null(copy);
			parse_damaged(cases[i].parse, copy, at);
			for (size_t k = 0; k < sizeof(put); k++) {
				copy[at] = put[k];
				parse_damaged(cases[i].parse, copy, n);
			}
		}
	}
}

/* Which of the things that it must not do does this process get away with, as bits. */
static int attempts(const char *path)
{
	static const int writing[] = { O_WRONLY, O_RDWR, O_WRONLY | O_CREAT, O_RDONLY | O_TRUNC };
	int done = 0, s[2];

	for (size_t i = 0; i < ARRAY_LEN(writing); i++)
		done |= open(path, writing[i] | O_CLOEXEC, 0600) >= 0 ? 1 << i : 0;
	done |= socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 1 << 4 : 0;
	done |= socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 ? 1 << 5 : 0;
	done |= unlink(path) == 0 ? 1 << 6 : 0;
	return done;
}

static int in_child(bool confined, const char *path, int (*fn)(const char *path))
{
	struct diag d = { "" };
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(confined && confine_inventory(&d) < 0 ? 255 : fn(path));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int starts(const char *path)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid > 0;
}

static int executes(const char *path)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	execv("/bin/true", argv);
	return 1;
}

static int reads(const char *path)
{
	char byte;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, &byte, 1) == 1;
}

static void test_whoever_reads_configurations_can_do_nothing_else(void **state)
{
	char path[] = "/tmp/stockade-inventory-XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(in_child(true, path, reads), 1);
	assert_int_equal(in_child(true, path, attempts), 0);
	assert_int_equal(in_child(true, path, starts), 0);
	assert_int_equal(in_child(true, path, executes), 1);
	/* The controls. */
	assert_int_equal(in_child(false, path, starts), 1);
	assert_int_equal(in_child(false, path, executes), 0);
	assert_int_equal(in_child(false, path, attempts), 0x7f);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_is_read_with_comments_and_the_last_of_two_keys_counts),
		cmocka_unit_test(test_toml_is_read_with_tables_of_every_spelling),
		cmocka_unit_test(test_yaml_is_read_and_an_alias_is_a_text),
		cmocka_unit_test(test_a_file_that_was_cut_or_changed_anywhere_does_no_harm),
		cmocka_unit_test(test_whoever_reads_configurations_can_do_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
