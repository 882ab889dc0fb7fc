/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - one launch from the approved plan to the exit status
 *
 * Process:  supervisor
 * Returns:  the exit status (supervisor/exit.h)
 */
#pragma once
#include "supervisor/consent.h"
#include "supervisor/effective.h"
#include "supervisor/lineage.h"
#include "supervisor/paths.h"
#include "supervisor/spawn.h"

struct session_args {
	const struct paths *paths;
	const struct effective *effective;
	const struct lineage *lineage;
	const char *approval; /* id */
	const char *channel;
	/* Programs that spawn_session started for this launch already, or NULL: the session takes them over. */
	struct spawned *prepared;
};

int session_run(const struct session_args *a);
/* There is no server: that it was refused (status) is recorded; with words, the client's requests are answered with
 * them until it closes or REFUSE_MS after the first. Returns EXIT_REFUSED. */
int session_refuse(const struct session_args *a, const char *status, const char *words);
