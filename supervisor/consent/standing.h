/* SPDX-License-Identifier: Apache-2.0 */
/*
 * standing - which approval lets a launch start without a question, if one does
 *
 * Process:  supervisor
 * Returns:  CONSENT_APPROVED with ret filled, CONSENT_UNKNOWN, -errno with words
 *
 * In this order: the policy's own (granted.h), root's (admin.h), the user's through a channel that counts. What came
 * through another is kept, and approves nothing: a later answer stands in its place.
 */
#pragma once
#include "supervisor/consent.h"

int consent_standing(
	const struct paths *p, const struct effective *e, struct approval *ret, struct diag *d) _must_check_;
/* An approval that is in no file: id and channel of ret. -ENOMEM. */
int consent_note(const struct effective *e, const char *channel, struct approval *ret) _must_check_;
