/* SPDX-License-Identifier: Apache-2.0 */
/* role - tripwire: the log is written and read by `stockade` and its collector, and by no other program */
#pragma once
#if defined(STOCKADE_ROLE_ENTER) || defined(STOCKADE_ROLE_SHIM) || defined(STOCKADE_ROLE_GATEWAY) ||                   \
	defined(STOCKADE_ROLE_DIAL) || defined(STOCKADE_ROLE_FETCH)
#error "audit headers are not for other programs"
#endif
