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
	if (r == 0 && v->why)
		r = buf_printf(b, ": it does not count, since it %s", v->why);
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

json_t *vouched_json(const struct vouched *w)
{
	json_t *array = json_array();

	for (size_t i = 0; i < w->n; i++) {
		const struct voucher *v = &w->v[i];
		char when[OUTPUT_TIME_SIZE];
		json_t *one = json_pack("{s:s?, s:s, s:s?, s:b}", "key", v->name, "id", v->id, "when",
			v->when ? output_time(v->when, when) : NULL, "counts", v->counts);
		if (json_array_append_new(array, one) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

void vouched_done(struct vouched *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i].name);
	free(w->v);
	free(w->rule);
	*w = (struct vouched){ 0 };
}
