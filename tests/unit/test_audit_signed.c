/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_signed - checkpoints and closes are signed, and what the signatures cover is said */
#include "tests/unit/audit_unit.h"

#include <sodium.h>

#include "audit/log_key.h"

/* RFC 8032, 7.1, test 1: a seed and its public key. */
static const char rfc_seed[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
static const char rfc_public[] = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

static struct log_key key_of(const struct log_dir *l)
{
	struct log_key k;
	struct diag d = { "" };

	if (log_key_take(l->fd, &k, &d) < 0)
		fail_msg("%s", d.text);
	return k;
}

static void a_key_is_made_once_and_read_again(void **state)
{
	const struct log_dir *l = *state;
	struct log_key first = key_of(l), second = key_of(l);
	struct stat st;

	assert_memory_equal(&first, &second, sizeof first);
	assert_int_equal(fstatat(l->fd, LOG_KEY_FILE, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void two_that_make_a_key_at_once_get_the_same(void **state)
{
	enum { MAKERS = 16 };
	const struct log_dir *l = *state;
	int pipes[2], status;
	char ids[MAKERS][RECORD_KEY_HEX + 1];

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	for (unsigned i = 0; i < MAKERS; i++) {
		if (fork() == 0) {
			struct log_key k = key_of(l);
			_exit(write(pipes[1], k.id, sizeof k.id) == sizeof k.id ? 0 : 1);
		}
	}
	for (unsigned i = 0; i < MAKERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
		assert_int_equal(read(pipes[0], ids[i], sizeof ids[i]), sizeof ids[i]);
		assert_string_equal(ids[i], ids[0]);
	}
	close(pipes[0]);
	close(pipes[1]);
}

static void the_key_is_the_one_that_the_rfc_has_for_its_seed(void **state)
{
	const struct log_dir *l = *state;
	char text[128], line[LOG_KEY_LINE_MAX];

	snprintf(text, sizeof text, "stockade-audit-secret 1 %s\n", rfc_seed);
	file_write(l, LOG_KEY_FILE, text, strlen(text));
	struct log_key k = key_of(l);
	struct log_public p = log_key_public(&k);
	log_key_line(&p, line);
	assert_non_null(strstr(line, rfc_public));
}

static struct audit *signed_session(const struct log_dir *l, const struct log_key *k)
{
	char session[AUDIT_SESSION_ID_LEN + 1];
	struct audit *a = NULL;
	struct diag d = { "" };

	audit_new_session_id(session);
	struct audit_identity id = { .session = session, .user = "alice", .server = "github" };
	if (audit_open(&(struct audit_options){ .dirfd = l->fd, .key = k }, &id, &a, &d) < 0)
		fail_msg("%s", d.text);
	return a;
}

/* What verify says with these keys, as one object. */
static json_t *verdict(const struct log_dir *l, const struct log_keys *keys, bool demand, char **ret_text)
{
	struct audit_verify_options o = { .read_only = true, .json = true, .keys = keys, .demand = demand };
	struct diag d = { "" };
	char *text = NULL, *last;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_true(audit_verify(l->fd, &o, out, &d) >= 0);
	fclose(out);
	text[n - 1] = '\0';
	last = strrchr(text, '\n');
	json_t *ret = json_loads(last ? last + 1 : text, 0, NULL);
	assert_non_null(ret);
	if (ret_text)
		*ret_text = text;
	else
		free(text);
	return ret;
}

static struct log_keys keys_of(const struct log_dir *l)
{
	struct log_keys keys = { 0 };
	struct diag d = { "" };

	assert_int_equal(log_keys_own(&keys, l->fd, &d), 0);
	return keys;
}

static void check_verdict(
	const struct log_dir *l, const struct log_keys *keys, const char *word, json_int_t covered, json_int_t records)
{
	json_t *v = verdict(l, keys, true, NULL);

	assert_string_equal(text_of(v, "verdict"), word);
	assert_int_equal(number_of(v, "covered"), covered);
	assert_int_equal(number_of(v, "records"), records);
	json_decref(v);
}

static void what_is_signed_is_covered_and_what_follows_is_a_tail(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	_cleanup_log_keys_ struct log_keys keys = keys_of(l);
	struct audit *a = signed_session(l, &k);
	struct diag d;

	session_call(a, "x");
	check_verdict(l, &keys, "whole", 0, 2);
	assert_int_equal(audit_checkpoint(a, &d), 0);
	check_verdict(l, &keys, "whole", 3, 3);
	session_call(a, "x");
	session_call(a, "x");
	_cleanup_free_ char *text = NULL;
	json_decref(verdict(l, &keys, true, &text));
	assert_non_null(strstr(text, "unsigned tail"));
	assert_non_null(strstr(text, "2 in all"));
	check_verdict(l, &keys, "whole", 3, 5);
	session_close(a);
	check_verdict(l, &keys, "whole", 6, 6);
}

/* The signature of one session's close covers, by the index, those of others that were noted before it. */
static void a_signature_in_the_index_covers_the_heads_before_it(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	_cleanup_log_keys_ struct log_keys keys = keys_of(l);

	session_close(session_open(l, "before the key", 0));
	struct audit *open = signed_session(l, &k);
	check_verdict(l, &keys, "damaged", 0, 3); /* nothing is signed yet, although a session was closed */
	session_close(signed_session(l, &k));
	check_verdict(l, &keys, "whole", 5, 5);
	session_close(open);
}

static void every_digit_of_a_signature_counts(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	_cleanup_log_keys_ struct log_keys keys = keys_of(l);
	_cleanup_buf_ struct buf b;
	char name[256];

	session_close(signed_session(l, &k));
	assert_true(session_file(l, 0, name));
	file_read(l, name, &b);
	char *sig = strstr(b.data, "\"sig\":\"") + 7;
	char *end = strrchr(b.data, '\n'), *line = memrchr(b.data, '\n', (size_t)(end - b.data)) + 1;
	for (size_t i = 0; i < RECORD_SIG_HEX; i++) {
		char digit = sig[i];
		sig[i] = digit == '0' ? '1' : '0';
		/* With a hash that is right, so that the signature alone is wrong. */
		char hash[RECORD_HASH_HEX + 1];
		assert_true(record_line_hash(line, (size_t)(end - line), hash));
		memcpy(end - 2 - RECORD_HASH_HEX, hash, RECORD_HASH_HEX);
		file_write(l, name, b.data, b.len);
		_cleanup_free_ char *text = NULL;
		json_decref(verdict(l, &keys, true, &text));
		assert_non_null(strstr(text, "\"forged\""));
		sig[i] = digit;
	}
}

static void a_key_that_others_can_read_signs_nothing(void **state)
{
	const struct log_dir *l = *state;
	struct log_key k = key_of(l);
	struct diag d = { "" };

	assert_int_equal(fchmodat(l->fd, LOG_KEY_FILE, 0640, 0), 0);
	assert_int_equal(log_key_load(l->fd, &k, &d), -EPERM);
	assert_non_null(strstr(d.text, "can be reached by others"));
}

static void a_replaced_key_stays_known_by_its_public_half(void **state)
{
	const struct log_dir *l = *state;
	struct log_key old = key_of(l), now;
	struct diag d = { "" };

	session_close(signed_session(l, &old));
	log_key_make(&now);
	assert_int_equal(log_key_replace(l->fd, &old, &now, &d), 0);
	struct log_key again = key_of(l);
	assert_string_equal(again.id, now.id);
	session_close(signed_session(l, &again));
	_cleanup_log_keys_ struct log_keys keys = keys_of(l);
	assert_int_equal(keys.n, 2);
	assert_string_equal(keys.v[0].id, now.id);
	check_verdict(l, &keys, "whole", 4, 4);
	_cleanup_buf_ struct buf b;
	char path[sizeof LOG_KEYS_DIR + 32];
	snprintf(path, sizeof path, LOG_KEYS_DIR "/%s.pub", old.id);
	file_read(l, path, &b);
	char seed[65];
	sodium_bin2hex(seed, sizeof seed, old.secret, 32);
	assert_null(strstr(b.data, seed));
	assert_int_equal(unlinkat(l->fd, path, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, log_dir_setup, log_dir_teardown)
		T(a_key_is_made_once_and_read_again),
		T(two_that_make_a_key_at_once_get_the_same),
		T(the_key_is_the_one_that_the_rfc_has_for_its_seed),
		T(what_is_signed_is_covered_and_what_follows_is_a_tail),
		T(a_signature_in_the_index_covers_the_heads_before_it),
		T(every_digit_of_a_signature_counts),
		T(a_key_that_others_can_read_signs_nothing),
		T(a_replaced_key_stays_known_by_its_public_half),
#undef T
	};

	return cmocka_run_group_tests_name("audit_signed", tests, NULL, NULL);
}
