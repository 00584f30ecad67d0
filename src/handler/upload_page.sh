#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# upload_page.sh PAGE: prints the header that upload_page.c is built with: the bytes of the page,
# and the hashes of its script and its style as Content-Security-Policy wants them. Their tags
# stand alone on lines of their own; what is between them, line feeds included, is hashed.
set -eu
LC_ALL=C
export LC_ALL
page=$1

# hash_of ELEMENT: 'sha256-...', of the one element of that name.
hash_of() {
	[ "$(grep -c "^<$1>\$" "$page")" = 1 ] && [ "$(grep -c "<$1" "$page")" = 1 ] || {
		echo "upload_page.sh: $page: one <$1>, alone on its line, is wanted" >&2
		exit 1
	}
	hex=$({
		echo
		sed -n "/^<$1>\$/,/^<\\/$1>\$/p" "$page" | sed '1d;$d'
	} | sha256sum) || exit 1
	# 64 hexadecimal digits and two of padding are 44 of base64, the last one being "=".
	echo "$hex" | awk '
	BEGIN {
		upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		digits = upper tolower(upper) "0123456789+/"
	}
	function value(at) {
		return index("0123456789abcdef", substr(hex, at, 1)) - 1
	}
	{
		if ($1 !~ /^[0-9a-f]*$/ || length($1) != 64)
			exit 1
		hex = $1 "00"
		for (at = 1; at < 66; at += 3) {
			n = value(at) * 256 + value(at + 1) * 16 + value(at + 2)
			out = out substr(digits, int(n / 64) + 1, 1) substr(digits, n % 64 + 1, 1)
		}
		print "\047sha256-" substr(out, 1, 43) "=\047"
	}'
}

script=$(hash_of script)
style=$(hash_of style)
[ -n "$script" ] && [ -n "$style" ]

echo "/* Made by upload_page.sh. */"
echo "#define UPLOAD_PAGE_SCRIPT_HASH \"$script\""
echo "#define UPLOAD_PAGE_STYLE_HASH \"$style\""
echo "#define UPLOAD_PAGE_HTML \\"
od -An -v -t u1 "$page" | sed 's/  *\([0-9][0-9]*\)/\1,/g; s/$/ \\/'
echo
