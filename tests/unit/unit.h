/* SPDX-License-Identifier: Apache-2.0 */
/* unit - cmocka and what it needs first, in the order it wants */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
