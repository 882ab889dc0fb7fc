/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - everything enter needs to build one sandbox, and nothing it has to look up
 *
 * Process:  supervisor (writes), enter (reads)
 * Owns:     all strings; free with plan_done
 * Returns:  0, -errno; -EPROTO for bytes that are not a plan of this build
 * Limits:   PLAN_BYTES_MAX encoded, PLAN_MOUNTS_MAX mounts
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/strv.h"
#include "wire/codec.h"
#include "wire/net_layout.h"

enum { PLAN_BYTES_MAX = 8 << 20, PLAN_MOUNTS_MAX = 4096 };

enum plan_mount_kind {
	PLAN_BIND,    /* source -> target; checked against dev, ino, type; read-only unless PLAN_WRITE */
	PLAN_TMPFS,   /* size bytes, owned by the server's uid, mode */
	PLAN_PROC,    /* fresh /proc; all but the table of enter (wire/sandbox_tables.h) is masked */
	PLAN_DEV,     /* the device table of enter (wire/sandbox_tables.h) */
	PLAN_FILE,    /* synthetic read-only file with content */
	PLAN_SYMLINK, /* content is the link's text */
	PLAN_DIR,     /* an empty directory in the (read-only) root */
	PLAN_MASK,    /* hides what is at target: an empty read-only file or directory, by the target's type */
	PLAN_PIN, /* target bound onto itself, its flags kept, so that a rename of an ancestor cannot move it (protect)
		   */
	PLAN_MOUNT_KIND_COUNT,
};

enum plan_mount_flags {
	PLAN_WRITE = 1 << 0,
	PLAN_NOEXEC = 1 << 1,
	PLAN_OPTIONAL = 1 << 2, /* PLAN_MASK, PLAN_PIN: absent target is no error (decided by the supervisor's table) */
};

/* In the order of mounting: parents before children. */
struct plan_mount {
	enum plan_mount_kind kind;
	unsigned flags;
	char *source; /* canonical, absolute; PLAN_BIND */
	char *target; /* clean, absolute */
	uint64_t dev; /* st_dev as the supervisor saw it */
	uint64_t ino;
	uint32_t type; /* st_mode & S_IFMT */
	uint32_t mode; /* PLAN_TMPFS, PLAN_FILE, PLAN_DIR */
	uint64_t size; /* PLAN_TMPFS: bytes */
	char *content; /* PLAN_FILE (text, no NUL), PLAN_SYMLINK */
};

/* The network, where there is one: what enter puts on lo, and the sockets it makes and hands to the gateway in this
 * order. */
struct plan_network {
	bool on;
	struct net_address stub;  /* put on lo, with the whole as its prefix */
	struct net_route *routes; /* type local, device lo */
	size_t n_routes;
	struct net_socket *sockets;
	size_t n_sockets;
};

struct plan_limits {
	uint64_t processes; /* RLIMIT_NPROC in the namespace */
	uint64_t files;	    /* RLIMIT_NOFILE */
	uint64_t memory;    /* bytes, 0: none; enforced by a cgroup only */
};

struct plan {
	char *name; /* for messages */
	uid_t uid;  /* the server's; never 0 */
	gid_t gid;
	bool drop_root;	 /* started by root: become uid/gid (setgroups 0) before the namespaces are made */
	char *exec_path; /* absolute, inside the sandbox */
	struct strv argv;
	struct strv envp;
	char *cwd; /* absolute, inside */
	char *hostname;
	char *seccomp;	    /* name of an embedded set: "default", ... */
	bool allow_unix;    /* ipc.unix: AF_UNIX sockets of every type, whatever the set */
	uint64_t root_size; /* bytes of the root tmpfs */
	struct plan_limits limits;
	struct plan_network network;
	struct plan_mount *mounts;
	size_t n_mounts;
};

int plan_add_mount(struct plan *p, const struct plan_mount *m) _must_check_; /* copies the strings */
/* Takes over routes and sockets of the layout, and empties it. */
void plan_take_network(struct plan *p, struct net_layout *l);
int plan_encode(const struct plan *p, struct wire_writer *w) _must_check_;
int plan_decode(const void *bytes, size_t n, struct plan *ret) _must_check_;
void plan_done(struct plan *p);
#define _cleanup_plan_ _cleanup_(plan_done)
