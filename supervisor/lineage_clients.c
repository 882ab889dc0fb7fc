/* SPDX-License-Identifier: Apache-2.0 */
/* lineage_clients - see lineage_clients.h */
#include "supervisor/lineage_clients.h"
#include <stdbool.h>
#include <string.h>
#include "base/cleanup.h"

/* names: base names of executable or script, any case. inside: a piece of the path of either. */
struct client_row {
	const char *client;
	const char *names[6];
	const char *inside[4];
};

static const struct client_row clients[] = {
	{ "Claude Code", { "claude" },
		{ "/@anthropic-ai/claude-code/", "/claude/versions/", "/anthropic.claude-code-" } },
	{ "Claude Desktop", { "claude-desktop" }, { "/claude-desktop/" } },
	{ "VS Code", { "code", "code-insiders", "code-oss", "codium", "vscodium", "code-server" },
		{ "/.vscode-server", "/.vscodium-server/" } },
	{ "Cursor", { "cursor", "cursor-agent" }, { "/.cursor-server/", "/cursor-agent/" } },
	{ "Windsurf", { "windsurf" }, { "/.windsurf-server/" } },
	{ "Zed", { "zed", "zed-editor", "zeditor", "zed-remote-server" }, { "/zed.app/" } },
	{ "Codex", { "codex" }, { "/@openai/codex/" } },
	{ "Gemini CLI", { "gemini" }, { "/@google/gemini-cli/" } },
	{ "Goose", { "goose", "goosed" }, { NULL } },
	{ "LM Studio", { "lm-studio", "lmstudio", "lms" }, { "/.lmstudio/" } },
	{ "Cline", { "cline" }, { "/cline/dist/", "/saoudrizwan.claude-dev" } },
	{ "Continue", { "cn" }, { "/@continuedev/cli/", "/continue.continue-" } },
	{ "OpenCode", { "opencode" }, { "/opencode-ai/" } },
	{ "Kiro", { "kiro", "kiro-cli" }, { "/.kiro-server/" } },
	{ "Crush", { "crush" }, { "/@charmland/crush/" } },
	{ "Amp", { "amp" }, { "/@sourcegraph/amp/" } },
	{ "Copilot", { "copilot" }, { "/@github/copilot/" } },
	{ "Antigravity", { "antigravity" }, { NULL } },
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool row_has_name(const struct client_row *row, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(row->names) && row->names[i]; i++)
		if (strcasecmp(row->names[i], name) == 0)
			return true;
	return false;
}

static bool row_has_path(const struct client_row *row, const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(row->inside) && row->inside[i]; i++)
		if (strcasestr(path, row->inside[i]))
			return true;
	return row_has_name(row, base_name(path));
}

const char *lineage_client_name(const char *exe, const char *script, const char *comm)
{
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		if (exe && row_has_path(&clients[i], exe))
			return clients[i].client;
		if (script && row_has_path(&clients[i], script))
			return clients[i].client;
		/* A Node program may name itself; a process of another user shows nothing but this. */
		if ((!exe || script) && comm && row_has_name(&clients[i], comm))
			return clients[i].client;
	}
	return NULL;
}
