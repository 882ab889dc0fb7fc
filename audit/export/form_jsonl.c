/* SPDX-License-Identifier: Apache-2.0 */
/* form_jsonl - JSON Lines: the records as they are, so that their hashes can be checked where they arrive */
#include "audit/export/form.h"

int form_jsonl(const struct form_record *r, struct buf *b)
{
	int e = buf_append(b, r->text, r->len);

	return e < 0 ? e : buf_putc(b, '\n');
}
