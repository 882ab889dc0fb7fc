/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_client - any bytes as what is read to find out who a client is
 *
 * The first byte of the input chooses a file: /.flatpak-info, a package's list of dpkg, dpkg's status, /proc/PID/stat.
 * The first is any program's to write, the last holds a name that is. What must hold: no text is cut without its end,
 * an id is one that can stand in a path, a place that is believed names it, and a list names whole lines alone.
 */
#include <stdio.h>
#include <string.h>
#include "supervisor/client/client_parts.h"
#include "supervisor/lineage.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 15 };

#define ENDS(array) must(memchr((array), '\0', sizeof(array)) != NULL, "a text without its end")

static void check_flatpak(const char *text)
{
	struct client_flatpak f;

	if (!client_flatpak_parse(text, &f))
		return;
	ENDS(f.id);
	ENDS(f.files);
	ENDS(f.commit);
	must(f.id[0] && !strpbrk(f.id, "/ \n"), "an id that is a path");
	if (!client_flatpak_is_place(f.files, &f))
		return;
	char part[sizeof(f.id) + 8];
	snprintf(part, sizeof(part), "/app/%s/", f.id);
	must(strstr(f.files, part) != NULL, "the place of another application");
}

/* Nothing but a line of its own makes a file the package's. */
static void check_list(const char *text)
{
	static const char path[] = "/usr/bin/code", merged[] = "/bin/code";
	_cleanup_buf_ struct buf b = BUF_INIT(INPUT_MAX + 1);

	must(buf_puts(&b, text) == 0, "no memory");
	if (!client_deb_lists(&b, path))
		return;
	must(strstr(text, merged) != NULL, "a list that does not have it");
}

static void check_status(const char *text)
{
	_cleanup_free_ char *version = NULL;

	must(client_deb_version(text, "code", &version) == 0, "no memory");
	must(!version || (!strchr(version, '\n') && strstr(text, "Package: code\n")), "a version of nothing");
}

static void check_stat(const char *text)
{
	struct lineage_stat st;

	if (lineage_parse_stat(text, &st) < 0)
		return;
	ENDS(st.comm);
	must(st.ppid >= 0, "a parent that is none");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(const char *text) = { check_flatpak, check_list, check_status, check_stat };
	_cleanup_free_ char *text = NULL;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	text = malloc(size);
	must(text != NULL, "no memory");
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	checks[data[0] % ARRAY_LEN(checks)](text);
	return 0;
}
