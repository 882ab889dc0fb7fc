#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The static checks: one row each, the slow ones only with --slow. Prints what is wrong and counts the rows."""
import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def git_files(root, *patterns):
    out = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard", "--", *patterns],
                         cwd=root, stdout=subprocess.PIPE, check=True).stdout
    return [f for f in out.decode().split("\0") if f and os.path.isfile(os.path.join(root, f))]


def own(script, *args):
    return lambda a: ["python3", os.path.join(HERE, script), "--root", a.root, *args]


def symbols(a):
    return ["sh", os.path.join(HERE, "symbols.sh"), a.root, a.build]


def shellcheck(a):
    files = git_files(a.root, "*.sh", "dev", ".ci/run")
    return ["shellcheck", "-x", "-S", "warning", *files]


def codespell(a):
    files = [f for f in git_files(a.root) if not f.endswith(("-lock.json", ".json")) and "/corpus/" not in f
             and not f.startswith("tests/unit/") and f != "LICENSE"]  # unit tests misspell on purpose
    return ["codespell", "-I", os.path.join(HERE, "words.txt"), *files]


def clang_format(a):
    return ["clang-format", "--dry-run", "-Werror", *git_files(a.root, "*.c", "*.h")]


# What headers define that cppcheck is not given: without it each is a syntax error, or a variable that nothing sets.
MACROS = ("json_array_foreach(a,i,v)=for(i=0;i<json_array_size(a)&&(v=json_array_get(a,i));i++)",
          "json_object_foreach(o,k,v)=for(k=first_key(o);k&&(v=json_object_get(o,k));k=next_key(o,k))",
          "TAILQ_FOREACH(v,h,f)=for(v=(h)->tqh_first;v;v=v->f.tqe_next)",
          "SCAN_RULES(X)=X(ONE,\"one\",0,\"\")")


def cppcheck(a):
    return ["cppcheck", "-q", "--std=c11", "--enable=warning,performance,portability", "--inline-suppr",
            "--error-exitcode=1", "--suppressions-list=" + os.path.join(HERE, "cppcheck.txt"), "-I.", "-D_GNU_SOURCE",
            "--max-configs=2", *["-D" + m for m in MACROS], *[f for f in git_files(a.root, "*.c") if not f.startswith("tests/")]]


def clang_tidy(a):
    files = [f for f in git_files(a.root, "*.c") if not f.startswith(("tests/", "bench/", "tools/"))]
    return ["clang-tidy", "-quiet", "-p", os.path.join(a.root, "build-clang"), *files]


def other_build(directory, compiler, flags):
    return lambda a: ["sh", os.path.join(HERE, "other_build.sh"), a.root, directory, compiler, flags]


# gcc 12's analyzer does not follow the cleanup attribute, nor outputs that another file fills; ASan does.
ANALYZER = "-fanalyzer " + " ".join("-Wno-analyzer-" + w for w in (
    "malloc-leak", "use-of-uninitialized-value", "null-argument", "null-dereference", "possible-null-argument",
    "possible-null-dereference"))

# name, command, slow
ROWS = [
    ("include directions", own("include_directions.py"), False),
    ("file heads, sizes and words", own("text.py"), False),
    ("symbols that each binary may hold", symbols, False),
    ("shellcheck", shellcheck, False),
    ("codespell", codespell, False),
    ("the pages on profiles and policies have every key of the schemas", own("profile_page.py"), False),
    ("every program has its row in ARCHITECTURE.md and among the symbols", own("programs.py"), False),
    ("function length", own("function_length.py"), False),
    ("systemd reads the units", own("units.py"), False),
    ("the lints find what they are for, in every folder", own("lints_find.py"), False),
    ("clang-format", clang_format, True),
    ("clang builds it without a warning", other_build("build-clang", "clang", ""), True),
    ("cppcheck", cppcheck, True),
    ("clang-tidy", clang_tidy, True),
    ("gcc -fanalyzer", other_build("build-analyzer", "gcc", ANALYZER), True),
]


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--root", required=True)
    a.add_argument("--build", required=True)
    a.add_argument("--slow", action="store_true")
    a.add_argument("--counts")
    a = a.parse_args()
    passed = failed = 0
    for name, command, slow in ROWS:
        if slow and not a.slow:
            continue
        command = command(a)
        if not shutil.which(command[0]):
            print(f"FAIL {name}: {command[0]} is not installed")
            failed += 1
            continue
        r = subprocess.run(command, cwd=a.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=False)
        print(f"{'ok  ' if r.returncode == 0 else 'FAIL'} {name}", flush=True)
        if r.returncode:
            print(r.stdout.decode("utf-8", "replace").rstrip(), flush=True)
        passed += r.returncode == 0
        failed += r.returncode != 0
    if a.counts:
        with open(a.counts, "a", encoding="utf-8") as f:
            f.write(f"lint {passed} {failed}\n")
    print(f"lint: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
