# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# stage - a copy of the sources that an unprivileged user can enter: built, installed, with the packages tests need
#
#   STAGE/src      the working tree      STAGE/prefix  what `meson install` made of it
#   STAGE/build    the build             STAGE/node    npm packages     STAGE/venv  PyPI packages
#
# The clone may lie in root's 0700 home, and a static libexec path is compiled in, so tests never run from the clone.

stage_init() {
	local id
	id=$(printf '%s' "$ROOT" | cksum | cut -d' ' -f1)
	if can_root; then
		STAGE=/opt/stockade-test/$id
		[ -d "$STAGE" ] || as_root install -d -m 0755 /opt/stockade-test
		as_root install -d -m 0755 -o "$(id -u)" -g "$(id -g)" "$STAGE"
	else
		STAGE=$ROOT/.stockade/stage
		mkdir -p "$STAGE"
	fi
	export STAGE
}

stage_files() {
	git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' f; do [ -e "$f" ] && printf '%s\0' "$f"; done
}

# Copies what git knows or would add, where it differs by its content (stage_copy.py), and drops what is gone.
stage_sources() {
	mkdir -p "$STAGE/src"
	stage_files | tr '\0' '\n' | sort >"$STAGE/files.new"
	if [ -f "$STAGE/files" ]; then
		comm -23 "$STAGE/files" "$STAGE/files.new" | while IFS= read -r f; do rm -f "$STAGE/src/$f"; done
	fi
	mv "$STAGE/files.new" "$STAGE/files"
	stage_files | python3 "${BASH_SOURCE[0]%/*}/stage_copy.py" "$STAGE/src"
	build_id >"$STAGE/src/.build-id.new"
	cmp -s "$STAGE/src/.build-id.new" "$STAGE/src/.build-id" || cp "$STAGE/src/.build-id.new" "$STAGE/src/.build-id"
	find "$STAGE/src" -type d -exec chmod a+rx {} +
}

build_id() {
	"$ROOT/tools/build-id" 2>/dev/null || echo unknown
}

meson_prefix() { # BUILD
	python3 -c 'import json, sys
print(next(o["value"] for o in json.load(open(sys.argv[1])) if o["name"] == "prefix"))' "$1/meson-info/intro-buildoptions.json"
}

# What `meson install` needs, as ninja calls it: half of what there is to compile are tests.
meson_installed() {
	meson introspect --targets "$1" | python3 -c '
import json, os, sys
print(*(os.path.relpath(f, sys.argv[1]) for t in json.load(sys.stdin) if t["installed"] for f in t["filename"]))' "$1"
}

# What ninja says, as a line a quarter: a minute without a word looks like one that hangs. Short builds say nothing.
build_progress() {
	local line last=0 quarter
	while IFS= read -r line; do
		[[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] || continue
		quarter=$((4 * BASH_REMATCH[1] / BASH_REMATCH[2]))
		if [ "$quarter" -gt "$last" ] && [ "${BASH_REMATCH[2]}" -ge 20 ]; then
			echo "   ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]} steps done"
			last=$quarter
		fi
	done
}

# meson_build SRC BUILD PREFIX [OPTION...]: sets up once, compiles, shows the log only when it fails. A build that was set
# up for another prefix is changed: the old one is compiled in, and it would be installed there. ONLY=installed: no tests.
meson_build() {
	local src=$1 build=$2 prefix=$3 targets=
	shift 3
	if [ ! -f "$build/build.ninja" ]; then
		rm -rf "$build"
		meson setup "$build" "$src" --prefix "$prefix" "$@" >"$build.log" 2>&1 || { cat "$build.log" >&2 && die "meson setup failed"; }
	elif [ "$(meson_prefix "$build")" != "$prefix" ]; then
		meson configure "$build" --prefix "$prefix" >"$build.log" 2>&1 || { cat "$build.log" >&2 && die "meson configure failed"; }
	fi
	# A tree that was pulled since: the list of targets is that of the last setup until ninja has made it anew.
	if [ "${ONLY:-}" = installed ]; then
		ninja -C "$build" build.ninja >"$build.log" 2>&1 || { cat "$build.log" >&2 && die "meson setup failed"; }
		targets=$(meson_installed "$build")
	fi
	# shellcheck disable=SC2086
	ninja -C "$build" $targets 2>&1 | tee "$build.log" | build_progress || { tail -n 60 "$build.log" >&2 && die "the build failed"; }
}

stage_build() {
	mkdir -p "$STAGE/prefix"
	say "building in $STAGE${ONLY:+ (what gets $ONLY)}: a minute or two the first time"
	(umask 022 && meson_build "$STAGE/src" "$STAGE/build" "$STAGE/prefix")
	(umask 022 && meson install -C "$STAGE/build" --no-rebuild >"$STAGE/install.log" 2>&1) ||
		{ cat "$STAGE/install.log" >&2 && die "meson install failed"; }
	chmod -R a+rX "$STAGE/build" "$STAGE/prefix"
}

# Installs once a lock file's content: a stamp holds its checksum.
stage_stamped() { # STAMP FILE... -- COMMAND...
	local stamp=$STAGE/$1 sum files=()
	shift
	while [ "$1" != -- ]; do
		files+=("$1")
		shift
	done
	shift
	sum=$(cat "${files[@]}" | cksum)
	[ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && return 0
	"$@" || return 1
	printf '%s\n' "$sum" >"$stamp"
}

stage_npm_install() { # DIR with package.json and lock, TARGET
	say "npm packages: $(basename "$2")"
	mkdir -p "$2"
	cp "$1/package.json" "$1/package-lock.json" "$1/.npmrc" "$2/"
	(cd "$2" && umask 022 && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || die "npm ci failed in $1"
	chmod -R a+rX "$2"
}

stage_pip_install() {
	say "PyPI packages"
	[ -x "$STAGE/venv/bin/python3" ] || /usr/bin/python3 -m venv "$STAGE/venv"
	(umask 022 && "$STAGE/venv/bin/pip" install -q --disable-pip-version-check --no-input --only-binary :all: \
		-r "$STAGE/src/tests/integration/requirements.txt") || die "pip install failed"
	chmod -R a+rX "$STAGE/venv"
}

# npm keeps the execute bit only for what a package names under "bin".
stage_npm_executables() {
	find "$STAGE/node/node_modules" \( -path "*mcp-server-linux-*/bin/*" -o -path "*/mcp-template-linux-*/dist/mcptmp" \) \
		-exec chmod a+x {} +
}

stage_java() {
	local t=$STAGE/src/tests/integration/java
	say "Java SDK"
	mkdir -p "$STAGE/java/lib" "$STAGE/java/out"
	(umask 022 && cd "$t" && mvn -q -B -ntp dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$STAGE/java/lib" &&
		javac -cp "$STAGE/java/lib/*" -d "$STAGE/java/out" EchoServer.java) || return 1
	chmod -R a+rX "$STAGE/java"
}

stage_packages() {
	local t=$STAGE/src/tests/integration
	stage_stamped node.stamp "$t/package.json" "$t/package-lock.json" -- stage_npm_install "$t" "$STAGE/node"
	stage_npm_executables
	stage_stamped java.stamp "$t/java/pom.xml" "$t/java/EchoServer.java" -- stage_java ||
		echo "dev: no Java SDK (is Maven Central reachable, and trusted by Java?): its test is not run" >&2
	stage_stamped venv.stamp "$t/requirements.txt" -- stage_pip_install
}

# The kernel that tests/vm boots: unpacked, and nothing of it installed here.
stage_kernel() {
	local package
	package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" && $2 ~ /^linux-image/ { print $2; exit }')
	[ -n "$package" ] || die "apt-cache knows no linux-image-cloud-amd64: has 'apt-get update' been run?"
	[ "$(cat "$STAGE/vm/stamp" 2>/dev/null)" = "$package" ] && return 0
	say "kernel: $package"
	rm -rf "$STAGE/vm"
	mkdir -p "$STAGE/vm"
	(cd "$STAGE/vm" && apt-get download -qq -o APT::Sandbox::User=root "$package" >/dev/null) || die "apt-get download failed: $package"
	dpkg-deb -x "$STAGE/vm/"*.deb "$STAGE/vm/kernel" || die "$package cannot be unpacked"
	rm -f "$STAGE/vm/"*.deb
	echo "$package" >"$STAGE/vm/stamp"
}

stage_users() {
	can_root || return 0
	ensure_user "$SERVER_USER" -
	if is_root; then ensure_user "$TEST_USER" "/home/$TEST_USER"; fi
}
