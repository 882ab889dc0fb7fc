#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# other_build - the whole tree once more with another compiler or other flags; any warning is an error
set -eu
root=$1 build=$1/$2 compiler=$3 flags=$4
if [ "$(cat "$build/flags" 2>/dev/null)" != "$compiler $flags" ]; then
	rm -rf "$build"
	CC=$compiler meson setup "$build" "$root" -Dc_args="$flags" >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
	echo "$compiler $flags" >"$build/flags"
fi
ninja -C "$build" >"$build.log" 2>&1 || { grep -E 'error|warning|FAILED|note:|^ ' "$build.log" | head -n 200; exit 1; }
