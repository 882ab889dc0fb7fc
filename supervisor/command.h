/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - commands and options as tables; --help, --json, bad usage and completion come from the rows
 *
 * Process:  supervisor
 *
 * An option row names where its value goes by offset in the command's own struct; parsing is getopt_long-like (long
 * options, "--", "--name=value", unique prefixes refused), strict, and says "did you mean".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/diag.h"
#include "base/strv.h"
#include "supervisor/paths.h"

enum option_kind {
	OPTION_FLAG, /* bool */
	OPTION_STR,  /* char * (heap) */
	OPTION_STRV, /* struct strv: may be given again */
	OPTION_TIME, /* int64_t: RFC 3339, a date, "today", "yesterday", or "2h" ago */
	OPTION_U64,  /* uint64_t */
	OPTION_FD,   /* struct option_fd: a descriptor that whoever starts us left open */
};

enum { COMMAND_FDS_MAX = 4 };

struct option_fd {
	bool given;
	int fd;
};

struct option_row {
	const char *name; /* without "--" */
	char letter;	  /* or 0 */
	enum option_kind kind;
	size_t offset;	   /* in the command's options struct */
	const char *value; /* "PATH" in the help, NULL for flags */
	const char *help;  /* one line */
};

struct command_ctx;

struct command_row {
	const char *name;			   /* "audit show": words are matched */
	const char *synopsis;			   /* "[--json] [--since TIME]" */
	const char *summary;			   /* one line, for the list */
	const char *details;			   /* paragraph for --help, may be NULL */
	const struct option_row *options;	   /* ends with a row whose name is NULL */
	size_t options_size;			   /* of the command's struct, zeroed before parsing */
	void (*options_done)(void *options);	   /* may be NULL */
	unsigned min_args, max_args;		   /* positional words */
	bool rest;				   /* takes "-- COMMAND [ARG]": words after -- go to ctx->rest */
	bool loosens;				   /* refuses under an MCP client */
	int (*run)(const struct command_ctx *ctx); /* returns the exit status */
};

struct command_ctx {
	const struct command_row *row;
	void *options;
	struct strv args; /* positional words */
	struct strv rest; /* after -- */
	bool rest_given;
	char **environ;
};

/* The descriptors from 3 up that the words name as values of OPTION_FD, ascending; all others are closed before
 * anything else happens. They are not inherited by what we start. */
size_t command_descriptors(
	const struct command_row *const *table, size_t n, int argc, char **argv, int ret[COMMAND_FDS_MAX]);
/* main's body: finds the row, parses, prints help or usage, runs. Returns the exit status. */
int command_main(const struct command_row *const *table, size_t n, int argc, char **argv, char **environ);
/* Bad usage found by a command itself: the sentence, then where the help is. Returns EXIT_USAGE. */
int command_usage(const struct command_ctx *ctx, const char *fmt, ...) _printf_(2, 3);
/* A dialog needs somebody who reads and types; a pipe is neither: EXIT_REFUSED, with what was not done ("nothing was
 * pinned") and what a script uses --digest for ("the digest"). */
int command_need_terminal(const struct command_ctx *ctx, const char *not_done, const char *digest);
/* Colour on this stream? Only on a terminal, never with NO_COLOR set (no-color.org) or TERM=dumb. */
bool command_colour(FILE *f);
/* Shared error line on stderr: "stockade: " + text, newline. Foreign text is escaped by whoever
 * words it, so that it cannot break the line; controls that are left are made visible here. */
void command_error(const char *fmt, ...) _printf_(1, 2);
/* What a command ends with that could not do its work: the words, or those of errno(3) for -error where nobody found
 * any (0: there are some). Returns EXIT_REFUSED. */
int command_refuse(const struct diag *d, int error);
