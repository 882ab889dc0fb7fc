# SPDX-License-Identifier: Apache-2.0
"""The published schema, the manual's examples and the curated profiles, held against one another and the real servers."""
import glob
import json
import os
import re
import subprocess

import jsonschema
import pytest
from conftest import STAGE

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE = f"{STAGE}/node/node_modules/.bin"
VENV = f"{STAGE}/venv/bin"
CURATED = sorted(f for f in glob.glob(f"{ROOT}/profiles/*.json") if os.path.basename(f) != "schema.json")

# The program of each curated profile, its arguments, and the tools that the profile keeps from the client.
SERVERS = {
    "server-filesystem": (f"{NODE}/mcp-server-filesystem", ["{dir}"],
                          {"write_file", "edit_file", "create_directory", "move_file"}),
    "server-filesystem-rw": (f"{NODE}/mcp-server-filesystem", ["{dir}"], set()),
    "server-memory": (f"{NODE}/mcp-server-memory", [], set()),
    "server-sequential-thinking": (f"{NODE}/mcp-server-sequential-thinking", [], set()),
    "server-everything": (f"{NODE}/mcp-server-everything", [], set()),
    "mcp-server-git": (f"{VENV}/mcp-server-git", ["--repository", "{dir}"],
                       {"git_commit", "git_add", "git_reset", "git_create_branch", "git_checkout"}),
    "mcp-server-time": (f"{VENV}/mcp-server-time", [], set()),
}

REFUSED = [
    {"stockade": 1, "name": "x"},
    {"stockade": 2, "name": "x", "command": ["a"]},
    {"stockade": 1, "name": "X", "command": ["a"]},
    {"stockade": 1, "name": "x", "command": []},
    {"stockade": 1, "name": "x", "command": ["a"], "tool": {}},
    {"stockade": 1, "name": "x", "command": ["a"], "filesystem": {"read": ["src"]}},
    {"stockade": 1, "name": "x", "command": ["a"], "filesystem": {"read": ["/srv/../etc"]}},
    {"stockade": 1, "name": "x", "command": ["a"], "filesystem": {"read": ["~root"]}},
    {"stockade": 1, "name": "x", "command": ["a"], "filesystem": {"tmp": "256MB"}},
    {"stockade": 1, "name": "x", "command": ["a"], "filesystem": {"deny": ["[a]"]}},
    {"stockade": 1, "name": "x", "command": ["a"], "env": {"pass": ["A=1"]}},
    {"stockade": 1, "name": "x", "command": ["a"], "env": {"set": {"A": 1}}},
    {"stockade": 1, "name": "x", "command": ["a"], "tools": {"deny": ["a?"]}},
    {"stockade": 1, "name": "x", "command": ["a"], "parameters": {"p": {}}},
    {"stockade": 1, "name": "x", "command": ["a"], "parameters": {"p": {"type": "string", "within": ["/srv"]}}},
    {"stockade": 1, "name": "x", "command": ["a"], "package": {"version": "1"}},
]


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


@pytest.fixture(scope="module")
def validator():
    schema = load(f"{ROOT}/profiles/schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", CURATED, ids=os.path.basename)
def test_a_curated_profile_fits_the_schema(validator, path):
    validator.validate(load(path))


def test_every_example_of_the_manual_fits_the_schema(validator):
    with open(f"{ROOT}/docs/profiles.md", encoding="utf-8") as f:
        examples = re.findall(r"```json\n(.*?)\n```", f.read(), re.S)
    assert len(examples) >= 3
    for text in examples:
        validator.validate(json.loads(text))


@pytest.mark.parametrize("document", REFUSED, ids=range(len(REFUSED)))
def test_what_the_parser_refuses_the_schema_refuses(validator, document):
    assert not validator.is_valid(document)


def tools_of(command):
    """The names that a server lists, asked without stockade in between."""
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
        try:
            for message in ({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello},
                            {"jsonrpc": "2.0", "method": "notifications/initialized"},
                            {"jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {}}):
                p.stdin.write(json.dumps(message).encode() + b"\n")
                p.stdin.flush()
                while message.get("id") and (answer := json.loads(p.stdout.readline())).get("id") != message["id"]:
                    pass
            return {tool["name"] for tool in answer["result"]["tools"]}
        finally:
            p.kill()


def matches(glob_text, name):
    return re.fullmatch(".*".join(map(re.escape, glob_text.split("*"))), name) is not None


@pytest.mark.timeout(60)
@pytest.mark.parametrize("path", CURATED, ids=os.path.basename)
def test_a_curated_profile_decides_on_the_tools_that_its_server_really_has(path, tmp_path):
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    profile = load(path)
    program, arguments, kept = SERVERS[profile["name"]]
    assert os.path.basename(program) == profile["command"][0]
    names = tools_of([program, *(a.format(dir=tmp_path) for a in arguments)])
    rules = profile.get("tools", {})
    for rule in rules.get("allow", []) + rules.get("deny", []):
        assert any(matches(rule, name) for name in names), f"{rule} matches no tool of the server"
    denied = {n for n in names if any(matches(r, n) for r in rules.get("deny", []))
              or ("allow" in rules and not any(matches(r, n) for r in rules["allow"]))}
    assert denied == kept
