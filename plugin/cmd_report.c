// SPDX-License-Identifier: GPL-2.0-or-later
/* pve-gpu report: what somebody who is to help would ask for, as text or as a page. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "report.h"
#include "scrub.h"
#include "str.h"

/* The program has left the folder that a relative name is meant from. */
static void where(const struct cli *c, struct str *path)
{
	if (c->html[0] != '/' && c->folder[0])
		(void)str_addf(path, "%s/", c->folder);
	(void)str_add(path, c->html);
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_page(const struct cli *c, const struct str *page, struct err *e)
{
	struct str path = STR_INIT;
	int fd, r;

	where(c, &path);
	fd = open(path.s, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : write_all(fd, page->s, page->len);
	if (fd >= 0 && close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		r = err_set(e, -r, "cannot write the page '%s': %s", path.s, err_text(r));
	str_release(&path);
	return r;
}

static int show_page(struct cli *c, const struct report *r, struct err *e)
{
	struct str page = STR_INIT;
	int status = html_report(r, &page) < 0 ? err_nomem(e) : 0;

	if (status == 0 && strcmp(c->html, "-") == 0)
		fwrite(page.s, 1, page.len, c->to);
	else if (status == 0)
		status = write_page(c, &page, e);
	if (status == 0 && strcmp(c->html, "-") != 0)
		fprintf(c->to, "The report is in %s; look at it before you give it away.\n", c->html);
	str_release(&page);
	return status;
}

int cmd_report(struct cli *c)
{
	struct err e = ERR_INIT;
	struct report r;
	int status;

	if (c->html && c->json)
		return cli_usage(c, "a page or JSON: one of --html and --json");
	status = report_make(c->h, c->now_unix, &r, &e);
	if (status == 0 && c->html)
		status = show_page(c, &r, &e);
	else if (status == 0)
		out_report(&c->out, &r);
	report_release(&r);
	return status < 0 ? cli_failed(c, &e) : CLI_DONE;
}
