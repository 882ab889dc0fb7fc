/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor - every layer tried for real on this machine: yes, or no and how to mend it
 *
 * Process:  supervisor
 * Owns:     nothing; a result is a struct of the caller
 *
 * A probe does the thing in a child of its own and looks whether it took effect; it does not ask whether the kernel
 * says that it could. Where we were started by root, the child first becomes the user that servers run as, since that
 * is who needs the layer.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/diag.h"
#include "supervisor/paths.h"

enum doctor_verdict {
	DOCTOR_YES,
	DOCTOR_NO,   /* required and missing: stockade will refuse to start servers */
	DOCTOR_NOTE, /* worth knowing, nothing to mend before use */
};

struct doctor_result {
	enum doctor_verdict verdict;
	char found[512]; /* what was seen */
	char mend[1024]; /* what to do; empty where there is nothing to do */
};

struct doctor_env {
	const char *libexec; /* where the helpers are */
	const char *sysctl;  /* "/proc/sys"; another directory in tests */
	const char *root;    /* "" or, in tests, a directory put before /etc, /proc, /run, /sys paths of the machine's
				description */
	const struct paths *paths; /* NULL: they could not be found */
	const char *paths_error;
};

struct doctor_check {
	const char *name;
	void (*probe)(const struct doctor_env *env, struct doctor_result *r);
};

/* The tables, in the order of the report. */
extern const struct doctor_check doctor_machine_checks[]; /* kernel, who we are, container, WSL */
extern const size_t doctor_machine_checks_n;
extern const struct doctor_check doctor_layer_checks[]; /* namespaces, mounts, filters */
extern const size_t doctor_layer_checks_n;
extern const struct doctor_check doctor_place_checks[]; /* programs, directories, users */
extern const size_t doctor_place_checks_n;

void doctor_yes(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);
void doctor_no(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);
void doctor_note(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);
void doctor_mend(struct doctor_result *r, const char *fmt, ...) _printf_(2, 3);

/* --- doctor_child.c: trying something where it can do no harm --- */

/* How far the child came: the step that failed, in words, and its errno; error 0 is success. */
struct doctor_attempt {
	int error;
	char step[384];
	bool said;	  /* step is the whole sentence, and nothing of the kernel's */
	char detail[256]; /* what a successful attempt wants to tell */
};

/* Runs fn in a child (as the servers' user where we are root) and takes over what it wrote into the attempt. A child
 * that dies without an answer is step "ended by signal N", error EIO. */
void doctor_try(int (*fn)(struct doctor_attempt *a), struct doctor_attempt *ret);
/* The same, root staying root. */
void doctor_try_as_started(int (*fn)(struct doctor_attempt *a), struct doctor_attempt *ret);
/* In the child: remembers the step and returns -errno of the moment. */
int doctor_step_failed(struct doctor_attempt *a, const char *step) _must_check_;
/* In the child: a user namespace of our own, mapped as enter maps it, and the further CLONE_NEW* flags. */
int doctor_enter_userns(struct doctor_attempt *a, int flags) _must_check_;

/* --- signing/doctor_trust.c --- */

void doctor_check_keys(const struct doctor_env *env, struct doctor_result *r);
void doctor_check_collector(const struct doctor_env *env, struct doctor_result *r);
void doctor_check_bundle(const struct doctor_env *env, struct doctor_result *r);
void doctor_check_clock(const struct doctor_env *env, struct doctor_result *r);

/* --- doctor_egress.c --- */

/* In the child: lo, up, with one address more. */
int doctor_try_loopback(struct doctor_attempt *a) _must_check_;
/* In the child: a range of addresses that are all local, a listener on them, a packet socket. */
int doctor_try_egress(struct doctor_attempt *a) _must_check_;

/* --- doctor_launch.c --- */

/* In the child: a whole sandbox by stockade-enter, which may hold rights that we do not. */
int doctor_launch(struct doctor_attempt *a) _must_check_;

/* --- doctor_mend.c: why namespaces are refused, from what the machine says about itself --- */

/* Fills r->mend for an attempt that user namespaces, or the capabilities inside them, refused. */
void doctor_mend_namespaces(const struct doctor_env *env, const struct doctor_attempt *a, struct doctor_result *r);
/* "docker", "podman", "lxc", "kubernetes", ... or NULL on a plain machine. */
const char *doctor_container(const struct doctor_env *env);
enum { DOCTOR_RELEASE_MAX = 128 };
/* The kernel's own words for itself, "6.1.0-18-amd64", as uname(2) has them; empty when they cannot be read. */
void doctor_release(const struct doctor_env *env, char ret[static DOCTOR_RELEASE_MAX]);
/* The number in SYSCTL/name, or -1 when there is no such file. */
long doctor_sysctl(const struct doctor_env *env, const char *name);
