/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command_options - the words after a command's name, by its option table
 *
 * Process:  supervisor
 * Owns:     the heap strings it puts into the command's struct; command_options_done frees them by the rows
 * Returns:  0, COMMAND_HELP, -EINVAL with words for bad usage, -ENOMEM
 * Limits:   COMMAND_OPTIONS_MAX rows
 */
#pragma once
#include "supervisor/command.h"

enum { COMMAND_OPTIONS_MAX = 32 };
enum command_parsed { COMMAND_PARSED = 0, COMMAND_HELP = 1 };

/* words: what follows the command's name. Fills ctx->options (zeroed, row->options_size), args, rest. */
int command_parse(struct command_ctx *ctx, int n, char *const *words, struct diag *d) _must_check_;
void command_options_done(const struct command_row *row, void *options);
