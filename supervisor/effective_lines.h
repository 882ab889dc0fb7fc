/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effective_lines - what a person is told of a launch, one line a thing (effective.h)
 *
 * Process:  supervisor
 * Returns:  0, -ENOMEM
 */
#pragma once
#include "supervisor/effective.h"
#include "supervisor/filesystem.h"

enum { EFFECTIVE_SIZE_WORDS = 40 };

/* Between the words of a value that names code. */
#define EFFECTIVE_CODE_SEPARATORS " \t\n:;,=@\"'"
/* Has it words that name code though they are no absolute path? */
bool effective_names_code_relatively(const char *variable) _must_check_;
/* Bytes in the units that a profile is written in, where that loses nothing. */
const char *effective_size_words(uint64_t bytes, char ret[EFFECTIVE_SIZE_WORDS]);
int effective_add_line(struct effective *e, enum effective_kind kind, unsigned danger, const char *where,
	const char *fmt, ...) _printf_(5, 6) _must_check_;
/* Of a value, by the keys of the profile that it is from ("limits.processes limits.files"): whoever set them, or the
 * default. -EINVAL for what is no key. Quiet, since there is a line of each in every question. */
int effective_add_value(struct effective *e, enum effective_kind kind, unsigned danger, const char *keys,
	const char *fmt, ...) _printf_(5, 6) _must_check_;
/* Of what nobody asked for, with the words for how it is known: quiet. */
int effective_add_fact(struct effective *e, enum effective_kind kind, unsigned danger, const char *where,
	const char *fmt, ...) _printf_(5, 6) _must_check_;
#define EFFECTIVE_THIS_MACHINE "this machine as it is now"
#define EFFECTIVE_THIS_VERSION "this version of stockade"
/* What the rule says, in words; for all tools: EFFECTIVE_STRICT_WORDS. */
int effective_argument_words(const struct shim_argument_rule *rule, char **ret) _must_check_;
#define EFFECTIVE_STRICT_WORDS "arguments of every tool: none that its own schema does not name"
/* All lines from the finished parts; sets e->danger and e->never_remember. */
int effective_add_lines(const struct paths *p, struct effective *e, const struct fs_grants *g) _must_check_;
/* One note for each thing that a newer ABI of Landlock brought and this kernel's lacks. */
int effective_add_landlock(struct effective *e, int abi) _must_check_;
/* Of those the lines that hang on no path and no parameter: network, unix sockets, system calls, limits, what is
 * recorded. Only the profile and the policy need be filled. */
int effective_add_walls(struct effective *e) _must_check_;
/* The same of the protocol: scopes, what holds calls of single tools down, what is taken out of text but for the values
 * of variables. */
int effective_protocol_walls(struct effective *e) _must_check_;
/* Which definitions hold, or that none do. */
int effective_pins_line(struct effective *e) _must_check_;
/* How much of a call's arguments the log gets. */
const char *effective_audit_words(enum shim_args a);
/* The canonical JSON without code digests (effective_digest puts them in). */
int effective_canonical(struct effective *e, const struct fs_grants *g, char *const *env) _must_check_;
/* Is code of this launch writable by another approved one? Then it is said, and the answer is never remembered. Needs
 * the digest. */
int effective_check_overlap(
	const struct paths *p, const struct approvals *all, struct effective *e, struct diag *d) _must_check_;
