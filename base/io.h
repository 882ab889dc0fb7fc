/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io - whole reads and writes, descriptors, sealed memory
 *
 * Process:  any
 * Returns:  0 or a count, -errno
 * Limits:   IO_FDS_MAX descriptors a message
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

/* Descriptors in one message; the kernel takes 253 (SCM_MAX_FD, net/scm.h). */
enum { IO_FDS_MAX = 128 };

/* Writes all n bytes; retries EINTR and short writes, waits with poll(2) on EAGAIN (a peer may have set O_NONBLOCK). */
int io_write_full(int fd, const void *p, size_t n) _must_check_;
/* Reads to the end, -E2BIG past b->max. */
int io_read_all(int fd, struct buf *b) _must_check_;
/* First thing in main: descriptors 0-2 exist (closed ones become /dev/null), 3 and up are closed but keep[] (sorted
 * ascending, n of them), and O_CLOEXEC is not
 * needed on what is gone. Returns a bit mask of those among 0-2 that were closed, or -errno. */
int io_sanitise_descriptors(const int *keep, size_t n) _must_check_;
/* Closes everything from first up except the keep[] (sorted ascending, n of them). close_range(2). */
int io_close_except(unsigned first, const int *keep, size_t n) _must_check_;
/* A sealed memfd holding the bytes (memfd_create(2), F_SEAL_WRITE|GROW|SHRINK|SEAL). */
int io_memfd_sealed(const char *name, const void *p, size_t n, int *ret) _must_check_;
/* Reads a memfd after checking that all four seals are there: -EPERM when one is missing. */
int io_memfd_read(int fd, struct buf *b) _must_check_;
/* One SOCK_SEQPACKET message, with up to n_fds descriptors (SCM_RIGHTS). Blocking; MSG_NOSIGNAL. */
int io_send_msg(int sock, const void *p, size_t n, const int *fds, size_t n_fds) _must_check_;
/* Returns the length, 0 at end of file, -EMSGSIZE when it was cut, -errno. Received descriptors are O_CLOEXEC; those
 * beyond the array are closed. *n_fds is capacity on entry, count on return; fds may be NULL with n_fds NULL. */
long io_recv_msg(int sock, void *p, size_t n, int *fds, size_t *n_fds) _must_check_;
enum { US_PER_S = 1000000 };

/* CLOCK_MONOTONIC, CLOCK_REALTIME and CLOCK_BOOTTIME (which goes on in a suspend) in microseconds. */
uint64_t io_now_us(void);
uint64_t io_wall_us(void);
uint64_t io_boot_us(void);
