/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell - what was done, in lines for people: one per function, one in total; refusals first.
 */
#ifndef TELL_H
#define TELL_H

#include <stdio.h>

#include "claim.h"
#include "names.h"
#include "plan.h"

/* Starts looking up the names of a plan's or lease's devices; NULL when that is impossible. */
struct names *tell_names(struct host *h, const struct plan *plan);

/* "pve-gpu: VM 100: refused: 01:00.0 ..." one per refusal, with its hint below. */
void tell_refusals(FILE *out, const struct plan *plan);

/* "pve-gpu: VM 100: warning: ...", one per warning of the plan. */
void tell_warnings(FILE *out, const struct plan *plan);

/* "pve-gpu: 01:00.0: quirk NAME (DATE, SOURCE): ...", each quirk once per card. */
void tell_quirks(FILE *out, const struct plan *plan);
/* The same, as the text alone; false for one that an earlier function of the card has, too, or
 * that only names services. */
bool tell_is_news(const struct plan *plan, size_t quirk);

/* "01:00.0 NVIDIA ... : nvidia -> vfio-pci, reset by hot reset, 24 ms" per function, and the total. */
void tell_taken(FILE *out, const struct lease *l, const struct run_report *report, uint64_t ms,
		struct names *names);

/* "01:00.0 NVIDIA ...: vfio-pci -> nvidia", and the total. */
void tell_returned(FILE *out, const struct lease *l, const struct run_report *report, uint64_t ms,
		   struct names *names);

/* Lines separated by newlines, each with the prefix. */
void tell_notes(FILE *out, const char *prefix, const struct str *notes);

#endif
