#!/bin/sh
# Every key of src/conf/schema*.c is documented in man/websrv.json.5 with its default, and
# no other key is. Both are brought to lines "TABLE KEY DEFAULT": from the rows
#     static const struct conf_key X_keys[] = { { "key", CONF_TYPE, "default", ...
# and from the entries behind the comment  .\" keys: X_keys
#     .It Ic key Pq type, default VALUE, range
set -eu
srcdir=${srcdir:-.}
schema="$srcdir/src/conf/schema*.c"
man=$srcdir/man/websrv.json.5
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

awk '
	/^static const struct conf_key [a-z_]+\[\]/ {
		table = $5
		sub(/\[\].*/, "", table)
	}
	/^};/ { table = "" }
	table != "" && /^\t\{ "/ {
		split($0, word, "\"")
		value = "-"
		if ($0 ~ /CONF_[A-Z]+, "/)
			value = "\"" word[4] "\""
		gsub(/"/, "", value)
		print table, word[2], value
	}' $schema | sort >"$tmp/schema"

awk '
	/^\.\\" keys: / { table = $3 }
	/^\.(Sh|Ss) / { table = "" }
	table != "" && /^\.It Ic / {
		value = "-"
		if (match($0, /, default /)) {
			value = substr($0, RSTART + RLENGTH)
			if (value ~ /^\[/)
				gsub(/, /, " ", value)
			gsub(/\\\(dq|[][{}]/, "", value)
			sub(/, [^,]* to [^,]*$/, "", value)
		}
		print table, $3, value
	}' "$man" | sort >"$tmp/man"

if [ ! -s "$tmp/schema" ]; then
	echo "man-keys: no keys found in $schema"
	exit 1
fi
if ! diff "$tmp/schema" "$tmp/man" >"$tmp/diff"; then
	echo "man-keys: TABLE KEY DEFAULT differ; < $schema  > $man"
	grep '^[<>]' "$tmp/diff"
	exit 1
fi
echo "man-keys: $(wc -l <"$tmp/man") keys are documented"
