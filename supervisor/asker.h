/* SPDX-License-Identifier: Apache-2.0 */
/*
 * asker - whoever puts a call to a person and brings the answer back
 *
 * Process:  supervisor
 * Owns:     what an implementation says; free with asker_free
 * Returns:  0, -errno with words: then nobody can be asked, and the call is denied
 *
 * A session has one. The list that `stockade approve` reads (asker_list.c) is one; a dialog can be another: a kind is
 * four functions and a descriptor. None of them may block, and none may let a call pass on its own.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/diag.h"
#include "supervisor/paths.h"

enum { ASKER_CHANNEL_MAX = 32, ASKER_BY_MAX = 1024 };

enum asker_say {
	ASKER_NO,
	ASKER_ONCE,    /* this call */
	ASKER_SESSION, /* this one, and those with exactly these arguments until the session ends */
};

/* All borrowed for the call of ask; text of the server's and the model's, not escaped. */
struct asker_question {
	uint64_t id;
	const char *tool;
	const char *arguments; /* canonical JSON, whole; "" for none */
	const char *digest;    /* of tool and arguments: the answer has to name it */
	const char *rule;      /* which demands that a person is asked */
};

struct asker_answer {
	uint64_t id;
	enum asker_say say;
	char channel[ASKER_CHANNEL_MAX]; /* "approve" */
	char by[ASKER_BY_MAX];		 /* which programs stood above it, in words */
};

struct asker;
struct asker_kind {
	int (*ask)(struct asker *a, const struct asker_question *q, struct diag *d);
	/* Nobody waits for that answer any more. */
	void (*withdraw)(struct asker *a, uint64_t id);
	/* 1 with an answer, 0: none yet; called until there is none. */
	int (*take)(struct asker *a, struct asker_answer *ret);
	void (*free)(struct asker *a);
};

struct asker {
	const struct asker_kind *kind;
	int fd; /* readable when take has something; -1: take is called every ASKER_TICK_MS while somebody waits */
};
enum { ASKER_TICK_MS = 200 };

struct asker_list_args {
	const struct paths *paths;
	const char *session, *server, *client; /* client: the chain of programs in words */
};
/* Questions in RUNTIME/calls, for approve (supervisor/call_list.h). */
int asker_list_new(const struct asker_list_args *a, struct asker **ret, struct diag *d) _must_check_;
static inline void asker_free(struct asker *a)
{
	if (a)
		a->kind->free(a);
}
