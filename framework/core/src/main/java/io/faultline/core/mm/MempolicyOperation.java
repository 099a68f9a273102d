// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.*;

import io.faultline.core.area.Area;
import io.faultline.core.area.MemoryPolicy;
import io.faultline.core.area.NodeMask;
import io.faultline.core.paging.Pte;
import io.faultline.kernel.UserMemory;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.SignalException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * {@code mbind(2)} and {@code set_mempolicy(2)} on a machine with one node. No page has anywhere else
 * to go; what can be seen is which policies are refused, and that areas of different policies stay
 * apart.
 */
public final class MempolicyOperation {
  private static final int NODE_FLAGS = MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES;
  private static final int MODE_FLAGS = NODE_FLAGS | MPOL_F_NUMA_BALANCING;
  private static final int MOVES = MPOL_MF_MOVE | MPOL_MF_MOVE_ALL;
  private static final int WORD = Long.SIZE;
  private static final long MOST_BITS = PAGE_SIZE * Byte.SIZE;

  private final int mode;
  private final int modeFlags;
  private final NodeMask nodes;

  private MempolicyOperation(int mode, int modeFlags, NodeMask nodes) {
    this.mode = mode;
    this.modeFlags = modeFlags;
    this.nodes = nodes;
  }

  /** Where the words of a mask stand. */
  @FunctionalInterface
  public interface Words {
    /**
     * The word with an index.
     *
     * @throws ErrnoException EFAULT when it cannot be read
     */
    long word(long index) throws ErrnoException;
  }

  /** The words of a mask in the memory of the process that makes the call. */
  public static Words in(UserMemory memory, long address) {
    return index -> {
      try {
        return memory.getLong(address + index * Long.BYTES);
      } catch (SignalException unreadable) {
        throw new ErrnoException(Errno.EFAULT, "mask: " + unreadable.getMessage());
      }
    };
  }

  /** The words of a mask that the caller has; what lies beyond them is 0. */
  public static Words in(long[] words) {
    return index -> index < words.length ? words[(int) index] : 0;
  }

  /**
   * What both calls check first: the mode, its flags and the mask ({@code sanitize_mpol_flags},
   * {@code get_nodes}).
   *
   * @param words null for no mask
   * @param maxNode one more than the bits of the mask
   */
  public static MempolicyOperation of(int modeAndFlags, @Nullable Words words, long maxNode)
      throws ErrnoException {
    int flags = modeAndFlags & MODE_FLAGS;
    int mode = modeAndFlags & ~MODE_FLAGS;
    if (mode < MPOL_DEFAULT || mode > MPOL_WEIGHTED_INTERLEAVE) {
      throw Args.invalid("mode: 0x" + Integer.toHexString(modeAndFlags) + " is no memory policy");
    }
    if ((flags & NODE_FLAGS) == NODE_FLAGS) {
      throw Args.invalid("mode: nodes are either static or relative");
    }
    if ((flags & MPOL_F_NUMA_BALANCING) != 0 && mode != MPOL_BIND && mode != MPOL_PREFERRED_MANY) {
      throw Args.invalid("mode: MPOL_F_NUMA_BALANCING needs MPOL_BIND or MPOL_PREFERRED_MANY");
    }
    return new MempolicyOperation(mode, flags,
        words == null ? NodeMask.NONE : read(words, maxNode));
  }

  /** {@code get_nodes}: bits beyond what the kernel knows must be 0; the highest are read first. */
  private static NodeMask read(Words words, long maxNode) throws ErrnoException {
    long bits = maxNode - 1;
    if (bits == 0) {
      return NodeMask.NONE;
    }
    if (Args.above(bits, MOST_BITS)) {
      throw Args.invalid("maxNode: a mask of more than a page");
    }
    while (bits > NodeMask.MAX_NODES) {
      // A word may be read that lies across the end of the mask: Linux does so too.
      long last = (bits - 1) / WORD;
      long count = Math.min(bits, WORD);
      long word = words.word(last);
      if (count % WORD != 0) {
        word &= (1L << count % WORD) - 1;
      }
      bits = bits - count >= NodeMask.MAX_NODES ? bits - count : NodeMask.MAX_NODES;
      if (word != 0) {
        throw Args.invalid("mask: names a node that there cannot be");
      }
    }
    long[] read = new long[(int) ((bits + WORD - 1) / WORD)];
    for (int i = 0; i < read.length; i++) {
      read[i] = words.word(i);
    }
    if (bits % WORD != 0) {
      read[read.length - 1] &= (1L << bits % WORD) - 1;
    }
    return NodeMask.of(read);
  }

  /** {@code do_set_mempolicy}: only the checks. The policy itself would steer nothing. */
  public void setForProcess() throws ErrnoException {
    MemoryPolicy unused = policy();
  }

  /** {@code mpol_new} and {@code mpol_set_nodemask}; null for MPOL_DEFAULT. */
  private @Nullable MemoryPolicy policy() throws ErrnoException {
    boolean empty = nodes.isEmpty();
    boolean localPreferred = mode == MPOL_PREFERRED && empty;
    if (mode == MPOL_DEFAULT || mode == MPOL_LOCAL || localPreferred) {
      if (!empty) {
        throw Args.invalid("mask: must be empty for this mode");
      }
      if (mode != MPOL_DEFAULT && (modeFlags & NODE_FLAGS) != 0) {
        throw Args.invalid("mode: static or relative nodes, but no node is named");
      }
      return mode == MPOL_DEFAULT
          ? null
          : new MemoryPolicy(MPOL_LOCAL, modeFlags, false, NodeMask.NONE);
    }
    // Relative nodes are counted round those that there are: each of them is node 0.
    boolean named = (modeFlags & MPOL_F_RELATIVE_NODES) != 0 ? !empty : nodes.contains(0);
    if (!named) {
      throw Args.invalid("mask: names no node that there is: only node 0");
    }
    return new MemoryPolicy(
        mode, modeFlags, true, (modeFlags & NODE_FLAGS) != 0 ? nodes : NodeMask.NONE);
  }

  /** {@code do_mbind}. The lock is held for writing. */
  public void bind(AddressSpace space, long start, long length, int callFlags)
      throws ErrnoException {
    int flags = callFlags;
    if ((flags & ~(MPOL_MF_STRICT | MOVES)) != 0) {
      throw Args.invalid("flags: 0x" + Integer.toHexString(flags) + " has unknown bits");
    }
    if ((flags & MPOL_MF_MOVE_ALL) != 0 && !space.credentials().admin()) {
      throw new ErrnoException(Errno.EPERM, "flags: MPOL_MF_MOVE_ALL needs CAP_SYS_NICE");
    }
    Args.requireAligned("address", start);
    if (mode == MPOL_DEFAULT) {
      flags &= ~MPOL_MF_STRICT;
    }
    long end = start + Args.pageAlign(length);
    if (Args.below(end, start)) {
      throw Args.invalid("length: the range wraps around");
    }
    if (end == start) {
      return;
    }
    MemoryPolicy policy = policy();
    long first = Args.clampEnd(start);
    long last = Args.clampEnd(end);
    scan(space, first, last, flags, policy == null);
    Area area = space.areas().findIntersection(first, last);
    while (area != null && area.start() < last) {
      Area changed =
          apply(space, area, Math.max(first, area.start()), Math.min(last, area.end()), policy);
      area = space.areas().next(changed);
    }
  }

  /**
   * {@code queue_pages_range}: before anything is changed, no hole may be in the range unless the
   * policies are taken away, and MPOL_MF_STRICT alone finds every page on one of the nodes.
   */
  private void scan(AddressSpace space, long start, long end, int flags, boolean holesAllowed)
      throws ErrnoException {
    Area area = space.areas().findIntersection(start, end);
    if (area == null || !holesAllowed && area.start() > start) {
      throw hole();
    }
    boolean strict = (flags & (MPOL_MF_STRICT | MOVES)) == MPOL_MF_STRICT;
    while (area != null && area.start() < end) {
      Area next = space.areas().next(area);
      if (!holesAllowed
          && area.end() < end
          && (next == null || area.end() < next.start())) {
        throw hole();
      }
      if (strict && !nodes.contains(0)) {
        requireEmpty(space, Math.max(start, area.start()), Math.min(end, area.end()));
      }
      area = next;
    }
  }

  private static ErrnoException hole() {
    return new ErrnoException(Errno.EFAULT, "address, length: a part of the range is not mapped");
  }

  /** Every page is on node 0: one that is there is on the wrong node. */
  private static void requireEmpty(AddressSpace space, long start, long end)
      throws ErrnoException {
    boolean[] found = new boolean[1];
    space
        .tables()
        .visit(
            start,
            end,
            (address, entry) -> {
              found[0] |= Pte.hasFrame(entry) && !Pte.isSpecial(entry);
              return entry;
            });
    if (found[0]) {
      throw new ErrnoException(Errno.EIO, "flags: MPOL_MF_STRICT, and a page is on node 0");
    }
  }

  /** {@code mbind_range}. */
  private static Area apply(
      AddressSpace space, Area area, long start, long end, @Nullable MemoryPolicy policy)
      throws ErrnoException {
    if (Objects.equals(area.policy(), policy)) {
      return area;
    }
    Area changed = space.modifyPolicy(area, start, end, policy);
    changed.setPolicy(policy);
    return changed;
  }
}
