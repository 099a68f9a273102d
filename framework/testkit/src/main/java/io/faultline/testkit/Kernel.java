// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.testkit;

import io.faultline.device.PageAllocator;
import io.faultline.kernel.CoreDumps;
import io.faultline.kernel.Devices;
import io.faultline.kernel.FaultDispatcher;
import io.faultline.kernel.Files;
import io.faultline.kernel.Proc;
import io.faultline.kernel.Swaps;
import io.faultline.kernel.Tasks;
import io.faultline.kernel.VmaService;

/**
 * A running kernel as a test sees it: the services that the core publishes. With {@link FaultlineTest}
 * it is a {@link BootedKernel}; a test in a container fills it from the service registry.
 */
public interface Kernel {
  /** The process table. */
  Tasks tasks();

  /** The file descriptors. */
  Files files();

  /** The memory system calls. */
  VmaService vmas();

  /** The page fault handler. */
  FaultDispatcher faults();

  /** The device table. */
  Devices devices();

  /** The texts of {@code /proc}. */
  Proc proc();

  /** The swap devices. */
  Swaps swaps();

  /** Core dumps. */
  CoreDumps cores();

  /**
   * A driver's own page allocator, as Declarative Services would give it to the driver's bundle.
   *
   * @param driver the name under which the kernel keeps account of the frames
   */
  PageAllocator pages(String driver);

  /** Starts a small process. */
  default Program spawn() {
    return new Program(this, tasks().spawn("test"));
  }
}
