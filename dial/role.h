/* SPDX-License-Identifier: Apache-2.0 */
/* role - tripwire: a file that includes this belongs to `stockade-dial` and to no other program */
#pragma once
#if defined(STOCKADE_ROLE_SUPERVISOR) || defined(STOCKADE_ROLE_ENTER) || defined(STOCKADE_ROLE_SHIM) ||                \
	defined(STOCKADE_ROLE_GATEWAY) || defined(STOCKADE_ROLE_FETCH) || defined(STOCKADE_ROLE_COLLECTOR)
#error "dial headers are not for other programs"
#endif
#ifndef STOCKADE_ROLE_DIAL
#define STOCKADE_ROLE_DIAL 1
#endif
