// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Proc;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;

/**
 * What may not grow.
 *
 * @param threads of the JVM
 * @param freeKilobytes of physical memory
 * @param areas of all processes, and areas that map a device
 * @param services of all bundles
 * @param bundles installed
 * @param nodes in {@code /dev}
 */
record Census(
    int threads, long freeKilobytes, long areas, int services, int bundles, int nodes) {
  static Census take(BundleContext context, Devices devices, Proc proc, Machine machine) {
    try {
      var all = context.getAllServiceReferences(null, null);
      return new Census(
          Thread.getAllStackTraces().size(), free(proc),
          sum(machine) + devices.list().stream().mapToInt(DeviceInfo::areas).sum(),
          all == null ? 0 : all.length, context.getBundles().length, devices.list().size());
    } catch (InvalidSyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static long sum(Machine machine) {
    return machine.tasks().list().stream()
        .mapToLong(task -> machine.memory().list(task).size())
        .sum();
  }

  private static long free(Proc proc) {
    return proc.meminfo().lines()
        .filter(line -> line.startsWith("MemFree:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
        .sum();
  }

  /** Whether nothing is left; the JVM may have begun a thread of its own. */
  boolean isAsBefore(Census before) {
    return freeKilobytes == before.freeKilobytes && areas == before.areas
        && services == before.services && bundles == before.bundles && nodes == before.nodes
        && threads <= before.threads + 1;
  }

  /** Six lines of a table. */
  String compared(Census before) {
    return """
        threads            %d before, %d after
        free memory        %d kB before, %d kB after
        areas              %d before, %d after
        services           %d before, %d after
        bundles            %d before, %d after
        device nodes       %d before, %d after""".formatted(
        before.threads, threads, before.freeKilobytes, freeKilobytes, before.areas, areas,
        before.services, services, before.bundles, bundles, before.nodes, nodes);
  }
}
