#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the figures of the design and prints each as a ratio against something real measured in the same run."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import full
import kill
import network

ENV_KEPT = ("HOME", "PATH", "USER", "LOGNAME", "LANG", "XDG_RUNTIME_DIR")
# Nothing is asked for this name: it is granted, and never used.
EGRESS = ["--host", "service.example:443"]
# 118 tools of a real server, recorded.
LONG_LIST = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tests/scan/corpus/real/zereight-mcp-gitlab.json")


def drive(tools, mode, runs, variants, env):
    """Median nanoseconds of each variant, interleaved runs."""
    command = [os.path.join(tools, "drive"), mode, str(runs)]
    for i, variant in enumerate(variants):
        command += (["---"] if i else []) + variant
    out = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, timeout=1800).stdout
    times = [[] for _ in variants]
    for line in out.splitlines():
        row = json.loads(line)
        times[row["variant"]].append(row["ns"])
    return [statistics.median(t) for t in times]


def approve(stockade, grants, env):
    """Approves exactly this launch by its digest, as a script does."""
    shown = subprocess.run([stockade, "approve", "--print-digest", *grants], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, check=False)
    if shown.returncode:
        sys.exit(f"bench: cannot describe {grants}: {shown.stderr}")
    done = subprocess.run([stockade, "approve", "--digest", shown.stdout.strip(), *grants], env=env, stderr=subprocess.PIPE, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"bench: cannot approve {grants}: {done.stderr}")


def bwrap_like(check, command):
    """bwrap with the namespaces, mounts, devices and /proc masks that `stockade check --json` lists for this launch."""
    args = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"]
    for mount in check["mounts"]:
        kind, target = mount["kind"], mount["target"]
        if kind == "bind":
            args += ["--bind" if mount.get("write") else "--ro-bind", mount["source"], target]
        elif kind == "tmpfs":
            args += ["--size", str(mount["size"]), "--tmpfs", target]
        elif kind == "proc":
            args += ["--proc", target]
        elif kind == "dev":
            args += [x for d in ("null", "zero", "full", "random", "urandom") for x in ("--dev-bind", f"/dev/{d}", f"/dev/{d}")]
        elif kind == "symlink":
            args += ["--symlink", mount["content"], target]
        elif kind == "file":
            args += ["--ro-bind", "/etc/hostname", target]
        elif kind == "directory":
            args += ["--dir", target]
    kept = {"cgroups", "cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "sys", "uptime", "version", "vmstat"}
    for name in sorted(os.listdir("/proc")):
        path = f"/proc/{name}"
        if name.isdigit() or name in kept or os.path.islink(path):
            continue
        args += ["--tmpfs", path] if os.path.isdir(path) else ["--ro-bind", "/dev/null", path]
    return args + ["--", *command]


def sum_kib(path, field):
    with open(path, encoding="utf-8") as f:
        return sum(int(line.split()[1]) for line in f if line.startswith(field))


def pss(pid):
    """PSS in bytes by name of a process and everything below it, without the server's own; and whether all of it is PSS.

    The maps of our locked-down programs are root's to read: for others their resident size stands in, which is never less.
    """
    found, exact = {}, True
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/comm", encoding="utf-8") as f:
                name = f.read().strip()
            with open(f"/proc/{entry}/stat", encoding="utf-8") as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
            if not name.startswith("stockade") or (int(entry) != pid and parent != pid):
                continue
            try:
                size = sum_kib(f"/proc/{entry}/smaps_rollup", "Pss:") << 10
            except PermissionError:
                size = sum_kib(f"/proc/{entry}/status", "VmRSS:") << 10
                exact = False
            found[name] = found.get(name, 0) + size
        except (OSError, ValueError):
            continue
    return found, exact


def row(what, ours, reference, goal, unit=1e6, suffix="ms"):
    """One figure beside its goal, which is a ratio of two medians of this run; None: none was set."""
    ratio = ours / reference
    judged = f"goal <= {goal:5.2f}   {'met' if ratio <= goal else 'MISSED'}" if goal else "no goal"
    print(f"{what:58s} {ours / unit:9.3f} {suffix:3s} against {reference / unit:9.3f}   ratio {ratio:6.3f}   {judged}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    stage = os.environ.get("STOCKADE_STAGE", "")  # set by ./dev bench
    parser.add_argument("--prefix", default=os.path.join(stage, "prefix"))
    parser.add_argument("--tools", default=os.path.join(stage, "build/bench"), help="directory of drive, probe, relay, json_bench")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kill", type=int, metavar="RUNS", help="only the kill switch, so many times for each tree (the figures of the design: 1000)")
    parser.add_argument("--trees", type=int, nargs="+", metavar="N", default=kill.TREES, help="with --kill: of so many processes")
    parser.add_argument("--node-modules", default=os.path.join(stage, "node/node_modules"), help="where the npm servers are installed")
    options = parser.parse_args()
    stockade = os.path.join(options.prefix, "bin/stockade")
    home = tempfile.mkdtemp(prefix="stockade-bench-")
    env = {k: v for k, v in os.environ.items() if k in ENV_KEPT}
    env.update(HOME=home, XDG_STATE_HOME=f"{home}/state", XDG_CONFIG_HOME=f"{home}/config")
    try:
        if options.kill:
            kill.measure(stockade, options.tools, env, approve, row, options.kill, options.trees)
            return
        failed = measure(options, stockade, env)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    if failed:
        sys.exit(f"bench: {', '.join(failed)} did not run to the end")


def often(env, name, command):
    """A profile whose tools may be called as often as a bench does; the words that start it."""
    directory = f"{env['XDG_CONFIG_HOME']}/stockade/profiles"
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(f"{directory}/{name}.json", "w", encoding="utf-8") as f:
        json.dump({"stockade": 1, "name": name, "command": command, "tools": {"rate": "1000000/s"}}, f)
    os.chmod(f.name, 0o644)
    return [name]


def measure(options, stockade, env):
    """Names of the tools that failed."""
    probe = os.path.join(options.tools, "probe")
    relay = os.path.join(options.tools, "relay")
    launch = ["--", probe]
    serve = often(env, "bench-serve", [probe, "serve"])
    big = often(env, "bench-big", [probe, "serve", str(1 << 20)])
    for grants in (launch, serve, big):
        approve(stockade, grants, env)
    check = json.loads(subprocess.run([stockade, "check", "--json", *launch], env=env, stdout=subprocess.PIPE, check=True).stdout)
    ours, bwrap, plain = drive(options.tools, "first", options.runs,
                               [[stockade, "run", *launch], bwrap_like(check, [probe]), [probe]], env)
    row("launch to the first instruction, against the same bwrap", ours, bwrap, 1.0)
    print(f"{'  (a bare vfork and exec of it)':58s} {plain / 1e6:9.3f} ms")
    ours, bare, direct = drive(options.tools, "call", 10000,
                               [[stockade, "run", *serve], [relay, probe, "serve"], [probe, "serve"]], env)
    row("one small call, against a bare relay + 8 us", ours, bare + 8000, 1.0, 1e3, "us")
    print(f"{'  bare relay and direct':58s} {bare / 1e3:9.3f} us and {direct / 1e3:.3f} us")
    full.measure(stockade, options.tools, env, approve, drive, row)
    ours, bare = drive(options.tools, "call", 500, [[stockade, "run", *big], [relay, probe, "serve", str(1 << 20)]], env)
    row("one call with a 1 MiB result, against a bare relay", ours, bare, 1.5)
    kill.measure(stockade, options.tools, env, approve, row)
    measure_network(options, stockade, env)
    if os.path.isdir(options.node_modules):
        measure_node(options, stockade, env)
    measure_pss(stockade, serve, env, "of a session")
    measure_pss(stockade, [*EGRESS, "--", probe, "serve"], env, "of one with network")
    failed = []
    for tool, *words in (("json_bench",), ("text_bench",), ("schema_bench",), ("scan_bench", LONG_LIST), ("guard_bench", LONG_LIST),
                         ("memory_bench",), ("audit_bench",)):
        print(f"\n{tool}:", flush=True)
        if subprocess.run([os.path.join(options.tools, tool), *words], check=False, cwd=env["HOME"], env=env).returncode:
            failed.append(tool)
    return failed


def package_dir(modules, start, name):
    """Where node looks a package up: in the node_modules of each directory above."""
    while True:
        found = os.path.join(start, "node_modules", name)
        if os.path.isdir(found):
            return found
        if start == os.path.dirname(modules):
            return None
        start = os.path.dirname(start)


def install_alone(modules, package, to):
    """What `npm install PACKAGE` in an empty directory gives: the package and what it depends on, copied from a larger tree."""
    todo, seen = [os.path.join(modules, package)], set()
    while todo:
        where = todo.pop()
        if where in seen:
            continue
        seen.add(where)
        with open(os.path.join(where, "package.json"), encoding="utf-8") as f:
            description = json.load(f)
        for kind in ("dependencies", "optionalDependencies", "peerDependencies"):
            found = (package_dir(modules, where, name) for name in description.get(kind, {}))
            todo += [path for path in found if path]
    for where in sorted(seen):
        target = os.path.join(to, "node_modules", os.path.relpath(where, modules))
        if not os.path.isdir(target):
            shutil.copytree(where, target, symlinks=True, ignore=shutil.ignore_patterns("node_modules"))
    return os.path.join(to, "node_modules")


def measure_node(options, stockade, env):
    """The same npm server twice: alone, the user's own and bound by content; and in a large tree that is root's."""
    package = "@modelcontextprotocol/server-filesystem"
    grant = tempfile.mkdtemp(prefix="granted-", dir=env["HOME"])
    alone = install_alone(options.node_modules, package, os.path.join(env["HOME"], "alone"))
    os.makedirs(f"{alone}/.bin")
    os.symlink(f"../{package}/dist/index.js", f"{alone}/.bin/mcp-server-filesystem")
    os.chmod(f"{alone}/{package}/dist/index.js", 0o755)
    time.sleep(3)  # digests of files that changed just now are not kept
    npx = shutil.which("npx")
    env = dict(env, npm_config_offline="true", npm_config_update_notifier="false")
    trees, variants = [("alone", alone), ("in a large tree", options.node_modules)], []
    for _, modules in trees:
        server = f"{modules}/{package}/dist/index.js"
        run = ["--ro", grant, "--", "node", server, grant]
        approve(stockade, run, env)
        variants += [[stockade, "run", *run], ["node", server, grant]]
        if npx:
            variants.append([npx, "--no-install", "--prefix", os.path.dirname(modules), "mcp-server-filesystem", grant])
    times = drive(options.tools, "init", max(10, options.runs // 10), variants, env)
    step = len(variants) // len(trees)
    for i, (words, modules) in enumerate(trees):
        files = sum(len(names) for _, _, names in os.walk(modules))
        row(f"initialize, npm server {words}, against plain node", times[i * step], times[i * step + 1], 1.03)
        if npx:
            row(f"initialize, npm server {words}, against npx", times[i * step], times[i * step + 2], 0.5)
        print(f"  ({files} files of code)", flush=True)


def measure_network(options, stockade, env):
    probe = ["--", os.path.join(options.tools, "probe")]
    approve(stockade, [*EGRESS, *probe], env)
    approve(stockade, [*EGRESS, *probe, "serve"], env)
    ours, without = drive(options.tools, "first", options.runs, [[stockade, "run", *EGRESS, *probe], [stockade, "run", *probe]], env)
    row("launch with network, against one without + 1 ms", ours, without + 1e6, 1.0)
    network.measure(stockade, options.tools, env, approve, row)


def measure_pss(stockade, serve, env, words):
    with subprocess.Popen([stockade, "run", *serve], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as p:
        p.stdin.write(b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
                      b'"clientInfo":{"name":"b","version":"1"}}}\n')
        p.stdin.flush()
        p.stdout.readline()
        memory, exact = pss(p.pid)
        p.stdin.close()
        p.terminate()
    total = sum(memory.values())
    verdict = "met" if total <= 4 << 20 else "MISSED" if exact else "not told: resident size, PSS is for root to see"
    print(f"{'memory (PSS) of all stockade processes ' + words:58s} {'' if exact else '<= '}{total / (1 << 20):.3f} MiB   goal <= 4 MiB"
          f"   {verdict}")
    print(f"  ({', '.join(f'{name} {size >> 10} KiB' for name, size in sorted(memory.items()))})", flush=True)


if __name__ == "__main__":
    main()
