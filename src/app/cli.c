/* SPDX-License-Identifier: BSD-2-Clause
 *
 * cli: getopt, help and version.
 */
#include "app/cli.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/idna.h"
#include "base/log.h"
#include "base/password.h"
#include "base/regex.h"
#include "conf/describe.h"
#include "conf/dump.h"
#include "conf/load.h"
#include "config.h"
#include "http/coding.h"
#include "http/digest_hash.h"
#include "net/net.h"

/* Options that have no letter. */
enum {
	OPTION_DUMP = 256,
	OPTION_SCHEMA,
	OPTION_EXPLAIN,
	OPTION_JSON,
	OPTION_FROM,
	OPTION_STRICT
};

static struct cli
complain(struct cli cli, const char *what, const char *arg)
{
	fprintf(stderr, "websrv: %s%s\n", what, arg);
	fprintf(stderr, "Try \"websrv -h\".\n");
	cli.command = CLI_USAGE_ERROR;
	return cli;
}

/* A method is a word; a URL has a '/' or is "*". */
static bool
is_method(const char *arg)
{
	return strpbrk(arg, "/:*") == NULL;
}

/* Takes [METHOD] URL; the index of what comes behind, or -1 when there is no URL. */
static int
take_request(struct explain_request *r, int argc, char **argv, int first)
{
	r->method = "GET";
	if (argc - first >= 2 && is_method(argv[first]))
		r->method = argv[first++];
	if (first >= argc)
		return -1;
	r->url = argv[first];
	return first + 1;
}

static struct cli
check(struct cli cli, int argc, char **argv, int first)
{
	bool explains = cli.command == CLI_EXPLAIN;

	if (!explains && (cli.explain.json || cli.explain.from != NULL ||
			  cli.explain.field_count != 0))
		return complain(cli, "--json, --from and -H go with --explain", "");
	if (cli.explain.field_count > EXPLAIN_FIELDS_MAX)
		return complain(cli, "there are too many -H", "");
	if (explains)
		first = take_request(&cli.explain, argc, argv, first);
	if (first < 0)
		return complain(cli, "--explain wants a URL: /path or http://host/path",
				"");
	if (explains && first < argc && strstr(argv[first], "://") != NULL)
		return complain(cli, "--explain takes one URL; not also ", argv[first]);
	if (argc - first > 1)
		return complain(cli, "only one directory can be served; not also ",
				argv[first + 1]);
	if (first < argc)
		cli.directory = argv[first];
	if (cli.directory != NULL && cli.config != NULL)
		return complain(cli, "give either -c FILE or a directory, not both", "");
	if (cli.strict && cli.command != CLI_TEST)
		return complain(cli, "--strict goes with -t", "");
	if (cli.listen != NULL && cli.directory == NULL && explains)
		cli.explain.listen = cli.listen;
	else if (cli.listen != NULL && cli.directory == NULL)
		return complain(cli,
				"-l goes with a directory; with a configuration file use "
				"\"listen\" there",
				"");
	if (cli.directory == NULL && cli.config == NULL)
		cli.config = WEBSRV_CONFIG_FILE;
	return cli;
}

/* What to do instead of serving, and options of that. False when it is another one. */
static bool
take_command_option(struct cli *cli, int c)
{
	struct explain_request *r = &cli->explain;

	switch (c) {
	case OPTION_EXPLAIN:
		cli->command = CLI_EXPLAIN;
		return true;
	case OPTION_DUMP:
		cli->command = CLI_DUMP;
		return true;
	case 't':
		cli->command = CLI_TEST;
		return true;
	case OPTION_STRICT:
		cli->strict = true;
		return true;
	case OPTION_JSON:
		r->json = true;
		return true;
	case OPTION_FROM:
		r->from = optarg;
		return true;
	case 'H':
		/* One too many is counted, for a complaint. */
		if (r->field_count < EXPLAIN_FIELDS_MAX)
			r->fields[r->field_count] = optarg;
		r->field_count++;
		return true;
	default:
		return false;
	}
}

struct cli
cli_parse(int argc, char **argv)
{
	static const struct option names[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "dump-config", no_argument, NULL, OPTION_DUMP },
		{ "schema", no_argument, NULL, OPTION_SCHEMA },
		{ "explain", no_argument, NULL, OPTION_EXPLAIN },
		{ "json", no_argument, NULL, OPTION_JSON },
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "strict", no_argument, NULL, OPTION_STRICT },
		{ NULL, 0, NULL, 0 }
	};
	struct cli cli = { .command = CLI_RUN, .log_level = -1 };
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":c:l:e:H:dthV", names, NULL)) != -1) {
		switch (c) {
		case 'c':
			cli.config = optarg;
			break;
		case 'l':
			cli.listen = optarg;
			break;
		case 'e':
			cli.log_level = log_level_from(optarg);
			if (cli.log_level < 0)
				return complain(
					cli,
					"-e takes error, warning, info or debug; not ",
					optarg);
			break;
		case 'd':
			cli.daemonize = true;
			break;
		case OPTION_SCHEMA:
			cli.command = CLI_SCHEMA;
			return cli;
		case 'h':
			cli.command = CLI_HELP;
			return cli;
		case 'V':
			cli.command = CLI_VERSION;
			return cli;
		default:
			if (!take_command_option(&cli, c))
				return complain(cli,
						c == ':' ? "a value is missing after "
							 : "unknown option ",
						argv[optind - 1]);
		}
	}
	return check(cli, argc, argv, optind);
}

void
cli_print_help(FILE *out)
{
	fputs("websrv " PACKAGE_VERSION ", a small HTTP server\n\n"
	      "websrv [-c FILE]           serve as FILE says (" WEBSRV_CONFIG_FILE ")\n"
	      "websrv [-l ADDRESS] DIR    serve DIR read-only, on 127.0.0.1:8080 or "
	      "ADDRESS\n"
	      "websrv -t [-c FILE]        test the configuration and stop\n"
	      "websrv -t --strict         the same; warnings are errors\n"
	      "websrv --dump-config       print the effective configuration; with -c "
	      "FILE "
	      "or DIR\n"
	      "websrv --schema            print the JSON Schema of configurations\n"
	      "websrv --explain [METHOD] URL\n"
	      "                           tell how a request would be answered, and why; "
	      "with\n"
	      "                           -c FILE or DIR, and what is below\n"
	      "websrv -V                  version and libraries\n"
	      "websrv -h                  this help\n\n"
	      "  -d        run in the background\n"
	      "  -e LEVEL  log level: error, warning, info, debug\n\n"
	      "  --json           explain in JSON\n"
	      "  -H 'NAME: VALUE' a field of the request to explain; may be repeated;\n"
	      "                   @FILE: one from each line of it; @-: of standard "
	      "input\n"
	      "  --from ADDRESS   whose request it is: 192.0.2.7, ::1 or unix\n"
	      "  -l ADDRESS       which listener takes it, as \"listen\" has it\n\n"
	      "Exit status: 0 fine, 1 failure at run time (or the request is answered "
	      "with\n"
	      "400 or more), 2 usage, 78 bad configuration.\n"
	      "Signals: TERM, INT, QUIT finish and stop; TERM or INT again stops at "
	      "once;\n"
	      "HUP reloads the configuration; USR1 reopens the logs.\n",
	      out);
}

void
cli_print_version(FILE *out)
{
	char regex[REGEX_VERSION_SIZE];
	struct buf codings;

	buf_init(&codings);
	coding_add_libraries(&codings);
	fprintf(out, "websrv %s\n", PACKAGE_VERSION);
	fprintf(out, "libevent %s\n", net_library_version());
	fprintf(out, "jansson %s\n", conf_library_version());
	fprintf(out, "content codings: %.*s\n", SLICE_ARG(buf_slice(&codings)));
	buf_fini(&codings);
	if (digest_hash_library() != NULL)
		fprintf(out, "digests: sha-256, sha-512 (libcrypto %s)\n",
			digest_hash_library());
	else
		fprintf(out, "digests: none\n");
	fprintf(out, "passwords: %s\n",
		password_is_built_in() ? "yescrypt, bcrypt, SHA-512 (libcrypt)" : "none");
	regex_version(regex);
	fprintf(out, "regular expressions: %s%s\n", regex_is_built_in() ? "PCRE2 " : "",
		regex);
	fprintf(out, "host names in Unicode: %s\n", idna_library());
}

/* What could not be written whole must not look as if it were. */
int
cli_print(struct buf *text)
{
	bool ok = !text->failed && fwrite(text->ptr, 1, text->len, stdout) == text->len &&
		  fflush(stdout) == 0;

	if (!ok)
		fprintf(stderr, "websrv: cannot write to standard output: %s\n",
			text->failed ? strerror(ENOMEM) : strerror(errno));
	buf_fini(text);
	return ok ? 0 : 1;
}

int
cli_print_schema(void)
{
	struct buf text;

	buf_init(&text);
	conf_describe(&text);
	return cli_print(&text);
}

int
cli_dump(const struct config *conf)
{
	struct buf text;

	buf_init(&text);
	if (conf_dump(conf, &text) == -EILSEQ) {
		fprintf(stderr,
			"websrv: a path of the configuration is not UTF-8, so JSON "
			"cannot hold it\n");
		buf_fini(&text);
		return 1;
	}
	return cli_print(&text);
}
