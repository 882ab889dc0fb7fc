/* SPDX-License-Identifier: Apache-2.0 */
/* role - tripwire: a file that includes this belongs to `stockade-fetch` and to no other program */
#pragma once
#if defined(STOCKADE_ROLE_SUPERVISOR) || defined(STOCKADE_ROLE_ENTER) || defined(STOCKADE_ROLE_SHIM) ||                \
	defined(STOCKADE_ROLE_GATEWAY) || defined(STOCKADE_ROLE_DIAL) || defined(STOCKADE_ROLE_COLLECTOR)
#error "fetch headers are not for other programs"
#endif
#ifndef STOCKADE_ROLE_FETCH
#define STOCKADE_ROLE_FETCH 1
#endif
