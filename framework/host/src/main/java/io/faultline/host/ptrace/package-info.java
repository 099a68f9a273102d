// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Programs under {@code ptrace(2)}. A {@link io.faultline.host.ptrace.Tracer} starts a program with
 * address randomisation off and holds it behind its {@code execve}; from there
 * {@link io.faultline.host.ptrace.RemoteSyscalls} has it make system calls and touch memory, and
 * {@link io.faultline.host.ptrace.ProcFiles} shows its maps.
 *
 * <p>The kernel ties a traced program to one <em>thread</em>: everything that comes from one tracer is
 * confined to the thread that opened it, and this is checked. The easy way is
 * {@link io.faultline.host.ptrace.Tracer#onOwnThread}:
 *
 * <pre>{@code
 * Path target = BareProgram.writeTo(directory.resolve("target"));
 * String maps = Tracer.onOwnThread("experiment", tracer -> {
 *   try (TracedProcess child = tracer.launch(BareProgram.launch(target))) {
 *     RemoteSyscalls calls = child.syscalls();
 *     long at = calls.call(SyscallNumber.MMAP, 0, 8192, 3, 0x22, -1, 0);
 *     Touch touch = calls.touchWrite(at);
 *     return child.proc().maps();
 *   }
 * });
 * }</pre>
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.host.ptrace;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
