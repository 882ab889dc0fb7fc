/* SPDX-License-Identifier: Apache-2.0 */
/* signing_lines - see signing_lines.h */
#include "supervisor/signing/signing_lines.h"
#include <errno.h>
#include "supervisor/effective_lines.h"
#include "supervisor/output.h"

static int add_signers(struct effective *e, const char *what, const struct vouched *w)
{
	_cleanup_free_ char *words = NULL;
	int r = vouched_words(w, &words);

	if (r < 0 || (!words && !w->rule))
		return r;
	if (!w->rule)
		return effective_add_fact(e, LINE_SIGNED, 0, "the signature beside it", "%s: %s", what, words);
	return effective_add_line(e, LINE_SIGNED, 0, w->rule, "%s: %s; %u needed", what,
		words ? words : "signed by nobody", e->policy.signatures.need);
}

/* A key that is over takes with it what it alone made valid. */
static int add_key_end(struct effective *e)
{
	const struct vouched *w = &e->profile.vouched;
	char when[OUTPUT_TIME_SIZE];

	if (!w->expires || w->expires - e->moments.now > FRESHNESS_AHEAD_S)
		return 0;
	return effective_add_line(e, LINE_NOTE, 0, w->rule,
		"the keys that signed the profile are too few from %s on, when one of them expires: it has to be "
		"signed "
		"anew before",
		output_time(w->expires, when));
}

int signing_add_lines(struct effective *e)
{
	int r = add_signers(e, "the profile", &e->profile.vouched);

	if (r == 0)
		r = add_signers(e, "its pins", &e->pins_vouched);
	for (size_t i = 0; r == 0 && i < e->profile.n_code; i++)
		r = effective_add_line(e, LINE_SIGNED, 0, e->profile.code[i].path.where, "the code %s is blake2b:%s",
			e->profile.code[i].path.value, e->profile.code[i].digest);
	if (r == 0)
		r = add_key_end(e);
	if (r == 0 && e->bundle_warning)
		r = effective_add_fact(e, LINE_NOTE, 0, "the bundle of this machine", "%s", e->bundle_warning);
	return r == 0 && e->fresh.soon ? effective_add_value(e, LINE_NOTE, 0, "expires", "%s", e->fresh.soon) : r;
}
