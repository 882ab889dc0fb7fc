# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# deps - Debian packages by group, installed only where something is missing
#
# Each row: group, probe, package. The probe is what we need, not the package's name: nodejs from elsewhere brings npm
# itself, and asking apt for Debian's npm would then break it.

DEPS_TABLE='
build  cmd:gcc              gcc
build  file:/usr/include/stdio.h libc6-dev
build  cmd:pkg-config       pkg-config
build  cmd:meson            meson
build  cmd:ninja            ninja-build
build  pc:jansson           libjansson-dev
build  pc:libsodium         libsodium-dev
build  pc:libcares          libc-ares-dev
build  pc:libcurl           libcurl4-openssl-dev
build  pc:libcap-ng         libcap-ng-dev
build  pc:libnl-3.0         libnl-3-dev
build  pc:libnl-route-3.0   libnl-route-3-dev
build  pc:libseccomp        libseccomp-dev
build  pc:libpcre2-8        libpcre2-dev
build  pc:yaml-0.1         libyaml-dev
build  pc:cmocka            libcmocka-dev
build  cmd:scdoc            scdoc
build  cmd:git              git
build  cmd:python3          python3
build  file:/usr/share/publicsuffix/public_suffix_list.dat publicsuffix
demo   cmd:node             nodejs
demo   cmd:npm              npm
demo   file:/etc/ssl/certs/ca-certificates.crt ca-certificates
test   py:ensurepip         python3-venv
test   py:pip               python3-pip
test   cmd:ip               iproute2
test   cmd:bwrap            bubblewrap
test   cmd:mksquashfs       squashfs-tools
test   cmd:squashfuse       squashfuse
test   cmd:setpriv          util-linux
test   file:/usr/share/unicode/CaseFolding.txt unicode-data
test   file:/usr/share/json-schema-test-suite json-schema-test-suite
test   file:/usr/share/perl5/Test/JSON/Schema/Acceptance.pm libtest-json-schema-acceptance-perl
test   py:jsonschema       python3-jsonschema
test   cmd:shellcheck       shellcheck
test   cmd:codespell        codespell
test   cmd:zsh              zsh
test   cmd:fish             fish
test   cmd:javac            default-jdk-headless
test   cmd:mvn              maven
test   cmd:curl             curl
test   cmd:musl-gcc         musl-tools
test   cmd:psql             postgresql-client
test   file:/usr/lib/postgresql postgresql
test   cmd:go               golang-go
test   file:/usr/sbin/rsyslogd rsyslog
test   cmd:systemd-analyze  systemd
test   file:/lib/systemd/systemd-journal-remote systemd-journal-remote
test   cmd:minisign         minisign
vm     cmd:qemu-system-x86_64 qemu-system-x86
vm     cmd:busybox          busybox-static
vm     cmd:nsenter          util-linux
lint   cmd:clang            clang
lint   cmd:clang-tidy       clang-tidy
lint   cmd:clang-format     clang-format
lint   cmd:cppcheck         cppcheck
fuzz   cmd:clang            clang
fuzz   rt:fuzzer            libclang-rt-dev
'

# What a group stands on.
deps_groups() {
	case $1 in
	build) echo build ;;
	demo) echo build demo ;;
	test) echo build demo test ;;
	bench) echo build demo test bench ;;
	lint) echo build test lint ;;
	fuzz) echo build fuzz ;;
	vm) echo build demo test vm ;;
	*) die_usage "no group '$1' of packages: build, demo, test, bench, lint, fuzz, vm" ;;
	esac
}

deps_have() {
	case $1 in
	cmd:*) command -v "${1#cmd:}" >/dev/null ;;
	file:*) [ -e "${1#file:}" ] ;;
	pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
	rt:*) command -v clang >/dev/null && compgen -G "$(clang -print-runtime-dir)/libclang_rt.${1#rt:}*" >/dev/null ;;
	py:*) /usr/bin/python3 -c "import ${1#py:}" 2>/dev/null ;;
	esac
}

deps_missing() { # GROUP...
	local group probe package
	while read -r group probe package; do
		[ -n "$group" ] || continue
		[[ " $* " == *" $group "* ]] || continue
		deps_have "$probe" || echo "$package"
	done <<<"$DEPS_TABLE"
}

cmd_deps() {
	local groups missing
	groups=$(deps_groups "${1:-build}")
	# shellcheck disable=SC2086
	missing=$(deps_missing $groups | sort -u | tr '\n' ' ')
	[ -n "${missing// /}" ] || return 0
	command -v apt-get >/dev/null || die "missing: $missing; this is not a Debian, install them by hand"
	say "installing $missing"
	deps_apt_update
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 $missing >/dev/null || die "apt-get could not install: $missing"
	# shellcheck disable=SC2086
	missing=$(deps_missing $groups | tr '\n' ' ')
	[ -z "${missing// /}" ] || die "still missing after apt-get: $missing"
}

# Package lists older than a day may name versions that are gone.
deps_apt_update() {
	if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit 2>/dev/null)" ]; then
		as_root apt-get update -qq -o DPkg::Lock::Timeout=300 || die "apt-get update failed: are the package mirrors reachable?"
	fi
}
