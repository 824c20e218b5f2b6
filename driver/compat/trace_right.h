/* SPDX-License-Identifier: GPL-2.0 */
/*
 * To look into an mm a process needs privilege over a user namespace, which execve(2)
 * sets. Older kernels keep it in the mm; 7.x keeps it in the task, whose lock keeps task
 * and mm together.
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
 * secmmu_trace_right - check whether the caller may look into the mm of a task
 * @task: the task
 * @mm: the result of get_task_mm() for it
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
