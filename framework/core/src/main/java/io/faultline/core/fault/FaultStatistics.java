// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.fault;

import io.faultline.kernel.FaultCounts;
import io.faultline.kernel.FaultRecord;
import io.faultline.kernel.FaultResult;
import io.faultline.mm.Access;
import io.faultline.mm.FaultType;
import io.faultline.mm.Siginfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Counts faults, by process and by device, and remembers the last ones. Recording takes no lock and
 * allocates nothing; a reader may miss a record that is being written. Thread-safe.
 */
public final class FaultStatistics {
  private static final int REMEMBERED = 1024;

  private final FaultTally all = new FaultTally();
  private final ConcurrentMap<Integer, FaultTally> byProcess = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, FaultTally> byHandler = new ConcurrentHashMap<>();
  private final AtomicLong sequence = new AtomicLong();
  private final Slot[] slots = new Slot[REMEMBERED];

  public FaultStatistics() {
    for (int i = 0; i < REMEMBERED; i++) {
      slots[i] = new Slot();
    }
  }

  void record(
      int pid,
      long address,
      Access access,
      String handler,
      FaultResult result,
      boolean copied,
      long nanos) {
    count(all, result, copied);
    count(tally(byProcess, pid), result, copied);
    count(tally(byHandler, handler), result, copied);
    long number = sequence.incrementAndGet();
    slots[(int) (number % REMEMBERED)].write(
        number, pid, address, access, handler, result, nanos);
  }

  private static <K> FaultTally tally(ConcurrentMap<K, FaultTally> map, K key) {
    FaultTally tally = map.get(key);
    return tally != null ? tally : map.computeIfAbsent(key, k -> new FaultTally());
  }

  private static void count(FaultTally tally, FaultResult result, boolean copied) {
    Siginfo signal = result.signal();
    if (signal == null) {
      tally.countOk(result.type() == FaultType.MAJOR, copied);
    } else {
      tally.countRefused(signal.code());
    }
  }

  public FaultCounts counts() {
    return all.counts();
  }

  public FaultCounts counts(int pid) {
    FaultTally tally = byProcess.get(pid);
    return tally == null ? new FaultTally().counts() : tally.counts();
  }

  /** Forgets a process that is gone. */
  public void forget(int pid) {
    byProcess.remove(pid);
  }

  /** By device path or file system; the kernel's own handlers left out. */
  public Map<String, FaultCounts> countsByDevice() {
    Map<String, FaultCounts> counts = new TreeMap<>();
    byHandler.forEach(
        (handler, tally) -> {
          if (handler.startsWith("/dev/")) {
            counts.put(handler, tally.counts());
          }
        });
    return counts;
  }

  /** The last faults, newest first. */
  public List<FaultRecord> recent(int atMost) {
    List<FaultRecord> records = new ArrayList<>();
    long newest = sequence.get();
    for (long number = newest;
        number > 0 && number > newest - REMEMBERED && records.size() < atMost;
        number--) {
      FaultRecord record = slots[(int) (number % REMEMBERED)].read(number);
      if (record != null) {
        records.add(record);
      }
    }
    return records;
  }

  /** One remembered fault; its sequence number is written last and checked by readers. */
  private static final class Slot {
    private volatile long number;
    private int pid;
    private long address;
    private Access access = Access.READ;
    private String handler = "";
    private FaultResult result = FaultResult.MINOR;
    private long nanos;

    void write(
        long newNumber,
        int newPid,
        long newAddress,
        Access newAccess,
        String newHandler,
        FaultResult newResult,
        long newNanos) {
      number = 0;
      pid = newPid;
      address = newAddress;
      access = newAccess;
      handler = newHandler;
      result = newResult;
      nanos = newNanos;
      number = newNumber;
    }

    @Nullable FaultRecord read(long wanted) {
      if (number != wanted) {
        return null;
      }
      FaultRecord record =
          new FaultRecord(wanted, pid, address, access, handler, result, nanos);
      return number == wanted ? record : null;
    }
  }
}
