# SPDX-License-Identifier: Apache-2.0
"""Every server of every client's configuration is found, and said to be wrapped or raw; values are never shown."""
import json
import os
import shutil
import subprocess

import pytest
from integration.harness import ODD, STOCKADE, Wire

SECRET = "s3cret-value"

# client, file below home, its text, and what is found: name, state, package, version, variables, switched off
CONFIGS = [
    ("Claude Desktop", ".config/Claude/claude_desktop_config.json",
     '{"globalShortcut": "", "mcpServers": {\n"files": {"command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem@2025.3.1", "/home"], "env": {"TOKEN": "%s"}}}}' % SECRET,
     [("files", "raw", "npm:@modelcontextprotocol/server-filesystem", "2025.3.1", ["TOKEN"], False)]),
    ("Claude Code", ".claude.json",
     '{"numStartups": 3, "mcpServers": {"gh": {"type": "stdio", "command": "stockade", "args": ["run", "github"], "env": {}}, "far": {"type": "http", "url": "https://user:%s@api.example.com:8443/mcp/%s?k=%s"}}}' % (SECRET, SECRET, SECRET),
     [("gh", "wrapped", None, None, [], False), ("far", "remote", None, None, [], False)]),
    ("Cursor", ".cursor/mcp.json", '{"mcpServers": {"joined": {"command": "npx -y tavily-mcp"}}}', [("joined", "raw", "npm:tavily-mcp", None, [], False)]),
    ("VS Code", ".config/Code/User/mcp.json",
     '{\n  // a comment\n  "inputs": [{"id": "k", "type": "promptString"},],\n  "servers": {\n    /* two\n lines */ "git": {"type": "stdio", "command": "uvx", "args": ["mcp-server-git==0.6.2"], "env": {"KEY": "${input:k}"},},\n  },\n}',
     [("git", "raw", "pypi:mcp-server-git", "0.6.2", ["KEY"], False)]),
    ("VS Code", ".config/Code/User/settings.json", '{"editor.fontSize": 12, "mcp": {"servers": {"old": {"command": "/opt/old"}}}}', [("old", "raw", "path:/opt/old", None, [], False)]),
    ("Copilot", ".copilot/mcp-config.json", '{"mcpServers": {"c": {"type": "local", "command": "uv", "args": ["tool", "run", "--from", "c-mcp", "serve"], "tools": ["*"]}}}',
     [("c", "raw", "pypi:c-mcp", None, [], False)]),
    ("Windsurf", ".codeium/windsurf/mcp_config.json", '{"mcpServers": {"w": {"serverUrl": "https://w.example/sse", "disabled": true}}}', [("w", "remote", None, None, [], True)]),
    ("Zed", ".config/zed/settings.json",
     '// Zed\n{"theme": "One", "context_servers": {"new": {"source": "custom", "enabled": true, "command": "node", "args": ["/s/index.js"], "env": {"A": "1"}}, "older": {"command": {"path": "/z/srv", "args": ["x"], "env": {"B": "1"}}}, }}',
     [("new", "raw", "path:/s/index.js", None, ["A"], False), ("older", "raw", "path:/z/srv", None, [], False)]),
    ("Codex", ".codex/config.toml",
     'model = "gpt-5" # the model\nsince = 1979-05-27 07:32:00\n[mcp_servers.docs]\ncommand = "docker"\nargs = [\n  "run", "-i", "--rm", "-e", "API_KEY=%s", # secret\n  "ghcr.io/x/docs:1.2",\n]\nenv = { "LEVEL" = "debug" }\nenv_vars = ["HOME2"]\n\n[mcp_servers."dotted.name"]\ncommand = \'\'\'/opt/it\'\'\'\nenabled = false\n'
     '[mcp_servers.remote]\nurl = "https://r.example/mcp"\nbearer_token_env_var = "T"\n[mcp_servers.table]\ncommand = "/opt/t"\n[mcp_servers.table.env]\nDEEP = "1"\n[[profiles]]\nname = "x"\n' % SECRET,
     [("docs", "raw", "docker:ghcr.io/x/docs", "1.2", ["LEVEL", "HOME2", "API_KEY"], False), ("dotted.name", "raw", "path:/opt/it", None, [], True),
      ("remote", "remote", None, None, [], False), ("table", "raw", "path:/opt/t", None, ["DEEP"], False)]),
    ("Gemini CLI", ".gemini/settings.json", '{"mcpServers": {"g": {"command": "python3", "args": ["-m", "mcp_server_time"]}, "h": {"httpUrl": "http://localhost:8000/mcp"}}}',
     [("g", "raw", "pypi:mcp_server_time", None, [], False), ("h", "remote", None, None, [], False)]),
    ("Goose", ".config/goose/config.yaml",
     'GOOSE_MODEL: x\nextensions:\n  developer:\n    type: builtin\n    enabled: true\n  drive:\n    type: stdio\n    enabled: false\n    cmd: npx\n    args:\n      - -y\n      - "@block/gdrive"\n    envs: {ONE: %s}\n    env_keys: [TWO=%s]\n  nested:\n    enabled: true\n    config: {type: stdio, cmd: /opt/n, args: []}\n' % (SECRET, SECRET),
     [("drive", "raw", "npm:@block/gdrive", None, ["ONE", "TWO"], True), ("nested", "raw", "path:/opt/n", None, [], False)]),
    ("LM Studio", ".lmstudio/mcp.json", '{"mcpServers": {"l": {"command": "env", "args": ["A=b", "stockade", "run", "--ro", "/x", "--env", "TOKEN", "--", "npx", "l-mcp"]}}}',
     [("l", "wrapped", "npm:l-mcp", None, [], False)]),
    ("Cline", ".config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", '{"mcpServers": {"cl": {"command": "sh", "args": ["-c", "exec stockade run cl"], "disabled": false}}}',
     [("cl", "wrapped", None, None, [], False)]),
    ("Cline", ".config/Cursor/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json", '{"mcpServers": {"cu": {"command": "sh", "args": ["-c", "stockade run cu; /opt/raw"]}}}',
     [("cu", "raw", "path:stockade", None, [], False)]),
    ("Continue", ".continue/config.yaml", 'name: mine\nmcpServers:\n  - name: cn\n    command: uvx\n    args:\n      - mcp-sqlite\n    env:\n      DB: "x"\n  - name: far\n    url: https://c.example/mcp\n',
     [("cn", "raw", "pypi:mcp-sqlite", None, ["DB"], False), ("far", "remote", None, None, [], False)]),
    ("OpenCode", ".config/opencode/opencode.jsonc", '{"mcp": {"o": {"type": "local", "command": ["bunx", "o-mcp"], "environment": {"E": "1"}, "enabled": true}, "p": {"type": "remote", "url": "https://p.example"}}}',
     [("o", "raw", "npm:o-mcp", None, ["E"], False), ("p", "remote", None, None, [], False)]),
    ("Kiro", ".kiro/settings/mcp.json", '{"mcpServers": {"k": {"command": "%s", "args": ["run", "k"]}, "fake": {"command": "/home/x/stockade", "args": ["run", "k"]}}}' % STOCKADE,
     [("k", "wrapped", None, None, [], False), ("fake", "raw", "path:/home/x/stockade", None, [], False)]),
    ("Crush", ".config/crush/crush.json", '{"$schema": "x", "mcp": {"c": {"type": "stdio", "command": "node", "args": ["c.js"]}}}', [("c", "raw", "path:c.js", None, [], False)]),
    ("Amp", ".config/amp/settings.json", '{"amp.mcpServers": {"a": {"command": "npx", "args": ["a-mcp"]}}}', [("a", "raw", "npm:a-mcp", None, [], False)]),
]


def put(person, path, text):
    full = f"{person.home}/{path}"
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as f:
        f.write(text)
    return full


def inventory(person, *words, check=0):
    return json.loads(person.stockade("inventory", "--json", *words, check=check).stdout)


@pytest.mark.parametrize("client, path, text, expected", CONFIGS, ids=[f"{c[0]}-{i}" for i, c in enumerate(CONFIGS)])
def test_the_servers_of_a_client_are_found_where_it_keeps_them(person, client, path, text, expected):
    full = put(person, path, text)
    found = inventory(person)["entries"]
    assert {(e["client"], e["file"]) for e in found} == {(client, full)}
    assert [(e["name"], e["state"], e["package"], e["version"], e["variables"], e["off"]) for e in found] == expected
    lines = text.split("\n")
    for e in found:
        assert e["name"] in lines[e["line"] - 1] or e["name"] in lines[e["line"] - 2], e


def test_no_value_of_a_secret_is_shown(person):
    for _, path, text, _ in CONFIGS:
        put(person, path, text)
    for words in (["inventory"], ["inventory", "--json"]):
        said = person.stockade(*words, check=0)
        assert SECRET not in said.stdout + said.stderr
    remote = [e["url"] for e in inventory(person)["entries"] if e["client"] == "Claude Code" and e["url"]]
    assert remote == ["https://api.example.com:8443"]


def test_everything_is_found_at_once_and_each_with_its_client(person):
    for _, path, text, _ in CONFIGS:
        put(person, path, text)
    assert sorted(e["client"] for e in inventory(person)["entries"]) == sorted(c for c, _, _, expected in CONFIGS for _ in expected)


def test_a_wrapped_entry_comes_with_owner_and_last_review_of_its_profile(person):
    person.profile("github", {"stockade": 1, "name": "github", "version": 4, "owner": "sec@example.com", "reviewed": "2026-10-01", "command": ["/usr/bin/true"]})
    put(person, ".cursor/mcp.json", '{"mcpServers": {"gh": {"command": "stockade", "args": ["run", "--set", "a=b", "github"]}}}')
    e = inventory(person)["entries"][0]
    assert (e["profile"], e["profile_version"], e["owner"], e["reviewed"]) == ("github", 4, "sec@example.com", "2026-10-01"), e
    assert "owner sec@example.com, reviewed 2026-10-01" in person.stockade("inventory", check=0).stdout


def test_a_server_with_more_words_than_a_program_takes_is_told_and_hides_no_other(person):
    put(person, ".cursor/mcp.json", json.dumps({"mcpServers": {"words": {"command": "x", "args": ["a"] * 5000}, "variables": {"command": "x", "env": {f"V{i}": "" for i in range(5000)}},
                                                               "short": {"command": "/opt/y"}}}))
    found = {e["name"]: (e["state"], e["why"]) for e in inventory(person)["entries"]}
    endless = ("unread", "it has more words or variables than any program takes")
    assert found == {"words": endless, "variables": endless, "short": ("raw", None)}, found


def test_projects_are_looked_into_where_they_are_named(person):
    server = '{"mcpServers": {"%s": {"command": "/opt/x"}}}'
    for name, files in (("one", [".mcp.json"]), ("two", [".cursor/mcp.json", ".mcp.json"]), ("three", [".mcp.json"])):
        for file in files:
            person.write(f"{name}/{file}", server % f"{name}{file[1]}")
    person.write(".vscode/mcp.json", '{"servers": {"here": {"command": "/opt/x"}}}')
    put(person, ".claude.json", json.dumps({"projects": {f"{person.work}/one": {"mcpServers": {"private": {"command": "/opt/p"}}}, "relative": {}}}))
    found = {e["name"]: e["project"] for e in inventory(person, "--project", "two")["entries"]}
    assert found == {"private": f"{person.work}/one", "onem": f"{person.work}/one", "twoc": f"{person.work}/two", "twom": f"{person.work}/two", "here": person.work}, found


def test_the_variables_that_move_a_configuration_are_followed(person):
    person.env |= {"CLAUDE_CONFIG_DIR": f"{person.work}/claude", "XDG_CONFIG_HOME": f"{person.work}/config", "CODEX_HOME": f"{person.work}/codex"}
    person.write("claude/.claude.json", '{"mcpServers": {"a": {"command": "x"}}}')
    person.write("config/amp/settings.json", '{"amp.mcpServers": {"b": {"command": "x"}}}')
    person.write("codex/config.toml", 'mcp_servers.c.command = "x"')
    assert [e["name"] for e in inventory(person)["entries"]] == ["a", "c", "b"]


DAMAGED = [
    (".cursor/mcp.json", '{"mcpServers": {"a": {"command": "x"}', "line 1: "),
    (".cursor/mcp.json", '{"mcpServers": {\n"a" 1}}', "line 2: ':' was expected"),
    (".cursor/mcp.json", '{} {}', "something follows"),
    (".cursor/mcp.json", '{"a": /* ', "a comment does not end"),
    (".cursor/mcp.json", '{"a": "\\q"}', "an unknown escape"),
    (".cursor/mcp.json", '{"a": ' + "[" * 100, "nested too deeply"),
    (".cursor/mcp.json", "", "a value is missing"),
    (".cursor/mcp.json", "[" + "1," * 600000 + "1]", "it holds too much"),
    (".codex/config.toml", "[mcp_servers", "']' was expected"),
    (".codex/config.toml", 'a = "x\n', "a text does not end"),
    (".codex/config.toml", "a = 1 b = 2", "the end of the line was expected"),
    (".codex/config.toml", "a = 1\na.b = 2", "is none"),
    (".codex/config.toml", "a = " + "[" * 100, "nested too deeply"),
    (".codex/config.toml", "[" + "a." * 200 + "a]", "nested too deeply"),
    (".config/goose/config.yaml", "extensions: [", "line 2"),
    (".config/goose/config.yaml", "a: &a [x]\n? [k]\n: v", "a key is no text"),
    (".config/goose/config.yaml", "- " * 100 + "x", "nested too deeply"),
    (".config/goose/config.yaml", "a: 1\n---\nb: 2", "more than one document"),
]


@pytest.mark.parametrize("path, text, words", DAMAGED, ids=range(len(DAMAGED)))
def test_a_file_that_cannot_be_read_is_listed_with_the_reason(person, path, text, words):
    full = put(person, path, text)
    put(person, ".kiro/settings/mcp.json", '{"mcpServers": {"k": {"command": "x"}}}')
    unread, other = sorted(inventory(person)["entries"], key=lambda e: e["client"] == "Kiro")
    assert (unread["state"], unread["file"]) == ("unread", full) and words in unread["why"], unread
    assert other["name"] == "k"
    put(person, ".kiro/settings/mcp.json", '{"mcpServers": {"k": {"command": "stockade", "args": ["run", "k"]}}}')
    person.stockade("inventory", "--fail-raw", check=1)


def test_what_lies_in_the_home_is_listed_once_where_it_is_looked_at_from_the_home(person):
    put(person, ".cursor/mcp.json", '{"mcpServers": {"a": {"command": "x"}}}')
    put(person, ".mcp.json", '{"mcpServers": {"b": {"command": "x"}}}')
    found = [(e["client"], e["name"], e["project"]) for e in inventory(person, "--project", person.home)["entries"]]
    assert sorted(found) == [("Claude Code", "b", person.home), ("Cursor", "a", None)], found


def test_aliases_of_yaml_are_not_expanded(person):
    put(person, ".config/goose/config.yaml", "a: &a [x,x]\nb: &b [*a,*a]\nextensions:\n  e: {cmd: *b, args: [*a], type: stdio}\n")
    assert [(e["name"], e["program"]) for e in inventory(person)["entries"]] == [("e", "b")]


def test_what_is_no_file_or_too_large_or_not_ours_to_read_holds_nobody_up(person):
    os.makedirs(f"{person.home}/.cursor")
    os.mkfifo(f"{person.home}/.cursor/mcp.json")
    os.makedirs(f"{person.home}/.gemini/settings.json")
    os.makedirs(f"{person.home}/.lmstudio")
    os.symlink("mcp.json", f"{person.home}/.lmstudio/mcp.json")
    os.makedirs(f"{person.home}/.copilot")
    os.symlink("/dev/zero", f"{person.home}/.copilot/mcp-config.json")
    with open(put(person, ".claude.json", ""), "w", encoding="ascii") as f:
        f.truncate(33 << 20)
    why = {e["client"]: e["why"] for e in inventory(person)["entries"]}
    assert why == {"Cursor": "it is no file", "Gemini CLI": "it is no file", "LM Studio": "Too many levels of symbolic links", "Copilot": "it is no file",
                   "Claude Code": "it is larger than 32 MiB"}, why


def test_a_name_that_would_drive_a_terminal_is_made_visible(person):
    put(person, ".cursor/mcp.json", '{"mcpServers": {"\\u001b[31mred\\n. \\u202e": {"command": "x"}}}')
    assert "\x1b" not in person.stockade("inventory", check=0).stdout
    assert [e["name"] for e in inventory(person)["entries"]] == ["\\x1b[31mred\\x0a. \\u{202e}"]


@pytest.mark.parametrize("entry, status", [({"command": "x"}, 1), ({"command": "x", "disabled": True}, 0), ({"command": "stockade", "args": ["run", "x"]}, 0), ({"url": "https://x"}, 0)])
def test_fail_raw_says_by_its_status_that_something_goes_past_stockade(person, entry, status):
    put(person, ".cursor/mcp.json", json.dumps({"mcpServers": {"a": entry}}))
    person.stockade("inventory", check=0)
    mine = inventory(person, check=None)
    person.stockade("inventory", "--fail-raw", check=1 if status or mine["running"] else 0)


@pytest.fixture
def client(person):
    """Codex, as far as its looks go: it starts the words in pipes, directly or behind a shell."""
    path = f"{person.work}/codex"
    shutil.copy(os.path.realpath("/usr/bin/python3"), path)
    return path


RUN = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.pid, flush=True); sys.stdin.read(); p.kill()"


class Running:
    def __init__(self, person, client, *words):
        self.p = subprocess.Popen([client, "-c", RUN, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=person.env, cwd=person.work, text=True)
        self.pid = int(self.p.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.communicate(timeout=60)


def running(person, pid):
    return [r for r in inventory(person)["running"] if r["pid"] == pid]


def test_a_raw_server_that_runs_is_found_by_the_words_of_its_entry(person, client):
    server = person.write("server.py", "import sys\nsys.stdin.read()\n")
    put(person, ".codex/config.toml", f'[mcp_servers.mine]\ncommand = "python3"\nargs = ["{server}", "--key={SECRET}"]\n')
    with Running(person, client, "/usr/bin/python3", server, f"--key={SECRET}") as r:
        found = running(person, r.pid)
        assert [(f["how"], f["name"], f["client"], f["line"]) for f in found] == [("certain", "mine", "Codex", 1)], found
    with Running(person, client, "/usr/bin/python3", server, "--other") as r:
        assert [f["how"] for f in running(person, r.pid)] == ["likely"]


@pytest.mark.parametrize("words, listed", [(["/usr/bin/python3", "-c", "import sys; sys.stdin.read()"], True), (["/bin/sh", "-c", "read x"], False)])
def test_a_process_that_a_known_client_talks_to_through_pipes_is_likely_a_server(person, client, words, listed):
    with Running(person, client, *words) as r:
        assert [f["how"] for f in running(person, r.pid)] == (["likely"] if listed else [])
    other = f"{person.work}/unknown"
    shutil.copy(client, other)
    with Running(person, other, *words) as r:
        assert running(person, r.pid) == []


def test_a_server_of_stockade_is_no_raw_one(person, client):
    person.approve("--", *ODD)
    put(person, ".cursor/mcp.json", json.dumps({"mcpServers": {"odd": {"command": os.path.realpath(ODD[0]), "args": ODD[1:]}}}))
    wire = Wire([client, "-c", "import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))", STOCKADE, "run", "--", *ODD], env=person.env, cwd=person.work)
    wire.initialize()
    assert not [r for r in inventory(person)["running"] if r["name"] == "odd"]
    wire.end()
