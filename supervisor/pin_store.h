/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_store - pin files: the definitions that a person approved, as text that can be shipped and compared
 *
 * Process:  supervisor
 * Owns:     everything in struct pin_set; free with pin_set_done
 * Returns:  0, PIN_NONE, -errno with words
 * Limits:   PIN_FILE_MAX bytes a file; those of wire/definition.h
 *
 * STATE/pins/KEY.pins, 0600, atomic. The same definitions give the same bytes, so that a file can be shipped and
 * compared: no time, no name of a user is in it. The first line is all that a launch has to understand: kinds, names
 * and digests, and the digest of the other lines, which hold the texts for people. A file that is damaged, or is not
 * the user's or root's alone, denies.
 */
#pragma once
#include "base/fs.h"
#include "supervisor/paths.h"
#include "wire/definition.h"
#include "wire/shim_config.h"

enum { PIN_NONE = 1, PIN_FILE_MAX = 64 << 20, PIN_DIGEST_HEX = 65, PIN_KEY_SIZE = 128 };

struct pin_set {
	char *file;			/* where it was read, for messages */
	char *subject;			/* what it is about, as an approval has it */
	char digest[PIN_DIGEST_HEX];	/* BLAKE2b-256 of the file's bytes */
	char *texts;			/* the lines after the first */
	struct definitions definitions; /* without fields, until pin_read_texts */
};

/* The bytes of a file: deterministic, one line a definition. l is sorted. */
int pin_text(const struct definitions *l, const char *subject, struct buf *ret) _must_check_;
/* name stands in messages. */
int pin_parse(const char *name, const char *bytes, size_t n, struct pin_set *ret, struct diag *d) _must_check_;
/* A name as a call writes it, heap: the pins have the inside of its canonical JSON. NULL: out of memory, or one that no
 * call can write. */
char *pin_plain_name(const char *inside);
/* Fills the fields of the definitions. */
int pin_read_texts(struct pin_set *s, struct diag *d) _must_check_;
/* Whoever only enforces them needs no texts; they cannot be read then. */
void pin_drop_texts(struct pin_set *s);
/* The name of the file under STATE/pins, without ".pins": that of the profile, or made of the subject's digest. */
int pin_key(const char *name, const char *subject, char ret[PIN_KEY_SIZE]) _must_check_;
/* The directory of the user's own. */
int pin_open(const struct paths *p, int *ret, struct diag *d) _must_check_;
/* The user's own pins, or PIN_NONE. A set that is about another subject denies. */
int pin_load(
	const struct paths *p, const char *name, const char *subject, struct pin_set *ret, struct diag *d) _must_check_;
/* What a file of that path holds, which its reader trusts; it has to be about that subject. */
int pin_load_bytes(
	const char *path, const struct buf *b, const char *subject, struct pin_set *ret, struct diag *d) _must_check_;
int pin_save(const struct paths *p, const char *name, const char *subject, const struct buf *text,
	struct diag *d) _must_check_;
/* What the shim enforces of it. where: "the pins of 'github'", taken. */
int pin_to_shim(const struct pin_set *s, char *where, struct shim_pins *ret) _must_check_;
void pin_set_done(struct pin_set *s);
#define _cleanup_pin_set_ _cleanup_(pin_set_done)
