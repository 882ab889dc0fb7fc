/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_inventory - any bytes as a client's configuration: a tree within its limits, or refused with a line
 *
 * The first byte of the input chooses JSON, TOML or YAML. What must hold: no tree is deeper or larger than its limits;
 * every member of a map has a key, every text is one; the file that names a line names one that it has.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "inventory/node.h"
#include "tests/fuzz/fuzz.h"

/* Beside its brackets TOML nests by the parts of a key, in each of them anew. */
enum { INPUT_MAX = 1 << 16, DEPTH_MAX = (NODE_DEPTH_MAX + 2) * (NODE_DEPTH_MAX + 2) };

static void check_node(const struct node *n, const struct node *parent, unsigned lines, unsigned depth, size_t *count)
{
	must(depth <= DEPTH_MAX && ++*count <= NODES_MAX, "a tree beyond its limits");
	must(n->line >= 1 && n->line <= lines, "a line that is not there");
	must((parent && parent->type == NODE_MAP) == (n->key != NULL), "a key at the wrong place");
	must((n->type == NODE_TEXT) == (n->text != NULL), "a text that is none");
	must(n->type != NODE_TEXT || n->n == 0, "something below a text");
	for (size_t i = 0; i < n->n; i++)
		check_node(n->v[i], n, lines, depth + 1, count);
}

/* What a tree is asked for: the last of equal keys. */
static void check_members(const struct node *n)
{
	for (size_t i = 0; i < n->n && n->type == NODE_MAP; i++) {
		const struct node *got = node_get(n, n->v[i]->key);
		must(got && strcmp(got->key, n->v[i]->key) == 0, "a member that is not found");
	}
}

/* libyaml counts a carriage return and three more breaks of Unicode as line ends, too; more than bytes there are none.
 */
static unsigned lines_of(const char *text, size_t n, bool yaml)
{
	unsigned lines = 1;

	for (size_t i = 0; i < n; i++)
		lines += yaml || text[i] == '\n';
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const parsers[])(
		const char *text, size_t n, struct node **ret, struct diag *d) = { json_parse, toml_parse, yaml_parse };
	_cleanup_node_ struct node *root = NULL;
	_cleanup_free_ char *text = NULL;
	struct diag d = { "" };
	size_t count = 0;

	if (size < 1 || size > INPUT_MAX)
		return 0;
	text = malloc(size);
	must(text != NULL, "no memory");
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	int r = parsers[data[0] % ARRAY_LEN(parsers)](text, size - 1, &root, &d);
	must(r == 0 || r == -EINVAL || r == -E2BIG || r == -ENOMEM, "an answer that is none");
	must((r == 0) == (root != NULL), "a tree beside an error, or none");
	must(r != -EINVAL || strncmp(d.text, "line ", 5) == 0, "a refusal that names no line");
	if (r < 0)
		return 0;
	check_node(root, NULL, lines_of(text, size - 1, data[0] % ARRAY_LEN(parsers) == 2), 0, &count);
	check_members(root);
	return 0;
}
