/* SPDX-License-Identifier: Apache-2.0 */
/* landlock - see landlock.h */
#include "base/landlock.h"
#include <errno.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h of Debian 12 ends at ABI 2; the rest is from the kernel's include/uapi/linux/landlock.h of 6.12. */
#define FS_EXECUTE	(1ULL << 0)
#define FS_WRITE_FILE	(1ULL << 1)
#define FS_READ_FILE	(1ULL << 2)
#define FS_TRUNCATE	(1ULL << 14)
#define FS_IOCTL_DEV	(1ULL << 15)
#define FS_FILE_RIGHTS	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define RULE_NET_PORT	2
#define FS_RIGHTS(bits) ((1ULL << (bits)) - 1)

static const struct {
	int abi;
	struct landlock_attr attr;
} known[] = {
	{ 1, { .fs = FS_RIGHTS(13) } }, { 2, { .fs = FS_RIGHTS(14) } }, /* REFER */
	{ 3, { .fs = FS_RIGHTS(15) } },					/* TRUNCATE */
	{ 4, { .fs = FS_RIGHTS(15), .net = 3 } },			/* BIND_TCP, CONNECT_TCP */
	{ 5, { .fs = FS_RIGHTS(16), .net = 3 } },			/* IOCTL_DEV */
	{ 6, { .fs = FS_RIGHTS(16), .net = 3, .scope = 3 } },		/* ABSTRACT_UNIX_SOCKET, SIGNAL */
};

struct landlock_attr landlock_all(int abi)
{
	struct landlock_attr all = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].abi <= abi)
			all = known[i].attr;
	return all;
}

const char *landlock_brought(int abi)
{
	static const char *const words[] = {
		[2] = "moving files between directories",
		[3] = "cutting files short",
		[4] = "TCP ports (which ones the program that dials can connect to)",
		[5] = "ioctl on devices",
		[6] = "signals and abstract unix sockets outside",
	};
	_Static_assert(ARRAY_LEN(words) == LANDLOCK_ABI_KNOWN + 1, "words for every ABI");

	return abi > 0 && abi <= LANDLOCK_ABI_KNOWN ? words[abi] : NULL;
}

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi >= 1)
		return (int)abi;
	return abi < 0 && errno != ENOSYS ? -errno : -EOPNOTSUPP;
}

int landlock_create(const struct landlock_attr *attr, int *ret)
{
	int abi = landlock_abi();
	struct landlock_attr masked, all;
	size_t size;
	long fd;

	if (abi < 0)
		return abi;
	all = landlock_all(abi);
	masked.fs = attr->fs & all.fs;
	masked.net = attr->net & all.net;
	masked.scope = attr->scope & all.scope;
	/* An older kernel takes a longer struct only when what it does not know is zero: it is, by the mask. */
	size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	fd = syscall(SYS_landlock_create_ruleset, &masked, size, 0);
	if (fd < 0)
		return -errno;
	*ret = (int)fd;
	return 0;
}

int landlock_allow_path(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	int abi = landlock_abi();
	struct stat st;

	if (abi < 0)
		return abi;
	if (fstat(fd, &st) < 0)
		return -errno;
	access &= landlock_all(abi).fs;
	if (!S_ISDIR(st.st_mode))
		access &= FS_FILE_RIGHTS;
	rule.allowed_access = access;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		return -errno;
	return 0;
}

int landlock_allow_port(int ruleset, uint16_t port, uint64_t access)
{
	/* struct landlock_net_port_attr and LANDLOCK_RULE_NET_PORT (ABI 4). */
	struct {
		uint64_t allowed_access, port;
	} rule = { access, port };
	int abi = landlock_abi();

	if (abi < 0)
		return abi;
	if ((landlock_all(abi).net & access) == 0)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0 ? -errno : 0;
}

int landlock_restrict(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
