/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mapping_work - mappings beside this node's hardware: what fits, what does not, and what would.
 */
#ifndef MAPPING_WORK_H
#define MAPPING_WORK_H

#include "cli.h"
#include "mapedit.h"
#include "nodename.h"
#include "snapshot.h"

struct mapping_work {
	struct cli *c;
	char node[NODENAME_SIZE];
	struct snapshot *snapshot;
	struct mapedit ed;
	const char *what;
	int (*edit)(struct mapping_work *w, struct err *e);
	bool refused, problem;

	/* for the list: rows lend from maps */
	struct section_file file;
	struct mapping *maps;
	size_t n_maps;
	struct mapping_row *rows;
	size_t n_rows, rows_size;
};

int mapping_work_open(struct mapping_work *w, struct err *e) _must_check_;
void mapping_work_close(struct mapping_work *w);

/* Fills the rows. */
int mapping_rows(struct mapping_work *w, struct err *e) _must_check_;

/* The edits, with the command's arguments. */
int mapping_add(struct mapping_work *w, struct err *e);
int mapping_remove(struct mapping_work *w, struct err *e);
int mapping_refresh(struct mapping_work *w, struct err *e);

/* Notes every VM of the cluster that uses the mapping args[1], which is no more. */
void mapping_note_users(struct cli *c);

#endif
