/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mime: the table, sorted by extension for a binary search, and the few rules about
 * names and charsets. Types are the registered ones of IANA where there is one;
 * JavaScript is text/javascript (RFC 9239). The config may override each.
 */
#include "http/mime.h"

#include "http/chars.h"

#define EXT_MAX 11 /* "webmanifest" */

struct row {
	char ext[EXT_MAX + 1];
	struct slice type;
};

/* clang-format off */
static const struct row rows[] = {
	{ "3g2", SLICE_LIT("video/3gpp2") },
	{ "3gp", SLICE_LIT("video/3gpp") },
	{ "7z", SLICE_LIT("application/x-7z-compressed") },
	{ "aac", SLICE_LIT("audio/aac") },
	{ "adoc", SLICE_LIT("text/plain") },
	{ "ai", SLICE_LIT("application/postscript") },
	{ "aif", SLICE_LIT("audio/aiff") },
	{ "aiff", SLICE_LIT("audio/aiff") },
	{ "apk", SLICE_LIT("application/vnd.android.package-archive") },
	{ "apng", SLICE_LIT("image/apng") },
	{ "appcache", SLICE_LIT("text/cache-manifest") },
	{ "asc", SLICE_LIT("application/pgp-signature") },
	{ "asm", SLICE_LIT("text/x-asm") },
	{ "atom", SLICE_LIT("application/atom+xml") },
	{ "avi", SLICE_LIT("video/x-msvideo") },
	{ "avif", SLICE_LIT("image/avif") },
	{ "azw3", SLICE_LIT("application/vnd.amazon.ebook") },
	{ "bash", SLICE_LIT("text/x-shellscript") },
	{ "bat", SLICE_LIT("text/plain") },
	{ "bib", SLICE_LIT("text/x-bibtex") },
	{ "bin", SLICE_LIT("application/octet-stream") },
	{ "bmp", SLICE_LIT("image/bmp") },
	{ "br", SLICE_LIT("application/x-brotli") },
	{ "bz2", SLICE_LIT("application/x-bzip2") },
	{ "c", SLICE_LIT("text/x-c") },
	{ "cab", SLICE_LIT("application/vnd.ms-cab-compressed") },
	{ "cc", SLICE_LIT("text/x-c") },
	{ "cer", SLICE_LIT("application/pkix-cert") },
	{ "cjs", SLICE_LIT("text/javascript") },
	{ "class", SLICE_LIT("application/java-vm") },
	{ "cmd", SLICE_LIT("text/plain") },
	{ "coffee", SLICE_LIT("text/coffeescript") },
	{ "conf", SLICE_LIT("text/plain") },
	{ "cpio", SLICE_LIT("application/x-cpio") },
	{ "cpp", SLICE_LIT("text/x-c") },
	{ "crl", SLICE_LIT("application/pkix-crl") },
	{ "crt", SLICE_LIT("application/x-x509-ca-cert") },
	{ "crx", SLICE_LIT("application/x-chrome-extension") },
	{ "css", SLICE_LIT("text/css") },
	{ "csv", SLICE_LIT("text/csv") },
	{ "cur", SLICE_LIT("image/vnd.microsoft.icon") },
	{ "cxx", SLICE_LIT("text/x-c") },
	{ "deb", SLICE_LIT("application/vnd.debian.binary-package") },
	{ "der", SLICE_LIT("application/x-x509-ca-cert") },
	{ "diff", SLICE_LIT("text/x-diff") },
	{ "djvu", SLICE_LIT("image/vnd.djvu") },
	{ "dll", SLICE_LIT("application/vnd.microsoft.portable-executable") },
	{ "dmg", SLICE_LIT("application/x-apple-diskimage") },
	{ "doc", SLICE_LIT("application/msword") },
	{ "docx", SLICE_LIT("application/vnd.openxmlformats-officedocument.wordprocessingml.document") },
	{ "dot", SLICE_LIT("application/msword") },
	{ "dotx", SLICE_LIT("application/vnd.openxmlformats-officedocument.wordprocessingml.template") },
	{ "dtd", SLICE_LIT("application/xml-dtd") },
	{ "dwg", SLICE_LIT("image/vnd.dwg") },
	{ "dxf", SLICE_LIT("image/vnd.dxf") },
	{ "eml", SLICE_LIT("message/rfc822") },
	{ "eot", SLICE_LIT("application/vnd.ms-fontobject") },
	{ "eps", SLICE_LIT("application/postscript") },
	{ "epub", SLICE_LIT("application/epub+zip") },
	{ "exe", SLICE_LIT("application/vnd.microsoft.portable-executable") },
	{ "flac", SLICE_LIT("audio/flac") },
	{ "flv", SLICE_LIT("video/x-flv") },
	{ "geojson", SLICE_LIT("application/geo+json") },
	{ "gif", SLICE_LIT("image/gif") },
	{ "glb", SLICE_LIT("model/gltf-binary") },
	{ "gltf", SLICE_LIT("model/gltf+json") },
	{ "gml", SLICE_LIT("application/gml+xml") },
	{ "go", SLICE_LIT("text/x-go") },
	{ "gpg", SLICE_LIT("application/pgp-encrypted") },
	{ "gpx", SLICE_LIT("application/gpx+xml") },
	{ "graphql", SLICE_LIT("application/graphql") },
	{ "gz", SLICE_LIT("application/gzip") },
	{ "h", SLICE_LIT("text/x-c") },
	{ "heic", SLICE_LIT("image/heic") },
	{ "heif", SLICE_LIT("image/heif") },
	{ "hh", SLICE_LIT("text/x-c") },
	{ "hpp", SLICE_LIT("text/x-c") },
	{ "htm", SLICE_LIT("text/html") },
	{ "html", SLICE_LIT("text/html") },
	{ "ico", SLICE_LIT("image/vnd.microsoft.icon") },
	{ "ics", SLICE_LIT("text/calendar") },
	{ "img", SLICE_LIT("application/octet-stream") },
	{ "ini", SLICE_LIT("text/plain") },
	{ "iso", SLICE_LIT("application/x-iso9660-image") },
	{ "jar", SLICE_LIT("application/java-archive") },
	{ "java", SLICE_LIT("text/x-java") },
	{ "jfif", SLICE_LIT("image/jpeg") },
	{ "jp2", SLICE_LIT("image/jp2") },
	{ "jpe", SLICE_LIT("image/jpeg") },
	{ "jpeg", SLICE_LIT("image/jpeg") },
	{ "jpg", SLICE_LIT("image/jpeg") },
	{ "js", SLICE_LIT("text/javascript") },
	{ "json", SLICE_LIT("application/json") },
	{ "json5", SLICE_LIT("application/json5") },
	{ "jsonl", SLICE_LIT("application/jsonl") },
	{ "jsonld", SLICE_LIT("application/ld+json") },
	{ "jsx", SLICE_LIT("text/javascript") },
	{ "jxl", SLICE_LIT("image/jxl") },
	{ "kml", SLICE_LIT("application/vnd.google-earth.kml+xml") },
	{ "kmz", SLICE_LIT("application/vnd.google-earth.kmz") },
	{ "less", SLICE_LIT("text/x-less") },
	{ "log", SLICE_LIT("text/plain") },
	{ "lua", SLICE_LIT("text/x-lua") },
	{ "lz", SLICE_LIT("application/x-lzip") },
	{ "lz4", SLICE_LIT("application/x-lz4") },
	{ "lzma", SLICE_LIT("application/x-lzma") },
	{ "m2ts", SLICE_LIT("video/mp2t") },
	{ "m3u", SLICE_LIT("audio/mpegurl") },
	{ "m3u8", SLICE_LIT("application/vnd.apple.mpegurl") },
	{ "m4a", SLICE_LIT("audio/mp4") },
	{ "m4b", SLICE_LIT("audio/mp4") },
	{ "m4s", SLICE_LIT("video/iso.segment") },
	{ "m4v", SLICE_LIT("video/mp4") },
	{ "map", SLICE_LIT("application/json") },
	{ "markdown", SLICE_LIT("text/markdown") },
	{ "mathml", SLICE_LIT("application/mathml+xml") },
	{ "mbox", SLICE_LIT("application/mbox") },
	{ "md", SLICE_LIT("text/markdown") },
	{ "metalink", SLICE_LIT("application/metalink4+xml") },
	{ "mht", SLICE_LIT("multipart/related") },
	{ "mhtml", SLICE_LIT("multipart/related") },
	{ "mid", SLICE_LIT("audio/midi") },
	{ "midi", SLICE_LIT("audio/midi") },
	{ "mjs", SLICE_LIT("text/javascript") },
	{ "mka", SLICE_LIT("audio/matroska") },
	{ "mkv", SLICE_LIT("video/matroska") },
	{ "mobi", SLICE_LIT("application/x-mobipocket-ebook") },
	{ "mov", SLICE_LIT("video/quicktime") },
	{ "mp2", SLICE_LIT("audio/mpeg") },
	{ "mp3", SLICE_LIT("audio/mpeg") },
	{ "mp4", SLICE_LIT("video/mp4") },
	{ "mpd", SLICE_LIT("application/dash+xml") },
	{ "mpeg", SLICE_LIT("video/mpeg") },
	{ "mpg", SLICE_LIT("video/mpeg") },
	{ "msi", SLICE_LIT("application/x-msi") },
	{ "n3", SLICE_LIT("text/n3") },
	{ "ndjson", SLICE_LIT("application/x-ndjson") },
	{ "nq", SLICE_LIT("application/n-quads") },
	{ "nt", SLICE_LIT("application/n-triples") },
	{ "obj", SLICE_LIT("model/obj") },
	{ "odf", SLICE_LIT("application/vnd.oasis.opendocument.formula") },
	{ "odg", SLICE_LIT("application/vnd.oasis.opendocument.graphics") },
	{ "odp", SLICE_LIT("application/vnd.oasis.opendocument.presentation") },
	{ "ods", SLICE_LIT("application/vnd.oasis.opendocument.spreadsheet") },
	{ "odt", SLICE_LIT("application/vnd.oasis.opendocument.text") },
	{ "oga", SLICE_LIT("audio/ogg") },
	{ "ogg", SLICE_LIT("audio/ogg") },
	{ "ogv", SLICE_LIT("video/ogg") },
	{ "ogx", SLICE_LIT("application/ogg") },
	{ "opml", SLICE_LIT("text/x-opml") },
	{ "opus", SLICE_LIT("audio/ogg") },
	{ "otf", SLICE_LIT("font/otf") },
	{ "owl", SLICE_LIT("application/rdf+xml") },
	{ "p12", SLICE_LIT("application/x-pkcs12") },
	{ "parquet", SLICE_LIT("application/vnd.apache.parquet") },
	{ "patch", SLICE_LIT("text/x-diff") },
	{ "pdf", SLICE_LIT("application/pdf") },
	{ "pem", SLICE_LIT("application/x-pem-file") },
	{ "pfx", SLICE_LIT("application/x-pkcs12") },
	{ "php", SLICE_LIT("text/x-php") },
	{ "pkg", SLICE_LIT("application/octet-stream") },
	{ "pl", SLICE_LIT("text/x-perl") },
	{ "pm", SLICE_LIT("text/x-perl") },
	{ "png", SLICE_LIT("image/png") },
	{ "pnm", SLICE_LIT("image/x-portable-anymap") },
	{ "ppm", SLICE_LIT("image/x-portable-pixmap") },
	{ "pps", SLICE_LIT("application/vnd.ms-powerpoint") },
	{ "ppsx", SLICE_LIT("application/vnd.openxmlformats-officedocument.presentationml.slideshow") },
	{ "ppt", SLICE_LIT("application/vnd.ms-powerpoint") },
	{ "pptx", SLICE_LIT("application/vnd.openxmlformats-officedocument.presentationml.presentation") },
	{ "proto", SLICE_LIT("text/plain") },
	{ "ps", SLICE_LIT("application/postscript") },
	{ "ps1", SLICE_LIT("text/plain") },
	{ "psd", SLICE_LIT("image/vnd.adobe.photoshop") },
	{ "py", SLICE_LIT("text/x-python") },
	{ "pyc", SLICE_LIT("application/x-python-code") },
	{ "qt", SLICE_LIT("video/quicktime") },
	{ "rar", SLICE_LIT("application/vnd.rar") },
	{ "rb", SLICE_LIT("text/x-ruby") },
	{ "rdf", SLICE_LIT("application/rdf+xml") },
	{ "rng", SLICE_LIT("application/xml") },
	{ "rpm", SLICE_LIT("application/x-rpm") },
	{ "rs", SLICE_LIT("text/x-rust") },
	{ "rss", SLICE_LIT("application/rss+xml") },
	{ "rst", SLICE_LIT("text/plain") },
	{ "rtf", SLICE_LIT("application/rtf") },
	{ "s", SLICE_LIT("text/x-asm") },
	{ "sass", SLICE_LIT("text/x-sass") },
	{ "scss", SLICE_LIT("text/x-scss") },
	{ "sh", SLICE_LIT("text/x-shellscript") },
	{ "shtml", SLICE_LIT("text/html") },
	{ "sig", SLICE_LIT("application/pgp-signature") },
	{ "spx", SLICE_LIT("audio/ogg") },
	{ "sql", SLICE_LIT("application/sql") },
	{ "sqlite", SLICE_LIT("application/vnd.sqlite3") },
	{ "srt", SLICE_LIT("application/x-subrip") },
	{ "step", SLICE_LIT("model/step") },
	{ "stl", SLICE_LIT("model/stl") },
	{ "stp", SLICE_LIT("model/step") },
	{ "svg", SLICE_LIT("image/svg+xml") },
	{ "swf", SLICE_LIT("application/x-shockwave-flash") },
	{ "tar", SLICE_LIT("application/x-tar") },
	{ "tbz", SLICE_LIT("application/x-bzip2") },
	{ "tbz2", SLICE_LIT("application/x-bzip2") },
	{ "tcl", SLICE_LIT("text/x-tcl") },
	{ "tex", SLICE_LIT("application/x-tex") },
	{ "text", SLICE_LIT("text/plain") },
	{ "tgz", SLICE_LIT("application/gzip") },
	{ "tif", SLICE_LIT("image/tiff") },
	{ "tiff", SLICE_LIT("image/tiff") },
	{ "toml", SLICE_LIT("application/toml") },
	{ "topojson", SLICE_LIT("application/json") },
	{ "torrent", SLICE_LIT("application/x-bittorrent") },
	{ "ts", SLICE_LIT("video/mp2t") },
	{ "tsv", SLICE_LIT("text/tab-separated-values") },
	{ "tsx", SLICE_LIT("text/plain") },
	{ "ttc", SLICE_LIT("font/collection") },
	{ "ttf", SLICE_LIT("font/ttf") },
	{ "ttl", SLICE_LIT("text/turtle") },
	{ "txt", SLICE_LIT("text/plain") },
	{ "txz", SLICE_LIT("application/x-xz") },
	{ "tzst", SLICE_LIT("application/zstd") },
	{ "udeb", SLICE_LIT("application/vnd.debian.binary-package") },
	{ "usdz", SLICE_LIT("model/vnd.usdz+zip") },
	{ "vcf", SLICE_LIT("text/vcard") },
	{ "vtt", SLICE_LIT("text/vtt") },
	{ "vue", SLICE_LIT("text/plain") },
	{ "war", SLICE_LIT("application/java-archive") },
	{ "wasm", SLICE_LIT("application/wasm") },
	{ "wav", SLICE_LIT("audio/wav") },
	{ "weba", SLICE_LIT("audio/webm") },
	{ "webm", SLICE_LIT("video/webm") },
	{ "webmanifest", SLICE_LIT("application/manifest+json") },
	{ "webp", SLICE_LIT("image/webp") },
	{ "wmv", SLICE_LIT("video/x-ms-wmv") },
	{ "woff", SLICE_LIT("font/woff") },
	{ "woff2", SLICE_LIT("font/woff2") },
	{ "xht", SLICE_LIT("application/xhtml+xml") },
	{ "xhtml", SLICE_LIT("application/xhtml+xml") },
	{ "xls", SLICE_LIT("application/vnd.ms-excel") },
	{ "xlsx", SLICE_LIT("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet") },
	{ "xml", SLICE_LIT("application/xml") },
	{ "xpi", SLICE_LIT("application/x-xpinstall") },
	{ "xsd", SLICE_LIT("application/xml") },
	{ "xsl", SLICE_LIT("application/xslt+xml") },
	{ "xslt", SLICE_LIT("application/xslt+xml") },
	{ "xz", SLICE_LIT("application/x-xz") },
	{ "yaml", SLICE_LIT("application/yaml") },
	{ "yml", SLICE_LIT("application/yaml") },
	{ "z", SLICE_LIT("application/x-compress") },
	{ "zip", SLICE_LIT("application/zip") },
	{ "zsh", SLICE_LIT("text/x-shellscript") },
	{ "zst", SLICE_LIT("application/zstd") },
};
/* clang-format on */

struct slice
mime_extension(struct slice name)
{
	for (size_t i = name.len; i-- > 0 && name.ptr[i] != '/';) {
		if (name.ptr[i] != '.')
			continue;
		if (i == 0 || name.ptr[i - 1] == '/' || i == name.len - 1)
			break;
		return slice_from(name, i);
	}
	return slice_make("", 0);
}

struct slice
mime_lookup(struct slice ext)
{
	size_t low = 0, high = sizeof(rows) / sizeof(rows[0]);
	char key[EXT_MAX + 1] = { 0 };

	if (ext.len < 2 || ext.len - 1 > EXT_MAX || ext.ptr[0] != '.')
		return slice_make("", 0);
	for (size_t i = 1; i < ext.len; i++) {
		if (!char_is(ext.ptr[i], CHAR_VISIBLE)) /* NUL would look like padding */
			return slice_make("", 0);
		key[i - 1] = char_lower(ext.ptr[i]);
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(key, rows[middle].ext, sizeof(key));

		if (order == 0)
			return rows[middle].type;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return slice_make("", 0);
}

bool
mime_is_text(struct slice type)
{
	static const struct slice others[] = {
		SLICE_LIT("application/javascript"),
		SLICE_LIT("application/ecmascript"),
		SLICE_LIT("application/xml"),
		SLICE_LIT("application/xml-dtd"),
	};
	struct slice suffix = SLICE_LIT("+xml");

	type = slice_trim(slice_make(type.ptr, slice_find(type, ';')));
	if (type.len >= 5 && strncasecmp(type.ptr, "text/", 5) == 0)
		return true;
	if (type.len >= suffix.len &&
	    slice_eq_nocase(slice_from(type, type.len - suffix.len), suffix))
		return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (slice_eq_nocase(type, others[i]))
			return true;
	}
	return false;
}

bool
mime_is_harmless(struct slice type)
{
	static const struct slice kinds[] = { SLICE_LIT("audio/"), SLICE_LIT("video/") };
	static const struct slice types[] = {
		SLICE_LIT("image/apng"), SLICE_LIT("image/avif"),
		SLICE_LIT("image/bmp"),  SLICE_LIT("image/gif"),
		SLICE_LIT("image/jpeg"), SLICE_LIT("image/png"),
		SLICE_LIT("image/webp"), SLICE_LIT("image/vnd.microsoft.icon"),
		SLICE_LIT("text/plain"), SLICE_LIT("image/x-icon"),
	};

	/* A browser takes the last of a list. */
	if (slice_find(type, ',') < type.len)
		return false;
	type = slice_trim(slice_make(type.ptr, slice_find(type, ';')));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (slice_eq_nocase(type, types[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (type.len > kinds[i].len &&
		    slice_eq_nocase(slice_make(type.ptr, kinds[i].len), kinds[i]))
			return true;
	}
	return false;
}
