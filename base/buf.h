/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - a growing byte buffer with a named limit
 *
 * Process:  any
 * Owns:     its heap block; free with buf_done
 * Returns:  0, -ENOMEM, -E2BIG when it would pass max
 * Limits:   max, given by the caller with its name (SHIM_LINE_MAX and the like); never unlimited
 *
 * data is NUL-terminated after every successful append (the NUL is not counted in len).
 */
#pragma once
#include <stddef.h>
#include "base/cleanup.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
	size_t max;
};

#define BUF_INIT(limit) ((struct buf){ .max = (limit) })

/* Room for n more bytes and a NUL. */
int buf_reserve(struct buf *b, size_t n) _must_check_;
int buf_append(struct buf *b, const void *p, size_t n) _must_check_;
int buf_puts(struct buf *b, const char *s) _must_check_;
int buf_putc(struct buf *b, char c) _must_check_;
int buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3) _must_check_;
/* Drops the first n bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);
/* Keeps the block, forgets the bytes. */
void buf_clear(struct buf *b);
void buf_done(struct buf *b);
/* Gives the bytes to the caller as a NUL-terminated heap string; the buffer is empty afterwards. NULL: out of memory.
 */
char *buf_steal(struct buf *b);
#define _cleanup_buf_ _cleanup_(buf_done)
