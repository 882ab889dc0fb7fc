/* SPDX-License-Identifier: Apache-2.0 */
/*
 * suffixes - domains below which anybody can have a name: the public suffix list, as of the build (publicsuffix.org)
 *
 * Process:  supervisor
 */
#pragma once
#include "supervisor/role.h"

/* Made by tools/suffixes.py. */
extern const char suffix_registries[], suffix_shared[];

enum suffix_kind {
	SUFFIX_NONE,
	SUFFIX_REGISTRY, /* "com", "co.uk": names there belong to whoever registers them */
	SUFFIX_SHARED,	 /* "github.io": a company gives names below its own domain to its customers */
};

/* domain in the form of net_name_valid. A last label without a rule is a registry's. */
enum suffix_kind suffix_kind(const char *domain);
