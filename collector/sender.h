/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender - who is at the other end of a connection, as the kernel says
 *
 * Process:  collector
 * Owns:     its strings and the pidfd; free with sender_done
 * Returns:  0, -errno
 *
 * Taken from the socket (SO_PEERCRED, SO_PEERGROUPS, SO_PEERPIDFD; unix(7)): the process that connected, at that
 * moment. Names are those of base/names.h.
 */
#pragma once
#include <sys/types.h>
#include "collector/role.h"
#include "base/cleanup.h"

struct sender {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	int pidfd;   /* readable once the process has ended; -1: this kernel (before 6.5) has none */
	uid_t owner; /* whose share it uses up, and in whose directory its records are (owner.h) */
	char uid_text[16], pid_text[16], owner_text[16];
	char *user, *groups;
};

/* The ids alone; its own owner. */
int sender_read(int sock, struct sender *ret) _must_check_;
/* Another one's. */
void sender_set_owner(struct sender *s, uid_t owner);
/* And the names. */
int sender_name(int sock, struct sender *s) _must_check_;
void sender_done(struct sender *s);
#define _cleanup_sender_ _cleanup_(sender_done)
