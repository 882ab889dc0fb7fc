/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup - ownership by attribute
 *
 * An owned local carries the attribute and is initialised where it is declared; whoever gives it away steals it.
 * Attribute: GCC manual, "Common Variable Attributes", cleanup.
 */
#pragma once
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)	   __attribute__((cleanup(fn)))
#define _must_check_	   __attribute__((warn_unused_result))
#define _printf_(fmt, arg) __attribute__((format(printf, fmt, arg)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Takes the pointer out of an owned variable, which is NULL afterwards. */
#define STEAL_PTR(p)                                                                                                   \
	({                                                                                                             \
		__auto_type p_ = (p);                                                                                  \
		(p) = NULL;                                                                                            \
		p_;                                                                                                    \
	})

/* Room for one element more in an owned array of n, by doubling from 64: 0, or -ENOMEM with all as it was. */
#define GROW(v, n, room)                                                                                               \
	({                                                                                                             \
		size_t room_ = (room) ? (room)*2 : 64;                                                                 \
		__typeof__(v) v_ = (n) < (room) ? (v) : reallocarray((v), room_, sizeof(__typeof__(*(v))));            \
		if (v_ && (n) == (room)) {                                                                             \
			(v) = v_;                                                                                      \
			(room) = room_;                                                                                \
		}                                                                                                      \
		v_ ? 0 : -ENOMEM;                                                                                      \
	})

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* Takes the descriptor out of an owned variable, which is -1 afterwards. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

#define _cleanup_free_	   _cleanup_(cleanup_free)
#define _cleanup_close_	   _cleanup_(cleanup_close)
#define _cleanup_closedir_ _cleanup_(cleanup_closedir)
#define _cleanup_fclose_   _cleanup_(cleanup_fclose)
