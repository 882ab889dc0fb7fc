/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_audit - a log file of any bytes: read line by line, from its end, shown, and its signatures and keys looked at
 *
 * Aborts when what is promised does not hold: a control byte on the screen, a line that is longer than the limit, a
 * record that is good to one reader and not to the other.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "audit/line.h"
#include "audit/log_key.h"
#include "audit/show.h"
#include "audit/tail.h"
#include "tests/fuzz/fuzz.h"

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_shown(const struct line *l)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	require(out != NULL);
	require(show_text(l, false, out) == 0);
	(void)fclose(out);
	for (size_t i = 0; i + 1 < n; i++)
		require((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
	require(n > 0 && text[n - 1] == '\n');
	free(text);
}

/* A signature is where the format has it, or nowhere; one that no key made is good by none. */
static void check_signed(const char *text, size_t n)
{
	static const struct log_public key = { .id = "0000000000000000" };
	char hash[RECORD_HASH_HEX + 1], sig_text[RECORD_SIG_HEX + 1];
	const char *id, *sig, *prev, *own;

	if (!record_line_signature(text, n, &id, &sig, hash))
		return;
	require(record_line_links(text, n, &prev, &own));
	require(id > text && sig == id + RECORD_KEY_HEX + 9 && sig + RECORD_SIG_HEX + 10 == prev &&
		own + RECORD_HASH_HEX + 2 == text + n);
	require(strlen(hash) == RECORD_HASH_HEX && strspn(sig, "0123456789abcdef") >= RECORD_SIG_HEX);
	memcpy(sig_text, sig, RECORD_SIG_HEX);
	sig_text[RECORD_SIG_HEX] = '\0';
	require(!log_key_check(&key, hash, sig_text));
}

/* The same bytes as a file of public keys: each that is taken has the id of its bytes. */
static void check_keys(const uint8_t *data, size_t size)
{
	_cleanup_log_keys_ struct log_keys keys = { 0 };
	int fd = memfd_create("keys", MFD_CLOEXEC);
	char path[64], line[LOG_KEY_LINE_MAX];
	struct diag d = { "" };

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (log_keys_read(&keys, path, &d) == 0)
		require(keys.n > 0 && keys.n <= LOG_KEYS_MAX);
	for (size_t i = 0; i < keys.n; i++) {
		char hash[RECORD_HASH_HEX + 1];
		record_hash(keys.v[i].key, sizeof keys.v[i].key, hash);
		require(strncmp(hash, keys.v[i].id, RECORD_KEY_HEX) == 0);
		log_key_line(&keys.v[i], line);
	}
	close(fd);
}

static size_t read_forward(int fd)
{
	_cleanup_reader_ struct reader r = READER_INIT(fd);
	const char *text;
	size_t n, good = 0;
	int outcome;

	while ((outcome = reader_next(&r, &text, &n)) > 0) {
		_cleanup_line_ struct line l = { 0 };
		if (outcome == READER_TOO_LONG)
			continue;
		require(n <= AUDIT_RECORD_MAX);
		check_signed(text, n);
		if (line_parse(text, n, &l) != LINE_OK)
			continue;
		check_shown(&l);
		good += l.hash_ok;
	}
	require(outcome == READER_END);
	(void)reader_rest(&r, &text);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	_cleanup_tail_ struct tail t = { 0 };

	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	require(tail_read(fd, size + 1, &t) == 0);
	for (size_t i = 0; i < t.n_lines; i++) {
		require(t.lines[i].text >= t.bytes && t.lines[i].text + t.lines[i].len <= t.bytes + size);
		(void)tail_names(&t, t.lines[i].hash);
	}
	check_keys(data, size);
	/* The reader takes the descriptor. A writer goes on after a line by its links and hash alone, a reader wants
	 * more. */
	size_t good = read_forward(fd);
	require(good <= t.n_lines || t.n_lines == TAIL_LINES_MAX);
	return 0;
}
