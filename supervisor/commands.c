/* SPDX-License-Identifier: Apache-2.0 */
/* commands - see commands.h */
#include "supervisor/commands.h"

const struct command_row *const commands[] = {
	&cmd_run,
	&cmd_approve,
	&cmd_approvals,
	&cmd_approvals_revoke,
	&cmd_check,
	&cmd_pin,
	&cmd_diff,
	&cmd_grant,
	&cmd_grants,
	&cmd_grants_end,
	&cmd_ps,
	&cmd_stop,
	&cmd_kill,
	&cmd_restore,
	&cmd_kills,
	&cmd_key_new,
	&cmd_profile_lint,
	&cmd_profile_sign,
	&cmd_profile_verify,
	&cmd_bundle_new,
	&cmd_bundle_show,
	&cmd_sync,
	&cmd_policy_show,
	&cmd_policy_lint,
	&cmd_policy_test,
	&cmd_audit_show,
	&cmd_audit_verify,
	&cmd_audit_key,
	&cmd_audit_prune,
	&cmd_audit_export,
	&cmd_inventory,
	&cmd_doctor,
};
const size_t commands_n = ARRAY_LEN(commands);
