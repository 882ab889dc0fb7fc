/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz - what libFuzzer and replay.c call: one input; abort(3) for a broken promise */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
