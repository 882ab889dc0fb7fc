#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: base <- wire <- each process; audit belongs to the supervisor and to the collector, sign to the supervisor alone; schema, scan
and sign stand on base; system headers of a library only in the folder that links it. What holds for a folder holds for all below it."""
import argparse
import os
import re
import sys

ALLOWED = {
    "base": {"base"},
    "wire": {"base", "wire"},
    "sign": {"base", "sign"},
    "audit": {"base", "wire", "audit"},
    "scan": {"base", "scan"},
    "schema": {"base", "schema"},
    "supervisor": {"base", "wire", "sign", "audit", "schema", "supervisor"},
    "enter": {"base", "wire", "enter"},
    "shim": {"base", "wire", "scan", "schema", "shim"},
    "gateway": {"base", "wire", "gateway"},
    "dial": {"base", "wire", "dial"},
    "fetch": {"base", "wire", "fetch"},
    "inventory": {"base", "inventory"},
    "collector": {"base", "wire", "audit", "collector"},
    "completions": {"base", "supervisor", "completions"},  # run when stockade is built
}
# header (or its first directory) -> folders that may use it
LIBRARIES = {
    "jansson.h": {"supervisor", "audit"},
    "sodium.h": {"supervisor", "audit", "sign"},
    "sodium/": {"supervisor", "audit", "sign"},
    "cap-ng.h": {"enter"},
    "netlink/": {"enter"},
    "seccomp.h": {"profiles"},
    "pcre2.h": {"schema"},
    "ares.h": {"dial"},
    "curl/": {"fetch"},
    "yaml.h": {"inventory"},
}
# folders whose every source file must end up including their role.h
ROLES = {"supervisor", "enter", "shim", "gateway", "dial", "fetch", "collector", "inventory"}
# what is no part of a program that is installed, and includes what it looks at
OUTSIDE = {"tests", "bench", "tools", "examples", "profiles", "docs"}
# made by the build, included by its bare name
GENERATED = re.compile(r"^(build_id|config|seccomp_[a-z_]+)\.h$|^[a-z_]*filters?\.h$|^[a-z_]*\.inc$")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def includes(path):
    with open(path, encoding="utf-8") as f:
        return INCLUDE.findall(f.read())


def reaches_role(root, path, role, seen):
    if path in seen or not os.path.isfile(os.path.join(root, path)):
        return False
    seen.add(path)
    for quoted, _ in includes(os.path.join(root, path)):
        if quoted == role or reaches_role(root, quoted, role, seen):
            return True
    return False


def check_file(root, path):
    folder = path.split("/")[0]
    for quoted, angled in includes(os.path.join(root, path)):
        name = quoted or angled
        if ".." in name.split("/"):
            yield f"{path}: {name}: give the path from the root, without '..'"
        target = name.split("/")[0]
        if "/" in name and target in ALLOWED and target not in ALLOWED[folder]:
            yield f"{path}: includes {name}; {folder}/ may include only {', '.join(sorted(ALLOWED[folder]))}"
        if quoted and "/" in quoted:
            if not os.path.exists(os.path.join(root, quoted)) and not GENERATED.match(quoted.split("/")[-1]):
                yield f"{path}: {quoted} is not a path from the root"
        elif quoted and not GENERATED.match(quoted):
            yield f"{path}: \"{quoted}\": give the full path from the root"
        for lib, folders in LIBRARIES.items():
            if (name == lib or (lib.endswith("/") and name.startswith(lib))) and folder not in folders:
                yield f"{path}: {name}: {folder}/ does not link that library"
    if path.endswith(".c") and folder in ROLES and not reaches_role(root, path, f"{folder}/role.h", set()):
        yield f"{path}: never reaches {folder}/role.h"


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    root = a.parse_args().root
    wrong = []
    for folder in sorted(os.listdir(root)):
        known = folder in ALLOWED
        if folder.startswith((".", "build")) or folder in OUTSIDE or not os.path.isdir(os.path.join(root, folder)):
            continue
        for base, _, names in os.walk(os.path.join(root, folder)):
            for n in sorted(names):
                path = os.path.relpath(os.path.join(base, n), root)
                if n.endswith((".c", ".h")):
                    wrong += check_file(root, path) if known else [f"{path}: nothing says what {folder}/ may include (tests/lint/include_directions.py)"]
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
