/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lease protocol of lib/claim: two VMs that want one card, Proxmox's tasks that start and stop
 * them, pre-start, post-stop, and watch.  Whoever is ours may be killed between any two actions, and
 * so may a task; a write that a killed or timed-out hook has begun goes on in its worker.
 *
 * Claims:
 *   - no two QEMUs have the card, none starts without it;
 *   - nobody writes to the card while a QEMU has it, and no two write at once;
 *   - however it goes, when nothing moves any more (every VM has ended) the card is the host's and
 *     no lease, no lock is left.
 *
 * Each guard that makes this true can be taken out; tests/model/run does it and wants to see the
 * model fail:
 *
 *   -DNO_NODE_LOCK      "the plan is possible" and "the lease exists" are two moments
 *   -DNO_WORKER_LOCK    a worker does not hold the lease's lock: a killed hook's write is doubled
 *   -DNO_SECOND_JUDGE   watch acts on what it saw before it had the lease's lock
 *   -DNO_LAST_LOOK      the VM is looked for before its task and Proxmox's lock, and not once more
 *   -DNO_LIFE_CHECK     a complete lease without QEMU counts as left behind although its start goes on
 *   -DNO_TASK_CHECK     Proxmox's lock alone says whether it does, also of a start that does not hold it
 *   -DNO_LOCK_NOTE      the lease does not say that its start holds that lock: its task alone tells
 *   -DNO_LOCK_OWNER     it says so whoever held the lock
 *   -DNO_HOLDS          the plan does not ask for other VMs' leases
 *   -DNO_WATCH          nobody comes back
 *   -DNO_KEPT           a start that takes over a lease forgets that its steps were begun before
 *   -DNO_LINGER_END     a lease that lingers is nobody's business but its VM's
 *
 * A post-stop may let a lease linger for the VM's next start instead of giving back; watch ends that,
 * and so does another VM's start.
 *
 * A start holds Proxmox's lock of the VM to its end, and its task may live on for ever after it, as that
 * of a backup does.  The import of a VM starts it without that lock; its task ends with the start, and
 * whoever has the lock meanwhile finds no QEMU to stop.
 *
 * Times are not in it: every wait may end at once, every grace period is zero.  A task takes its hook
 * with it when it dies (Proxmox signals the process group); a device never fails for good.
 */
#ifndef KILLS
#define KILLS 2			/* how many may die, all together */
#endif
#ifndef STARTS
#define STARTS 2		/* of the first VM; the second has one less */
#endif

mtype = { none, planned, claimed, lingering, returning };

mtype lease[2] = none;	/* /run/pve-gpu/leases/VMID; `planned` until all steps are done */
bool begun[2];		/* it says that a step was begun: there is something to take back */
bool held[2];		/* flock on it: a hook or watch */
bool work[2];		/* a worker is at a write; it shares that lock */
bool node;		/* /run/pve-gpu/lock */
bool pve[2];		/* Proxmox's lock of the VM */
bool task[2];		/* the task that the lease names lives */
bool import[2];		/* a start without Proxmox's lock */
bool noted[2];		/* the lease says that its start holds Proxmox's lock */
bool qemu[2];
bool vfio;		/* the card is on vfio-pci, not on its host driver */
byte writers;
byte kills;

#ifdef NO_WORKER_LOCK
#define FREE(v) (!held[v])
#else
#define FREE(v) (!held[v] && !work[v])
#endif

#ifdef NO_LINGER_END
#define LINGERS(v) (lease[v] == lingering)
#else
#define LINGERS(v) false
#endif
#ifdef NO_TASK_CHECK
#define TASK(v) false
#else
#define TASK(v) (task[v] && !noted[v])
#endif
#define SEEMS_OVER(v) (lease[v] != none && !LINGERS(v) && !qemu[v] && (lease[v] != claimed || (!TASK(v) && !pve[v])))

inline may_die()
{
	if
	:: skip
	:: atomic { kills < KILLS -> kills++ } goto dead
	fi
}

/* One write to the card (lib/claim/run.c: send_step); it may be slow, and nobody can stop it. */
proctype Worker(byte w; bool to_vfio)
{
	atomic {
		writers++;
		assert(writers == 1);
		assert(!qemu[0] && !qemu[1])
	}
	vfio = to_vfio;
	atomic {
		writers--;
		work[w] = false
	}
}

/* Under the lock of lease v: claim_give_back(). */
inline give_back(v)
{
	lease[v] = returning;
	may_die();
	if
	:: begun[v] ->
		atomic { work[v] = true; run Worker(v, false) }
		may_die();	/* or: the write hangs, and is left behind at its deadline */
		!work[v];
		may_die()
	:: else
	fi;
	atomic { lease[v] = none; begun[v] = false; noted[v] = false; held[v] = false }
}

/* Under the lock of lease v.  In the order of lib/claim/claim_enter.c: abandoned(), then claim_still_open(); of
 * watch_verdict(), then claim_wait_gone(). */
inline judge(v, over)
{
	over = !qemu[v] && !LINGERS(v);
#ifndef NO_LIFE_CHECK
	if
	:: over && lease[v] == claimed -> over = !TASK(v)
	:: else
	fi;
	if
	:: over && lease[v] == claimed -> over = !pve[v]
	:: else
	fi;
#endif
#ifndef NO_LAST_LOOK
	over = over && !qemu[v];
#endif
}

/* Proxmox starts VM v: lock or not, pre-start, QEMU. */
proctype Start(byte v)
{
	byte o = 1 - v, starts = v;
	bool mine, other, node_mine, over, locked, named;

end_idle:
	atomic {
		starts < STARTS && !qemu[v];
		if
		:: !pve[v] -> pve[v] = true; locked = true
		:: lease[v] == none -> import[v] = true
		fi;
		starts++
	}

	/* claim_enter(): our own lease first; a lock that does not come free fails the start */
	if
	:: atomic { lease[v] == none -> skip }
	:: atomic { lease[v] != none && FREE(v) -> held[v] = true; mine = true }
	:: lease[v] != none && !FREE(v) -> goto dead
	fi;
	may_die();
#ifndef NO_NODE_LOCK
	atomic { !node; node = true; node_mine = true }
#endif
	may_die();

	/* claim_make_way(), for what it wants */
	atomic {
		if
		:: lease[o] != none && FREE(o) -> held[o] = true; other = true
		:: else
		fi
	}
	if
	:: other ->
		judge(o, over);
		if
		:: over ->
			atomic { node = node && !node_mine; node_mine = false }
			give_back(o);
			other = false;
#ifndef NO_NODE_LOCK
			atomic { !node; node = true; node_mine = true }
#endif
		:: else -> atomic { held[o] = false; other = false }
		fi
	:: else
	fi;
	may_die();

	/* guest_plan(): refused when somebody else has it; what an earlier start left goes back */
	if
#ifndef NO_HOLDS
	:: lease[o] != none || qemu[o] ->
		atomic { node = node && !node_mine; node_mine = false }
		if
		:: mine -> give_back(v); mine = false
		:: else
		fi;
		goto dead
#endif
	:: else
	fi;

	/* claim_take() */
	atomic {
		lease[v] = planned;
		task[v] = true;
		named = true;
#ifdef NO_LOCK_OWNER
		noted[v] = pve[v];
#else
#ifndef NO_LOCK_NOTE
		noted[v] = locked;
#endif
#endif
#ifdef NO_KEPT
		begun[v] = false;
#endif
		held[v] = true;
		mine = true
	}
	atomic { node = node && !node_mine; node_mine = false }
	may_die();
	begun[v] = true;
	may_die();
	atomic { work[v] = true; run Worker(v, true) }
	may_die();
	!work[v];
	may_die();
	if
	:: skip
	:: give_back(v); mine = false; goto dead	/* a step failed */
	fi;
	lease[v] = claimed;
	may_die();
	atomic { held[v] = false; mine = false }
	may_die();

	/* Proxmox goes on, or fails */
	if
	:: skip
	:: atomic {
		qemu[v] = true;
		assert(!qemu[o]);
		assert(vfio && writers == 0 && lease[v] == claimed)
	   }
	fi;

dead:	/* the kernel lets go of what the dead had locked */
	atomic {
		if :: mine -> held[v] = false :: else fi;
		if :: other -> held[o] = false :: else fi;
		if :: node_mine -> node = false :: else fi;
		mine = false;
		other = false;
		node_mine = false;
		if
		:: named -> task[v] = false
		:: !named || locked		/* its task goes on with something else */
		fi;
		if :: locked -> pve[v] = false :: else fi;
		locked = false;
		named = false;
		import[v] = false
	}
	goto end_idle
}

/* The VM ends, and post-stop comes or does not; or it comes although nothing was started. */
proctype Stop(byte v)
{
	bool mine;

end_idle:
	if
	:: atomic { qemu[v] -> qemu[v] = false }
	:: atomic { kills < KILLS -> kills++ }
	fi;
	if
	:: goto end_idle		/* lost */
	:: atomic { !pve[v] -> pve[v] = true }
	fi;
	may_die();
	if
	:: atomic { lease[v] != none && FREE(v) -> held[v] = true; mine = true }
	:: else -> goto dead
	fi;
	may_die();
	if
	:: qemu[v] || import[v] -> goto dead	/* it runs again, or never ran: nothing is touched */
	:: !qemu[v] && !import[v] -> give_back(v); mine = false
	:: !qemu[v] && !import[v] && (lease[v] == claimed || lease[v] == lingering) -> lease[v] = lingering
	fi;

dead:
	atomic {
		if :: mine -> held[v] = false :: else fi;
		mine = false;
		pve[v] = false
	}
	goto end_idle
}

/* Watch sees that a lease is over, takes its lock, judges again, gives back.  When it is killed, systemd
 * starts it again. */
proctype Watch()
{
	byte v;
	bool mine, over;

end_idle:
	if
	:: SEEMS_OVER(0) && FREE(0) -> v = 0
	:: SEEMS_OVER(1) && FREE(1) -> v = 1
	fi;
	may_die();
	atomic {
		if
		:: lease[v] != none && FREE(v) -> held[v] = true; mine = true
		:: else -> goto end_idle
		fi
	}
	may_die();
#ifdef NO_SECOND_JUDGE
	over = true;
#else
	judge(v, over);
#endif
	if
	:: over -> give_back(v); mine = false
	:: else
	fi;

dead:
	atomic {
		if :: mine -> held[v] = false :: else fi;
		mine = false
	}
	goto end_idle
}

/* Nothing moves any more. */
proctype Rest()
{
end_wait:
	timeout;
	assert(!qemu[0] && !qemu[1]);
	assert(lease[0] == none && lease[1] == none);
	assert(!held[0] && !held[1] && !work[0] && !work[1] && !node && !pve[0] && !pve[1]);
	assert(!vfio)
}

init
{
	atomic {
		run Start(0);
		run Start(1);
		run Stop(0);
		run Stop(1);
#ifndef NO_WATCH
		run Watch();
#endif
		run Rest()
	}
}
