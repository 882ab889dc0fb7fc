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

struct session_args {
	const struct paths *paths;
	const struct effective *effective;
	const struct lineage *lineage;
	const char *approval; /* id */
	const char *channel;
};

int session_run(const struct session_args *a);
/* There is no server: the client's requests are answered with the words, once; then it is over. */
void session_refuse(const struct effective *e, const char *words);
