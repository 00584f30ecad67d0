#!/bin/sh
# The layers of src/, lowest first: a file includes only its own layer and lower ones;
# handler and net never include each other; each library has one home.
#
#     base <- http <- conf <- core <- { handler | net } <- app <- main
set -eu
src="${srcdir:-.}/src"
failed=0

allowed() {
	case $1 in
	base) echo "base" ;;
	http) echo "base http" ;;
	conf) echo "base http conf" ;;
	core) echo "base http conf core" ;;
	handler) echo "base http conf core handler" ;;
	net) echo "base http conf core net" ;;
	app | .) echo "base http conf core handler net app" ;;
	*) echo "" ;;
	esac
}

complain() {
	echo "$1"
	failed=1
}

for file in "$src"/*/*.[ch] "$src"/*.c; do
	rel=${file#"$src"/}
	layer=$(dirname "$rel")
	for included in $(sed -n 's/^#include "\([a-z]*\)\/.*"$/\1/p' "$file"); do
		case " $(allowed "$layer") " in
		*" $included "*) ;;
		*) complain "$rel: $layer must not include $included/" ;;
		esac
	done
done

# home REGEX FOLDERS: only files of these folders may include what matches.
home() {
	for file in $(grep -lE "^#include <$1" -r "$src" || :); do
		rel=${file#"$src"/}
		case " $2 " in
		*" $(dirname "$rel") "*) ;;
		*) complain "$rel: <$1 is at home in $2 only" ;;
		esac
	done
}

home 'jansson' 'conf'
home 'pcre2' 'base'
home 'idn2' 'base'
home 'openssl/' 'http'
home 'crypt\.h' 'base'
home 'pthread\.h|threads\.h' 'base'
home 'zlib' 'http'
home 'zstd' 'http'
home 'brotli/' 'http'
home 'event2/(bufferevent|buffer|listener)' 'net'
home 'event2/' 'net app'
home 'evhttp|event2/http' 'none'

[ "$failed" = 0 ] && echo "include rule: fine"
exit "$failed"
