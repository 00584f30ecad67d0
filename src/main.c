/* SPDX-License-Identifier: BSD-2-Clause
 *
 * main: argv in, exit status out. Boot order: arguments, configuration, checks (roots, users,
 * logs, meaning), background, supervisor (sockets, workers).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/daemonize.h"
#include "app/explain.h"
#include "app/generation.h"
#include "app/logs.h"
#include "app/meaning.h"
#include "app/start.h"
#include "app/supervisor.h"
#include "base/buf.h"
#include "conf/load.h"

/* The configuration, with what the command line says about it. */
static struct config *
load_config(const struct cli *cli, struct buf *errors)
{
	struct config *conf =
		cli->config != NULL
			? conf_load_file(cli->config, errors)
			: conf_for_directory(cli->listen, cli->directory, errors);

	if (conf != NULL && cli->daemonize && conf->logs.access.enabled &&
	    conf->logs.access.target == CONF_LOG_STDERR) {
		buf_printf(errors,
			   "websrv: with -d nobody would see the access log on stderr; "
			   "give it a path in %s\n",
			   conf->file);
		conf_free(conf);
		return NULL;
	}
	if (conf != NULL && cli->log_level >= 0)
		conf->logs.error.level = (enum conf_log_level)cli->log_level;
	/* In the background there is no stderr; what is said there must not be lost. */
	if (conf != NULL && cli->daemonize && conf->logs.error.target == CONF_LOG_STDERR)
		conf->logs.error.target = CONF_LOG_SYSLOG;
	return conf;
}

static struct config *
load(const struct cli *cli)
{
	struct config *conf;
	struct buf errors;

	buf_init(&errors);
	conf = load_config(cli, &errors);
	if (errors.len > 0)
		fwrite(errors.ptr, 1, errors.len, stderr);
	buf_fini(&errors);
	return conf;
}

/* A configuration is easily given without its -c, and would be refused as a directory, or even
 * dumped as one. */
static bool
is_file_for_directory(const struct cli *cli)
{
	struct stat st;

	if (cli->directory == NULL || stat(cli->directory, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	fprintf(stderr,
		"websrv: %s is a file, not a directory to serve; write -c %s if it is a "
		"configuration\nTry \"websrv -h\".\n",
		cli->directory, cli->directory);
	return true;
}

/* What a reload needs to read the same again. */
struct source {
	const struct cli *cli;
	char *directory; /* of the start, where we no longer are in the background; or NULL */
};

/* The supervisor must not wait for somebody to write into a pipe. */
static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || S_ISREG(st.st_mode);
}

static bool
has_relative_names(const struct cli *cli)
{
	const char *name = cli->config != NULL ? cli->config : cli->directory;

	return name[0] != '/' ||
	       (cli->listen != NULL && strncmp(cli->listen, "unix:", 5) == 0 &&
		cli->listen[5] != '/');
}

static struct config *
load_again(void *arg, struct buf *errors)
{
	const struct source *src = arg;
	const char *path = src->cli->config;
	struct config *conf = NULL;

	if (src->cli->daemonize && has_relative_names(src->cli) &&
	    (src->directory == NULL || chdir(src->directory) < 0)) {
		buf_printf(errors, "%s: %s; relative names are meant from there\n",
			   src->directory != NULL ? src->directory
						  : "the directory of the start",
			   strerror(src->directory != NULL ? errno : ENOENT));
		return NULL;
	}
	if (path != NULL && !is_file(path))
		buf_printf(errors, "%s: only a regular file can be read again\n", path);
	else
		conf = load_config(src->cli, errors);
	if (src->cli->daemonize && chdir("/") < 0)
		buf_printf(errors, "/: %s\n", strerror(errno));
	return conf;
}

/* A test tries the logs without creating them, and all the rest that a start would do. */
static int
check_meaning(const struct cli *cli, const struct config *conf, const struct start *start,
	      const struct logs *logs, struct buf *out, size_t *warnings)
{
	if (cli->command == CLI_TEST)
		return meaning_test(conf, start->site, out, warnings);
	return start->site != NULL ? meaning_start(conf, start->site, &logs->errors, out)
				   : 0;
}

/* Everything of a start that can be wrong in the configuration. `start` is for
 * start_close() in any case. */
static int
check(const struct cli *cli, const struct config *conf, struct logs *logs,
      struct start *start, size_t *warnings)
{
	struct buf errors;
	int status = 0;

	buf_init(&errors);
	if (start_open(start, conf, logs, &errors) < 0)
		status = CLI_EXIT_CONFIG;
	if (cli->command != CLI_TEST && logs_open(logs, conf, &errors) < 0 && status == 0)
		status = 1;
	if (check_meaning(cli, conf, start, logs, &errors, warnings) < 0 && status == 0)
		status = CLI_EXIT_CONFIG;
	if (errors.len > 0)
		fwrite(errors.ptr, 1, errors.len, stderr);
	buf_fini(&errors);
	return status;
}

/* *g is NULL when the supervisor has taken it. */
static int
serve(const struct cli *cli, struct generation **g)
{
	struct source src = { .cli = cli, .directory = getcwd(NULL, 0) };
	struct supervisor_boot boot = { load_again, &src, -1 };
	struct generation *first = *g;
	int status = 0;
	int rc = 0;

	start_warn(first->conf, &first->logs.errors);
	start_raise_limits(first->conf, &first->logs.errors);
	if (cli->daemonize)
		rc = daemonize(&boot.ready_fd, &status);
	if (rc < 0) {
		fprintf(stderr, "websrv: cannot go to the background: %s\n",
			strerror(-rc));
		status = 1;
	} else if (rc == 0) {
		*g = NULL;
		status = supervisor_run(first, &boot);
	}
	/* rc 1: we are the one in front, and the start is over. */
	free(src.directory);
	return status;
}

/* The last word of a test that found no errors; the exit status. */
static int
conclude(const struct cli *cli, size_t warnings)
{
	const char *name = cli->config != NULL ? cli->config : cli->directory;
	const char *plural = warnings == 1 ? "" : "s";

	if (warnings != 0 && cli->strict) {
		fprintf(stderr,
			"%s: refused: %zu warning%s, and --strict makes errors of "
			"them\n",
			name, warnings, plural);
		return CLI_EXIT_CONFIG;
	}
	if (warnings == 0)
		printf("%s: the configuration is fine\n", name);
	else
		printf("%s: the configuration is fine, with %zu warning%s\n", name,
		       warnings, plural);
	return 0;
}

/* Takes `conf`. */
static int
run(const struct cli *cli, struct config *conf)
{
	struct generation *g = generation_new(conf);
	size_t warnings = 0;
	int status;

	if (g == NULL) {
		fprintf(stderr, "websrv: out of memory\n");
		return 1;
	}
	status = check(cli, conf, &g->logs, &g->start, &warnings);
	if (status == 0 && cli->command == CLI_TEST)
		status = conclude(cli, warnings);
	else if (status == 0)
		status = serve(cli, &g);
	generation_free(g);
	return status;
}

/* Started with one of them closed, a socket would get its number, and log lines would go
 * to a client. */
static int
open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
	return fd;
}

int
main(int argc, char **argv)
{
	struct cli cli = cli_parse(argc, argv);
	struct config *conf;
	int status;

	if (open_standard_fds() < 0)
		return 1;
	switch (cli.command) {
	case CLI_USAGE_ERROR:
		return CLI_EXIT_USAGE;
	case CLI_HELP:
		cli_print_help(stdout);
		return 0;
	case CLI_VERSION:
		cli_print_version(stdout);
		return 0;
	case CLI_SCHEMA:
		return cli_print_schema();
	case CLI_RUN:
	case CLI_TEST:
	case CLI_DUMP:
	case CLI_EXPLAIN:
		break;
	}
	if (is_file_for_directory(&cli))
		return CLI_EXIT_USAGE;
	conf = load(&cli);
	if (conf == NULL)
		return CLI_EXIT_CONFIG;
	if (cli.command != CLI_DUMP && cli.command != CLI_EXPLAIN)
		return run(&cli, conf);
	status = cli.command == CLI_DUMP ? cli_dump(conf)
					 : explain_run(&cli.explain, conf);
	conf_free(conf);
	return status;
}
