/* SPDX-License-Identifier: Apache-2.0 */
/*
 * danger - what a person should see first: tables of words, paths and variables, each with why
 *
 * Process:  supervisor
 * Returns:  bits of enum effective_danger
 */
#pragma once
#include "base/strv.h"
#include "supervisor/effective.h"

/* The words of a command: sudo, a shell with -c, an interpreter with -e, rm -rf, in any position. */
unsigned danger_of_command(const struct strv *command);
/* A granted path (canonical): the home, key stores below or above it, system directories. */
unsigned danger_of_path(const struct paths *p, const char *path);
/* A variable's name: loaders and interpreter hooks, names that say secret. */
unsigned danger_of_variable(const char *name);
/* LD_PRELOAD, NODE_OPTIONS and the like: never passed unless a profile names them, and then bound by value. */
bool danger_is_loader_variable(const char *name);
