#!/bin/sh
# The JSON Schema that is installed is the one of the table of keys: etc/websrv.schema.json
# is what "websrv --schema" prints.
set -eu
srcdir=${srcdir:-.}
websrv=${WEBSRV:-./websrv}
file=$srcdir/etc/websrv.schema.json
tmp=$(mktemp)
trap 'rm -f "$tmp"' EXIT

"$websrv" --schema >"$tmp"
if ! diff "$file" "$tmp"; then
	echo "schema-file: $file is not of this table; write it anew:"
	echo "	$websrv --schema >$file"
	exit 1
fi
echo "schema-file: fine"
