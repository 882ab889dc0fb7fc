# SPDX-License-Identifier: Apache-2.0
"""stage_copy - the files named on stdin, a NUL behind each, are in the directory of the first word as they are here

What is the same there is not touched, so that nothing is built or read anew for it. What differs gets the time of now and not that of its source: a source
that was edited while a build ran is older than what that build made of the text before, and whoever goes by times would keep it.
"""
import os
import shutil
import stat
import sys


def wanted_mode(path):
    """Another user reads it, and executes what can be."""
    return 0o755 if os.stat(path).st_mode & 0o111 else 0o644


def same(source, target):
    try:
        there = os.lstat(target)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not stat.S_ISREG(there.st_mode) or stat.S_IMODE(there.st_mode) != wanted_mode(source) or there.st_size != os.stat(source).st_size:
        return False
    with open(source, "rb") as a, open(target, "rb") as b:
        return a.read() == b.read()


def copy(source, target):
    """Renamed into its place: who reads there meanwhile has the one or the other."""
    new = os.path.join(os.path.dirname(target), ".staged")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copyfile(source, new)
    os.chmod(new, wanted_mode(source))
    os.rename(new, target)


def main(directory):
    for name in filter(None, os.fsdecode(sys.stdin.buffer.read()).split("\0")):
        target = os.path.join(directory, name)
        if not same(name, target):
            copy(name, target)


main(sys.argv[1])
