/* SPDX-License-Identifier: Apache-2.0 */
/* exit - statuses of `stockade` (design.md, section 2): the server's own, or one of these */
#pragma once
#include "supervisor/role.h"

enum stockade_exit {
	EXIT_OK = 0,
	EXIT_FINDINGS = 1,  /* verify found damage, check found a denial, ... */
	EXIT_USAGE = 2,	    /* bad usage */
	EXIT_REFUSED = 125, /* could not build the sandbox, or was refused */
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};
