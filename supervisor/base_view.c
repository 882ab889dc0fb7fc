/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base_view - see base_view.h; docs/base-view.md is this table in words, and a test compares the two
 *
 * What earns a row: a runtime (Node, Python, Go, .NET, Java, a shell) gives another answer or fails without it. What
 * may hold a secret (/etc/npmrc, /etc/pip.conf, /etc/krb5.conf, /etc/ssl/private), names this machine (machine-id) or
 * can be connected to (/run) has none: whoever needs it names it in a profile.
 */
#include "supervisor/base_view.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fs.h"
#include "base/glob.h"
#include "base/text.h"

enum base_kind {
	BASE_BIND,    /* the host's, read-only; required */
	BASE_BIND_IF, /* the host's, read-only; left out where the host has none */
	BASE_AS_HOST, /* a link where the host has a link into /usr, else a read-only bind; left out where absent */
	BASE_FILE,    /* written by stockade */
	BASE_DIR,
	BASE_PROC,
	BASE_DEV,
	BASE_TMP,
	BASE_SHM,
	BASE_HOME,
};

enum { BASE_TEXT_MAX = 4096, BASE_ETC_MAX = 4096 };

struct base_row {
	enum base_kind kind;
	const char *target; /* '*' in the last component: every such entry of /etc */
	const char *why;
	int (*content)(const struct plan *plan, const struct base_view_args *a, struct buf *b);
};

static const char *host_name(const struct plan *plan)
{
	return plan->hostname ? plan->hostname : "stockade";
}

static int content_passwd(const struct plan *plan, const struct base_view_args *a, struct buf *b)
{
	int r = buf_puts(b, "root:x:0:0:root:/root:/usr/sbin/nologin\n");

	if (r == 0 && a->uid != 65534)
		r = buf_puts(b, "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
	if (r == 0)
		r = buf_printf(b, "%s:x:%u:%u::%s:/bin/sh\n", a->user, a->uid, a->gid, a->home);
	return r;
}

static int content_group(const struct plan *plan, const struct base_view_args *a, struct buf *b)
{
	int r = buf_puts(b, "root:x:0:\n");

	if (r == 0 && a->gid != 65534)
		r = buf_puts(b, "nogroup:x:65534:\n");
	return r < 0 ? r : buf_printf(b, "%s:x:%u:\n", a->user, a->gid);
}

static int content_hostname(const struct plan *plan, const struct base_view_args *a, struct buf *b)
{
	return buf_printf(b, "%s\n", host_name(plan));
}

static int content_hosts(const struct plan *plan, const struct base_view_args *a, struct buf *b)
{
	return buf_printf(
		b, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t%s\n", host_name(plan));
}

/* The address answers "connection refused" at once, where no resolver at all would still mean this one
 * (resolv.conf(5)). musl does not hear that answer, and waits for as long as it is told to: no time. To glibc 0 is 1.
 */
static int content_resolv(const struct plan *plan, const struct base_view_args *a, struct buf *b)
{
	if (a->name_server)
		return buf_printf(b, "nameserver %s\n", a->name_server);
	return buf_puts(b, "nameserver 127.0.0.1\noptions timeout:0 attempts:1\n");
}

static int content_nsswitch(const struct plan *plan, const struct base_view_args *a, struct buf *b)
{
	return buf_puts(b, "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: "
			   "files\nservices: files\n");
}

/* In the order of mounting. */
static const struct base_row base_table[] = {
	{ BASE_BIND, "/usr", "programs, libraries, interpreters and time zones of the distribution" },
	{ BASE_AS_HOST, "/bin", "where scripts look for /bin/sh" },
	{ BASE_AS_HOST, "/sbin", "the other half of /bin" },
	{ BASE_AS_HOST, "/lib", "where programs look for their libraries" },
	{ BASE_AS_HOST, "/lib32", "32-bit libraries of the distribution" },
	{ BASE_AS_HOST, "/lib64", "where programs look for the dynamic loader" },
	{ BASE_AS_HOST, "/libx32", "x32 libraries of the distribution" },
	{ BASE_FILE, "/etc/passwd", "the server's user has a name and a home; no other user is listed",
		content_passwd },
	{ BASE_FILE, "/etc/group", "the server's group has a name; no other group is listed", content_group },
	{ BASE_FILE, "/etc/hostname", "a neutral name instead of this machine's", content_hostname },
	{ BASE_FILE, "/etc/hosts", "localhost and the neutral host name resolve (Java asks for its own name)",
		content_hosts },
	{ BASE_FILE, "/etc/nsswitch.conf", "names are looked up in files, then by DNS; no other service is asked",
		content_nsswitch },
	{ BASE_FILE, "/etc/resolv.conf",
		"names are asked of stockade where hosts are granted, and fail at once where none is; no search domain "
		"of this network shows",
		content_resolv },
	{ BASE_AS_HOST, "/etc/localtime", "local time" },
	{ BASE_BIND_IF, "/etc/timezone", "the name of the time zone (Java, ICU)" },
	{ BASE_AS_HOST, "/etc/os-release", "the distribution's name (.NET, Python and installers ask)" },
	{ BASE_BIND_IF, "/etc/ld.so.cache", "the loader finds libraries without searching" },
	{ BASE_BIND_IF, "/etc/ld-musl-x86_64.path", "the loader's search path where libc is musl" },
	{ BASE_BIND_IF, "/etc/alternatives",
		"Debian's and Fedora's links from /usr/bin to the chosen version (java, awk)" },
	{ BASE_BIND_IF, "/etc/ssl/certs", "certificates of public authorities; never /etc/ssl/private" },
	{ BASE_BIND_IF, "/etc/ssl/cert.pem", "the same as one file" },
	{ BASE_BIND_IF, "/etc/ssl/openssl.cnf", "settings that OpenSSL reads at start" },
	{ BASE_BIND_IF, "/etc/ca-certificates/extracted", "certificates of public authorities (Arch)" },
	{ BASE_BIND_IF, "/etc/pki/ca-trust/extracted", "certificates of public authorities (Fedora)" },
	{ BASE_BIND_IF, "/etc/pki/tls/certs", "certificates of public authorities (Fedora)" },
	{ BASE_BIND_IF, "/etc/pki/tls/cert.pem", "the same as one file (Fedora)" },
	{ BASE_BIND_IF, "/etc/pki/tls/openssl.cnf", "settings that OpenSSL reads at start (Fedora)" },
	{ BASE_BIND_IF, "/etc/crypto-policies", "settings that OpenSSL's and Java's include (Fedora)" },
	{ BASE_BIND_IF, "/etc/java", "Java's settings (Fedora)" },
	{ BASE_BIND_IF, "/etc/java-*", "Java's settings: its files in /usr/lib/jvm are links to here" },
	{ BASE_BIND_IF, "/etc/dotnet", "where .NET is installed" },
	{ BASE_BIND_IF, "/etc/mime.types", "types of files by their names (Python, Go)" },
	{ BASE_BIND_IF, "/etc/services", "names of ports (getaddrinfo)" },
	{ BASE_BIND_IF, "/etc/fonts", "fonts (Java, Chromium)" },
	{ BASE_PROC, "/proc", "the server's own processes; what describes the machine or changes it is masked" },
	{ BASE_DEV, "/dev", "null, zero, full, random, urandom, fd, stdin, stdout and stderr; no terminal" },
	{ BASE_SHM, "/dev/shm", "shared memory of this run, sized (shm_open, Python's multiprocessing)" },
	{ BASE_DIR, "/run", "empty: no socket of the system or the desktop" },
	{ BASE_TMP, "/tmp", "an empty, sized directory of this run" },
	{ BASE_TMP, "/var/tmp", "an empty, sized directory of this run" },
	{ BASE_HOME, NULL, "an empty home of this run, at the usual path" },
};

static bool is_host_row(const struct base_row *row)
{
	return row->kind == BASE_BIND || row->kind == BASE_BIND_IF || row->kind == BASE_AS_HOST;
}

static bool row_matches(const struct base_row *row, const char *target)
{
	if (!row->target)
		return false;
	return glob_match(row->target, target, strlen(target)) && !strchr(target + strcspn(row->target, "*"), '/');
}

/* Opened, identified and bound where it is. The source of a row may itself be a link (NixOS): what it leads to is
 * bound. */
static int add_bind(struct plan *plan, const char *target, bool required, struct diag *d)
{
	_cleanup_close_ int fd = open(target, O_PATH | O_CLOEXEC);
	_cleanup_free_ char *source = NULL;
	struct stat st;
	int r;

	if (fd < 0 && errno == ENOENT && !required)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return diag_fail(d, -errno, "cannot open %s, which every sandbox needs (base view): %s", target,
			strerror(errno));
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return diag_fail(d, -EINVAL,
			"%s is neither a file nor a directory, so it cannot be part of the base view", target);
	r = fs_fd_path(fd, &source);
	if (r < 0)
		return diag_fail(d, r, "cannot name %s of the base view: %s", target, strerror(-r));
	struct plan_mount m = { .kind = PLAN_BIND,
		.source = source,
		.target = (char *)(uintptr_t)target,
		.dev = st.st_dev,
		.ino = st.st_ino,
		.type = st.st_mode & S_IFMT };
	return plan_add_mount(plan, &m);
}

/* Only a link into /usr is repeated as a link: its text means the same inside. */
static bool leads_into_usr(const char *link, const char *text)
{
	if (*text == '/')
		return strncmp(text, "/usr/", 5) == 0 && !strstr(text, "/..");
	/* /bin -> usr/bin, /etc/localtime -> ../usr/share/... */
	if (strrchr(link, '/') != link)
		return strncmp(text, "../usr/", 7) == 0 && !strstr(text + 3, "/..");
	return strncmp(text, "usr/", 4) == 0 && !strstr(text, "/..");
}

static int add_as_host(struct plan *plan, const char *target, struct diag *d)
{
	char text[PATH_MAX];
	ssize_t n = readlink(target, text, sizeof(text));

	if (n < 0 && errno == ENOENT)
		return 0;
	if (n >= 0 && n < (ssize_t)sizeof(text)) {
		text[n] = '\0';
		if (leads_into_usr(target, text)) {
			struct plan_mount m = {
				.kind = PLAN_SYMLINK, .target = (char *)(uintptr_t)target, .content = text
			};
			return plan_add_mount(plan, &m);
		}
	}
	return add_bind(plan, target, false, d);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Every entry of /etc that the pattern names, sorted, so that the plan is the same each time. */
static int add_pattern(struct plan *plan, const char *pattern, struct diag *d)
{
	struct dirent **names = NULL;
	int n = scandir("/etc", &names, NULL, compare_names), r = 0;

	if (n < 0)
		return diag_fail(d, -errno, "cannot list /etc for the base view: %s", strerror(errno));
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof(path), "/etc/%s", names[i]->d_name);
		if (r == 0 && glob_match(pattern, path, strlen(path)))
			r = add_bind(plan, path, false, d);
		free(names[i]);
	}
	free(names);
	return r;
}

static int add_file(struct plan *plan, const struct base_row *row, const struct base_view_args *a)
{
	_cleanup_buf_ struct buf b = BUF_INIT(BASE_TEXT_MAX);
	int r = row->content(plan, a, &b);
	struct plan_mount m = {
		.kind = PLAN_FILE, .target = (char *)(uintptr_t)row->target, .mode = 0444, .content = b.data
	};

	return r < 0 ? r : plan_add_mount(plan, &m);
}

static int add_made(
	struct plan *plan, enum plan_mount_kind kind, const char *target, uint32_t mode, uint64_t size, unsigned flags)
{
	struct plan_mount m = {
		.kind = kind, .target = (char *)(uintptr_t)target, .mode = mode, .size = size, .flags = flags
	};

	return plan_add_mount(plan, &m);
}

static int add_row(struct plan *plan, const struct base_row *row, const struct base_view_args *a, struct diag *d)
{
	switch (row->kind) {
	case BASE_BIND:
		return add_bind(plan, row->target, true, d);
	case BASE_BIND_IF:
		return strchr(row->target, '*') ? add_pattern(plan, row->target, d)
						: add_bind(plan, row->target, false, d);
	case BASE_AS_HOST:
		return add_as_host(plan, row->target, d);
	case BASE_FILE:
		return add_file(plan, row, a);
	case BASE_DIR:
		return add_made(plan, PLAN_DIR, row->target, 0755, 0, 0);
	case BASE_PROC:
		return add_made(plan, PLAN_PROC, row->target, 0, 0, 0);
	case BASE_DEV:
		return add_made(plan, PLAN_DEV, row->target, 0, 0, 0);
	case BASE_TMP:
		return add_made(plan, PLAN_TMPFS, row->target, 01777, a->tmp_size, PLAN_WRITE);
	case BASE_SHM:
		return add_made(plan, PLAN_TMPFS, row->target, 01777, a->tmp_size, PLAN_WRITE | PLAN_NOEXEC);
	case BASE_HOME:
		return add_made(plan, PLAN_TMPFS, a->home, 0700, a->tmp_size, PLAN_WRITE);
	}
	return -EINVAL;
}

/* passwd(5) has no way to quote; and a home over a directory of the base view would hide it. */
static int check_args(const struct base_view_args *a, struct diag *d)
{
	char shown[512];

	if (!*a->user || strpbrk(a->user, ":\n,") || strpbrk(a->home, ":\n"))
		return diag_fail(d, -EINVAL,
			"the user's name or home directory holds a colon, a comma or a line break, which passwd(5) "
			"cannot express");
	for (size_t i = 0; i < ARRAY_LEN(base_table); i++)
		if (base_table[i].target && fs_path_within(base_table[i].target, a->home))
			return diag_fail(d, -EINVAL,
				"the home directory %s would hide %s of the base view; give the user a home of its own",
				text_escape_str(a->home, shown, sizeof(shown)), base_table[i].target);
	return 0;
}

int base_view_add(struct plan *plan, const struct base_view_args *a, struct diag *d)
{
	int r = check_args(a, d);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(base_table); i++) {
		r = add_row(plan, &base_table[i], a, d);
		if (r == -ENOMEM || r == -E2BIG)
			r = diag_fail(d, r, "cannot lay out the base view: %s", strerror(-r));
	}
	return r;
}

const char *base_view_why(const char *target)
{
	for (size_t i = 0; i < ARRAY_LEN(base_table); i++)
		if (row_matches(&base_table[i], target))
			return base_table[i].why;
	return NULL;
}

size_t base_view_rows(void)
{
	return ARRAY_LEN(base_table);
}

bool base_view_covers(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(base_table); i++) {
		const struct base_row *row = &base_table[i];
		if (!is_host_row(row))
			continue;
		if (!strchr(row->target, '*') ? fs_path_within(path, row->target)
					      : strncmp(path, row->target, strcspn(row->target, "*")) == 0)
			return true;
	}
	return false;
}
