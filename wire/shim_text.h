/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_text - what the shim takes out of the text that passes: secrets, personal data, invisible characters
 *
 * Process:  supervisor (writes), shim (reads)
 * Owns:     all strings; free with shim_text_done, which wipes the secrets
 * Limits:   SHIM_SECRETS_MAX values of SHIM_SECRET_BYTES_MIN to SHIM_SECRET_BYTES_MAX bytes, SHIM_SECRETS_BYTES_MAX
 *           together; SHIM_PATTERNS_MAX patterns
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "wire/codec.h"

enum {
	SHIM_SECRETS_MAX = 256,	   /* and what is inside them */
	SHIM_SECRET_BYTES_MIN = 8, /* what is shorter turns up by chance */
	SHIM_SECRET_BYTES_MAX = 16 << 10,
	SHIM_SECRETS_BYTES_MAX = 64 << 10,
	SHIM_PATTERNS_MAX = 64,
};

/* Named sets of personal data. X(enum, name in a profile, words) */
#define SHIM_SETS(X)                                                                                                   \
	X(MAIL, "mail", "mail addresses")                                                                              \
	X(CARD, "card", "card numbers (Luhn)")                                                                         \
	X(IBAN, "iban", "bank accounts (ISO 13616, mod 97)")                                                           \
	X(US_SSN, "us-ssn", "US social security numbers")                                                              \
	X(UK_NINO, "uk-nino", "British national insurance numbers")                                                    \
	X(DE_STEUERID, "de-steuerid", "German tax numbers (ISO 7064)")                                                 \
	X(FR_NIR, "fr-nir", "French social security numbers (mod 97)")                                                 \
	X(ES_DNI, "es-dni", "Spanish identity numbers (check letter)")                                                 \
	X(IT_CF, "it-cf", "Italian tax codes (check letter)")                                                          \
	X(NL_BSN, "nl-bsn", "Dutch citizen numbers (mod 11)")                                                          \
	X(PL_PESEL, "pl-pesel", "Polish identity numbers (check digit)")

enum shim_set {
#define X(name, text, words) SHIM_SET_##name,
	SHIM_SETS(X)
#undef X
		SHIM_SET_COUNT
};

struct shim_secret {
	char *name; /* of the variable */
	char *value;
};

struct shim_pattern {
	char *name;
	char *pattern; /* ECMA-262 */
};

struct shim_text {
	bool pass; /* escape sequences and invisible characters stay */
	struct shim_secret *secrets;
	size_t n_secrets;
	uint32_t sets; /* bits by enum shim_set */
	struct shim_pattern *patterns;
	size_t n_patterns;
};

const char *shim_set_name(enum shim_set set);
const char *shim_set_words(enum shim_set set);
/* Both take a copy of the strings. -E2BIG past the limit. */
int shim_text_add_secret(struct shim_text *t, const char *name, const char *value) _must_check_;
int shim_text_add_pattern(struct shim_text *t, const char *name, const char *pattern) _must_check_;
/* Overwrites the values, once nobody needs them. */
void shim_text_wipe(struct shim_text *t);
void shim_text_done(struct shim_text *t);
void shim_text_put(struct wire_writer *w, const struct shim_text *t);
/* Sets the reader's error for anything out of form. */
void shim_text_get(struct wire_reader *r, struct shim_text *ret);
