/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity - whom the server runs as: the caller, or, when root starts it, the dedicated user
 *
 * Process:  supervisor
 * Returns:  0, -EPERM with how to make the user
 */
#pragma once
#include <stdbool.h>
#include "supervisor/paths.h"

#define IDENTITY_USER "_stockade"

struct identity {
	uid_t uid;
	gid_t gid;
	bool drop_root;
	char login[33];
};

int identity_find(const struct paths *p, struct identity *ret, struct diag *d) _must_check_;
/* May that user read (and, for directories, search) what is open as fd? By owner and mode, as the kernel would without
 * capabilities: 0, -EACCES. Used when root starts: paths are opened as root, so the path to it is no obstacle. */
int identity_may_read(const struct identity *id, int fd, bool write) _must_check_;
