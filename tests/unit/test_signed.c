/* SPDX-License-Identifier: Apache-2.0 */
/* test_signed - keys of a directory, a file and its signatures: read once, and nothing that is wrong is skipped */
#include "tests/unit/unit.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "base/io.h"
#include "sign/signed.h"
#include "tests/unit/sign_unit.h"
#include "tests/unit/tree.h"

enum { NOTES_MAX = 4096 };

/* A directory with notes.json, keys/ beside it. */
struct world {
	char path[64];
	int dir, keys;
	struct diag d;
};

static void put(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, 0644), 0);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	snprintf(w->path, sizeof(w->path), "/tmp/stockade-signed-XXXXXX");
	if (sign_init() < 0 || !mkdtemp(w->path))
		return -1;
	w->dir = open(w->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(w->dir, "keys", 0755);
	w->keys = openat(w->dir, "keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put(w->dir, "notes.json", NOTES);
	put(w->keys, "release.pub", KEY_A);
	put(w->keys, "security.pub", KEY_B);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	close(w->dir);
	close(w->keys);
	remove_tree(w->path);
	free(w);
	return 0;
}

static int load_keys(struct world *w, struct keyring *ret)
{
	w->d.text[0] = '\0';
	return keyring_add_dir(ret, w->keys, "keys", FS_TRUST_USER, getuid(), &w->d);
}

static int look(struct world *w, struct verified *ret)
{
	_cleanup_keyring_ struct keyring r = { 0 };
	struct signed_place at = { w->dir, "the directory", FS_TRUST_USER, getuid() };
	int e = load_keys(w, &r);

	return e ? e : signed_read(&at, "notes.json", NOTES_MAX, &r, ret, &w->d);
}

/* What it says when the file is looked at, which must fail with err. */
static const char *refused(struct world *w, int err)
{
	_cleanup_verified_ struct verified v = { 0 };
	int e = look(w, &v);

	if (e != err)
		fail_msg("%d, not %d: %s", e, err, w->d.text);
	return w->d.text;
}

static void a_file_is_read_with_all_who_signed_it(void **state)
{
	struct world *w = *state;
	_cleanup_verified_ struct verified v = { 0 };

	put(w->dir, "notes.json.minisig", HASHED_A);
	put(w->dir, "notes.json.security.minisig", HASHED_B);
	assert_int_equal(look(w, &v), 0);
	assert_string_equal(v.bytes.data, NOTES);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.known, 2);
	assert_string_equal(v.v[0].name, "release");
	assert_int_equal(v.v[0].when, 1790000000);
	assert_string_equal(v.v[1].name, "security");
}

static void a_file_without_signatures_has_no_signers(void **state)
{
	_cleanup_verified_ struct verified v = { 0 };

	assert_int_equal(look(*state, &v), 0);
	assert_int_equal(v.n, 0);
	assert_string_equal(v.bytes.data, NOTES);
}

static void a_key_that_signed_twice_counts_once_with_the_later_moment(void **state)
{
	struct world *w = *state;
	_cleanup_verified_ struct verified v = { 0 };

	put(w->dir, "notes.json.minisig", HASHED_A);
	put(w->dir, "notes.json.again.minisig", LEGACY_A);
	assert_int_equal(look(w, &v), 0);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.known, 1);
	assert_int_equal(v.v[0].when, 1790000001);
}

static void a_key_under_two_names_is_one_key(void **state)
{
	struct world *w = *state;
	_cleanup_verified_ struct verified v = { 0 };

	put(w->keys, "other.pub", KEY_A);
	put(w->dir, "notes.json.minisig", HASHED_A);
	assert_int_equal(look(w, &v), 0);
	assert_int_equal(v.n, 1);
	assert_string_equal(v.v[0].name, "other");
}

static void a_signature_of_a_key_that_is_not_ours_is_unknown_and_proves_nothing(void **state)
{
	struct world *w = *state;
	_cleanup_verified_ struct verified v = { 0 };

	assert_int_equal(unlinkat(w->keys, "security.pub", 0), 0);
	put(w->dir, "notes.json.minisig", HASHED_B);
	assert_int_equal(look(w, &v), 0);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.known, 0);
	assert_null(v.v[0].name);
	assert_null(v.v[0].comment);
	assert_int_equal(v.v[0].when, 0);
}

static void one_damaged_signature_among_good_ones_denies(void **state)
{
	struct world *w = *state;

	put(w->dir, "notes.json.minisig", HASHED_A);
	put(w->dir, "notes.json.security.minisig", "");
	assert_non_null(strstr(refused(w, -EINVAL), "notes.json.security.minisig, line 1: it ends"));
	put(w->dir, "notes.json.security.minisig", HASHED_B "more\n");
	assert_non_null(strstr(refused(w, -EINVAL), "line 5: nothing may follow"));
}

static void a_signature_that_does_not_fit_denies_though_others_do(void **state)
{
	struct world *w = *state;

	put(w->dir, "notes.json.minisig", HASHED_A);
	put(w->dir, "notes.json", NOTES "\n");
	assert_non_null(strstr(refused(w, -EBADMSG), "does not fit these bytes"));
}

static void signatures_of_other_files_are_not_looked_at(void **state)
{
	static const char *const others[] = { "notes.json2.minisig", "notes.minisig", "other.json.minisig",
		".notes.json.minisig", "notes.json.a.b.minisig", "notes.json..minisig", "notes.json.minisig.bak" };
	struct world *w = *state;
	_cleanup_verified_ struct verified v = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		put(w->dir, others[i], "not looked at");
	assert_int_equal(look(w, &v), 0);
	assert_int_equal(v.n, 0);
}

static void a_symbolic_link_is_neither_file_nor_signature_nor_key(void **state)
{
	struct world *w = *state;

	put(w->dir, "elsewhere", HASHED_A);
	assert_int_equal(symlinkat("elsewhere", w->dir, "notes.json.minisig"), 0);
	assert_non_null(strstr(refused(w, -ELOOP), "symbolic link"));
	assert_int_equal(unlinkat(w->dir, "notes.json.minisig", 0), 0);
	assert_int_equal(renameat(w->dir, "notes.json", w->dir, "there"), 0);
	assert_int_equal(symlinkat("there", w->dir, "notes.json"), 0);
	assert_non_null(strstr(refused(w, -ELOOP), "symbolic link"));
	assert_int_equal(symlinkat("release.pub", w->keys, "third.pub"), 0);
	assert_non_null(strstr(refused(w, -ELOOP), "symbolic link"));
}

/* mode, of what, and whether that is looked at before anything else */
static const struct {
	const char *path;
	mode_t mode;
} writable[] = {
	{ "notes.json", 0666 },
	{ "notes.json.minisig", 0664 },
	{ "keys/release.pub", 0646 },
	{ "keys", 0777 },
	{ "keys", 01777 },
	{ ".", 0775 },
};

static void what_others_can_write_denies_be_it_file_signature_key_or_directory(void **state)
{
	struct world *w = *state;

	put(w->dir, "notes.json.minisig", HASHED_A);
	for (size_t i = 0; i < ARRAY_LEN(writable); i++) {
		struct stat st;
		assert_int_equal(fstatat(w->dir, writable[i].path, &st, 0), 0);
		assert_int_equal(fchmodat(w->dir, writable[i].path, writable[i].mode, 0), 0);
		assert_non_null(strstr(refused(w, -EPERM), "others"));
		assert_int_equal(fchmodat(w->dir, writable[i].path, st.st_mode & 07777, 0), 0);
	}
}

static void a_crowd_of_signatures_is_refused(void **state)
{
	struct world *w = *state;
	char name[64];

	for (unsigned i = 0; i <= SIGNED_MAX; i++) {
		snprintf(name, sizeof(name), "notes.json.s%u.minisig", i);
		put(w->dir, name, HASHED_A);
	}
	assert_non_null(strstr(refused(w, -E2BIG), "more than 16 signatures"));
}

static void a_file_beyond_its_limit_is_refused(void **state)
{
	struct world *w = *state;
	_cleanup_keyring_ struct keyring r = { 0 };
	_cleanup_verified_ struct verified v = { 0 };
	struct signed_place at = { w->dir, "the directory", FS_TRUST_USER, getuid() };

	assert_int_equal(signed_read(&at, "notes.json", strlen(NOTES), &r, &v, &w->d), 0);
	verified_done(&v);
	assert_int_equal(signed_read(&at, "notes.json", strlen(NOTES) - 1, &r, &v, &w->d), -E2BIG);
}

static void a_keyring_is_read_whole_or_not_at_all(void **state)
{
	struct world *w = *state;

	put(w->keys, "third.pub", "untrusted comment: x\n");
	assert_non_null(strstr(refused(w, -EINVAL), "keys/third.pub, line 2"));
	assert_int_equal(unlinkat(w->keys, "third.pub", 0), 0);
	put(w->keys, "a b.pub", KEY_A);
	assert_non_null(strstr(refused(w, -EINVAL), "letters, digits"));
}

static void two_keys_with_one_id_are_refused(void **state)
{
	struct sign_key k;
	struct world *w = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(SIGN_PUB_MAX);

	assert_int_equal(sign_key_parse("x", KEY_A, strlen(KEY_A), &k, &w->d), 0);
	k.key[0] ^= 1;
	assert_int_equal(sign_key_text(&k, NULL, &text), 0);
	put(w->keys, "third.pub", text.data);
	assert_non_null(strstr(refused(w, -EINVAL), "is another key"));
}

static void one_key_with_two_ids_is_refused_since_it_would_count_as_two(void **state)
{
	struct sign_key k;
	struct world *w = *state;
	_cleanup_buf_ struct buf text = BUF_INIT(SIGN_PUB_MAX);

	assert_int_equal(sign_key_parse("x", KEY_A, strlen(KEY_A), &k, &w->d), 0);
	k.id[0] ^= 1;
	assert_int_equal(sign_key_text(&k, NULL, &text), 0);
	put(w->keys, "third.pub", text.data);
	assert_non_null(strstr(refused(w, -EINVAL), "under another id"));
}

static void keys_are_found_by_name_and_by_id(void **state)
{
	struct world *w = *state;
	_cleanup_keyring_ struct keyring r = { 0 };
	uint8_t id[SIGN_ID_BYTES];

	put(w->keys, "README", "no key");
	put(w->keys, ".hidden.pub", "no key");
	assert_int_equal(load_keys(w, &r), 0);
	assert_int_equal(r.n, 2);
	assert_string_equal(r.v[0].name, "release");
	assert_int_equal(sign_id_parse(ID_B, id), 0);
	assert_string_equal(keyring_by_id(&r, id)->name, "security");
	assert_ptr_equal(keyring_by_name(&r, "security"), keyring_by_id(&r, id));
	assert_null(keyring_by_name(&r, "none"));
	assert_int_equal(load_keys(w, &r), -EINVAL);
}

static void a_signature_in_memory_is_held_against_bytes_in_memory(void **state)
{
	struct world *w = *state;
	_cleanup_keyring_ struct keyring r = { 0 };
	_cleanup_verified_ struct verified v = { .bytes = BUF_INIT(NOTES_MAX) };

	assert_int_equal(load_keys(w, &r), 0);
	assert_int_equal(buf_puts(&v.bytes, NOTES), 0);
	assert_int_equal(signed_add(&v, "fetched", HASHED_A, strlen(HASHED_A), &r, &w->d), 0);
	assert_int_equal(v.known, 1);
	v.bytes.data[3] ^= 1;
	assert_int_equal(signed_add(&v, "fetched", HASHED_B, strlen(HASHED_B), &r, &w->d), -EBADMSG);
	assert_int_equal(v.n, 1);
}

#define scene(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scene(a_file_is_read_with_all_who_signed_it),
		scene(a_file_without_signatures_has_no_signers),
		scene(a_key_that_signed_twice_counts_once_with_the_later_moment),
		scene(a_key_under_two_names_is_one_key),
		scene(a_signature_of_a_key_that_is_not_ours_is_unknown_and_proves_nothing),
		scene(one_damaged_signature_among_good_ones_denies),
		scene(a_signature_that_does_not_fit_denies_though_others_do),
		scene(signatures_of_other_files_are_not_looked_at),
		scene(a_symbolic_link_is_neither_file_nor_signature_nor_key),
		scene(what_others_can_write_denies_be_it_file_signature_key_or_directory),
		scene(a_crowd_of_signatures_is_refused),
		scene(a_file_beyond_its_limit_is_refused),
		scene(a_keyring_is_read_whole_or_not_at_all),
		scene(two_keys_with_one_id_are_refused),
		scene(one_key_with_two_ids_is_refused_since_it_would_count_as_two),
		scene(keys_are_found_by_name_and_by_id),
		scene(a_signature_in_memory_is_held_against_bytes_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
