# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# install - onto this machine and off it again

cmd_build() {
	cmd_deps build
	say "building into build/"
	meson_build "$ROOT" "$ROOT/build" "${PREFIX:-/usr/local}"
}

# Ubuntu and others refuse user namespaces to programs without an AppArmor profile that grants them.
apparmor_install() {
	local libexec
	[ -e /proc/sys/kernel/apparmor_restrict_unprivileged_userns ] || return 0
	libexec=${PREFIX:-/usr/local}/libexec/stockade
	as_root install -d -m 0755 /etc/apparmor.d
	sed "s|@LIBEXEC@|$libexec|g" "$ROOT/packaging/apparmor/stockade-enter.in" | as_root tee /etc/apparmor.d/stockade-enter >/dev/null
	if command -v apparmor_parser >/dev/null; then
		as_root apparmor_parser -r /etc/apparmor.d/stockade-enter ||
			echo "dev: the AppArmor profile could not be loaded; 'stockade doctor' says whether that matters" >&2
	fi
}

cmd_install() {
	cmd_build
	say "installing to ${PREFIX:-/usr/local}"
	as_root env PATH="$PATH" meson install -C "$ROOT/build" --no-rebuild >/dev/null
	ensure_user "$SERVER_USER" -
	apparmor_install
	"${PREFIX:-/usr/local}/bin/stockade" doctor || die "stockade is installed, but this machine is not ready: see above"
}

cmd_uninstall() {
	[ -f "$ROOT/build/build.ninja" ] || die "nothing to uninstall: build/ is not there ('./dev install' makes it)"
	as_root ninja -C "$ROOT/build" uninstall >/dev/null
	as_root rm -rf "${PREFIX:-/usr/local}/libexec/stockade"
	if [ -f /etc/apparmor.d/stockade-enter ]; then
		if command -v apparmor_parser >/dev/null; then as_root apparmor_parser -R /etc/apparmor.d/stockade-enter || true; fi
		as_root rm -f /etc/apparmor.d/stockade-enter
	fi
	echo "removed; each user's approvals and audit log stay under ~/.local/state/stockade, profiles under ~/.config/stockade"
}
