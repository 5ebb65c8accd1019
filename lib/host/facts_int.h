/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of gathering the facts; each fills its members of an empty struct facts. */
#ifndef FACTS_INT_H
#define FACTS_INT_H

#include "facts.h"

void facts_cpu(struct host *h, struct facts *f);
void facts_firmware(struct host *h, struct facts *f);
void facts_iommu(struct host *h, struct facts *f);
void facts_kernel(struct host *h, struct facts *f);
void facts_pve(struct host *h, struct facts *f);
void facts_modules(struct host *h, struct facts *f);
int facts_cards(struct host *h, struct facts *f, struct err *e) _must_check_;

/* One line, "" when there is none or it does not fit. */
void facts_line(struct host *h, const char *path, char *buf, size_t size);
/* One letter of an attribute: 1 for 'Y' or '1', 0 for another, -1 when it is not there. */
int facts_flag(struct host *h, const char *path);

#endif
