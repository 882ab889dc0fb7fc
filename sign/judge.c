/* SPDX-License-Identifier: Apache-2.0 */
/* judge - see judge.h */
#include "sign/judge.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/glob.h"
#include "base/text.h"

enum { WORDS_MAX = 1500, SHOWN = 128 };

static const char *const reason_words[] = {
	[JUDGE_COUNTS] = "counts",
	[JUDGE_UNKNOWN] = "is no key of the keyring",
	[JUDGE_NOT_NAMED] = "is not a key that the rule names",
	[JUDGE_EXPIRED] = "has expired",
	[JUDGE_REVOKED] = "was revoked",
	[JUDGE_OUT_OF_SCOPE] = "is not for this server",
};
_Static_assert(ARRAY_LEN(reason_words) == JUDGE_REASON_COUNT, "words for every reason");

const char *judge_reason_words(enum judge_reason reason)
{
	return reason_words[reason];
}

/* What is about no server (a bundle, a revocation) is about all of them. */
static bool in_scope(const struct judge_key *k, const char *server)
{
	bool all = k->n_scope == 0;

	for (size_t i = 0; !all && i < k->n_scope; i++)
		all = server ? glob_match(k->scope[i], server, strlen(server)) : strcmp(k->scope[i], "*") == 0;
	return all;
}

static bool is_revoked(const struct judge_rule *rule, const uint8_t id[SIGN_ID_BYTES])
{
	for (size_t i = 0; i < rule->n_revoked; i++)
		if (memcmp(rule->revoked[i], id, SIGN_ID_BYTES) == 0)
			return true;
	return false;
}

/* By one entry of the rule. */
static enum judge_reason reason_by(const struct judge_rule *rule, const struct judge_key *k)
{
	if (k->expires && rule->now >= k->expires)
		return JUDGE_EXPIRED;
	return in_scope(k, rule->server) ? JUDGE_COUNTS : JUDGE_OUT_OF_SCOPE;
}

/* *ret_expires: until when, for one that counts; INT64_MAX: without end. */
static enum judge_reason reason_of(
	const struct judge_rule *rule, const struct keyring *r, const struct signer *s, int64_t *ret_expires)
{
	enum judge_reason reason = JUDGE_NOT_NAMED;

	*ret_expires = 0;
	if (is_revoked(rule, s->id))
		return JUDGE_REVOKED;
	if (!s->name)
		return JUDGE_UNKNOWN;
	/* One key may have several names, and the rule an entry for each: the widest holds. */
	for (size_t i = 0; i < rule->n_keys; i++) {
		const struct judge_key *k = &rule->keys[i];
		const struct keyring_key *named = keyring_by_name(r, k->name);
		int64_t until = k->expires ? k->expires : INT64_MAX;
		if (!named || memcmp(named->key.id, s->id, sizeof(s->id)) != 0)
			continue;
		enum judge_reason now = reason_by(rule, k);
		if (now == JUDGE_COUNTS && until > *ret_expires)
			*ret_expires = until;
		if (now == JUDGE_COUNTS || reason == JUDGE_NOT_NAMED)
			reason = now;
	}
	return reason;
}

/* --- words --- */

static int put_signer(struct buf *b, const struct signer *s, enum judge_reason reason)
{
	char id[SIGN_ID_HEX];

	if (s->name)
		return reason == JUDGE_COUNTS ? buf_printf(b, "'%s' counts", s->name)
					      : buf_printf(b, "'%s' %s", s->name, reason_words[reason]);
	return buf_printf(b, "%s %s", sign_id_text(s->id, id), reason_words[reason]);
}

static int put_signers(struct buf *b, const struct verified *v, const struct verdict *t)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < v->n; i++) {
		r = buf_puts(b, i ? ", " : "");
		if (r == 0)
			r = put_signer(b, &v->v[i], t->of[i]);
	}
	return r;
}

/* Of the keys that the rule names, those that nobody can sign with: there is no such file. */
static int put_missing(struct buf *b, const struct judge_rule *rule, const struct keyring *r)
{
	int e = 0;

	for (size_t i = 0; e == 0 && i < rule->n_keys; i++)
		if (!keyring_by_name(r, rule->keys[i].name)) {
			char shown[SHOWN];
			e = buf_printf(b, "; there is no key '%s' in the keyring",
				text_escape_str(rule->keys[i].name, shown, sizeof(shown)));
		}
	return e;
}

static int too_few(const struct judge_rule *rule, const struct keyring *r, const struct verified *v,
	const struct verdict *t, struct diag *d)
{
	_cleanup_buf_ struct buf who = BUF_INIT(WORDS_MAX), missing = BUF_INIT(WORDS_MAX);

	/* What does not fit is left out: the numbers stand before it. */
	if (put_signers(&who, v, t) < 0 || put_missing(&missing, rule, r) < 0)
		buf_clear(&missing);
	if (v->n == 0)
		return diag_fail(d, -EACCES, "it is not signed, and %s needs the signatures of %u key%s%s", rule->where,
			rule->need, rule->need == 1 ? "" : "s", missing.data ? missing.data : "");
	return diag_fail(d, -EACCES, "%u of the %u signatures that %s needs: %s%s", t->counted, rule->need, rule->where,
		who.data ? who.data : "", missing.data ? missing.data : "");
}

static int later_first(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y) - (x > y);
}

int judge(const struct judge_rule *rule, const struct keyring *r, const struct verified *v, struct verdict *ret,
	struct diag *d)
{
	_cleanup_buf_ struct buf who = BUF_INIT(WORDS_MAX);
	int64_t until[SIGNED_MAX] = { 0 };

	*ret = (struct verdict){ .need = rule->need };
	if (rule->need == 0 || v->n > SIGNED_MAX)
		return diag_fail(d, -EINVAL, "%s needs the signature of no key, and so proves nothing", rule->where);
	for (size_t i = 0; i < v->n; i++) {
		ret->of[i] = reason_of(rule, r, &v->v[i], &until[i]);
		ret->counted += ret->of[i] == JUDGE_COUNTS;
	}
	if (ret->counted < ret->need)
		return too_few(rule, r, v, ret, d);
	/* It is enough for as long as the need-th of those that last longest lasts. */
	qsort(until, v->n, sizeof(until[0]), later_first);
	ret->expires = until[ret->need - 1] == INT64_MAX ? 0 : until[ret->need - 1];
	if (put_signers(&who, v, ret) < 0)
		buf_clear(&who);
	diag_set(d, "%u of the %u signatures that %s needs: %s", ret->counted, ret->need, rule->where,
		who.data ? who.data : "");
	return 0;
}
