/* SPDX-License-Identifier: Apache-2.0 */
/* replay - every file of a corpus through one target, so that what was found once is tried in every run */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include "base/io.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 32 << 20 };

static int replay(int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf b = BUF_INIT(INPUT_MAX);
	int r = fd < 0 ? -errno : io_read_all(fd, &b);

	if (r < 0) {
		fprintf(stderr, "%s: %s\n", name, strerror(-r));
		return r;
	}
	LLVMFuzzerTestOneInput((const uint8_t *)(b.data ? b.data : ""), b.len);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_closedir_ DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	const struct dirent *e;
	unsigned n = 0;

	if (!dir) {
		fprintf(stderr, "usage: replay DIRECTORY (of a corpus)\n");
		return 2;
	}
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		if (replay(dirfd(dir), e->d_name) < 0)
			return 1;
		n++;
	}
	printf("%sok 1 - %u inputs replayed\n", n ? "" : "not ", n);
	return n ? 0 : 1;
}
