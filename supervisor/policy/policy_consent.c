/* SPDX-License-Identifier: Apache-2.0 */
/* policy_consent - see policy_consent.h */
#include "supervisor/policy/policy_consent.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/landlock.h"
#include "base/parse.h"
#include "base/text.h"
#include "supervisor/policy/policy_keys.h"

enum { SHOWN = 256 };

static const char *const channels[] = { "terminal", "approve", "digest" };

int policy_set_by(const struct key *k)
{
	static const char *const words[] = {
		[CONSENT_BY_ASK] = "ask", [CONSENT_BY_GRANTED] = "granted", [CONSENT_BY_ADMIN] = "admin"
	};
	_Static_assert(ARRAY_LEN(words) == CONSENT_BY_COUNT, "a word for each");
	struct policy_consent *c = KEY_FIELD(k, struct policy_consent);
	size_t i = 0;
	int r = key_word(k, words, ARRAY_LEN(words), &i);

	if (r < 0 || i == CONSENT_BY_ASK)
		return r;
	c->by = (enum policy_consent_by)i;
	return key_where(k, k->line, words[i], &c->by_where);
}

int policy_set_channels(const struct key *k)
{
	struct policy_consent *c = KEY_FIELD(k, struct policy_consent);
	const json_t *item;
	char shown[SHOWN];
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item)
	{
		size_t n = 0;
		while (n < ARRAY_LEN(channels) && strcmp(channels[n], json_string_value(item)) != 0)
			n++;
		if (n == ARRAY_LEN(channels))
			return key_fail_at(k, key_item_line(k, i),
				"has \"%s\"; an answer comes through \"terminal\", \"approve\" or \"digest\"",
				text_escape_str(json_string_value(item), shown, sizeof(shown)));
		c->channels |= 1U << n;
	}
	return key_where(k, k->line, NULL, &c->where);
}

/* What no launch goes without in any case; they may be named. */
static const char *const always[] = { "user", "mount", "pid", "network", "ipc", "uts", "capabilities", "seccomp" };

static int take_layer(const struct key *k, const char *text, unsigned line)
{
	struct policy_consent *c = KEY_FIELD(k, struct policy_consent);
	const char *colon = strchr(text, ':');
	char shown[SHOWN];
	uint64_t abi = 1;

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		if (strcmp(text, always[i]) == 0)
			return 0;
	if (strncmp(text, "landlock", 8) != 0 || (text[8] && text + 8 != colon) ||
		(colon && parse_u64(colon + 1, 1, LANDLOCK_ABI_KNOWN, &abi) < 0))
		return key_fail_at(k, line,
			"has \"%s\"; it takes \"landlock:N\" with the least ABI (1 to %d), and user, mount, pid, "
			"network, "
			"ipc, uts, capabilities and seccomp, which no launch goes without",
			text_escape_str(text, shown, sizeof(shown)), LANDLOCK_ABI_KNOWN);
	if ((int)abi <= c->landlock)
		return 0;
	c->landlock = (int)abi;
	free(c->landlock_where);
	c->landlock_where = NULL;
	return key_where(k, line, text, &c->landlock_where);
}

int policy_set_layers(const struct key *k)
{
	const json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach((json_t *)(uintptr_t)k->v, i, item) if (r == 0) r =
		take_layer(k, json_string_value(item), key_item_line(k, i));
	return r;
}

int policy_judge_channel(const struct policy_consent *c, const char *channel, const char *name, struct diag *d)
{
	char shown[SHOWN];
	size_t i = 0;

	/* Each user namespace has a root, and there this machine's policy is nobody's: it is not followed. */
	if (c->by == CONSENT_BY_ADMIN && geteuid() != 0)
		return diag_fail(d, -EPERM,
			"%s: no answer of yours starts it: on this machine only who manages it approves servers (%s); "
			"ask them",
			text_escape_str(name, shown, sizeof(shown)), c->by_where);
	while (i < ARRAY_LEN(channels) && strcmp(channels[i], channel) != 0)
		i++;
	if (i < ARRAY_LEN(channels) && (!c->where || c->channels >> i & 1))
		return 0;
	if (!c->where)
		return diag_fail(d, -EPERM, "%s: it was approved through \"%s\", which is no channel of an answer",
			text_escape_str(name, shown, sizeof(shown)), channel);
	return diag_fail(d, -EPERM,
		"%s: an answer through \"%s\" does not count on this machine (%s); ask who manages it how servers are "
		"approved here",
		text_escape_str(name, shown, sizeof(shown)), channel, c->where);
}

int policy_channel_words(const struct policy_consent *c, struct buf *b)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(channels); i++)
		if (c->channels >> i & 1)
			r = buf_printf(b, "%s%s", b->len ? " or " : "", channels[i]);
	return r;
}

int policy_judge_layers(const struct policy_consent *c, int abi, struct diag *d)
{
	if (abi >= c->landlock)
		return 0;
	return diag_fail(d, -ENOSYS,
		"this kernel's Landlock has ABI %d, and policy wants %d at the least (%s): a newer kernel has it "
		"('stockade doctor' says what is there)",
		abi, c->landlock, c->landlock_where);
}

void policy_consent_done(struct policy_consent *c)
{
	free(c->by_where);
	free(c->where);
	free(c->landlock_where);
	*c = (struct policy_consent){ 0 };
}
