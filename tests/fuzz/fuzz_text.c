/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_text - what is taken out of text, on any message of a server
 *
 * What must hold: what comes out is valid and canonical, or has two keys that became one; no secret is in it, in any
 * spelling that is looked for; and nothing more is taken out when it comes by again.
 */
#include <string.h>
#include "shim/envelope.h"
#include "shim/shim.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 16 };

static struct shim *prepare(void)
{
	static struct shim s;
	struct diag d = { 0 };

	if (s.text.config)
		return &s;
	must(shim_text_add_secret(&s.config.text, "A", "ghp_Zx81") == 0, "no memory");
	must(shim_text_add_secret(&s.config.text, "B", "p\"w\\x/1 \xc3\xa4&") == 0, "no memory");
	must(shim_text_add_pattern(&s.config.text, "t", "T[0-9]{3}") == 0, "no memory");
	shim_init(&s, 7);
	must(text_out_init(&s.text, &s.config.text, &d) == 0, "no values");
	return &s;
}

static bool has_secret(const struct shim *s)
{
	struct secrets_hit hit;
	struct envelope e;

	must(envelope_read(&s->doc, &e) == 0, "the envelope is gone");
	struct slice body = e.kind <= ENVELOPE_NOTIFICATION ? e.params : e.body;
	return body.n && secrets_find(&s->text.secrets, false, body.p, body.n, 0, &hit) != 0;
}

static int pass(struct shim *s)
{
	struct envelope e;

	must(envelope_read(&s->doc, &e) == 0, "the envelope is gone");
	int r = text_out_pass(s, EVENT_FROM_SERVER, &e);
	must(r >= 0, "the pass failed");
	memset(s->text.counts, 0, sizeof(s->text.counts));
	return r;
}

/* Without personal data, whose going may leave a character without the one that it belonged to. */
static void check(struct shim *s, const char *line, size_t n, bool personal)
{
	struct envelope e;

	s->config.text.sets = personal ? (1u << SHIM_SET_COUNT) - 1 : 0;
	s->config.text.n_patterns = personal;
	if (json_parse(&s->doc, line, n) != 0 || envelope_read(&s->doc, &e) != 0 || pass(s) != TEXT_OUT_CHANGED)
		return;
	int r = json_parse(&s->doc, s->edited.data, s->edited.len);
	must(r == 0 || r == JSON_DUPLICATE || r == JSON_COLLISIONS, "what is left is not valid");
	if (r != 0)
		return;
	must(!has_secret(s), "a secret is left");
	must(personal || pass(s) == 0, "a second time finds more");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shim *s = prepare();
	char *line;

	if (size > INPUT_MAX)
		return 0;
	line = malloc(size + 1);
	must(line != NULL, "no memory");
	if (size)
		memcpy(line, data, size);
	for (size_t i = 0; i < size; i++)
		line[i] = line[i] == '\n' ? ' ' : line[i];
	line[size] = '\n';
	check(s, line, size, false);
	check(s, line, size, true);
	free(line);
	return 0;
}
