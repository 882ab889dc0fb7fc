#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Has systemd read the units that are installed: a directive that it does not know is one that protects nothing. And has it count what each service
is left with: no more than the row says.

What they execute is not installed here, so each is read with /bin/true in its place.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

# "systemd-analyze security": ten times the exposure that it prints. Every service has its row.
MOST = {"stockade-collector.service": 10, "stockade-audit-prune.service": 10, "stockade-sync.service": 30}


def analyze(directory, *words):
    r = subprocess.run(["systemd-analyze", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                       env={**os.environ, "SYSTEMD_UNIT_PATH": f"{directory}:/usr/lib/systemd/system"})
    return r.returncode, r.stdout


def wrong_in(directory, names):
    status, said = analyze(directory, "verify", "--man=no", *(f"{directory}/{n}" for n in names))
    if status or said:
        yield said or f"systemd-analyze verify ended with {status}\n"
    services = [n for n in names if n.endswith(".service")]
    for name in sorted(set(services) ^ set(MOST)):
        yield f"{name}: it has no row in tests/lint/units.py, or no file\n"
    for name in set(services) & set(MOST):
        status, said = analyze(directory, "security", "--offline=true", "--no-pager", f"--threshold={MOST[name]}", f"{directory}/{name}")
        if status:
            left = "".join(f"  {line}\n" for line in said.splitlines() if line.startswith("✗"))
            yield f"{name}: more is left to it than {MOST[name] / 10} allows: {said.splitlines()[-1] if said else status}\n{left}"


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = f"{a.parse_args().root}/packaging/systemd"
    if not shutil.which("systemd-analyze"):
        print("packaging/systemd: systemd-analyze is not installed (package systemd), so nobody has read the units")
        return 1
    with tempfile.TemporaryDirectory() as d:
        names = []
        for path in sorted(glob.glob(f"{root}/*")):
            name = os.path.basename(path).removesuffix(".in")
            if name.endswith((".service", ".socket", ".timer")):
                names.append(name)
                with open(path, encoding="utf-8") as f, open(f"{d}/{name}", "w", encoding="utf-8") as to:
                    to.write(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", f.read()))
        wrong = "".join(wrong_in(d, names))
    print(wrong.replace(d, "packaging/systemd"), end="")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
