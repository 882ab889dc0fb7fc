#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test_completion - what TAB offers is what `--help` of each command says
#
# usage: test_completion.sh STOCKADE BASH ZSH FISH (the program and the three scripts)
set -u
stockade=$(realpath "$1") bash_script=$(realpath "$2") zsh_script=$(realpath "$3") fish_script=$(realpath "$4")
failed=0

fail() {
	echo "FAILED: $*"
	failed=1
}

# What bash would offer for these words; the last is the one being typed.
offer() {
	COMP_WORDS=(stockade "$@")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	COMPREPLY=()
	_stockade
	printf '%s\n' "${COMPREPLY[@]}" | sort
}

options_of() {
	"$stockade" "$@" --help | sed -n 's/^ *\(-., \)\?\(--[a-z-]*\).*/\2/p' | sort
}

# shellcheck source=/dev/null
. "$bash_script" || fail "bash does not take its script"
commands=$("$stockade" --help | sed -n 's/^  \([a-z][a-z ]*[a-z]\)  .*/\1/p')
[ -n "$commands" ] || fail "no commands are listed"
while read -r command; do
	# shellcheck disable=SC2086
	set -- $command
	offered=$(offer "$@" --)
	expected=$(options_of "$@")
	[ "$offered" = "$expected" ] || fail "bash, $command: offered $offered; --help says $expected"
	offer "${1:0:2}" | grep -qx -- "$1" || fail "bash does not offer the command $1"
	[ $# -eq 1 ] || offer "$1" "${2:0:1}" | grep -qx -- "$2" || fail "bash does not offer $2 after $1"
	for option in $expected; do
		[ "$option" = --help ] && continue
		sed -n "/^\t'$command')\$/,/;;/p" "$zsh_script" | grep -qF -- "$option" || fail "zsh, $command: no $option"
		grep -F -- "-l ${option#--} " "$fish_script" | grep -q -- "_from $1[;']" || fail "fish, $command: no $option"
	done
done <<<"$commands"

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
touch afile
mkdir adirectory
export STOCKADE_TEST_VARIABLE=1
[ "$(offer run --ro a)" = $'adirectory\nafile' ] || fail "bash does not offer files after --ro"
[ "$(offer run --cwd a)" = adirectory ] || fail "bash does not offer directories after --cwd"
[ "$(offer run --env STOCKADE_TEST_V)" = STOCKADE_TEST_VARIABLE ] || fail "bash does not offer variables after --env"
[ "$(offer pin -o a)" = $'adirectory\nafile' ] || fail "bash does not offer files after -o"
for command in grant 'grants end'; do
	for function in _stockade_profiles _stockade_scopes; do
		sed -n "/^\t'$command')\$/,/;;/p" "$zsh_script" | grep -qF "$function" || fail "zsh, $command: no $function"
	done
done
for words in 'profile lint' 'profile sign --key k' 'profile verify' 'bundle show' 'policy lint' 'policy test'; do
	# shellcheck disable=SC2086
	[ "$(offer $words a)" = $'adirectory\nafile' ] || fail "bash does not offer files after $words"
done
for words in 'bundle new' 'audit show --dir' 'inventory --project'; do
	# shellcheck disable=SC2086
	[ "$(offer $words a)" = adirectory ] || fail "bash does not offer directories alone after $words"
done
[ -z "$(offer approve --digest a)" ] || fail "bash offers something for a digest"
[ "$(offer run -- cmd a)" = $'adirectory\nafile' ] || fail "bash does not offer files for the server's own command"
offer run -- ba | grep -qx bash || fail "bash does not offer programs after --"
export XDG_CONFIG_HOME=$PWD
mkdir -p stockade/profiles
touch stockade/profiles/github.json stockade/profiles/No-Profile.json
chmod -R go-w stockade
PATH=$(dirname "$stockade"):$PATH
for words in run kill restore; do
	offer "$words" git | grep -qx github || fail "bash does not offer profiles after $words"
done
[ "$(offer run N)" = "" ] || fail "bash offers what no profile can be named"
cat >stockade/profiles/tracker.json <<'EOF'
{"stockade": 1, "name": "tracker", "command": ["/usr/bin/true"], "parameters": {"dir": {"type": "directory"}},
 "tools": {"scopes": {"read": [], "write": [], "destructive": [], "notes": []}, "allow_scopes": ["read"], "grant_scopes": ["write", "notes"]}}
EOF
chmod go-w stockade/profiles/tracker.json
# SHELL'S FUNCTION: a profile first, then a scope of it that one may lift, then nothing.
check_scopes() {
	local words
	for words in grant 'grant --for 5min' 'grants end'; do
		set -- "$1" $words
		"$1" "${@:2}" trac | grep -qx tracker || fail "$1, $words: no profile"
		[ "$("$1" "${@:2}" tracker '')" = $'notes\nwrite' ] || fail "$1, $words: offers $("$1" "${@:2}" tracker '')"
		[ -z "$("$1" "${@:2}" tracker write n)" ] || fail "$1, $words: offers $("$1" "${@:2}" tracker write n)"
	done
	[ "$("$1" grant tracker --for 5min wr)" = write ] || fail "$1: an option's value is taken for the profile"
	[ -z "$("$1" grant github '')" ] || fail "$1: offers scopes of a profile that cannot be read"
}
check_scopes offer

# The same of the shells themselves: zsh with what would be offered printed instead, fish by its own question.
zsh_offers() {
	# shellcheck disable=SC2016
	zsh -f -c '_describe() { print -rl -- ${${(P)2}%%:*} }
		_arguments() { print -rl -- "$@" | sed -n "s/^[^[]*\(--[a-z-]*\)=*\[.*/\1/p" }
		script=$1; shift; words=(stockade "$@"); CURRENT=$#words; source $script' zsh "$zsh_script" "$@" | grep -- "^${*: -1}" | sort
}
fish_offers() {
	fish -N -c "source '$fish_script'; complete -C 'stockade $*'" | cut -f1 | sort
}
check_shell() { # SHELL
	local command expected
	command -v "$1" >/dev/null || return 0
	"$1" -n "$2" || fail "$1 does not take its script"
	expected=$(cut -d' ' -f1 <<<"$commands" | sort -u)
	[ "$("$1_offers" '')" = "$expected" ] || fail "$1 offers as commands: $("$1_offers" '')"
	while read -r command; do
		set -- "$1" $command
		expected=$(options_of "${@:2}")
		[ "$("$1_offers" "${@:2}" --)" = "$expected" ] || fail "$1, $command: offers $("$1_offers" "${@:2}" --)"
		[ $# -eq 2 ] || "$1_offers" "$2" '' | grep -qx -- "$3" || fail "$1 does not offer $3 after $2"
		set -- "$1"
	done <<<"$commands"
}
check_shell zsh "$zsh_script"
! command -v fish >/dev/null || check_scopes fish_offers
# shellcheck disable=SC2016
[ -z "$(command -v zsh)" ] || [ "$(zsh -f -c '_describe() { }
	_arguments() { line=(tracker); _stockade_scopes }
	compadd() { print -rl -- ${(P)2} }
	words=(stockade grant tracker ""); CURRENT=4; source $1' zsh "$zsh_script" | sort)" = $'notes\nwrite' ] || fail "zsh offers no scopes"
check_shell fish "$fish_script"
# Each command whose words bash completes has them in the other two as well.
while IFS=: read -r command kind; do
	sed -n "/^\t'$command')\$/,/;;/p" "$zsh_script" | grep -qF "'1:word:$kind'" || fail "zsh, $command: no $kind"
	if command -v fish >/dev/null; then
		# shellcheck disable=SC2086
		fish_offers $command a | grep -qx "adirectory/\?" || fail "fish, $command: offers $(fish_offers $command a)"
	fi
done <<'EOF'
profile sign:_files
policy test:_files
bundle new:_files -/
EOF
exit $failed
