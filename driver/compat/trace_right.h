/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whom a process must be privileged over to look into an mm, the kernel notes at
 * execve(2): in the mm; in 7.x in the task, where only the task's lock keeps the two
 * together.
 */
#ifndef SECMMU_COMPAT_TRACE_RIGHT_H
#define SECMMU_COMPAT_TRACE_RIGHT_H

#include <linux/capability.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#ifdef SECMMU_HAVE_EXEC_STATE
#include <linux/sched/exec_state.h>
#endif

/**
 * secmmu_trace_right - may the caller look into the mm of a task?
 * @task: the task
 * @mm: what get_task_mm() has returned for it
 *
 * Return: 0, -EPERM, or -EAGAIN if the task has another mm now.
 */
static inline int secmmu_trace_right(struct task_struct *task, struct mm_struct *mm)
{
#ifdef SECMMU_HAVE_EXEC_STATE
	struct task_exec_state *state;
	int ret = -EAGAIN;

	task_lock(task);
	state = rcu_dereference_protected(task->exec_state,
					  lockdep_is_held(&task->alloc_lock));
	if (task->mm == mm)
		ret = ns_capable(state->user_ns, CAP_SYS_PTRACE) ? 0 : -EPERM;
	task_unlock(task);
	return ret;
#else
	return ns_capable(mm->user_ns, CAP_SYS_PTRACE) ? 0 : -EPERM;
#endif
}

#endif
