# SPDX-License-Identifier: Apache-2.0
"""The published schema, the manual's examples and the curated profiles, held against one another and the real servers."""
import glob
import json
import os
import re
import subprocess

import jsonschema
import pytest
from harness import STAGE, Person, Wire

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NODE = f"{STAGE}/node/node_modules/.bin"
VENV = f"{STAGE}/venv/bin"
CURATED = sorted(f for f in glob.glob(f"{ROOT}/profiles/*.json") if not f.endswith("schema.json"))

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
    "mcp-server-fetch": (f"{VENV}/mcp-server-fetch", ["--allow-private-ips"], set()),
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
    wire = Wire(command)
    try:
        wire.initialize()
        return {tool["name"] for tool in wire.request("tools/list", {})["result"]["tools"]}
    finally:
        wire.kill()


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


# What is asked of each through stockade: the --set words, then calls with a part of the answer. {dir} is a git repository
# with notes.txt. A denied call says by which rule.
RUNS = {
    "server-filesystem": (["dirs={dir}"], [
        ("read_text_file", {"path": "{dir}/notes.txt"}, "a line of notes"),
        ("read_text_file", {"path": "/etc/passwd"}, "Access denied"),
        ("write_file", {"path": "{dir}/new.txt", "content": "x"}, '(tools.deny \\"write_file\\")')]),
    "server-filesystem-rw": (["dirs={dir}"], [
        ("write_file", {"path": "{dir}/new.txt", "content": "x"}, "Successfully wrote"),
        ("write_file", {"path": "{dir}/.git/hooks/pre-commit", "content": "x"}, "EROFS")]),
    "server-memory": ([], [
        ("create_entities", {"entities": [{"name": "Ada", "entityType": "person", "observations": ["counts"]}]}, "Ada"),
        ("read_graph", {}, "Ada")]),
    "server-sequential-thinking": ([], [
        ("sequentialthinking", {"thought": "t", "nextThoughtNeeded": False, "thoughtNumber": 1, "totalThoughts": 1},
         "thoughtHistoryLength")]),
    "server-everything": ([], [("echo", {"message": "hello"}, "Echo: hello"), ("get-sum", {"a": 1, "b": 2}, "is 3")]),
    "mcp-server-git": (["repository={dir}"], [
        ("git_status", {"repo_path": "{dir}"}, "notes.txt"),
        ("git_commit", {"repo_path": "{dir}", "message": "x"}, '(tools.deny \\"git_commit\\")')]),
    # What it fetches is in tests/network.
    "mcp-server-fetch": (["hosts=docs.example.com"], [
        ("fetch", {"url": "https://other.example.com/"}, "Failed to fetch robots.txt")]),
    "mcp-server-time": ([], [
        ("convert_time", {"source_timezone": "UTC", "time": "12:00", "target_timezone": "Asia/Tokyo"}, "21:00")]),
}


@pytest.fixture
def person():
    p = Person()
    p.env["PATH"] = f"{NODE}:{VENV}:{p.env['PATH']}"
    subprocess.run(["git", "init", "-q", p.work], check=True)
    p.write("notes.txt", "a line of notes")
    p.write(".git/hooks/pre-commit", "#!/bin/sh")
    yield p
    p.done()


def filled(value, directory):
    return json.loads(json.dumps(value).replace("{dir}", directory))


def test_every_curated_profile_is_run():
    assert {os.path.basename(f)[:-len(".json")] for f in CURATED} == set(RUNS) == set(SERVERS)


@pytest.mark.root
@pytest.mark.timeout(90)
@pytest.mark.parametrize("name", RUNS)
def test_a_curated_profile_runs_its_real_server(person, name):
    sets, calls = RUNS[name]
    words = [w for s in filled(sets, person.work) for w in ("--set", s)] + [name]
    person.approve(*words)
    wire = person.start(*words)
    try:
        wire.initialize()
        listed = {tool["name"] for tool in wire.request("tools/list", {})["result"]["tools"]}
        assert listed and not listed & SERVERS[name][2]
        for tool, arguments, part in filled(calls, person.work):
            assert part in json.dumps(wire.call(tool, arguments)), tool
        wire.end()
    finally:
        wire.kill()


@pytest.mark.root
@pytest.mark.timeout(90)
def test_what_server_memory_keeps_is_there_the_next_time_and_for_no_other_server(person):
    person.approve("server-memory")
    for entity in ("Ada", "Grace"):
        wire = person.start("server-memory")
        try:
            wire.initialize()
            wire.call("create_entities", {"entities": [{"name": entity, "entityType": "p", "observations": []}]})
            graph = json.dumps(wire.call("read_graph"))
            wire.end()
        finally:
            wire.kill()
    assert "Ada" in graph and "Grace" in graph
    assert not os.path.exists(f"{person.home}/memory.jsonl")
