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

/* A launch that nobody has approved yet: the shim answers its client meanwhile. */
struct session_wait {
	struct consent_wait consent;
	const char *words;   /* that it waits, for the client and so perhaps for a model */
	const char *refused; /* that a person said no, for the same */
	/* Why it must not be started at all, for the person, and in a word or two for the log; NULL: somebody is asked.
	 */
	const char *denied, *denied_status;
	const char *unfit; /* that a person said yes to what it is no longer, for the same */
	/* A person said yes: has the plan looked at once more, and says which approval it is and through which channel.
	 */
	int (*approved)(void *launch, const char **ret_approval, const char **ret_channel, struct diag *d);
	void *launch;
};

struct session_args {
	const struct paths *paths;
	const struct effective *effective;
	const struct lineage *lineage;
	const char *approval; /* id */
	const char *channel;
	/* Programs that spawn_session started for this launch already, or NULL: the session takes them over. */
	struct spawned *prepared;
	const struct session_wait *wait; /* NULL: it is approved */
	/* What the launch knows of the bundle's kill entries, for as long as the session lasts; NULL: nothing. */
	struct kill_bundle *kills;
};

int session_run(const struct session_args *a);
/* There is no server: that it was refused (status) is recorded. Returns EXIT_REFUSED. */
int session_refuse(const struct session_args *a, const char *status);
