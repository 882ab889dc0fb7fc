/* SPDX-License-Identifier: Apache-2.0 */
/*
 * work - what the parts of scan share: the state of one definition, and how a rule is said to fire
 *
 * Process:  shim
 * Owns:     struct scan, from scan_new to scan_free
 *
 * The way of a text: characters (rules about single characters; the folded form and where each of its bytes came from),
 * shapes (encoded data, in the text as it is), literals, then words (phrases, links), both in the folded form.
 */
#pragma once
#include "scan/scan.h"
#include "scan_rules.inc"

enum scan_rule_number {
#define X(name, id, severity, title) RULE_##name,
	SCAN_RULES(X)
#undef X
		RULE_COUNT,
	SECRET_LITERAL, /* not a rule: one of the places of secrets, a word of phrases */
};

enum {
	FOLDED_MAX = 2 * SCAN_TEXT_MAX + 8,
	SECRETS_MAX = 64,   /* places of secrets in one text that phrases see; a text has many words about few */
	PHRASES_MAX = 1024, /* how many can be under way */
	KNOWN_TEXTS = 4096, /* a power of two */
	KNOWN_TEXT_MAX = 1024,
	KNOWN_BYTES = 192 << 10,
	WORDS_BITS = 10,
};

/* A word of up to sixteen bytes, and which words of phrases it can stand for. */
struct known_word {
	uint64_t a, b; /* 0: none */
	unsigned outcome;
};

/* A text in which nothing was found: where it is kept. */
struct known_text {
	uint32_t at;
	uint16_t n; /* 0: none */
	bool is_key;
};

struct other {
	char *name;  /* as it is */
	char *plain; /* small letters, without '_', '-' and '.' */
	char *drawn; /* as it looks: folded, without these */
	bool own;    /* the server that is scanned has such a tool too */
};

struct others {
	struct other *at;
	size_t n;
	uint32_t *by_name, *by_drawn; /* place + 1, by hash */
	size_t slots;
};

struct secret_place {
	uint32_t at, end; /* in the folded text */
};

struct scan {
	enum scan_kind kind;
	struct scan_findings findings;
	uint32_t found_in[SCAN_FINDINGS_MAX]; /* which text, by its number */
	struct others others;
	uint64_t total;
	uint32_t texts;
	/* The text at hand. */
	const char *path;
	const unsigned char *raw;
	size_t raw_len;
	bool is_key; /* capitals inside part words */
	bool reads_right_to_left;
	char folded[FOLDED_MAX];
	uint32_t from[FOLDED_MAX]; /* where in raw each byte of it came from */
	size_t folded_len;
	struct secret_place secrets[SECRETS_MAX];
	size_t n_secrets;
	/* Phrases under way: which places have been reached. */
	uint64_t reached[PHRASES_MAX];
	uint64_t fits[PHRASES_MAX];
	uint16_t active[PHRASES_MAX];
	size_t n_active;
	/* The walk through a definition. */
	char where[SCAN_PATH_MAX];
	size_t where_len;
	char unescaped[SCAN_TEXT_MAX + 8];
	uint64_t found; /* ever */
	struct known_text known[KNOWN_TEXTS];
	char known_bytes[KNOWN_BYTES];
	size_t known_len;
	struct known_word words[1 << WORDS_BITS];
};

/* A rule fires at those bytes of the text at hand. */
void found(struct scan *s, enum scan_rule_number rule, size_t at, size_t n);
/* The same for a place in the folded text. */
void found_folded(struct scan *s, enum scan_rule_number rule, size_t at, size_t n);

void scan_characters(struct scan *s);
void scan_shapes(struct scan *s);
void scan_literals(struct scan *s);
void scan_words(struct scan *s);
/* The link that begins there; returns where it ends. */
size_t scan_link(struct scan *s, size_t at);
/* A '!' there: an image that is fetched? */
void scan_image(struct scan *s, size_t at);
/* The name of the definition: its form, and whose it imitates. */
void scan_name_rules(struct scan *s);
/* Was nothing found in the text at hand, as it is, when it came before? Remembers that of it; forgets all. */
bool known_is(struct scan *s);
void known_add(struct scan *s);
void known_forget(struct scan *s);
bool others_have(const struct others *o, const char *name, size_t n);
void others_done(struct others *o);
