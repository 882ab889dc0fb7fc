/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_found - any bytes as what the reader of somebody's configurations hands over: servers, or refused
 *
 * The reader runs as the user whose files they are, who can make it say anything. What must hold: each server is whole
 * and within its limits, and its state is what its parts say.
 */
#include <errno.h>
#include <string.h>
#include "base/text.h"
#include "supervisor/inventory/found.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 16 };

/* JSON takes nothing else, and what one user says must not break what is written of the others. */
static void check_text(const char *text)
{
	must(!text || utf8_valid(text, strlen(text)), "a text that is no UTF-8");
}

static void check_found(const struct found *f)
{
	const char *const texts[] = { f->client, f->file, f->name, f->project, f->unread, f->url, f->profile,
		f->package, f->version };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check_text(texts[i]);
	for (size_t i = 0; i < f->words.n; i++)
		check_text(f->words.v[i]);
	for (size_t i = 0; i < f->variables.n; i++)
		check_text(f->variables.v[i]);
	must(f->user && f->client && f->file && (f->name || f->unread), "half a server");
	must(f->words.n <= FOUND_WORDS_MAX, "more words than there may be");
	must(*found_state_name(f->state) != '\0', "no state");
	must((f->state == FOUND_UNREAD) == (f->unread != NULL), "a file that was read, and was not");
	must(f->state != FOUND_REMOTE || f->url, "remote, and nowhere");
	must(f->state == FOUND_WRAPPED || !f->profile, "a profile for what goes past stockade");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct found_list l = { 0 };
	struct diag d = { "" };

	if (size > INPUT_MAX)
		return 0;
	if (found_parse((const char *)data, size, "somebody", &l, &d) < 0)
		must(d.text[0] != '\0', "a refusal without words");
	must(l.n <= FOUND_MAX, "more servers than there may be");
	for (size_t i = 0; i < l.n; i++)
		check_found(&l.v[i]);
	found_list_done(&l);
	return 0;
}
