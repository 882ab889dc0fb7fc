# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# quality - the slow checks: analysers, sanitisers, fuzzers

cmd_lint() {
	cmd_deps lint
	meson_build "$ROOT" "$ROOT/build" "$(build_prefix)"
	python3 "$ROOT/tests/lint/run.py" --root "$ROOT" --build "$ROOT/build" --slow
}

cmd_sanitise() {
	cmd_deps test
	say "building with ASan and UBSan"
	meson_build "$ROOT" "$ROOT/build-asan" /usr/local -Db_sanitize=address,undefined -Dbuildtype=debug -Db_lundef=false
	ASAN_OPTIONS=abort_on_error=1:detect_leaks=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		python3 "$ROOT/tests/run_meson.py" --build "$ROOT/build-asan" --name sanitised
}

cmd_fuzz() {
	local seconds=${1:-30} target
	[[ $seconds =~ ^[0-9]+$ ]] || die_usage "fuzz: '$seconds' is not a number of seconds"
	cmd_deps fuzz
	CC=clang meson_build "$ROOT" "$ROOT/build-fuzz" /usr/local -Dfuzz=true -Dstatic=false -Db_lundef=false -Db_sanitize=address,undefined
	for target in "$ROOT"/build-fuzz/tests/fuzz/fuzz_*; do
		if [ ! -f "$target" ] || [ ! -x "$target" ]; then continue; fi
		say "$(basename "$target") for $seconds s"
		fuzz_one "$target" "$seconds"
	done
}

fuzz_one() {
	local name corpus extra=()
	name=$(basename "$1")
	corpus=$ROOT/tests/fuzz/corpus/${name#fuzz_}
	mkdir -p "$ROOT/build-fuzz/corpus/$name" "$corpus"
	if [ -f "$ROOT/tests/fuzz/${name#fuzz_}.dict" ]; then extra+=("-dict=$ROOT/tests/fuzz/${name#fuzz_}.dict"); fi
	"$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=0 "${extra[@]}" \
		"$ROOT/build-fuzz/corpus/$name" "$corpus"
}
