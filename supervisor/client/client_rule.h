/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client_rule - which clients may start servers: "clients" of the policy (stockade-policy(5))
 *
 * Process:  supervisor
 * Owns:     its strings; free with client_rules_done
 * Limits:   CLIENT_RULES_MAX
 *
 * Deny before allow. Where there is a list of what is allowed, a client that cannot be identified is not. A path or a
 * package allows only where root alone can change file and directories above it: what a user can write, he could have
 * written. To deny, looks are enough.
 */
#pragma once
#include "supervisor/client/client.h"

enum { CLIENT_RULES_MAX = 1024 };

enum client_rule_kind {
	CLIENT_RULE_PATH,
	CLIENT_RULE_DIGEST,
	CLIENT_RULE_PACKAGE,
	CLIENT_RULE_NAME,
	CLIENT_RULE_KIND_COUNT
};
/* "path", "digest", ...: the key of the policy. */
const char *client_rule_kind_name(enum client_rule_kind kind);

struct client_rule {
	enum client_rule_kind kind;
	bool deny;
	char *text;  /* a glob, but for digests */
	char *where; /* "FILE:LINE (clients.allow path \"/opt/x\")" */
};

struct client_rules {
	struct client_rule *v;
	size_t n, room;
	char *allow_where; /* "FILE:LINE (clients.allow)": there is such a list, if an empty one; NULL: none */
};

/* Takes text and where, even when it fails. */
int client_rules_add(
	struct client_rules *r, enum client_rule_kind kind, bool deny, char *text, char *where) _must_check_;
/* Does a digest or a package decide? Then what a file of the user keeps of them is not believed (client_options). */
bool client_rules_need_anew(const struct client_rules *r);
/* 0: it may, and *ret_rule says by which rule (NULL: there is none); -EPERM with words. */
int client_rules_check(
	const struct client_rules *r, const struct client *c, const char **ret_rule, struct diag *d) _must_check_;
void client_rules_done(struct client_rules *r);
