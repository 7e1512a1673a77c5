// `cairn run --strict`: what no checkpoint can save does not begin. In the program and all that it starts the kernel refuses (EPERM) to
// make such resources, also to those of 32 bits: io_uring, userfaultfd, performance counters, BPF, fanotify, secret memory, other user, mount
// and pid namespaces, segments of modify_ldt, strict seccomp; and programs get no more rights than their caller's. That programs which cannot be checkpointed are not executed is
// plugins/exec's part. Programs fall back to what is left: they are used to systems that forbid these.
// Where: cairn-launch's child, before it executes the program. Test: test/probes/strict.test.ts.
#pragma once

namespace cairn::launch {

/// False: the kernel has no filters for system calls, errno says why.
bool forbid_unsavable();

}  // namespace cairn::launch
