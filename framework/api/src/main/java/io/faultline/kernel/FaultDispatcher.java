// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.kernel;

import io.faultline.mm.Access;
import io.faultline.mm.ErrnoException;
import java.util.List;
import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The page fault handler: from the faulting address to the area, its checks, the driver's {@code
 * nopage}, and the page-table entry ({@code do_user_addr_fault} and {@code handle_mm_fault}).
 * Thread-safe; faults of one address space run side by side.
 */
@ProviderType
public interface FaultDispatcher {
  /**
   * Handles a fault as the processor would raise it. A page that is there already is a minor fault
   * that changes nothing.
   */
  FaultResult handle(Task task, long address, Access access);

  /**
   * Prefaults the pages of a range, as {@code MADV_POPULATE_READ} or {@code _WRITE} does.
   *
   * @param address aligned to a page
   * @param length in bytes, rounded up to pages
   * @throws ErrnoException as {@code madvise}
   */
  void populate(Task task, long address, long length, boolean write) throws ErrnoException;

  /** Totals since the kernel started. */
  FaultCounts counts();

  /** Totals of one process. */
  FaultCounts counts(Task task);

  /** Faults that a driver answered, by device path. */
  Map<String, FaultCounts> countsByDevice();

  /** The last faults, newest first. */
  List<FaultRecord> recent(int atMost);
}
