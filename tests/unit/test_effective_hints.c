/* SPDX-License-Identifier: Apache-2.0 */
/* test_effective_hints - a hint is added where it helps, names what is there, and leaves other refusals alone */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "supervisor/effective_hints.h"
#include "tests/unit/tree.h"

static char root[64];
static struct paths paths;

static void put(const char *file, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, file);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	close(fd);
}

/* Two directories of profiles, of which the first is not there. */
static int up(void **state)
{
	char longest[128 + 8] = "";

	(void)state;
	snprintf(root, sizeof(root), "/tmp/stockade-hints-XXXXXX");
	assert_non_null(mkdtemp(root));
	assert_int_equal(strv_addf(&paths.profile_dirs, "%s/absent", root), 0);
	assert_int_equal(strv_add(&paths.profile_dirs, root), 0);
	put("mcp-server-git.json", 0644);
	put("time.json", 0644);
	put("Upper.json", 0644);
	put(".json", 0644);
	put("-mcp-server-git.json", 0644);
	put(".hidden.json", 0644);
	memset(longest, 'n', 127);
	memcpy(longest + 127, ".json", 6);
	put(longest, 0644);
	memset(longest, 'n', 128);
	memcpy(longest + 128, ".json", 6);
	put(longest, 0644);
	put("program", 0755);
	put("plain", 0644);
	return 0;
}

static int down(void **state)
{
	(void)state;
	strv_done(&paths.profile_dirs);
	return remove_tree(root);
}

/* What is added to "refused" for these words, NULL for an end. */
static const char *hint(struct diag *d, const char *const *words)
{
	_cleanup_strv_ struct strv command = { 0 };

	for (; *words; words++)
		assert_int_equal(strv_add(&command, *words), 0);
	diag_set(d, "refused");
	effective_hint_profile(&paths, &(const struct bundle){ 0 }, &command, d);
	assert_memory_equal(d->text, "refused", 7);
	return d->text + 7;
}

static const struct {
	const char *word;
	bool hinted;
} packages[] = {
	{ "mcp-server-git", true },
	{ "mcp-server-git@1.2.3", true },
	{ "@scope/mcp-server-git", true },
	{ "@scope/mcp-server-git@latest", true },
	{ "mcp-server-git==1.2.3", true },
	{ "mcp-server-git>=1", true },
	{ "mcp-server-git<2", true },
	{ "mcp-server-git~=1.2", true },
	{ "mcp-server-git[extra]", true },
	{ "mcp-server-git ; python_version > '3'", true },
	{ "mcp-server-gi", false },
	{ "mcp-server-git2", false },
	{ "Upper", false },
	{ "-mcp-server-git", false },
	{ ".hidden", false },
	{ "--from=mcp-server-git", false },
	{ "", false },
	{ "@", false },
	{ "@scope/", false },
	{ "@scope/../mcp-server-git", false },
	/* What lies there is not the package that the profile is for. */
	{ "/srv/mcp-server-git", false },
	{ "./mcp-server-git", false },
	{ "~/src/mcp-server-git", false },
	{ "git+https://example.com/x/mcp-server-git", false },
	{ "mcp-server-git@git+https://example.com/x/mcp-server-git", false },
	{ "someone/mcp-server-git", false },
};

static void a_package_that_has_a_profile_is_told_of_it_and_a_path_is_not(void **state)
{
	static const char said[] = ". There is a profile for it: 'stockade check mcp-server-git' says what it grants, "
				   "and then 'stockade run mcp-server-git' is the command";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(packages); i++) {
		struct diag d;
		const char *is = hint(&d, (const char *const[]){ "npx", "-y", packages[i].word, NULL });
		if (strcmp(is, packages[i].hinted ? said : "") != 0)
			fail_msg("'%s': '%s'", packages[i].word, is);
	}
}

static void the_first_package_is_named_and_never_the_program(void **state)
{
	struct diag d;

	(void)state;
	assert_string_equal(hint(&d, (const char *const[]){ "time", "other", NULL }), "");
	assert_non_null(
		strstr(hint(&d, (const char *const[]){ "uvx", "time", "mcp-server-git", NULL }), "check time'"));
	assert_null(strstr(d.text, "mcp-server-git"));
}

static void a_name_has_a_limit(void **state)
{
	char name[129];
	struct diag d;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[127] = '\0';
	assert_non_null(strstr(hint(&d, (const char *const[]){ "npx", name, NULL }), name));
	name[127] = 'n';
	name[128] = '\0';
	assert_string_equal(hint(&d, (const char *const[]){ "npx", name, NULL }), "");
}

static const char *program_hint(struct diag *d, char *file, const char *program, const char *path)
{
	struct profile f = { .file = file };

	diag_set(d, "refused");
	effective_hint_program(&f, program, path, d);
	assert_memory_equal(d->text, "refused", 7);
	return d->text + 7;
}

static void a_program_that_a_profile_names_and_path_lacks_is_mended_by_path(void **state)
{
	char file[] = "/etc/stockade/profiles/x\033.json", lacks[128], plain[128];
	struct diag d;

	(void)state;
	snprintf(lacks, sizeof(lacks), "/usr/nowhere:%s/absent", root);
	assert_string_equal(program_hint(&d, file, "program", lacks),
		". The profile /etc/stockade/profiles/x\\x1b.json names it so: put its directory into PATH where "
		"stockade is "
		"started (in a client's entry: \"env\": {\"PATH\": \"DIRECTORY:/usr/bin:/bin\"}), or write the path "
		"into a "
		"profile of your own");
	assert_string_not_equal(program_hint(&d, file, "program", NULL), "");
	assert_string_not_equal(program_hint(&d, file, "program", ""), "");
	/* A file of that name that nobody can execute is not the program. */
	snprintf(plain, sizeof(plain), "/usr/nowhere:%s", root);
	assert_string_not_equal(program_hint(&d, file, "plain", plain), "");
}

static void a_program_that_is_there_is_not_what_is_missing(void **state)
{
	char file[] = "/x.json", first[128], last[128];
	struct diag d;

	(void)state;
	snprintf(first, sizeof(first), "%s:/usr/nowhere", root);
	snprintf(last, sizeof(last), "/usr/nowhere::%s", root);
	assert_string_equal(program_hint(&d, file, "program", first), "");
	assert_string_equal(program_hint(&d, file, "program", last), "");
}

static void a_path_and_a_command_without_a_profile_get_no_hint(void **state)
{
	char file[] = "/x.json";
	struct diag d;

	(void)state;
	assert_string_equal(program_hint(&d, file, "/opt/program", NULL), "");
	assert_string_equal(program_hint(&d, file, "~program", NULL), "");
	assert_string_equal(program_hint(&d, NULL, "program", NULL), "");
}

static void a_hint_that_does_not_fit_is_cut_where_it_shows(void **state)
{
	char file[] = "/x.json", text[DIAG_MAX];
	struct profile f = { .file = file };
	struct diag d;

	(void)state;
	memset(text, 'r', sizeof(text));
	text[DIAG_MAX - 20] = '\0';
	diag_set(&d, "%s", text);
	effective_hint_program(&f, "program", NULL, &d);
	assert_int_equal(strlen(d.text), DIAG_MAX - 1);
	assert_string_equal(d.text + DIAG_MAX - 4, "...");
	assert_non_null(strstr(d.text, "rrr. The profile"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_package_that_has_a_profile_is_told_of_it_and_a_path_is_not),
		cmocka_unit_test(the_first_package_is_named_and_never_the_program),
		cmocka_unit_test(a_name_has_a_limit),
		cmocka_unit_test(a_program_that_a_profile_names_and_path_lacks_is_mended_by_path),
		cmocka_unit_test(a_program_that_is_there_is_not_what_is_missing),
		cmocka_unit_test(a_path_and_a_command_without_a_profile_get_no_hint),
		cmocka_unit_test(a_hint_that_does_not_fit_is_cut_where_it_shows),
	};
	return cmocka_run_group_tests(tests, up, down);
}
