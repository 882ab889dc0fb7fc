/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_event - the record that another key signs from now on
 *
 * Process:  supervisor
 * Returns:  0, -ENOMEM
 */
#pragma once
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include "audit/log_key.h"
#include "supervisor/role.h"
#include "wire/event.h"

/* ret_detail: the public half of the new one; free with json_decref. */
static inline int key_event(const struct log_key *now, struct event *ret, json_t **ret_detail)
{
	struct log_public public = log_key_public(now);
	char line[LOG_KEY_LINE_MAX];

	*ret = (struct event){ .type = EVENT_LOG_KEY, .status = "changed" };
	log_key_line(&public, line);
	*ret_detail = json_pack("{s:s}", "public", line);
	return *ret_detail ? 0 : -ENOMEM;
}
