// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.driver.swapredis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whose pages they are, as it stands on the server: by that the pages of a kernel that was killed are
 * found when the next one starts on the same machine.
 *
 * @param machine one start of one machine, and the pids' name space; empty when that cannot be told
 * @param pid of the JVM
 * @param start of the JVM, in milliseconds
 * @param buckets how many keys there may be
 */
record Owner(String machine, long pid, long start, long buckets) {
  private static final Pattern TEXT =
      Pattern.compile("machine=(\\S*) pid=(\\d+) start=(\\d+) buckets=(\\d+)");

  /** This process. */
  static Owner self(long buckets) {
    ProcessHandle self = ProcessHandle.current();
    return new Owner(thisMachine(), self.pid(), start(self), buckets);
  }

  /** What an entry says, if it is one. */
  static Optional<Owner> parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    return matcher.matches()
        ? Optional.of(new Owner(matcher.group(1), Long.parseLong(matcher.group(2)),
            Long.parseLong(matcher.group(3)), Long.parseLong(matcher.group(4))))
        : Optional.empty();
  }

  /** Whether its process has certainly ended. On other machines nobody can tell. */
  boolean isDead() {
    if (machine.isEmpty() || !machine.equals(thisMachine())) {
      return false;
    }
    Optional<ProcessHandle> process = ProcessHandle.of(pid);
    return process.isEmpty() || start(process.get()) != start;
  }

  @Override
  public String toString() {
    return "machine=%s pid=%d start=%d buckets=%d".formatted(machine, pid, start, buckets);
  }

  private static long start(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  private static String thisMachine() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip() + "/"
          + Files.readSymbolicLink(Path.of("/proc/self/ns/pid"));
    } catch (IOException | UnsupportedOperationException e) {
      return "";
    }
  }
}
