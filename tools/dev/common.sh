# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# common - words and rights that every part of ./dev uses

say() {
	printf '\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

die() {
	printf 'dev: %s\n' "$*" >&2
	exit 1
}

die_usage() {
	printf 'dev: %s\n' "$*" >&2
	exit 2
}

is_root() {
	[ "$(id -u)" = 0 ]
}

# Can we become root without asking anybody?
can_root() {
	is_root || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

as_root() {
	if is_root; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@" # asks on the terminal itself where it must, never on stdin
	else
		die "needs root for: $* (run as root, or install sudo)"
	fi
}

# A clean environment for what runs as a user: no loader hooks, no session bus, a poor PATH as GUI clients have it.
clean_env() {
	local home=$1 user=$2
	shift 2
	env -i HOME="$home" USER="$user" LOGNAME="$user" SHELL=/bin/bash TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
		PATH=/usr/local/bin:/usr/bin:/bin PYTHONDONTWRITEBYTECODE=1 "$@"
}

TEST_USER=stockade-test
# shellcheck disable=SC2034
SERVER_USER=_stockade

ensure_user() { # NAME HOME|-
	getent passwd "$1" >/dev/null && return 0
	if [ "$2" = - ]; then
		as_root useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$1"
	else
		as_root useradd --user-group --create-home --home-dir "$2" --shell /bin/bash "$1"
	fi
}

# Runs a command as the unprivileged user: ourselves, or the test user where root started.
as_user() {
	if is_root; then
		local home
		home=$(getent passwd "$TEST_USER" | cut -d: -f6)
		clean_env "$home" "$TEST_USER" setpriv --reuid="$TEST_USER" --regid="$TEST_USER" --init-groups "$@"
	else
		clean_env "$HOME" "$(id -un)" "$@"
	fi
}
