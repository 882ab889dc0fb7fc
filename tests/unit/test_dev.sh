#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test_dev - `./dev install` puts things where it says, and takes them away from there, and what is staged is what is built,
# shown with projects of a file or two
#
# usage: test_dev.sh ROOT (of the sources)
set -uo pipefail
sources=$(realpath "$1")
failed=0

fail() {
	echo "FAILED: $*"
	failed=1
}

expect_file() { [ -e "$1" ] || fail "$2: $1 is missing"; }
expect_none() { [ ! -e "$1" ] || fail "$2: $1 is there"; }

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
ROOT=$scratch/toy INVOKED_PATH=$PATH
mkdir "$ROOT"
printf "project('toy')\ninstall_data('stockade', install_dir: get_option('bindir'), install_mode: 'rwxr-xr-x')\n" >"$ROOT/meson.build"
printf '#!/bin/sh\nexit 0\n' >"$ROOT/stockade"
for part in common stage install; do
	# shellcheck source=/dev/null
	. "$sources/tools/dev/$part.sh"
done
# The parts call these.
# shellcheck disable=SC2317
{
	cmd_deps() { :; }
	ensure_user() { :; }
	apparmor_install() { :; }
	as_root() { echo "$*" >>"$scratch/asked"; }
}
export ROOT INVOKED_PATH

PREFIX=$scratch/one cmd_install >/dev/null || fail "install to one"
expect_file "$scratch/one/bin/stockade" "installed to the first prefix"
PREFIX=$scratch/two cmd_install >/dev/null || fail "install to two"
expect_file "$scratch/two/bin/stockade" "a build set up for one prefix is installed to another"
cmd_build >/dev/null || fail "build"
[ "$(meson_prefix "$ROOT/build")" = "$scratch/two" ] || fail "a build without PREFIX forgets where it goes"
said=$(cmd_uninstall) || fail "uninstall"
expect_none "$scratch/two/bin/stockade" "uninstalled without PREFIX"
expect_file "$scratch/one/bin/stockade" "another installation is left alone"
[[ $said == *"$scratch/two"* ]] || fail "uninstall does not say from where: $said"
expect_none "$scratch/asked" "root is asked for where the prefix is ours"

said=$(printf '%s\n' 'ninja: Entering' '[1/40] a' '[10/40] b' '[11/40] c' '[20/40] d' '[30/40] e' '[40/40] f' | build_progress)
[[ $(wc -l <<<"$said") = 4 && $said == *"10 of 40"*"40 of 40"* ]] || fail "the build does not say how far it is: $said"
printf 'syntax error(\n' >"$ROOT/meson.build"
(meson_build "$ROOT" "$scratch/broken" "$scratch/three") >/dev/null 2>&1 && fail "a build that cannot be set up is called done"
printf "project('toy')\ncustom_target('x', output: 'x', command: ['false'], build_by_default: true)\n" >"$ROOT/meson.build"
(meson_build "$ROOT" "$scratch/failing" "$scratch/three") >/dev/null 2>&1 && fail "a build that fails is called done"

# What ./dev test builds is the text of now, whatever its time is.
ROOT=$scratch/staged STAGE=$scratch/stage
mkdir "$ROOT" "$STAGE"
cd "$ROOT" || exit 1
git init -q .
for f in gone kept 'two words'; do echo one >"$f"; done
printf '#!/bin/sh\n' >run
chmod 700 run
stage_sources || fail "staging"
[ "$(cd "$STAGE/src" && echo ./*)" = "./gone ./kept ./run ./two words" ] || fail "staged: $(ls "$STAGE/src")"
[ "$(stat -c %a "$STAGE/src/run" "$STAGE/src/kept" | tr '\n' ' ')" = "755 644 " ] || fail "others cannot read or execute what is staged"
touch -d '2 hours ago' "$STAGE/src/"*
touch -d '1 hour ago' "$scratch/built" # by a build that began before the edit, and ended after it
echo two >'two words'
touch -d '90 minutes ago' 'two words'
rm gone
stage_sources || fail "staging again"
[ "$(cat "$STAGE/src/two words")" = two ] || fail "what was edited is not staged"
[ "$STAGE/src/two words" -nt "$scratch/built" ] || fail "what was edited during a build is not built anew"
[ "$STAGE/src/kept" -ot "$scratch/built" ] || fail "what is the same is built anew"
expect_none "$STAGE/src/gone" "what is gone from the sources"
cd / || exit 1

said=$(PREFIX=$scratch/never "$sources/dev" install --help 2>&1) || fail "install --help"
[[ $said == usage:* ]] || fail "install --help installs: $said"
said=$(PREFIX=$scratch/never "$sources/dev" install /opt/elsewhere 2>&1) && fail "install with a word succeeds"
[[ $said == *"PREFIX=DIR ./dev install"* ]] || fail "install with a word does not say how: $said"
exit $failed
