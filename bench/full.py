# SPDX-License-Identifier: Apache-2.0
"""One call with everything on that judges it: pins, schemas, rates, limits, secrets, personal data, the log with hashes."""
import json
import os
import subprocess

# Made up, in the forms that such values have.
SECRETS = ["ghp_Zx81kQ02mmPLw9Zx81kQ02mmPLw9abcdEF", "AKIA2OSFODNN7EXAMPL3", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
           "sk-proj-abcdefghijklmnopqrstuvwx0123456789", "hunter2!hunter2", "postgres://user:p4ssw0rd1@db.example.com/prod",
           "xoxb-123456789012-abcdefghijkl", "correct horse 9 battery"]


def profile(command):
    return {
        "stockade": 1, "name": "bench-full", "command": command, "env": {"pass": [f"BENCH_TOKEN_{i}" for i in range(len(SECRETS))]},
        "tools": {
            "allow": [{"name": "t", "arguments": {"properties": {"owner": {"const": "example"}}}, "rate": "1000000/s", "time": "50s",
                       "output": "8MiB"}],
            "strict": True, "total": "1000000/s", "redact": ["mail", "card", "iban", "national"]},
        "limits": {"calls": 64}, "audit": {"arguments": "hash"},
    }


def run(env, *words):
    return subprocess.run(words, env=env, stdout=subprocess.PIPE, check=True, text=True).stdout.strip()


def prepare(stockade, tools, env, approve):
    """The words that start it, and the environment with its secrets."""
    env = dict(env, **{f"BENCH_TOKEN_{i}": value for i, value in enumerate(SECRETS)})
    directory = f"{env['XDG_CONFIG_HOME']}/stockade/profiles"
    os.makedirs(directory, mode=0o700, exist_ok=True)
    with open(f"{directory}/bench-full.json", "w", encoding="utf-8") as f:
        json.dump(profile([os.path.join(tools, "probe"), "serve"]), f)
    os.chmod(f.name, 0o644)
    approve(stockade, ["bench-full"], env)
    run(env, stockade, "pin", "--digest", run(env, stockade, "pin", "--print-digest", "bench-full"), "bench-full")
    return ["bench-full"], env


def measure(stockade, tools, env, approve, drive, row):
    """Against what carries the same bytes and looks at none."""
    probe, relay = os.path.join(tools, "probe"), os.path.join(tools, "relay")
    words, env = prepare(stockade, tools, env, approve)
    ours, bare = drive(tools, "full", 10000, [[stockade, "run", *words], [relay, probe, "serve"]], env)
    row("one call with everything on, against a bare relay + 12 us", ours, bare + 12000, 1.0, 1e3, "us")
    print(f"{'  bare relay':58s} {bare / 1e3:9.3f} us")
