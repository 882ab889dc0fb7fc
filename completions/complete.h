/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete - the completion of a shell, written from the tables of commands and options
 *
 * Process:  a tool of the build; it is not installed
 *
 * The scripts are made when stockade is built, from the very rows that it parses by, so they cannot drift apart.
 */
#pragma once
#include <stdio.h>
#include "supervisor/commands.h"

/* What the shell offers for the value of an option, or for a word. */
enum complete_kind { COMPLETE_NOTHING, COMPLETE_FILES, COMPLETE_DIRECTORIES, COMPLETE_VARIABLES, COMPLETE_PROFILES };

enum complete_kind complete_value(const struct option_row *o);
enum complete_kind complete_word(const struct command_row *row);
/* Does the name of a scope follow that of a profile? Such a command takes those two words and no other. */
bool complete_scope(const struct command_row *row);
/* Writes each option that takes a value as it is typed, with a blank before it: " --output -o". */
void complete_valued(const struct command_row *row, FILE *out);
/* Which word of the line is the first after the command, counted from 0. */
unsigned complete_first(const struct command_row *row);

void complete_bash(FILE *out);
void complete_zsh(FILE *out);
void complete_fish(FILE *out);
