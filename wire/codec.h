/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec - the bytes that cross a process boundary: little-endian integers and counted bytes behind one header
 *
 * Process:  any
 * Owns:     the writer its buffer; the reader borrows
 * Returns:  writer and reader errors stick; ask once at the end
 * Limits:   WIRE_BYTES_MAX a field, the buffer's max in all
 *
 * Every message opens with magic, version, kind and build id; the reader refuses any that differ (-EPROTO): an upgrade
 * in mid-session must not be half understood.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "base/buf.h"

#define WIRE_MAGIC   0x444b5453u /* "STKD" */
#define WIRE_VERSION 1u
enum { WIRE_BYTES_MAX = 64 << 20, WIRE_COUNT_MAX = 1 << 20 };

enum wire_kind {
	WIRE_PLAN = 1,	   /* supervisor -> enter, sealed memfd */
	WIRE_SHIM_CONFIG,  /* supervisor -> shim, sealed memfd */
	WIRE_REPORT,	   /* enter -> supervisor */
	WIRE_EVENT,	   /* shim, gateway, dial -> supervisor */
	WIRE_CONTROL,	   /* supervisor -> shim, enter */
	WIRE_NET_CONFIG,   /* supervisor -> gateway, dial, sealed memfd */
	WIRE_DIAL_REQUEST, /* gateway -> dial */
	WIRE_DIAL_ANSWER,  /* dial -> gateway */
	WIRE_DEFINITIONS,  /* shim -> supervisor, through a memfd, in listing mode */
	WIRE_CONFIRM,	   /* shim -> supervisor, beside its events */
	WIRE_COLLECT,	   /* supervisor -> collector */
	WIRE_COLLECTED,	   /* collector -> supervisor */
	WIRE_FETCH,	   /* supervisor -> fetch, sealed memfd */
	WIRE_KIND_COUNT,
};

struct wire_writer {
	struct buf buf;
	int error; /* 0, or the first -errno */
};

/* Starts a message of the kind, at most max bytes. */
void wire_begin(struct wire_writer *w, enum wire_kind kind, size_t max);
void wire_put_u8(struct wire_writer *w, uint8_t v);
void wire_put_u32(struct wire_writer *w, uint32_t v);
void wire_put_u64(struct wire_writer *w, uint64_t v);
void wire_put_bytes(struct wire_writer *w, const void *p, size_t n);
/* A NULL string and an empty one are told apart. */
void wire_put_str(struct wire_writer *w, const char *s);
void wire_put_strv(struct wire_writer *w, char *const *v, size_t n);
/* 0, or the first error. The bytes are w->buf.data[0 .. w->buf.len). */
int wire_finish(const struct wire_writer *w) _must_check_;
void wire_writer_done(struct wire_writer *w);

struct wire_reader {
	const unsigned char *p;
	size_t left;
	int error;
};

/* A uid or gid that a program started by root may become: 0 is root, and -1 means "leave it" to setresuid(2), which
 * would leave root too. */
bool wire_id_is_safe(uint32_t id);
/* Checks the header: 0, or -EPROTO. */
int wire_open(struct wire_reader *r, const void *p, size_t n, enum wire_kind kind) _must_check_;
/* Is it a message of the kind, by its header? */
bool wire_is(const void *p, size_t n, enum wire_kind kind);
/* What was read is none of what may be sent; the first error stays. */
void wire_refuse(struct wire_reader *r);
/* Each returns 0 / NULL and sets error once anything was short or out of bounds. */
uint8_t wire_get_u8(struct wire_reader *r);
uint32_t wire_get_u32(struct wire_reader *r);
uint64_t wire_get_u64(struct wire_reader *r);
/* A count of elements that need at least min_size bytes each; more than could be there is an error. */
uint32_t wire_get_count(struct wire_reader *r, size_t min_size);
/* The same, at most max, and zeroed room for elements of size bytes each, the caller's to free; NULL for none and on
 * error, with *ret_n 0. */
void *wire_get_array(struct wire_reader *r, size_t min_size, uint32_t max, size_t size, uint32_t *ret_n);
/* Bytes that are as many as that; others are an error. */
void wire_get_exactly(struct wire_reader *r, void *ret, size_t size);
/* Borrowed bytes. */
const void *wire_get_bytes(struct wire_reader *r, size_t *ret_len);
/* A heap string (no embedded NUL), NULL when NULL was sent or on error. */
char *wire_get_str(struct wire_reader *r);
/* Copies into a fixed array; too long is an error. */
void wire_get_str_fixed(struct wire_reader *r, char *ret, size_t size);
/* 0 when all was read and nothing is left over, else -EPROTO or the first error. */
int wire_close(const struct wire_reader *r) _must_check_;
