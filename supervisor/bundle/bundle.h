/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle - what IT ships in one signed file: profiles, pins, revocations, kill entries, groups (stockade-bundle(5))
 *
 * Process:  supervisor
 * Owns:     everything in struct bundle; free with bundle_done
 * Returns:  0, BUNDLE_NONE, -errno with words; an error denies whatever hangs on a bundle
 * Limits:   BUNDLE_BYTES_MAX the file, BUNDLE_FILES_MAX profiles and as many pins
 *
 * Two places are looked at: BUNDLE_PLACED, where configuration management puts a file, and BUNDLE_KEPT, the last good
 * one, which `stockade sync` keeps. Of those that verify the higher version counts. One that does not verify (half
 * copied, damaged) changes nothing as long as the other does, and is told in `warning`; where none does, that is an
 * error. So is one that is older than the highest that this machine ever kept (bundle_highest.h): it is from before
 * something was revoked or killed. Whether it holds now is asked of the one that counts, and of no other: a newer one
 * that has expired, or is dated ahead of the clock, is no reason to go back to an older one.
 *
 * A signer of the bundle vouches for each byte in it, so he is a signer of every profile in it; what a profile's own
 * signatures add is added.
 */
#pragma once
#include <jansson.h>
#include "sign/judge.h"
#include "supervisor/policy/policy_groups.h"
#include "supervisor/role.h"

#define BUNDLE_PLACED	"/etc/stockade/bundle.json"
#define BUNDLE_KEPT_DIR "/var/lib/stockade/bundle"
#define BUNDLE_KEPT	BUNDLE_KEPT_DIR "/current/bundle.json"
/* Written anew whenever its server said that what is kept is the newest; its time counts. */
#define BUNDLE_CONFIRMED BUNDLE_KEPT_DIR "/confirmed"
#define BUNDLE_HIGHEST	 BUNDLE_KEPT_DIR "/highest"

enum {
	BUNDLE_NONE = 1,
	BUNDLE_BYTES_MAX = 32 << 20,
	BUNDLE_FILES_MAX = 4096,
	BUNDLE_WORDS = 512,
	BUNDLE_DIGEST_SIZE = 72
};

/* A profile, or pins. */
struct bundle_file {
	char *name;		  /* "github": the profile's; of pins the file's, as profiles name it: "github.pins" */
	char *where;		  /* "/etc/stockade/bundle.json (profiles "github")", for words */
	struct verified verified; /* the bytes that are to be parsed, and who vouches for them */
};

struct bundle {
	char *file; /* where it was read */
	char *name;
	uint64_t version;
	int64_t issued, expires;  /* seconds since the epoch */
	int64_t confirmed;	  /* the same, when it was put there or confirmed; 0: bundle_load did not look */
	struct verified verified; /* of the whole; its bytes are dropped by bundle_load */
	struct verdict verdict;
	struct bundle_file *profiles, *pins; /* by name */
	size_t n_profiles, n_pins;
	json_t *revocations; /* list of objects as in revocations/, each already an object; never NULL */
	json_t *kills;	     /* list of objects as in kill.d/; never NULL */
	struct policy_groups groups;
	char warning[BUNDLE_WORDS]; /* "": nothing to say. Stale, expires soon, or another one does not verify */
};

struct bundle_args {
	const struct keyring *keys;
	/* How many of which keys. server is not looked at: a bundle is about all of them. */
	const struct judge_rule *rule;
	int64_t now;
	bool any_time; /* expiry and clock are not looked at: for sync, which compares versions */
	int64_t stale; /* seconds: one that nobody confirmed for so long denies, from half of it on it warns; 0: never
			*/
};

/* Where to look, and whose the files must be: for tests. */
struct bundle_places {
	const char *placed, *kept, *confirmed, *highest;
	enum fs_trust trust;
	uid_t uid;
};
int bundle_load_from(
	const struct bundle_places *p, const struct bundle_args *a, struct bundle *ret, struct diag *d) _must_check_;
/* The bundle of this machine, or BUNDLE_NONE when neither place has one. */
int bundle_load(const struct bundle_args *a, struct bundle *ret, struct diag *d) _must_check_;
/* One file of that path, trusted as told, for `profile verify`, `sync` and tests. Expired is an error, stale is not
 * looked at. */
int bundle_load_file(const char *path, enum fs_trust trust, uid_t uid, const struct bundle_args *a, struct bundle *ret,
	struct diag *d) _must_check_;
/* The same of bytes that were verified; v's are taken, whatever is returned. */
int bundle_load_verified(const char *name, struct verified *v, const struct bundle_args *a, struct bundle *ret,
	struct diag *d) _must_check_;
/* The bytes of a bundle that somebody has judged, or looks at before they are signed: fills all but file, verified and
 * verdict. name: the file's, for words. */
int bundle_parse(const char *name, const char *bytes, size_t n, const struct keyring *keys, struct bundle *ret,
	struct diag *d) _must_check_;
/* Between issued, but for what two clocks may differ, and expires? */
enum bundle_holds { BUNDLE_HOLDS, BUNDLE_OVER, BUNDLE_AHEAD };
enum bundle_holds bundle_holds(const struct bundle *b, int64_t now);
/* "sha256:…" of the bytes of a file. */
void bundle_digest(const char *text, size_t n, char ret[BUNDLE_DIGEST_SIZE]);
/* By name; NULL: it is not in it. */
const struct bundle_file *bundle_profile(const struct bundle *b, const char *name);
const struct bundle_file *bundle_pins(const struct bundle *b, const char *name);
void bundle_done(struct bundle *b);
#define _cleanup_bundle_ _cleanup_(bundle_done)
