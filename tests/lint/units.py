#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Has systemd read the units that are installed: a directive that it does not know is one that protects nothing.

What they execute is not installed here, so each is read with /bin/true in its place. Without systemd-analyze nothing is checked.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = f"{a.parse_args().root}/packaging/systemd"
    if not shutil.which("systemd-analyze"):
        return 0
    with tempfile.TemporaryDirectory() as d:
        for path in glob.glob(f"{root}/*"):
            name = os.path.basename(path).removesuffix(".in")
            if name.endswith((".service", ".socket", ".timer")):
                with open(path, encoding="utf-8") as f, open(f"{d}/{name}", "w", encoding="utf-8") as to:
                    to.write(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", f.read()))
        r = subprocess.run(["systemd-analyze", "verify", "--man=no", *sorted(glob.glob(f"{d}/*"))], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": f"{d}:/usr/lib/systemd/system"})
    print(r.stdout.replace(d, root), end="")
    return 1 if r.returncode or r.stdout else 0


if __name__ == "__main__":
    sys.exit(main())
