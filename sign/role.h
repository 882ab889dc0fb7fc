/* SPDX-License-Identifier: Apache-2.0 */
/* role - tripwire: signatures are judged by `stockade`; no program that reads what a server says has libsodium */
#pragma once
#if defined(STOCKADE_ROLE_ENTER) || defined(STOCKADE_ROLE_SHIM) || defined(STOCKADE_ROLE_GATEWAY) ||                   \
	defined(STOCKADE_ROLE_DIAL)
#error "sign headers are for the supervisor alone"
#endif
