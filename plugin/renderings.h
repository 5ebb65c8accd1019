/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * renderings - every kind of result, once.
 *
 * A row X(name, type) gives struct out_ops its operation, commands their out_NAME(), and wants two
 * functions: text_NAME() for people and json_NAME() for programs, in files of these names.
 */
#ifndef RENDERINGS_H
#define RENDERINGS_H

#define RENDERINGS(X) \
	X(list, struct list_result) \
	X(plan, struct plan_result) \
	X(status, struct status_result) \
	X(release, struct release_result) \
	X(reset, struct reset_outcome) \
	X(selftest, struct selftest_result) \
	X(doctor, struct doctor_result) \
	X(config, struct config_result) \
	X(edit, struct edit_result) \
	X(hook, struct hook_result) \
	X(mapping, struct mapping_result) \
	X(setup, struct setup_result) \
	X(report, struct report)

#endif
