/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_kill - any bytes as the file of a kill entry, and as its name: it kills, whatever it says
 *
 * Promises: no input crashes; a damaged entry kills a whole server at least; what is said of it is fit for a terminal;
 * a name that is read as an entry's is the one that such an entry has.
 */
#include <stdlib.h>
#include <string.h>
#include "supervisor/kill/kill_entry.h"
#include "tests/fuzz/fuzz.h"

static void check_entry(const struct kill_entry *e, int r)
{
	char words[KILL_WORDS_SIZE];

	if (!e->server || !*e->server || (r == KILL_DAMAGED) != (e->damaged != NULL))
		abort();
	if (e->damaged ? e->tool != NULL : !e->who || !e->when || !e->why)
		abort();
	if (!e->tool && strcmp(e->server, "*") == 0 && !kill_entry_hits_server(e, "anything"))
		abort();
	check_words(kill_entry_by(e, words, sizeof(words)));
	check_words(kill_entry_what(e, words, sizeof(words)));
}

static void check_again(const struct kill_entry *e)
{
	_cleanup_kill_entry_ struct kill_entry again = { 0 };
	char *text = kill_entry_text(e);

	if (!text || kill_entry_parse(text, strlen(text), &again) != 0 || strcmp(again.server, e->server) != 0)
		abort();
	free(text);
}

static void check_name(const uint8_t *data, size_t size)
{
	char name[KILL_FILE_NAME_SIZE], same[KILL_FILE_NAME_SIZE];
	_cleanup_free_ char *server = NULL, *tool = NULL;

	if (size >= sizeof(name))
		return;
	memcpy(name, data, size);
	name[size] = '\0';
	if (kill_entry_of_name(name, &server, &tool) < 0)
		return;
	if (kill_entry_file_name(server, tool, same) < 0 || strcmp(same, name) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_kill_entry_ struct kill_entry e = { 0 };
	int r = kill_entry_parse((const char *)data, size, &e);

	if (r < 0)
		abort();
	check_entry(&e, r);
	if (r == 0)
		check_again(&e);
	check_name(data, size);
	return 0;
}
