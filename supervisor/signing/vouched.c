/* SPDX-License-Identifier: Apache-2.0 */
/* vouched - see vouched.h */
#include "supervisor/signing/vouched.h"
#include <errno.h>
#include <stdlib.h>
#include "base/buf.h"
#include "supervisor/output.h"

static int put_voucher(struct buf *b, const struct voucher *v)
{
	char when[OUTPUT_TIME_SIZE];
	int r = v->name ? buf_printf(b, "%s (key %s", v->name, v->id) : buf_printf(b, "an unknown key (%s", v->id);

	if (r == 0 && v->when)
		r = buf_printf(b, ", on %s", output_time(v->when, when));
	if (r == 0 && !v->name)
		r = buf_puts(b, ": it proves nothing");
	return r < 0 ? r : buf_putc(b, ')');
}

int vouched_words(const struct vouched *w, char **ret)
{
	_cleanup_buf_ struct buf b = BUF_INIT(16 << 10);
	int r = 0;

	*ret = NULL;
	for (size_t i = 0; r == 0 && i < w->n; i++) {
		r = buf_puts(&b, i == 0 ? "signed by " : i + 1 == w->n ? " and " : ", ");
		if (r == 0)
			r = put_voucher(&b, &w->v[i]);
	}
	if (r < 0 || !w->n)
		return r;
	*ret = buf_steal(&b);
	return *ret ? 0 : -ENOMEM;
}

void vouched_done(struct vouched *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i].name);
	free(w->v);
	free(w->rule);
	*w = (struct vouched){ 0 };
}
