/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_pins - any bytes as a pin file: read whole, or refused in one line that is fit for a terminal
 *
 * The first '#' of the input becomes the digest of what follows the first line, which nothing random would hit; the
 * rest is taken as it is. What must hold: names are in order and there is one of each; what is read and written again
 * is the same pins.
 */
#include <string.h>
#include "supervisor/canonical.h"
#include "supervisor/pin_store.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 16 };

static void check_pins(const struct pin_set *s)
{
	const struct definitions *l = &s->definitions;
	struct shim_pins pins = { 0 };

	must(s->subject && s->texts && strlen(s->digest) + 1 == PIN_DIGEST_HEX, "half a set of pins");
	must(l->n <= DEFINITIONS_MAX, "a crowd of pins");
	must(pin_to_shim(s, strdup("the pins"), &pins) == 0 && pins.n == l->n, "the shim would get others");
	for (size_t i = 0; i < l->n; i++) {
		const struct definition *d = &l->v[i];
		must((d->kind == DEFINITION_INSTRUCTIONS) == (*d->name == '\0'),
			"instructions with a name, or none without");
		must(i == 0 || definition_compare(d - 1, d) < 0, "two of one name, or no order");
		must(shim_pins_find(&pins, d->kind, d->name, strlen(d->name)) == &pins.v[i], "a pin that is not found");
	}
	for (size_t i = 0; i < pins.n; i++)
		free(pins.v[i].name);
	free(pins.v);
	free(pins.where);
}

/* The digests and the texts of both are the same. */
static void check_again(struct pin_set *s)
{
	_cleanup_buf_ struct buf once = { 0 }, twice = { 0 };
	_cleanup_pin_set_ struct pin_set again = { 0 };
	struct diag d = { "" };

	if (pin_text(&s->definitions, s->subject, &once) < 0)
		return;
	must(pin_parse("fuzz.pins", once.data, once.len, &again, &d) == 0, "what was written cannot be read");
	must(pin_read_texts(&again, &d) == 0, "texts that were written cannot be read");
	must(pin_text(&again.definitions, again.subject, &twice) == 0 && once.len == twice.len &&
			memcmp(once.data, twice.data, once.len) == 0,
		"it means something else");
	must(again.definitions.n == s->definitions.n, "pins are lost");
	for (size_t i = 0; i < again.definitions.n; i++)
		must(memcmp(again.definitions.v[i].digest, s->definitions.v[i].digest, DEFINITION_DIGEST_BYTES) == 0,
			"another digest");
}

static int put_input(const uint8_t *data, size_t size, struct buf *ret)
{
	const uint8_t *mark = memchr(data, '#', size), *end = memchr(data, '\n', size);
	_cleanup_free_ char *rest = end ? strndup((const char *)end + 1, size - (size_t)(end + 1 - data)) : NULL;
	char digest[CANONICAL_DIGEST_HEX];

	if (!rest || !mark || mark > end || canonical_digest_text(rest, digest) < 0)
		return buf_append(ret, data, size);
	int r = buf_append(ret, data, (size_t)(mark - data));
	if (r == 0)
		r = buf_puts(ret, digest);
	return r ? r : buf_append(ret, mark + 1, size - (size_t)(mark + 1 - data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf b = BUF_INIT(INPUT_MAX + CANONICAL_DIGEST_HEX);
	_cleanup_pin_set_ struct pin_set s = { 0 };
	struct diag d = { "" };

	if (size == 0 || size > INPUT_MAX || put_input(data, size, &b) < 0)
		return 0;
	if (pin_parse("fuzz.pins", b.data, b.len, &s, &d) < 0) {
		check_words(d.text);
		return 0;
	}
	check_pins(&s);
	if (pin_read_texts(&s, &d) < 0)
		check_words(d.text);
	else
		check_again(&s);
	return 0;
}
