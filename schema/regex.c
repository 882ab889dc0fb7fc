/* SPDX-License-Identifier: Apache-2.0 */
/* regex - see regex.h */
#include "schema/regex.h"
#include <errno.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include "base/text.h"
#include "schema/ecma.h"

/* Rewriting makes a pattern longer: \s by the most. */
enum { TRANSLATED_MAX = 32 * REGEX_PATTERN_MAX, SHOWN_MAX = 200, BYTES_A_STEP = 64 };

struct regex {
	pcre2_code *code;
};

struct regex_memory {
	pcre2_match_data *match;
	pcre2_match_context *context;
};

/* An item may run over the whole text before it fails, so that a long text makes every item dearer. */
struct budget {
	uint64_t *steps, price;
};

static int translated(struct buf *b, const char *pattern, size_t n, struct diag *d)
{
	if (n > REGEX_PATTERN_MAX)
		return diag_fail(d, -EINVAL, "it is longer than %d bytes", REGEX_PATTERN_MAX);
	return ecma_translate(pattern, n, b, d);
}

static int compile(struct regex *r, const struct buf *b, struct diag *d)
{
	const uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS |
				 PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C |
				 PCRE2_AUTO_CALLOUT;
	PCRE2_UCHAR why[120];
	PCRE2_SIZE at;
	int e;

	r->code = pcre2_compile((PCRE2_SPTR)b->data, b->len, options, &e, &at, NULL);
	if (r->code)
		return 0;
	if (e == PCRE2_ERROR_HEAP_FAILED)
		return -ENOMEM;
	pcre2_get_error_message(e, why, sizeof(why));
	return diag_fail(d, -EINVAL, "%s", (const char *)why);
}

int regex_compile(const char *pattern, size_t n, struct regex **ret, struct diag *d)
{
	_cleanup_buf_ struct buf b = BUF_INIT(TRANSLATED_MAX), shown = BUF_INIT(5 * SHOWN_MAX);
	struct regex *r = calloc(1, sizeof(*r));
	int e = r ? translated(&b, pattern, n, d) : -ENOMEM;

	if (e == 0)
		e = compile(r, &b, d);
	/* Whoever looks for a value in these words has to know where they were cut. */
	if (e == -EINVAL && text_escape(&shown, pattern, n < SHOWN_MAX ? n : SHOWN_MAX, TEXT_KEEP_BACKSLASH) == 0)
		diag_prefix(
			d, "holds the pattern '%s%s', which cannot be used: ", shown.data, n > SHOWN_MAX ? "..." : "");
	if (e)
		regex_free(STEAL_PTR(r));
	*ret = r;
	return e == -E2BIG ? diag_fail(d, -EINVAL, "a pattern is too long") : e;
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	pcre2_code_free(r->code);
	free(r);
}

size_t regex_size(const struct regex *r)
{
	size_t size = 0;

	pcre2_pattern_info(r->code, PCRE2_INFO_SIZE, &size);
	return size;
}

static int spend(pcre2_callout_block *block, void *data)
{
	const struct budget *budget = data;

	if (*budget->steps < budget->price)
		return PCRE2_ERROR_CALLOUT;
	*budget->steps -= budget->price;
	return 0;
}

struct regex_memory *regex_memory_new(void)
{
	struct regex_memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->match = pcre2_match_data_create(1, NULL);
	m->context = pcre2_match_context_create(NULL);
	if (!m->match || !m->context) {
		regex_memory_free(m);
		return NULL;
	}
	pcre2_set_heap_limit(m->context, REGEX_HEAP_KIB);
	return m;
}

void regex_memory_free(struct regex_memory *m)
{
	if (!m)
		return;
	pcre2_match_data_free(m->match);
	pcre2_match_context_free(m->context);
	free(m);
}

static int run(const struct regex *r, struct regex_memory *m, const char *text, size_t n, size_t from, uint32_t options,
	uint64_t *steps)
{
	struct budget budget = { steps, 1 + n / BYTES_A_STEP };
	int e;

	pcre2_set_callout(m->context, spend, &budget);
	e = pcre2_match(r->code, (PCRE2_SPTR)text, n, from, options, m->match, m->context);
	pcre2_set_callout(m->context, NULL, NULL);
	if (e >= 0)
		return REGEX_MATCH;
	return e == PCRE2_ERROR_NOMATCH ? REGEX_NO_MATCH : REGEX_TOO_COSTLY;
}

int regex_match(const struct regex *r, struct regex_memory *m, const char *text, size_t n, uint64_t *steps)
{
	return run(r, m, text, n, 0, 0, steps);
}

int regex_find(const struct regex *r, struct regex_memory *m, const char *text, size_t n, size_t from, uint64_t *steps,
	struct regex_span *ret)
{
	int found = run(r, m, text, n, from, PCRE2_NOTEMPTY, steps);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(m->match);

	*ret = (struct regex_span){ 0 };
	if (found != REGEX_MATCH)
		return found;
	/* With \K or a look-behind the ends may lie before the start: such a match is of nothing. */
	if (at[0] < from || at[1] <= at[0])
		return REGEX_NO_MATCH;
	*ret = (struct regex_span){ at[0], at[1] - at[0] };
	return REGEX_MATCH;
}
