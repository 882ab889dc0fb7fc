/* SPDX-License-Identifier: Apache-2.0 */
/* role - tripwire: a file that includes this belongs to `stockade-inventory` and to no other program */
#pragma once
#if defined(STOCKADE_ROLE_SUPERVISOR) || defined(STOCKADE_ROLE_ENTER) || defined(STOCKADE_ROLE_SHIM) ||                \
	defined(STOCKADE_ROLE_GATEWAY) || defined(STOCKADE_ROLE_DIAL)
#error "inventory headers are not for other programs"
#endif
#ifndef STOCKADE_ROLE_INVENTORY
#define STOCKADE_ROLE_INVENTORY 1
#endif
