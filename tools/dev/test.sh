# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# test - every suite, one line at the end
#
# A suite appends "NAME PASSED FAILED" to $COUNTS; a suite that dies before it could counts as one failure.

suite() { # NAME COMMAND...
	local name=$1 before status=0
	shift
	say "$name"
	before=$(wc -l <"$COUNTS")
	"$@" || status=$?
	if [ "$(wc -l <"$COUNTS")" = "$before" ] || { [ "$status" != 0 ] && [ "$(tail -n 1 "$COUNTS" | awk '{ print $NF }')" = 0 ]; }; then
		echo "$name: ended with status $status and no failure counted" >&2
		echo "${name// /-} 0 1" >>"$COUNTS"
	fi
}

suite_meson() {
	as_user python3 "$STAGE/src/tests/run_meson.py" --build "$STAGE/build" --counts "$COUNTS" --name unit "$@"
}

# Root takes another way into the sandbox (descriptors first, then another user), so those tests run once more.
suite_programs_root() {
	as_root_clean python3 "$STAGE/src/tests/run_meson.py" --build "$STAGE/build" --counts "$COUNTS" --suite root --name programs-as-root
}

suite_lint() {
	python3 "$ROOT/tests/lint/run.py" --root "$ROOT" --build "$STAGE/build" --counts "$COUNTS"
}

# pytest NAME RUNNER ARG... [WORD...]; RUNNER is as_user or as_root_clean. Plain words choose tests by a part of their name.
suite_pytest() {
	local name=$1 runner=$2 word args=() words=
	shift 2
	for word; do
		if [[ $word == [a-z]* && ! -e $word && ${args[*]: -1} != -[a-z] ]]; then words+="${words:+ or }$word"; else args+=("$word"); fi
	done
	set -- "${args[@]}" ${words:+-k "$words"}
	"$runner" env STOCKADE_STAGE="$STAGE" STOCKADE_COUNTS="$COUNTS" STOCKADE_SUITE="$name" \
		"$STAGE/venv/bin/python3" -m pytest -q -p no:cacheprovider --tb=short -rfE "$@"
}

as_root_clean() {
	as_root env -i HOME=/root USER=root LOGNAME=root SHELL=/bin/bash TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PYTHONDONTWRITEBYTECODE=1 "$@"
}

# A machine of its own (tests/vm/boot.py): what systemd does with the units. Words choose tests, as with pytest.
suite_vm() {
	local words='' word
	cmd_deps vm
	stage_kernel
	for word; do words+="${words:+ or }$word"; done
	as_root_clean env STOCKADE_STAGE="$STAGE" "$STAGE/venv/bin/python3" tests/vm/boot.py "$STAGE" "$COUNTS" ${words:+-k "$words"}
}

test_prepare() {
	cmd_deps test
	stage_init
	stage_users
	stage_sources
	stage_build
	stage_packages
	COUNTS=$STAGE/counts
	: >"$COUNTS"
	chmod 0666 "$COUNTS"
	cd "$STAGE/src" || die "no $STAGE/src"
}

test_sum() {
	local passed failed
	passed=$(awk '{ n += $(NF-1) } END { print n + 0 }' "$COUNTS")
	failed=$(awk '{ n += $NF } END { print n + 0 }' "$COUNTS")
	say "suites"
	awk '{ printf "%-24s %5d passed %4d failed\n", $1, $2, $3 }' "$COUNTS"
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# Without words: everything. `./dev test SUITE [WORD...]` runs one suite, the words going to it (pytest's -k and the like).
cmd_test() {
	local only=${1:-all}
	[ $# -eq 0 ] || shift
	test_prepare
	case $only in
	all)
		suite unit suite_meson
		suite lint suite_lint
		if [ -d tests/escape ]; then suite escape suite_pytest escape as_user tests/escape; fi
		suite integration suite_pytest integration as_user tests/integration
		if can_root; then suite "programs as root" suite_programs_root; fi
		if can_root; then suite "integration as root" suite_pytest root as_root_clean tests/integration tests/root -m root; fi
		if can_root; then suite network suite_pytest network as_root_clean tests/network; fi
		if can_root; then suite vm suite_vm; fi
		;;
	unit) suite unit suite_meson "$@" ;;
	lint) suite lint suite_lint ;;
	escape | integration) suite "$only" suite_pytest "$only" as_user "tests/$only" "$@" ;;
	root) suite "integration as root" suite_pytest root as_root_clean tests/integration tests/root -m root "$@" ;;
	network) suite network suite_pytest network as_root_clean tests/network "$@" ;;
	vm) suite vm suite_vm "$@" ;;
	*) die_usage "no suite '$only': unit, lint, escape, integration, root, network, vm" ;;
	esac
	test_sum
}

cmd_demo() {
	say "looking for what the build needs"
	cmd_deps demo
	stage_init
	stage_users
	stage_sources
	ONLY=installed stage_build
	stage_stamped demo.stamp "$STAGE/src/examples/demo/package-lock.json" -- \
		stage_npm_install "$STAGE/src/examples/demo" "$STAGE/demo"
	say "the demo"
	as_user env STOCKADE_STAGE="$STAGE" python3 "$STAGE/src/examples/demo/demo.py"
}

cmd_bench() {
	cmd_deps bench
	stage_init
	stage_users
	stage_sources
	stage_build
	stage_packages
	[ -f "$STAGE/src/bench/run.py" ] || die "bench/run.py is missing"
	cd "$STAGE/src" || die "no $STAGE/src"
	if [ "${1:-}" = managed ]; then
		STOCKADE_STAGE="$STAGE" "$STAGE/venv/bin/python3" bench/managed.py "${@:2}"
		return
	fi
	as_user env STOCKADE_STAGE="$STAGE" "$STAGE/venv/bin/python3" bench/run.py "$@"
}
