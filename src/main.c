/* SPDX-License-Identifier: BSD-2-Clause
 *
 * main: argv in, exit status out. Boot order: arguments, configuration, checks (roots, users,
 * logs), background, supervisor (sockets, workers).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "app/daemonize.h"
#include "app/logs.h"
#include "app/start.h"
#include "app/supervisor.h"
#include "base/buf.h"
#include "conf/load.h"

static struct config *
load(const struct cli *cli)
{
	struct config *conf;
	struct buf errors;

	buf_init(&errors);
	conf = cli->config != NULL
		       ? conf_load_file(cli->config, &errors)
		       : conf_for_directory(cli->listen, cli->directory, &errors);
	if (errors.len > 0)
		fwrite(errors.ptr, 1, errors.len, stderr);
	buf_fini(&errors);
	if (conf != NULL && cli->daemonize && conf->logs.access.enabled &&
	    conf->logs.access.target == CONF_LOG_STDERR) {
		fprintf(stderr,
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

/* Everything of a start that can be wrong in the configuration. `start` is for
 * start_close() in any case. */
static int
check(const struct config *conf, struct logs *logs, struct start *start)
{
	struct buf errors;
	int status = 0;

	buf_init(&errors);
	if (start_open(start, conf, logs, &errors) < 0)
		status = CLI_EXIT_CONFIG;
	if (logs_open(logs, conf, &errors) < 0 && status == 0)
		status = 1;
	if (errors.len > 0)
		fwrite(errors.ptr, 1, errors.len, stderr);
	buf_fini(&errors);
	return status;
}

static int
serve(const struct cli *cli, const struct config *conf, const struct site *site,
      struct logs *logs)
{
	int ready_fd = -1;
	int status = 0;
	int rc = 0;

	start_warn(conf, &logs->errors);
	start_raise_limits(conf, &logs->errors);
	if (cli->daemonize)
		rc = daemonize(&ready_fd, &status);
	if (rc < 0) {
		fprintf(stderr, "websrv: cannot go to the background: %s\n",
			strerror(-rc));
		return 1;
	}
	/* 1: we are the one in front, and the start is over. */
	return rc == 1 ? status : supervisor_run(conf, site, logs, ready_fd);
}

static int
run(const struct cli *cli, const struct config *conf)
{
	struct start start;
	struct logs logs;
	int status;

	logs_init(&logs);
	status = check(conf, &logs, &start);
	if (status == 0 && cli->command == CLI_TEST)
		printf("%s: the configuration is fine\n",
		       cli->config != NULL ? cli->config : cli->directory);
	else if (status == 0)
		status = serve(cli, conf, start.site, &logs);
	start_close(&start);
	logs_close(&logs);
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
		break;
	}
	conf = load(&cli);
	if (conf == NULL)
		return CLI_EXIT_CONFIG;
	status = cli.command == CLI_DUMP ? cli_dump(conf) : run(&cli, conf);
	conf_free(conf);
	return status;
}
