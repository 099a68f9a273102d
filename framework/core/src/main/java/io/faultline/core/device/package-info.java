// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * The device table, open files, and every call into a driver.
 *
 * <pre>
 * the table       DeviceTable is the door; DeviceNodes has the nodes, DeviceNode is one, Driver its driver
 *   operations    Arrival, Leaving, Exchange (with Successors, Adopter, PageMoves), Replug, Quarantine
 *   open(2)       Opening, and Mounts and FileSystems for what is no device
 * an open file    OpenFileObject is the door; FileReferences, FileCalls, FileTraits, FileMmap, FileContents
 *   its pages     where the kernel keeps them: CachedFile, and all that has Page, Write or Read in its name
 * calls           GuardedOperations, GuardedIo, DeviceNode.call; Watchdog, CallSlot and CallFrame time them
 *   without end   Aside, HeldLocks
 * registers       IoSpace, IoWindow
 * </pre>
 *
 * <p>The kernel keeps a driver's object nowhere but in a {@link io.faultline.core.device.Lease}, which
 * is emptied when the driver goes: that makes its class loader collectable. Every call goes through
 * a guard ({@code FileCalls} for {@code file_operations}, {@code GuardedOperations} for {@code
 * vm_operations}, {@code GuardedIo} for registers) that counts it, times it, has it watched by the
 * {@link io.faultline.core.device.Watchdog}, and turns whatever goes wrong into a failure of that one
 * call.
 *
 * <p><b>Calls that do not end.</b> A fault calls its driver on its own thread: nothing is changed before
 * the driver has answered, so the lock that the thread holds can be taken away from it ({@link
 * io.faultline.core.device.HeldLocks}). Calls in the middle of a change, those with an address space
 * locked for writing and those of a hand-over, are made on another thread, and the caller can leave it
 * ({@code Aside}). What a call was given to answer with is closed before the caller goes on.
 *
 * <p><b>Whom an exchange of drivers stops.</b> Only processes that have a device of theirs mapped or
 * open ({@link io.faultline.core.device.StopWorld}). That is enough: an area of a driver comes to be in
 * {@code mmap}, which calls the driver and waits while it is exchanged, or is copied by fork from a space
 * that is stopped; and a call that had begun before holds its space's lock, which is looked for.
 *
 * <p><b>A driver that goes without a successor</b> is asked to save its state ({@code StateKeeper}),
 * which is kept ({@code KeptStates}) until one of the same bundle and device name comes ({@code Replug}).
 *
 * <p><b>Locks.</b> {@code DeviceNodes}' monitor, then {@code DeviceNode}'s monitor. Neither is held
 * while a driver or an {@link io.faultline.core.device.UnplugHandler} is called; the {@code
 * Watchdog}'s own monitor is taken last and calls nobody but the log.
 */
@NullMarked
package io.faultline.core.device;

import org.jspecify.annotations.NullMarked;
