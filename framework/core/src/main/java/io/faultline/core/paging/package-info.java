// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors

/**
 * Page tables and the software TLB: from a virtual address to a frame. Knows frames, knows no areas.
 *
 * <h2>What a flush promises, and why it holds</h2>
 *
 * When {@link io.faultline.core.paging.PageTables#flush} returns, no {@link
 * io.faultline.core.paging.Cpu} loads or stores through an entry that was changed before the call,
 * and none will. So whoever clears an entry, flushes, and only then drops the frame's reference
 * ({@link io.faultline.core.paging.FrameGather}) never sees a store in a frame that is another's by
 * then, and nobody is given bytes of a frame that is not his any more. A mapped access pays no
 * atomic instruction, no fence and no lock for it. The rules:
 *
 * <ol>
 *   <li><b>Fill.</b> A Cpu reads the space's generation, walks, writes the slot of its TLB, passes a
 *       full fence and reads the generation again; if it changed, the slot is emptied. <b>Flush.</b>
 *       Increments the generation, passes a full fence, then looks into each TLB. Of two full fences
 *       one comes first: either the flush finds the slot, or the fill finds the new generation. And
 *       who reads the new generation before walking walks entries that were changed already.
 *   <li><b>Loads</b> are checked afterwards: page in slot, load, acquire fence, page still in slot.
 *       What is written into a frame after it was freed is written after the flush had emptied the
 *       slot. A load that saw such a write therefore finds the slot empty, and its value is thrown
 *       away.
 *   <li><b>Stores</b> (and compare-and-set, and copies of many bytes in both directions) cannot be
 *       taken back, so they are announced: {@code inAccess = 1}, page in slot, store, {@code inAccess =
 *       0}. The flush empties the slot and then has to look at {@code inAccess}: the pattern that on
 *       any processor needs a full fence on both sides. Here the store's side has none, and the flush
 *       makes up for it by {@link io.faultline.core.paging.AsymmetricBarrier}: it makes the <em>other
 *       thread</em> pass a full barrier. If that comes before the announcement has left the
 *       processor, the store's look at the slot comes after the barrier too and finds it empty; else
 *       the flush sees the announcement, and waits until it is withdrawn. What the barrier cannot do
 *       is keep the compiler from exchanging the announcement and the look: the announcement is an
 *       opaque write, and HotSpot moves no memory access across one (C2 sets a {@code
 *       MemBarCPUOrder} on both sides, C1 and the interpreter treat it as volatile). That goes beyond
 *       the letter of the Java memory model; it is the one thing here that does. A JVM of another make
 *       would need {@code setVolatile} in {@code Tlb.enter}.
 *   <li><b>One's own Cpu</b> is not in an access while its thread flushes, so no barrier is needed,
 *       and a program with one thread never pays for one. Which Cpu is one's own is said by its
 *       owner, which each store compares with the current thread. A Cpu that changes hands gets a new
 *       owner, an empty TLB and a full fence before its first fill; the flush empties slots, passes a
 *       full fence and then asks for the owner. Either it sees the new owner and waits for him, or
 *       all that the new owner fills comes after and is not emptied by mistake.
 *   <li><b>A Cpu that does not hold the page</b> needs no barrier either: that its slot holds another
 *       page says that its last access to this one is over. But an <em>empty</em> slot may have been
 *       emptied by another flush that still waits. Therefore a flush counts itself in {@code
 *       shootdowns} before it empties the first slot, until it has waited; one that finds nothing
 *       waits too if that is not 0.
 * </ol>
 *
 * <p>A store takes nanoseconds and calls nothing (faults are handled outside of the announcement), so
 * the wait ends; a store whose thread the host has put aside holds the flush up until it is back.
 *
 * <h2>In which order other threads see what one does</h2>
 *
 * What {@link io.faultline.kernel.UserMemory} promises is x86's order, that of TSO: of two accesses of
 * one thread only a store followed by a load may change places. Loads of the arena are plain, so that
 * both compiler and processor could do more; two fences forbid it, and neither is an instruction on
 * x86:
 *
 * <ul>
 *   <li>behind each load an acquire fence, which the check of rule 2 needs anyway: the load comes before
 *       all loads and stores that follow;
 *   <li>before each store, in {@code Tlb.enter}, a release fence: the store comes after all loads and
 *       stores before it. (The release write of {@code Tlb.leave} alone would let the next store pass
 *       it, by the letter of the Java memory model.)
 * </ul>
 *
 * An aligned value is loaded and stored in one piece: {@code JAVA_LONG_UNALIGNED} takes the aligned path
 * at an aligned address in the interpreter and in C1, and is one {@code mov} in C2. An acquire fence in a
 * loop makes C2 load anew each time, so that a program that spins sees what it waits for. {@code
 * MemoryOrderTest} looks for what must not be seen.
 *
 * <p>None of this holds for entries that lead to a device's registers ({@link
 * io.faultline.core.paging.BusAccess}): they are never in a TLB, and no flush waits for an access that is
 * under way. Their frames are never another's, so nothing can be lost by it.
 *
 * <h2>Locks</h2>
 *
 * <pre>
 * monitor of one leaf table          each write of an entry; two only in PageTables.move, which runs
 *  |                                 alone on its ranges, and in fork: the parent's, then one of the
 *  |                                 child that nobody else has seen
 *  `- lock of PhysicalMemory         when a FrameGather overflows within a visit
 * monitor of PageTables              only to register a TLB
 * </pre>
 */
@NullMarked
package io.faultline.core.paging;

import org.jspecify.annotations.NullMarked;
