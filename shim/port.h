/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port - reads and writes that never block, on descriptors whose flags are mostly not ours to change
 *
 * Process:  shim
 * Owns:     nothing; the descriptor stays the caller's
 * Returns:  a count, 0 at end of file, -EAGAIN, -errno
 *
 * O_NONBLOCK belongs to the open file, which the client shares. Sockets take MSG_DONTWAIT, pipes RWF_NOWAIT
 * (Linux 6.4); where neither works, poll(2) first: a pipe that is writable takes PIPE_BUF bytes without blocking
 * (pipe(7)). Of a pipe made for us our end is an open file of our own, whatever the other end does: it gets O_NONBLOCK,
 * since read(2) and write(2) cost a tenth of a microsecond less each.
 */
#pragma once
#include "shim/role.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/cleanup.h"

enum port_kind { PORT_OTHER, PORT_PIPE, PORT_SOCKET, PORT_OWN };

struct port {
	int fd; /* -1: closed */
	enum port_kind kind;
};

int port_init(struct port *p, int fd) _must_check_;
/* Nobody else has this end. */
int port_init_own(struct port *p, int fd) _must_check_;
long port_read(struct port *p, void *to, size_t n) _must_check_;
long port_write(struct port *p, const void *from, size_t n) _must_check_;
void port_close(struct port *p);
