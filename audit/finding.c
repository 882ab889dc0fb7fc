/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finding - what `audit verify` says about one place of the log
 *
 * Process:  supervisor
 */
#include "audit/finding.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>

#include "base/text.h"

enum { SENTENCE_MAX = 512, FILE_SHOWN = 300 };

static const struct {
	const char *word;
	bool damage;
} kinds[] = {
#define X(name, word, damage) { word, damage },
	FINDINGS(X)
#undef X
};
_Static_assert(ARRAY_LEN(kinds) == FINDING_COUNT, "a row for every finding");

static void print_json(
	const struct findings *f, enum finding what, struct place at, const char *file, const char *sentence)
{
	json_t *o = json_pack("{s:s, s:s, s:b, s:s}", "file", file, "finding", kinds[what].word, "damage",
		(int)kinds[what].damage, "text", sentence);

	if (at.line > 0)
		(void)json_object_set_new(o, "line", json_integer((json_int_t)at.line));
	if (at.seq > 0)
		(void)json_object_set_new(o, "seq", json_integer((json_int_t)at.seq));
	(void)json_dumpf(o, f->out, JSON_COMPACT | JSON_ENSURE_ASCII);
	(void)fputc('\n', f->out);
	json_decref(o);
}

void finding_add(struct findings *f, enum finding what, struct place at, const char *fmt, ...)
{
	char sentence[SENTENCE_MAX], file[FILE_SHOWN];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof sentence, fmt, ap);
	va_end(ap);
	text_escape_str(at.file, file, sizeof file);
	f->damage += kinds[what].damage;
	if (f->json) {
		print_json(f, what, at, file, sentence);
		return;
	}
	(void)fputs(file, f->out);
	if (at.line > 0)
		(void)fprintf(f->out, ":%" PRIu64, at.line);
	if (at.seq > 0)
		(void)fprintf(f->out, ": seq %" PRIu64, at.seq);
	(void)fprintf(f->out, ": %s%s: %s\n", kinds[what].damage ? "" : "note: ", kinds[what].word, sentence);
}
