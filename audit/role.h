/* SPDX-License-Identifier: Apache-2.0 */
/* role - tripwire: the log is written and read by `stockade` and by no other program */
#pragma once
#if defined(STOCKADE_ROLE_ENTER) || defined(STOCKADE_ROLE_SHIM)
#error "audit headers are not for enter or shim"
#endif
