// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.distribution.soak;

import io.faultline.kernel.DeviceInfo;
import io.faultline.kernel.Devices;
import io.faultline.kernel.Proc;
import java.util.ArrayList;
import java.util.List;
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

  /** What is left that was not there before; the JVM may have begun a thread of its own. */
  List<String> leftSince(Census before) {
    List<String> left = new ArrayList<>();
    differs(left, "threads", before.threads,
        threads <= before.threads + 1 ? before.threads : threads);
    differs(left, "free memory in kB", before.freeKilobytes, freeKilobytes);
    differs(left, "areas", before.areas, areas);
    differs(left, "services", before.services, services);
    differs(left, "bundles", before.bundles, bundles);
    differs(left, "device nodes", before.nodes, nodes);
    return left;
  }

  private static void differs(List<String> left, String what, long before, long after) {
    if (before != after) {
      left.add(what + " were " + before + " before and are " + after + " after");
    }
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
