#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# symbols - which library may be inside which program, by the symbols that only that library has
#
# The programs are static, so link lists alone prove nothing: the symbols of a library show when it is in. Symbols in a
# static archive stay in the symbol table; a stripped program cannot be judged and fails here.
root=$1
build=$2
status=0

# program, symbols it must not hold (extended regular expression over whole names), and whether it is static (the default)
check() {
	program=$build/$1
	[ -f "$root/${1%/*}/main.c" ] || return 0
	[ -f "$program" ] || { echo "$1: not built" && status=1 && return; }
	symbols=$(nm "$program" 2>/dev/null; nm -D --undefined-only "$program" 2>/dev/null)
	[ -n "$symbols" ] || { echo "$1: no symbols to look at" && status=1 && return; }
	found=$(printf '%s\n' "$symbols" | awk '{ print $NF }' | grep -E "^($2)\$" | head -n 3 | tr '\n' ' ')
	[ -z "$found" ] || { echo "$1 holds what it must not: $found" && status=1; }
	# Static, so that nothing can be preloaded into it; packaging/apparmor leans on this.
	if [ "${3:-static}" = static ] && readelf -lW "$program" | grep -q INTERP; then echo "$1 has a program interpreter: it is not static" && status=1; fi
}

json='json_loadb|json_dumps|json_object_set_new'
sodium='crypto_generichash|sodium_init|crypto_sign_ed25519_detached'
capng='capng_apply|capng_clear|capng_lock'
netlink='nl_connect|nl_send_auto|rtnl_link_change|rtnl_addr_add'
seccomp='seccomp_init|seccomp_rule_add|seccomp_load_all'
pcre='pcre2_compile_8|pcre2_match_8'
resolver='ares_init|getaddrinfo|gethostbyname'
curl='curl_easy_perform|curl_multi_perform|curl_global_init'
yaml='yaml_parser_parse|yaml_parser_initialize'
shell='system|popen'

check supervisor/stockade "$yaml|$capng|$netlink|$seccomp|$resolver|$curl|$shell"
# libnl's address code names getaddrinfo; nothing of ours calls it, and the sandbox has no route to ask anyone.
check enter/stockade-enter "$yaml|$json|$sodium|$seccomp|$pcre|ares_init|$curl|$shell"
check shim/stockade-shim "$yaml|$json|$sodium|$capng|$netlink|$seccomp|$resolver|$curl|$shell|socket|connect"
check gateway/stockade-gateway "$yaml|$json|$sodium|$capng|$netlink|$seccomp|$pcre|$resolver|$curl|$shell|socket|connect|bind|listen"
check dial/stockade-dial "$yaml|$json|$sodium|$capng|$netlink|$seccomp|$pcre|$curl|$shell"
check inventory/stockade-inventory "$json|$sodium|$capng|$netlink|$seccomp|$pcre|$resolver|$curl|$shell|socket|connect"
check collector/stockade-collector "$yaml|$capng|$netlink|$seccomp|$pcre|$resolver|$curl|$shell"
# It starts at no launch, and no static libcurl has all that it leans on.
check fetch/stockade-fetch "$yaml|$json|$capng|$netlink|$seccomp|$pcre|$shell" shared
exit $status
