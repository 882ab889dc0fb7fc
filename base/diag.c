/* SPDX-License-Identifier: Apache-2.0 */
/* diag - see diag.h */
#include "base/diag.h"
#include <stdarg.h>
#include <string.h>

static _printf_(2, 0) void diag_vset(struct diag *d, const char *fmt, va_list ap)
{
	int n = vsnprintf(d->text, sizeof(d->text), fmt, ap);
	if (n >= (int)sizeof(d->text))
		memcpy(d->text + sizeof(d->text) - 4, "...", 4);
}

void diag_set(struct diag *d, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return;
	va_start(ap, fmt);
	diag_vset(d, fmt, ap);
	va_end(ap);
}

int diag_fail(struct diag *d, int err, const char *fmt, ...)
{
	va_list ap;

	if (!d)
		return err;
	va_start(ap, fmt);
	diag_vset(d, fmt, ap);
	va_end(ap);
	return err;
}

void diag_prefix(struct diag *d, const char *fmt, ...)
{
	struct diag old;
	va_list ap;
	size_t len;

	if (!d)
		return;
	old = *d;
	va_start(ap, fmt);
	diag_vset(d, fmt, ap);
	va_end(ap);
	len = strlen(d->text);
	int n = snprintf(d->text + len, sizeof(d->text) - len, "%s", old.text);
	if (n >= (int)(sizeof(d->text) - len))
		memcpy(d->text + sizeof(d->text) - 4, "...", 4);
}
