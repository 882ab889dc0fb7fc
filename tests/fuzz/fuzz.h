/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz - what libFuzzer and replay.c call: one input; abort(3) for a broken promise */
#pragma once
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	abort();
}

/* Of a refusal: some, in one line that is fit for a terminal. */
static inline void check_words(const char *text)
{
	must(*text != '\0', "a refusal without words");
	for (; *text; text++)
		must((unsigned char)*text >= 0x20 && *text != 0x7f, "words that hold a control character");
}
