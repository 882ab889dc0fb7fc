/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stockade-inventory - reads the configurations of one user's MCP clients, as that user (inventory/entries.h)
 *
 *     stockade-inventory [--system] [--environment] HOME [PROJECT]...
 *
 * Started by `stockade inventory` alone, which has become that user; stdout is its pipe.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/io.h"
#include "inventory/confine.h"
#include "inventory/entries.h"

enum { FAILED = 1, USAGE = 2 };

static int take_words(int argc, char **argv, struct search *s)
{
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--system") == 0)
			s->system = true;
		else if (strcmp(argv[i], "--environment") == 0)
			s->environ_names = environ;
		else
			return -EINVAL;
	}
	if (i == argc || argv[i][0] != '/')
		return -EINVAL;
	s->home = argv[i];
	while (++i < argc && s->n_projects < PROJECTS_MAX) {
		s->projects[s->n_projects] = strdup(argv[i]);
		if (!s->projects[s->n_projects])
			return -ENOMEM;
		s->n_projects++;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct search s = { .out = stdout };
	struct diag d = { "" };
	int r = io_sanitise_descriptors(NULL, 0);

	if (r >= 0)
		r = take_words(argc, argv, &s);
	if (r == -EINVAL) {
		fputs("stockade-inventory: started by 'stockade inventory' alone\n", stderr);
		return USAGE;
	}
	if (r == 0)
		r = confine_inventory(&d);
	if (r == 0)
		r = entries_find(&s);
	if (r == 0 && fflush(stdout) != 0)
		r = -errno;
	for (size_t i = 0; i < s.n_projects; i++)
		free(s.projects[i]);
	if (r == 0)
		return 0;
	fprintf(stderr, "stockade-inventory: %s\n", d.text[0] ? d.text : strerror(-r));
	return FAILED;
}
