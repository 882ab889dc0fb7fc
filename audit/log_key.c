/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_key - the key of an installation, and the public keys that check what it signed
 *
 * Process:  supervisor, collector
 */
#include "audit/log_key.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/io.h"
#include "base/text.h"

/* Before what is signed, so that a signature by this key can be taken for nothing but one of a record. */
static const char context[] = "stockade-audit-1 ";
static const char secret_words[] = "stockade-audit-secret 1 ";

enum {
	SEED_HEX = 2 * crypto_sign_SEEDBYTES,
	SECRET_FILE_MAX = 256,
	SHOWN = 300,
	SIGNED_LEN = sizeof context - 1 + RECORD_HASH_HEX
};

_Static_assert((int)LOG_KEY_PUBLIC_LEN == (int)crypto_sign_PUBLICKEYBYTES, "libsodium's Ed25519");
_Static_assert((int)LOG_KEY_SECRET_LEN == (int)crypto_sign_SECRETKEYBYTES, "libsodium's Ed25519");
_Static_assert((int)RECORD_SIG_HEX == 2 * (int)crypto_sign_BYTES, "libsodium's Ed25519");

static void id_of(const unsigned char public[LOG_KEY_PUBLIC_LEN], char ret[RECORD_KEY_HEX + 1])
{
	char hash[RECORD_HASH_HEX + 1];

	record_hash(public, LOG_KEY_PUBLIC_LEN, hash);
	memcpy(ret, hash, RECORD_KEY_HEX);
	ret[RECORD_KEY_HEX] = '\0';
}

static bool from_hex(const char *hex, size_t n, unsigned char *ret)
{
	size_t len = 0;
	const char *end = NULL;

	return strspn(hex, "0123456789abcdef") >= 2 * n && sodium_hex2bin(ret, n, hex, 2 * n, NULL, &len, &end) == 0 &&
	       len == n;
}

static void from_seed(const unsigned char seed[crypto_sign_SEEDBYTES], struct log_key *ret)
{
	(void)crypto_sign_seed_keypair(ret->public, ret->secret, seed);
	id_of(ret->public, ret->id);
}

void log_key_make(struct log_key *ret)
{
	unsigned char seed[crypto_sign_SEEDBYTES];

	randombytes_buf(seed, sizeof seed);
	from_seed(seed, ret);
	sodium_memzero(seed, sizeof seed);
}

void log_key_done(struct log_key *k)
{
	sodium_memzero(k, sizeof *k);
}

static int refuse(struct diag *d, int error, const char *words)
{
	return diag_fail(d, error,
		"the key that signs the audit log cannot be used: " LOG_KEY_FILE
		" %s; nothing runs unrecorded. Put it back from a copy, or move it away: then a new one is made, and "
		"what it "
		"signs is known by its own public key alone ('stockade audit key')",
		words);
}

static int check_file(int fd, struct diag *d)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(d, -errno, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(d, -EINVAL, "is not a regular file");
	if (st.st_uid != geteuid())
		return refuse(d, -EPERM, "belongs to another user");
	if (st.st_mode & 077)
		return refuse(d, -EPERM, "can be reached by others, who can then sign as this installation");
	return 0;
}

int log_key_load(int dirfd, struct log_key *ret, struct diag *d)
{
	_cleanup_close_ int fd = openat(dirfd, LOG_KEY_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	unsigned char seed[crypto_sign_SEEDBYTES];
	char text[SECRET_FILE_MAX];
	size_t at = sizeof secret_words - 1;
	ssize_t n;
	int r;

	*ret = (struct log_key){ "" };
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0)
		return refuse(d, -errno, errno == ELOOP ? "is a symbolic link" : strerror(errno));
	r = check_file(fd, d);
	if (r < 0)
		return r;
	n = read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	if (n != (ssize_t)(at + SEED_HEX + 1) || memcmp(text, secret_words, at) != 0 ||
		!from_hex(text + at, sizeof seed, seed) || text[n - 1] != '\n')
		r = refuse(d, -EINVAL, "holds no key");
	else
		from_seed(seed, ret);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(text, sizeof text);
	return r;
}

static void secret_text(const struct log_key *k, char ret[SECRET_FILE_MAX])
{
	unsigned char seed[crypto_sign_SEEDBYTES];
	char hex[SEED_HEX + 1];

	(void)crypto_sign_ed25519_sk_to_seed(seed, k->secret);
	(void)sodium_bin2hex(hex, sizeof hex, seed, sizeof seed);
	(void)snprintf(ret, SECRET_FILE_MAX, "%s%s\n", secret_words, hex);
	sodium_memzero(seed, sizeof seed);
	sodium_memzero(hex, sizeof hex);
}

/* Under a name of its own first, then linked: the file is never there in part, and whoever comes second finds it. */
static int put_first(int dirfd, const struct log_key *k, struct diag *d)
{
	char name[64], text[SECRET_FILE_MAX];
	_cleanup_close_ int fd = -1;
	int r = 0;

	(void)snprintf(name, sizeof name, ".%s.%s", LOG_KEY_FILE, k->id);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return diag_fail(d, -errno,
			"the key that signs the audit log cannot be made: %s; nothing runs unrecorded",
			strerror(errno));
	secret_text(k, text);
	r = io_write_full(fd, text, strlen(text));
	sodium_memzero(text, sizeof text);
	if (r == 0 && (fsync(fd) < 0 || linkat(dirfd, name, dirfd, LOG_KEY_FILE, 0) < 0) && errno != EEXIST)
		r = -errno;
	(void)unlinkat(dirfd, name, 0);
	return r < 0 ? diag_fail(d, r, "the key that signs the audit log cannot be made: %s; nothing runs unrecorded",
			       strerror(-r))
		     : 0;
}

int log_key_take(int dirfd, struct log_key *ret, struct diag *d)
{
	int r;

	if (sodium_init() < 0)
		return diag_fail(d, -EIO, "libsodium cannot be initialised, so nothing can be recorded");
	r = log_key_load(dirfd, ret, d);
	if (r != -ENOENT)
		return r;
	_cleanup_log_key_ struct log_key made = { "" };
	log_key_make(&made);
	r = put_first(dirfd, &made, d);
	if (r < 0)
		return r;
	r = log_key_load(dirfd, ret, d);
	return r == -ENOENT ? refuse(d, r, "was removed as soon as it was made") : r;
}

struct log_public log_key_public(const struct log_key *k)
{
	struct log_public p;

	memcpy(p.id, k->id, sizeof p.id);
	memcpy(p.key, k->public, sizeof p.key);
	return p;
}

void log_key_line(const struct log_public *p, char ret[LOG_KEY_LINE_MAX])
{
	char hex[2 * LOG_KEY_PUBLIC_LEN + 1];

	(void)sodium_bin2hex(hex, sizeof hex, p->key, sizeof p->key);
	(void)snprintf(ret, LOG_KEY_LINE_MAX, LOG_KEY_WORDS "%s %s", p->id, hex);
}

int log_key_replace(int dirfd, const struct log_key *old, const struct log_key *now, struct diag *d)
{
	struct log_public public = log_key_public(old);
	char line[LOG_KEY_LINE_MAX + 2], name[RECORD_KEY_HEX + 8], text[SECRET_FILE_MAX];
	int r;

	if (mkdirat(dirfd, LOG_KEYS_DIR, 0700) < 0 && errno != EEXIST)
		return diag_fail(d, -errno, LOG_KEYS_DIR " cannot be made: %s", strerror(errno));
	_cleanup_close_ int dir = openat(dirfd, LOG_KEYS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return diag_fail(d, -errno, LOG_KEYS_DIR " cannot be opened: %s", strerror(errno));
	log_key_line(&public, line);
	line[strlen(line) + 1] = '\0';
	line[strlen(line)] = '\n';
	(void)snprintf(name, sizeof name, "%s.pub", public.id);
	r = fs_write_atomic(dir, name, line, strlen(line), 0644, d);
	if (r < 0)
		return r;
	secret_text(now, text);
	r = fs_write_atomic(dirfd, LOG_KEY_FILE, text, strlen(text), 0600, d);
	sodium_memzero(text, sizeof text);
	return r;
}

static void signed_bytes(const char *hash, unsigned char ret[SIGNED_LEN])
{
	memcpy(ret, context, sizeof context - 1);
	memcpy(ret + sizeof context - 1, hash, RECORD_HASH_HEX);
}

void log_key_sign(const struct log_key *k, const char hash[RECORD_HASH_HEX + 1], char ret[RECORD_SIG_HEX + 1])
{
	unsigned char bytes[SIGNED_LEN], sig[crypto_sign_BYTES];

	signed_bytes(hash, bytes);
	(void)crypto_sign_detached(sig, NULL, bytes, sizeof bytes, k->secret);
	(void)sodium_bin2hex(ret, RECORD_SIG_HEX + 1, sig, sizeof sig);
}

bool log_key_check(const struct log_public *p, const char *hash, const char *sig)
{
	unsigned char bytes[SIGNED_LEN], raw[crypto_sign_BYTES];

	signed_bytes(hash, bytes);
	return from_hex(sig, sizeof raw, raw) && crypto_sign_verify_detached(raw, bytes, sizeof bytes, p->key) == 0;
}

const struct log_public *log_keys_find(const struct log_keys *k, const char *id)
{
	for (size_t i = 0; i < k->n; i++) {
		if (memcmp(k->v[i].id, id, RECORD_KEY_HEX) == 0)
			return &k->v[i];
	}
	return NULL;
}

static int add(struct log_keys *k, const struct log_public *p)
{
	if (log_keys_find(k, p->id))
		return 0;
	if (k->n == LOG_KEYS_MAX)
		return -E2BIG;
	if (GROW(k->v, k->n, k->room) < 0)
		return -ENOMEM;
	k->v[k->n++] = *p;
	return 0;
}

/* One line: false when it is no public key. */
static bool parse_line(const char *line, struct log_public *ret)
{
	size_t at = sizeof(LOG_KEY_WORDS) - 1;
	char id[RECORD_KEY_HEX + 1];

	if (strlen(line) < at + RECORD_KEY_HEX + 1 + 2 * LOG_KEY_PUBLIC_LEN || memcmp(line, LOG_KEY_WORDS, at) != 0)
		return false;
	memcpy(ret->id, line + at, RECORD_KEY_HEX);
	ret->id[RECORD_KEY_HEX] = '\0';
	at += RECORD_KEY_HEX;
	if (line[at] != ' ' || !from_hex(line + at + 1, LOG_KEY_PUBLIC_LEN, ret->key))
		return false;
	at += 1 + 2 * LOG_KEY_PUBLIC_LEN;
	/* Words after it are for people: whose key it is. */
	if (line[at] != '\0' && line[at] != ' ')
		return false;
	id_of(ret->key, id);
	return strcmp(id, ret->id) == 0;
}

static int add_text(struct log_keys *k, const char *name, char *text, struct diag *d)
{
	char shown[SHOWN], *rest = text, *line;
	struct log_public p;
	unsigned number = 0;

	while ((line = strsep(&rest, "\n"))) {
		number++;
		if (*line == '\0' || *line == '#')
			continue;
		if (!parse_line(line, &p))
			return diag_fail(d, -EINVAL,
				"%s:%u: this is no public key of an audit log; 'stockade audit key' prints one as "
				"\"" LOG_KEY_WORDS "ID PUBLIC\"",
				text_escape_str(name, shown, sizeof shown), number);
		int r = add(k, &p);
		if (r < 0)
			return diag_fail(d, r, "%s:%u: more than %d keys", text_escape_str(name, shown, sizeof shown),
				number, LOG_KEYS_MAX);
	}
	return 0;
}

static int read_file(struct log_keys *k, int dirfd, const char *name, struct diag *d)
{
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_buf_ struct buf b = BUF_INIT(LOG_KEY_FILE_MAX);
	char shown[SHOWN];
	int r = fd < 0 ? -errno : io_read_all(fd, &b);

	if (r < 0)
		return diag_fail(
			d, r, "%s cannot be read: %s", text_escape_str(name, shown, sizeof shown), strerror(-r));
	return b.data ? add_text(k, name, b.data, d) : 0;
}

static int read_dir(struct log_keys *k, int fd, struct diag *d)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *e;
	int r = fs_list(fd, &dir);

	while (r == 0 && (e = readdir(dir))) {
		size_t n = strlen(e->d_name);
		if (n > 4 && strcmp(e->d_name + n - 4, ".pub") == 0)
			r = read_file(k, fd, e->d_name, d);
	}
	return r;
}

int log_keys_read(struct log_keys *k, const char *path, struct diag *d)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char shown[SHOWN];
	struct stat st;
	size_t before = k->n;
	int r;

	if (sodium_init() < 0)
		return diag_fail(d, -EIO, "libsodium cannot be initialised");
	text_escape_str(path, shown, sizeof shown);
	if (fd < 0 || fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "%s cannot be opened: %s", shown, strerror(errno));
	r = S_ISDIR(st.st_mode) ? read_dir(k, fd, d) : read_file(k, AT_FDCWD, path, d);
	if (r == 0 && k->n == before)
		return diag_fail(d, -ENOENT, "%s holds no public key%s", shown,
			S_ISDIR(st.st_mode) ? ": none of its files ends in .pub" : "");
	return r;
}

int log_keys_own(struct log_keys *k, int dirfd, struct diag *d)
{
	_cleanup_log_key_ struct log_key own = { "" };
	int r = sodium_init() < 0 ? diag_fail(d, -EIO, "libsodium cannot be initialised")
				  : log_key_load(dirfd, &own, d);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		struct log_public p = log_key_public(&own);
		r = add(k, &p);
		if (r < 0)
			return r;
	}
	_cleanup_close_ int dir = openat(dirfd, LOG_KEYS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return dir < 0 ? 0 : read_dir(k, dir, d);
}

int log_keys_publish(const struct log_keys *k, int dirfd, const char *name, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(LOG_KEY_FILE_MAX);
	char line[LOG_KEY_LINE_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < k->n; i++) {
		log_key_line(&k->v[i], line);
		r = buf_printf(&b, "%s%s\n", line, i == 0 ? "" : " before");
	}
	return r < 0 ? r : fs_write_atomic(dirfd, name, b.data ? b.data : "", b.len, 0644, d);
}

void log_keys_done(struct log_keys *k)
{
	free(k->v);
	*k = (struct log_keys){ 0 };
}
