# SPDX-License-Identifier: Apache-2.0
"""The kill switch: from `stockade kill` to the last process, for trees of several sizes, against a bare SIGKILL of the same PID 1.

Beside it the same SIGKILL by a command that has to be executed, as `stockade kill` has to be: what is left between the two is stockade's own.
"""
import json
import os
import subprocess

TREES = (1, 100, 1000)
GOAL_P99_MS = {100: 20}


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def words(values):
    return " ".join(f"{name} {value / 1e6:8.3f}" for name, value in
                    (("p50", percentile(values, 0.5)), ("p99", percentile(values, 0.99)), ("max", max(values))))


def profile(env, tool, n):
    name = f"bench-tree-{n}"
    directory = f"{env['XDG_CONFIG_HOME']}/stockade/profiles"
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(f"{directory}/{name}.json", "w", encoding="utf-8") as f:
        json.dump({"stockade": 1, "name": name, "command": [tool, "tree", str(n)], "limits": {"processes": n + 64}}, f)
    os.chmod(f.name, 0o644)
    return name


def measure(stockade, tools, env, approve, row, runs=None, trees=TREES):
    """runs: of each tree, in each way; None: as many as a run of all benches has time for."""
    tool = os.path.join(tools, "kill")
    for n in trees:
        name = profile(env, tool, n)
        approve(stockade, [name], env)
        entry = f"{env['XDG_STATE_HOME']}/stockade/kill.d/server.{name}.json"
        out = subprocess.run([tool, "run", stockade, name, entry, str(runs or (10 if n > 100 else 40))], env=env, stdout=subprocess.PIPE,
                             text=True, check=True, timeout=7200).stdout
        times = {"bare": [], "executed": [], "kill": [], "command": []}
        for line in out.splitlines():
            kind, gone, command = line.split()
            times[kind].append(int(gone))
            if kind == "kill":
                times["command"].append(int(command))
        row(f"kill of a tree of {n}, against a bare SIGKILL of PID 1", percentile(times["kill"], 0.5), percentile(times["bare"], 0.5), 1.2)
        row(f"the same, against a command that sends SIGKILL to {n}", percentile(times["kill"], 0.5), percentile(times["executed"], 0.5), None)
        print(f"  stockade kill, to the last process   ms {words(times['kill'])}   ({len(times['kill'])} runs)")
        print(f"  bare SIGKILL of the same PID 1       ms {words(times['bare'])}")
        print(f"  a command that sends SIGKILL to it   ms {words(times['executed'])}")
        print(f"  until the command has ended          ms {words(times['command'])}", flush=True)
        if n in GOAL_P99_MS:
            p99 = percentile(times["kill"], 0.99) / 1e6
            print(f"  p99 {p99:.3f} ms   goal <= {GOAL_P99_MS[n]} ms   {'met' if p99 <= GOAL_P99_MS[n] else 'MISSED'}", flush=True)
