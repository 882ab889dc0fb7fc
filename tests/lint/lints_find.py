#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The lints find what they are for in every folder of the programs, those below them and those of a library alike."""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n/* x - a file */\n"
LONG = "int f(void)\n{\n" + "\t;\n" * 71 + "}\n"
BELOW = ("supervisor/policy", "supervisor/kill", "supervisor/signing", "supervisor/client", "supervisor/inventory", "supervisor/bundle")
DIRECTIONS, LENGTH, TEXT = "include_directions.py", "function_length.py", "text.py"

# lint, file, what is in it, what is said of it
ROWS = [
    *[(DIRECTIONS, f"{d}/x.c", '#include "supervisor/role.h"\n#include "shim/role.h"\n', "includes shim/role.h") for d in BELOW],
    *[(DIRECTIONS, f"{d}/x.c", '#include "base/text.h"\n', "never reaches supervisor/role.h") for d in BELOW],
    *[(LENGTH, f"{d}/x.c", LONG, "f() has 71 lines") for d in (*BELOW, "audit/export", "sign", "fetch", "collector", "inventory")],
    *[(TEXT, f"{d}/x.c", "int x; /* TO" + "DO */\n", "left-over") for d in (*BELOW, "audit/export", "sign", "fetch", "collector")],
    (DIRECTIONS, "supervisor/policy/x.c", '#include "supervisor/role.h"\n#include <shim/role.h>\n', "includes shim/role.h"),
    (DIRECTIONS, "supervisor/policy/x.c", '#include "supervisor/role.h"\n#include "supervisor/../shim/role.h"\n', "without '..'"),
    (DIRECTIONS, "supervisor/policy/x.c", '#include "supervisor/role.h"\n#include "role.h"\n', "give the full path"),
    (DIRECTIONS, "supervisor/policy/x.c", '#include "supervisor/role.h"\n#include <curl/curl.h>\n', "does not link that library"),
    (DIRECTIONS, "audit/export/x.c", '#include "supervisor/role.h"\n', "includes supervisor/role.h"),
    (DIRECTIONS, "sign/x.c", '#include "wire/wire.h"\n', "includes wire/wire.h"),
    (DIRECTIONS, "sign/x.c", "#include <jansson.h>\n", "does not link that library"),
    *[(DIRECTIONS, f"{d}/x.c", f'#include "{d}/role.h"\n#include "sign/sign.h"\n', "includes sign/sign.h")
      for d in ("enter", "shim", "gateway", "dial", "fetch", "collector")],
    (DIRECTIONS, "fetch/x.c", "#include <sodium.h>\n", "does not link that library"),
    (DIRECTIONS, "fetch/x.c", "int x;\n", "never reaches fetch/role.h"),
    (DIRECTIONS, "collector/x.c", "int x;\n", "never reaches collector/role.h"),
    (DIRECTIONS, "collector/x.c", '#include "supervisor/role.h"\n', "includes supervisor/role.h"),
    (DIRECTIONS, "elsewhere/x.c", "int x;\n", "nothing says what elsewhere/ may include"),
]

# unit, what stands in it, what stands there in its place, what is said of it
SERVICE = "stockade-collector.service.in"
UNITS = [
    (SERVICE, "NoNewPrivileges=yes", "NoNewPrivileges=perhaps", "ignoring: perhaps"),
    (SERVICE, "ProtectSystem=strict", "ProtectSystm=strict", "Unknown key 'ProtectSystm'"),
    (SERVICE, "ProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\n", "", "more is left to it"),
    ("stockade-sync.service.in", "CapabilityBoundingSet=CAP_SETUID CAP_SETGID\n", "", "more is left to it"),
    ("stockade-audit-prune.service.in", "User=_stockade-log\n", "", "more is left to it"),
    ("stockade-collector.socket", "Accept=no", "Accept=maybe", "ignoring: maybe"),
    ("stockade-sync.timer", "OnBootSec=30s", "OnBootSec=soon", "ignoring: soon"),
]


def put(root, path, text):
    os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
    with open(os.path.join(root, path), "w", encoding="utf-8") as f:
        f.write(HEAD + text)


def said(lint, path, text):
    with tempfile.TemporaryDirectory() as root:
        subprocess.run(["git", "-c", "init.defaultBranch=x", "init", "-q", root], check=True)
        for program in ("supervisor", "enter", "shim", "gateway", "dial", "fetch", "collector", "inventory"):
            put(root, f"{program}/role.h", "#pragma once\n")
        for library in ("base/text.h", "wire/wire.h", "sign/sign.h"):
            put(root, library, "#pragma once\n")
        put(root, path, text)
        r = subprocess.run(["python3", os.path.join(HERE, lint), "--root", root], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return r.stdout.decode() if r.returncode else ""


def units_said(root, **more):
    r = subprocess.run(["/usr/bin/python3", os.path.join(HERE, "units.py"), "--root", root], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                       env={**os.environ, **more})
    return r.stdout.decode() if r.returncode else ""


def units_missed(root):
    if "systemd-analyze is not installed" not in units_said(root, PATH="/nonexistent"):
        yield "units.py does not say that nobody reads the units"
    for name, old, new, words in UNITS:
        with tempfile.TemporaryDirectory() as d:
            shutil.copytree(f"{root}/packaging/systemd", f"{d}/packaging/systemd")
            path = f"{d}/packaging/systemd/{name}"
            with open(path, encoding="utf-8") as f:
                text = f.read()
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new))
            if old not in text or words not in units_said(d):
                yield f"units.py does not find {name} with {new!r} for {old!r}"


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = a.parse_args().root
    missed = [f"{lint} does not find {path}: {words}" for lint, path, text, words in ROWS if not any(
        line.startswith(path) and words in line for line in said(lint, path, text).splitlines())]
    missed += units_missed(root)
    print("\n".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
