#!/bin/sh
# Every tests/conf/broken/NAME.json is refused with exactly what NAME.expect says: which
# errors, where, and in which order. A case needs what its first words name: "idn-..." a
# build with libidn2, "regex-..." one with PCRE2. Files that a case reads are in parts/.
#
#     tests/broken-configs.sh            check all
#     tests/broken-configs.sh NAME...    check these
set -eu
srcdir=${srcdir:-.}
websrv=${WEBSRV:-./websrv}
websrv=$(cd "$(dirname "$websrv")" && pwd)/$(basename "$websrv")
cd "$srcdir/tests/conf/broken"
here=$(pwd -P)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$websrv" -V >"$tmp/version"
count=0
skipped=0
failed=0

# Is there what the case needs?
is_possible() {
	case $1 in
	idn-*) grep -q '^host names in Unicode: libidn2' "$tmp/version" ;;
	regex-*) grep -q '^regular expressions: PCRE2' "$tmp/version" ;;
	esac
}

check() {
	status=0
	"$websrv" -t -c "$1.json" >"$tmp/out" 2>"$tmp/raw" || status=$?
	sed "s|$here/||g" "$tmp/raw" >"$tmp/said"
	if [ "$status" != 78 ] || [ -s "$tmp/out" ]; then
		echo "broken-configs: $1: exit status $status instead of 78"
		failed=$((failed + 1))
	fi
	if ! diff -u "$1.expect" "$tmp/said" >"$tmp/diff"; then
		echo "broken-configs: $1.json: - is expected, + is said"
		tail -n +3 "$tmp/diff"
		failed=$((failed + 1))
	fi
}

[ $# != 0 ] || set -- *.json
for file; do
	name=${file%.json}
	count=$((count + 1))
	if is_possible "$name"; then
		check "$name"
	else
		skipped=$((skipped + 1))
	fi
done
for file in *.expect; do
	[ -f "${file%.expect}.json" ] || { echo "broken-configs: $file has no configuration" && failed=$((failed + 1)); }
done
echo "broken-configs: $count configurations, $skipped skipped, $failed failed"
[ "$failed" = 0 ] && [ "$count" != 0 ]
