/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grants - what the command line of run, approve and check names
 *
 * Process:  supervisor
 * Owns:     its strings; free with grants_done
 */
#pragma once
#include <stdbool.h>
#include "base/strv.h"
#include "supervisor/role.h"

struct grants {
	char *name;	      /* profile NAME, or NULL */
	char *profile_file;   /* --profile FILE */
	char *cwd;	      /* --cwd */
	struct strv env_pass; /* --env NAME */
	struct strv env_set;  /* --setenv NAME=VALUE */
	struct strv read;     /* --ro */
	struct strv write;    /* --rw */
	struct strv hosts;    /* --host */
	struct strv sets;     /* --set P=V */
	struct strv command;  /* after -- */
	bool writes_pins;     /* a file of pins that the profile names may be missing: this makes it */
};

void grants_done(struct grants *g);
#define _cleanup_grants_ _cleanup_(grants_done)
