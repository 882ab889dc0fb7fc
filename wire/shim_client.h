/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shim_client - what a server may ask of the client's model and user, and how much it may say into the client's log
 *
 * Process:  supervisor (writes, as a section of the shim's config), shim (reads)
 * Owns:     all strings; free with shim_client_done
 * Limits:   SHIM_HOSTS_MAX hosts; those of meters.h for rates
 *
 * All zero is what a profile has that says nothing, but for the rates that it gets by default.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "wire/meters.h"

enum { SHIM_HOSTS_MAX = 1024, SHIM_TOKENS_MAX = 1000000000, SHIM_HOST_TEXT = 272 };
enum { SHIM_ASKS_DEFAULT = 60 /* a minute */ };

/* The words for the rule, which `audit show --denied` knows again. */
#define SHIM_SAMPLING_DEFAULT_WORDS    "the default (60 a minute; client.sampling.rate sets another)"
#define SHIM_ELICITATION_DEFAULT_WORDS "the default (60 a minute; client.elicitation.rate sets another)"

/* Whose content a client may add to what its model is asked: includeContext. X(enum, the protocol's word) */
#define SHIM_CONTEXTS(X)                                                                                               \
	X(THIS, "thisServer")                                                                                          \
	X(NONE, "none")                                                                                                \
	X(ALL, "allServers")

enum shim_context {
#define X(name, word) SHIM_CONTEXT_##name,
	SHIM_CONTEXTS(X)
#undef X
		SHIM_CONTEXT_COUNT
};

/* Of log messages, from the least to the most urgent (RFC 5424, section 6.2.1, the other way round). */
#define SHIM_LEVELS(X)                                                                                                 \
	X(DEBUG, "debug")                                                                                              \
	X(INFO, "info")                                                                                                \
	X(NOTICE, "notice")                                                                                            \
	X(WARNING, "warning")                                                                                          \
	X(ERROR, "error")                                                                                              \
	X(CRITICAL, "critical")                                                                                        \
	X(ALERT, "alert")                                                                                              \
	X(EMERGENCY, "emergency")

enum shim_level {
#define X(name, word) SHIM_LEVEL_##name,
	SHIM_LEVELS(X)
#undef X
		SHIM_LEVEL_COUNT
};

struct shim_sampling {
	bool on;
	bool tools; /* the server may bring tools for the model */
	enum shim_context context;
	struct meters_rate rate;
	struct meters_bound max_tokens;
};

/* One host and port that a person may be sent to, by https. */
struct shim_host {
	char *name; /* lower case */
	bool below; /* the names below it, and not itself */
	uint16_t port;
};

struct shim_elicitation {
	bool on;
	bool no_form;
	struct meters_rate rate;
	struct shim_host *hosts;
	size_t n;
};

struct shim_logging {
	bool off;
	enum shim_level level;
	char *where; /* of off or the level; NULL: neither is set */
	struct meters_rate rate;
};

struct shim_client {
	struct shim_sampling sampling;
	struct shim_elicitation elicitation;
	struct shim_logging logging;
};

const char *shim_context_word(enum shim_context c);
const char *shim_level_word(enum shim_level l);
/* -E2BIG past SHIM_HOSTS_MAX. */
int shim_client_add_host(struct shim_client *c, const char *name, bool below, uint16_t port) _must_check_;
/* "*.example.com:443" */
const char *shim_host_text(const struct shim_host *h, char ret[SHIM_HOST_TEXT]);
/* The host that allows that name (lower case) and port, or NULL. Of a name below a granted one, what stands before it
 * must be plain: a label in punycode looks like another. */
const struct shim_host *shim_client_host(const struct shim_client *c, const char *name, uint16_t port);
void shim_client_put(struct wire_writer *w, const struct shim_client *c);
/* Errors stick in the reader; what is there of *ret is the caller's to free in any case. */
void shim_client_get(struct wire_reader *r, struct shim_client *ret);
int shim_client_copy(const struct shim_client *from, struct shim_client *ret) _must_check_;
void shim_client_done(struct shim_client *c);
