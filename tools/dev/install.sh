# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# install - onto this machine and off it again

# Where it goes: what PREFIX says, else where this build was last meant to go.
build_prefix() {
	local known=$ROOT/build/meson-info/intro-buildoptions.json
	if [ -n "${PREFIX:-}" ]; then
		printf '%s\n' "$PREFIX"
	elif [ -f "$known" ]; then
		meson_prefix "$ROOT/build"
	else
		echo /usr/local
	fi
}

# Runs with the rights that writing below PREFIX takes: ours where they do, so ~/.local needs no root.
for_prefix() { # PREFIX COMMAND...
	local at=$1
	shift
	while [ ! -e "$at" ]; do at=$(dirname "$at"); done
	if [ -w "$at" ]; then "$@"; else as_root "$@"; fi
}

cmd_build() {
	cmd_deps build
	say "building into build/"
	meson_build "$ROOT" "$ROOT/build" "$(build_prefix)"
}

# Ubuntu and others refuse user namespaces to programs without an AppArmor profile that grants them.
apparmor_install() { # PREFIX
	[ -e /proc/sys/kernel/apparmor_restrict_unprivileged_userns ] || return 0
	if ! is_root && ! command -v sudo >/dev/null; then
		echo "dev: no AppArmor profile was installed, which takes root; 'stockade doctor' says whether that matters" >&2
		return 0
	fi
	as_root install -d -m 0755 /etc/apparmor.d
	as_root install -m 0644 "$1/share/stockade/apparmor/stockade-enter" /etc/apparmor.d/stockade-enter
	if command -v apparmor_parser >/dev/null; then
		as_root apparmor_parser -r /etc/apparmor.d/stockade-enter ||
			echo "dev: the AppArmor profile could not be loaded; 'stockade doctor' says whether that matters" >&2
	fi
}

cmd_install() {
	local prefix
	ONLY=installed cmd_build
	prefix=$(build_prefix)
	say "installing to $prefix"
	(umask 022 && for_prefix "$prefix" env PATH="$PATH" meson install -C "$ROOT/build" --no-rebuild >"$ROOT/build/install.log") ||
		die "nothing was installed to $prefix; without root, PREFIX=\$HOME/.local ./dev install does it for you alone"
	# Only servers that root starts need a user of their own.
	if can_root; then ensure_user "$SERVER_USER" -; fi
	apparmor_install "$prefix"
	"$prefix/bin/stockade" doctor || die "stockade is installed, but this machine is not ready: see above"
	case :$INVOKED_PATH: in
	*:"$prefix/bin":*) ;;
	*) echo "dev: $prefix/bin is not in your PATH; add it there to type 'stockade' and 'man stockade'" ;;
	esac
}

cmd_uninstall() {
	local prefix
	[ -f "$ROOT/build/build.ninja" ] || die "nothing to uninstall: build/ is not there ('./dev install' makes it)"
	prefix=$(build_prefix)
	for_prefix "$prefix" ninja -C "$ROOT/build" uninstall >/dev/null
	for_prefix "$prefix" rm -rf "$prefix/libexec/stockade"
	if [ -f /etc/apparmor.d/stockade-enter ]; then
		if command -v apparmor_parser >/dev/null; then as_root apparmor_parser -R /etc/apparmor.d/stockade-enter || true; fi
		as_root rm -f /etc/apparmor.d/stockade-enter
	fi
	echo "removed from $prefix; each user's approvals and audit log stay under ~/.local/state/stockade, profiles under ~/.config/stockade"
}
