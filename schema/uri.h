/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri - references between schemas: relative to absolute (RFC 3986, section 5)
 *
 * Process:  shim, supervisor
 *
 * Nothing is normalised beyond what resolving asks for: two identifiers are the same when their bytes are.
 */
#pragma once
#include <stddef.h>
#include "base/buf.h"

/* The reference without its fragment, as seen from base; the caller frees. 0, -ENOMEM. */
int uri_resolve(const char *base, const char *reference, size_t n, char **ret) _must_check_;
/* The length of what is before the '#', or all of it. */
size_t uri_before_fragment(const char *p, size_t n);
/* Appends with %XX undone; what is no such escape stays as it is. */
int uri_unescape(const char *p, size_t n, struct buf *b) _must_check_;
