// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host;

import io.faultline.host.linux.Errnos;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.LinuxCalls;
import io.faultline.host.linux.SyscallNumber;
import io.faultline.host.ptrace.Launch;
import io.faultline.host.ptrace.TracedProcess;
import io.faultline.host.ptrace.Tracer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What this machine can do for programs that are to be observed. Thread-safe. */
public final class Host {
  private static final Path SHELL = Path.of("/bin/sh");

  private Host() {}

  /**
   * Whether programs can be run under {@code ptrace(2)} here: Linux on x86-64, native access granted to
   * the JVM, {@code ptrace} permitted (tried with a child, not guessed). Costs a few milliseconds.
   */
  public static HostSupport supported() {
    String system = System.getProperty("os.name", "");
    if (!system.equals("Linux")) {
      return HostSupport.no("this is " + system + "; it takes Linux on x86-64");
    }
    String machine = System.getProperty("os.arch", "");
    if (!machine.equals("amd64") && !machine.equals("x86_64")) {
      return HostSupport.no("this is Linux on " + machine + "; it takes Linux on x86-64");
    }
    if (!Files.isExecutable(SHELL)) {
      return HostSupport.no(SHELL + " is missing: programs are started from it");
    }
    if (!LinuxCalls.available()) {
      return HostSupport.no(
          "the JVM grants no native access: start it with --enable-native-access=ALL-UNNAMED");
    }
    try {
      return HostSupport.yes(Tracer.onOwnThread("ptrace probe", Host::probe));
    } catch (HostException e) {
      return HostSupport.no(e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return HostSupport.no("interrupted while trying ptrace");
    }
  }

  /** Runs a child, has it make a call and compares the answer. */
  private static String probe(Tracer tracer) throws HostException {
    try (TracedProcess child = tracer.launch(
        Launch.of("/bin/sh", List.of("sh", "-c", ":")).withoutInput().withoutOutput())) {
      long pid = child.syscalls().call(SyscallNumber.GETPID);
      if (pid != child.pid()) {
        throw new HostException(
            pid < 0
                ? "a traced child cannot make system calls: " + Errnos.describe((int) -pid)
                    + "; a sandbox seems to be in between"
                : "a traced child sees itself as another process (%d, not %d): run both in one PID"
                    .formatted(pid, child.pid()) + " namespace");
      }
      return tracer.calls().kernelRelease();
    }
  }
}
