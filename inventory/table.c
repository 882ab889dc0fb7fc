/* SPDX-License-Identifier: Apache-2.0 */
/* table - see table.h */
#include "inventory/table.h"

#define CLINE "globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
#define ROO   "globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json"
#define M                                                                                                              \
	json_parse,                                                                                                    \
	{                                                                                                              \
		"mcpServers"                                                                                           \
	}

/* clang-format off */
const struct place places[] = {
	{ "Claude Desktop", PLACE_CONFIG, NULL, "Claude/claude_desktop_config.json", M },
	{ "Claude Code", PLACE_ENV, "CLAUDE_CONFIG_DIR:", ".claude.json", M },
	{ "Claude Code", PLACE_SYSTEM, NULL, "/etc/claude-code/managed-mcp.json", M },
	{ "Claude Code", PLACE_PROJECT, NULL, ".mcp.json", M },
	{ "Cursor", PLACE_HOME, NULL, ".cursor/mcp.json", M },
	{ "Cursor", PLACE_PROJECT, NULL, ".cursor/mcp.json", M },
	{ "VS Code", PLACE_CONFIG, NULL, "Code/User/mcp.json", json_parse, { "servers" } },
	{ "VS Code", PLACE_CONFIG, NULL, "Code/User/settings.json", json_parse, { "mcp", "servers" } },
	{ "VS Code Insiders", PLACE_CONFIG, NULL, "Code - Insiders/User/mcp.json", json_parse, { "servers" } },
	{ "VSCodium", PLACE_CONFIG, NULL, "VSCodium/User/mcp.json", json_parse, { "servers" } },
	{ "VS Code", PLACE_PROJECT, NULL, ".vscode/mcp.json", json_parse, { "servers" } },
	{ "Copilot", PLACE_ENV, "COPILOT_HOME:.copilot", "mcp-config.json", M },
	{ "Windsurf", PLACE_HOME, NULL, ".codeium/windsurf/mcp_config.json", M },
	{ "Zed", PLACE_CONFIG, NULL, "zed/settings.json", json_parse, { "context_servers" } },
	{ "Zed", PLACE_PROJECT, NULL, ".zed/settings.json", json_parse, { "context_servers" } },
	{ "Codex", PLACE_ENV, "CODEX_HOME:.codex", "config.toml", toml_parse, { "mcp_servers" } },
	{ "Codex", PLACE_SYSTEM, NULL, "/etc/codex/config.toml", toml_parse, { "mcp_servers" } },
	{ "Codex", PLACE_PROJECT, NULL, ".codex/config.toml", toml_parse, { "mcp_servers" } },
	{ "Gemini CLI", PLACE_HOME, NULL, ".gemini/settings.json", M },
	{ "Gemini CLI", PLACE_PROJECT, NULL, ".gemini/settings.json", M },
	{ "Goose", PLACE_CONFIG, NULL, "goose/config.yaml", yaml_parse, { "extensions" } },
	{ "LM Studio", PLACE_HOME, NULL, ".lmstudio/mcp.json", M },
	{ "Cline", PLACE_CONFIG, NULL, "Code/User/" CLINE, M },
	{ "Cline", PLACE_CONFIG, NULL, "Cursor/User/" CLINE, M },
	{ "Roo Code", PLACE_CONFIG, NULL, "Code/User/" ROO, M },
	{ "Continue", PLACE_HOME, NULL, ".continue/config.yaml", yaml_parse, { "mcpServers" } },
	{ "OpenCode", PLACE_CONFIG, NULL, "opencode/opencode.json", json_parse, { "mcp" } },
	{ "OpenCode", PLACE_CONFIG, NULL, "opencode/opencode.jsonc", json_parse, { "mcp" } },
	{ "OpenCode", PLACE_PROJECT, NULL, "opencode.json", json_parse, { "mcp" } },
	{ "Kiro", PLACE_HOME, NULL, ".kiro/settings/mcp.json", M },
	{ "Kiro", PLACE_PROJECT, NULL, ".kiro/settings/mcp.json", M },
	{ "Crush", PLACE_CONFIG, NULL, "crush/crush.json", json_parse, { "mcp" } },
	{ "Crush", PLACE_PROJECT, NULL, "crush.json", json_parse, { "mcp" } },
	{ "Amp", PLACE_CONFIG, NULL, "amp/settings.json", json_parse, { "amp.mcpServers" } },
};
/* clang-format on */
const size_t places_n = ARRAY_LEN(places);
