// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.memory;

import java.util.Locale;

/**
 * What is counted since the kernel was started: the lines of {@code /proc/vmstat} that only grow, by
 * Linux's names ({@code enum vm_event_item}, and the counters among the {@code node_stat_item}s), in
 * the order of that file. In pages unless it says otherwise. Faults are counted by {@code
 * core.fault.FaultStatistics}, frames handed out and given back by {@link PhysicalMemory}.
 */
public enum VmEvent {
  /** An anonymous page came back from swap and its shadow was found (pages). */
  WORKINGSET_REFAULT_ANON,
  /** A file page was read again and its shadow was found (pages). */
  WORKINGSET_REFAULT_FILE,
  /** A refaulted anonymous page went straight to the active list. */
  WORKINGSET_ACTIVATE_ANON,
  /** A refaulted file page went straight to the active list. */
  WORKINGSET_ACTIVATE_FILE,
  /** A refaulted anonymous page had been active when it was taken. */
  WORKINGSET_RESTORE_ANON,
  /** A refaulted file page had been active when it was taken. */
  WORKINGSET_RESTORE_FILE,
  /** Reclaim wrote a page out. */
  NR_VMSCAN_WRITE,
  /** Reclaim met a page under write-back; it is taken as soon as that ends. */
  NR_VMSCAN_IMMEDIATE_RECLAIM,
  /** A file page became dirty. */
  NR_DIRTIED,
  /** A file page was written back. */
  NR_WRITTEN,
  /** A page was pinned. */
  NR_FOLL_PIN_ACQUIRED,
  /** A pinned page was let go. */
  NR_FOLL_PIN_RELEASED,
  /** Read from storage, in KiB. */
  PGPGIN,
  /** Written to storage, in KiB. */
  PGPGOUT,
  /** Pages read from a swap device. */
  PSWPIN,
  /** Pages written to a swap device. */
  PSWPOUT,
  /** Somebody who wanted a frame had to reclaim himself. */
  ALLOCSTALL_NORMAL,
  /** Pages that moved to the active list. */
  PGACTIVATE,
  /** Pages that moved to the inactive list. */
  PGDEACTIVATE,
  /** Pages that {@code MADV_FREE} gave up. */
  PGLAZYFREE,
  /** Pages given up by {@code MADV_FREE} that reclaim took. */
  PGLAZYFREED,
  /** Pages of the active list that were looked at to be moved to the inactive one. */
  PGREFILL,
  /** Copy-on-write faults whose page had no other owner: it was used again. */
  PGREUSE,
  /** Pages taken by background reclaim. */
  PGSTEAL_KSWAPD,
  /** Pages taken by those who wanted a frame. */
  PGSTEAL_DIRECT,
  /** Pages taken because somebody asked for it. */
  PGSTEAL_PROACTIVE,
  /** Pages looked at by background reclaim. */
  PGSCAN_KSWAPD,
  /** Pages looked at by those who wanted a frame. */
  PGSCAN_DIRECT,
  /** Pages looked at because somebody asked for it. */
  PGSCAN_PROACTIVE,
  /** Anonymous pages looked at by reclaim. */
  PGSCAN_ANON,
  /** File pages looked at by reclaim. */
  PGSCAN_FILE,
  /** Anonymous pages taken by reclaim. */
  PGSTEAL_ANON,
  /** File pages taken by reclaim. */
  PGSTEAL_FILE,
  /** Background reclaim slept, and memory fell below the low watermark soon after. */
  KSWAPD_LOW_WMARK_HIT_QUICKLY,
  /** Background reclaim slept, and memory fell below the high watermark soon after. */
  KSWAPD_HIGH_WMARK_HIT_QUICKLY,
  /** Runs of background reclaim. */
  PAGEOUTRUN,
  /** Pages moved to the end of the inactive list after their write-back. */
  PGROTATED,
  /** Somebody asked to drop the page cache. */
  DROP_PAGECACHE,
  /** Processes killed because memory had run out. */
  OOM_KILL,
  /** Pages that left the lists for reclaim since they must stay. */
  UNEVICTABLE_PGS_CULLED,
  /** Pages that must stay which were looked at. */
  UNEVICTABLE_PGS_SCANNED,
  /** Pages that came back to the lists for reclaim. */
  UNEVICTABLE_PGS_RESCUED,
  /** Pages that became locked into memory. */
  UNEVICTABLE_PGS_MLOCKED,
  /** Pages that were unlocked. */
  UNEVICTABLE_PGS_MUNLOCKED,
  /** Locked pages that went away with their mapping. */
  UNEVICTABLE_PGS_CLEARED,
  /** Pages that were unlocked, but could not be brought back to a list. */
  UNEVICTABLE_PGS_STRANDED,
  /** Pages read from swap ahead of their use. */
  SWAP_RA,
  /** Pages read ahead from swap that were used. */
  SWAP_RA_HIT,
  /** Pages of zeros that came back without a read. */
  SWPIN_ZERO,
  /** Pages of zeros that went out without a write. */
  SWPOUT_ZERO;

  private final String key = name().toLowerCase(Locale.ROOT);

  /** The name in {@code /proc/vmstat}. */
  public String key() {
    return key;
  }
}
