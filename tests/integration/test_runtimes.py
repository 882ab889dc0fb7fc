# SPDX-License-Identifier: Apache-2.0
"""One real server of each runtime under the default system call filter: the same answers to tools/list and three calls."""
import json
import os
import platform

import pytest
from integration.harness import MODULES, STAGE, Wire, npm_server

ARM = platform.machine() == "aarch64"
GO = f"{MODULES}/kubernetes-mcp-server-linux-{'arm64' if ARM else 'amd64'}/bin/kubernetes-mcp-server-linux-{'arm64' if ARM else 'amd64'}"
DOTNET = f"{MODULES}/@azure/mcp-template-linux-{'arm64' if ARM else 'x64'}/dist/mcptmp"
KUBECONFIG = """apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: k, user: u}}]
clusters: [{name: k, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: t}}]
"""


def call(name, **arguments):
    return (name, arguments)


# runtime: command, grants, calls; {work} is the person's directory
RUNTIMES = {
    "node": (npm_server("filesystem", "{work}"), ["--rw", "{work}"], [
        call("write_file", path="{work}/n.txt", content="n"), call("read_text_file", path="{work}/n.txt"),
        call("list_directory", path="{work}")]),
    "python": ([f"{STAGE}/venv/bin/mcp-server-time"], [], [
        call("convert_time", source_timezone="UTC", time="12:00", target_timezone="Asia/Tokyo"),
        call("convert_time", source_timezone="UTC", time="23:59", target_timezone="Europe/Oslo"),
        call("convert_time", source_timezone="UTC", time="nonsense", target_timezone="UTC")]),
    "go": ([GO, "--kubeconfig", "{work}/kubeconfig"], ["--ro", "{work}"], [
        call("configuration_view"), call("configuration_view", minified=False), call("no_such_tool")]),
    "dotnet": ([DOTNET, "server", "start", "--mode", "single"], [], [
        call("template", intent="learn", learn=True), call("template", intent="list", learn=True, tool="none"),
        call("template", intent="none")]),
    "java": (["java", "-cp", f"{STAGE}/java/lib/*:{STAGE}/java/out", "EchoServer"], ["--ro", f"{STAGE}/java"], [
        call("echo", text="one"), call("echo", text="\u00fc\U0001f980"), call("echo", text="x" * 70000)]),
}


def filled(value, work):
    return json.loads(json.dumps(value).replace("{work}", work))


def talk(wire, calls):
    answers = [wire.initialize(), wire.request("tools/list")]
    answers += [wire.call(name, arguments) for name, arguments in calls]
    return answers


@pytest.mark.parametrize("runtime", [pytest.param(r, marks=pytest.mark.needs("java-sdk")) if r == "java" else r
                                     for r in RUNTIMES])
def test_a_real_server_of_each_runtime_answers_the_same_inside(person, runtime):
    command, grants, calls = (filled(v, person.work) for v in RUNTIMES[runtime])
    person.write("kubeconfig", KUBECONFIG)
    bare = Wire(command, env=person.env, cwd=person.work)
    expected = talk(bare, calls)
    bare.kill()
    if os.path.exists(f"{person.work}/n.txt"):
        os.unlink(f"{person.work}/n.txt")
    person.approve(*grants, "--", *command)
    wrapped = person.start(*grants, "--", *command)
    assert talk(wrapped, calls) == expected
    assert expected[1]["result"]["tools"]
    wrapped.eof()
    wrapped.wait()
    person.verified()
