// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Turns a program running on this machine into a recording ("vmrec-1"): every memory call with its
 * result, what it touched in between, its maps after each call. {@link
 * io.faultline.host.record.Recorder} runs the program; around each memory call it holds all other threads
 * of the same address space, so that what it sees is what that call did.
 *
 * <ul>
 *   <li>A call's line: {@code CallText}, as strace prints it.
 *   <li>Which open file a descriptor is: {@code DescriptorNotes}.
 *   <li>Which mappings got anonymous memory since the last call: {@code AddressSpace}.
 *   <li>What the machine is: {@code Machine}, which becomes {@code meta.json}.
 * </ul>
 *
 * <p>Not seen: touches by a system call that another thread is in during a memory call, what the child of
 * {@code vfork(2)} does before its {@code execve}, and memory calls made through {@code io_uring}. A
 * change of the maps that has no cause in the recording is counted as a warning.
 */
@Export
@Version("1.0.0")
@NullMarked
package io.faultline.host.record;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
