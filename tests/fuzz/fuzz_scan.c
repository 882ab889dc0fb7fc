/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_scan - any bytes as a definition
 *
 * The first byte says which kind. What must hold: it ends; findings are within their limit, and their words safe for a
 * person; the same bytes give the same findings.
 */
#include <string.h>
#include "base/text.h"
#include "scan/scan.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 256 << 10 };

static void judge_words(const char *text)
{
	size_t n = strlen(text);

	must(utf8_valid(text, n), "words are not UTF-8");
	for (size_t i = 0; i < n; i++)
		must((unsigned char)text[i] >= 0x20 && text[i] != 0x7f, "words hold a control character");
}

static struct scan_findings judge(const struct scan_findings *f)
{
	enum scan_severity worst = SCAN_INFO;

	must(f->n <= SCAN_FINDINGS_MAX, "more findings than have room");
	for (size_t i = 0; i < f->n; i++) {
		must(f->at[i].rule && f->at[i].count > 0, "a finding of nothing");
		judge_words(f->at[i].path);
		judge_words(f->at[i].shown);
		if (f->at[i].rule->severity > worst)
			worst = f->at[i].rule->severity;
	}
	must(worst == f->worst, "the worst is none of the findings");
	return *f;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const others[] = { "send_mail", "read_file", "\xd1\x81ry", "" };
	struct scan *s = scan_new();
	struct scan_findings first, second;
	char *text;

	if (size == 0 || size > INPUT_MAX || !s) {
		scan_free(s);
		return 0;
	}
	/* In a block of its own, so that a byte read too much is found. */
	text = malloc(size > 1 ? size - 1 : 1);
	must(text != NULL, "no memory");
	if (size > 1)
		memcpy(text, data + 1, size - 1);
	must(scan_set_others(s, others, sizeof(others) / sizeof(others[0])) == 0, "no memory");
	first = judge(scan_definition(s, (enum scan_kind)(data[0] % (SCAN_INSTRUCTIONS + 1)), text, size - 1));
	second = judge(scan_definition(s, (enum scan_kind)(data[0] % (SCAN_INSTRUCTIONS + 1)), text, size - 1));
	must(first.n == second.n && first.worst == second.worst && first.more == second.more,
		"the second time differs");
	scan_begin(s, SCAN_TOOL);
	scan_name(s, text, size - 1);
	scan_key(s, "key", text, size - 1);
	scan_text(s, "text", text, size - 1);
	judge(scan_end(s));
	free(text);
	scan_free(s);
	return 0;
}
