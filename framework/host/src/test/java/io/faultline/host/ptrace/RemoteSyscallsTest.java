// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.ptrace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.host.OnLinux;
import io.faultline.host.linux.HostException;
import io.faultline.host.linux.SyscallNumber;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@OnLinux(series = "6.18")
class RemoteSyscallsTest {
  private static final int READ_WRITE = 3;
  private static final int PRIVATE_ANONYMOUS = 0x22;

  @TempDir private Path directory;
  private Path target;

  @BeforeEach
  void makeTarget() throws Exception {
    target = BareProgram.writeTo(directory.resolve("target"));
  }

  private interface Experiment {
    void with(TracedProcess child, RemoteSyscalls calls) throws HostException;
  }

  private void inChild(Experiment experiment) throws Exception {
    Tracer.onOwnThread("experiment", tracer -> {
      try (TracedProcess child = tracer.launch(BareProgram.launch(target))) {
        experiment.with(child, child.syscalls(BareProgram.GADGETS));
      }
      return true;
    });
  }

  private static long map(RemoteSyscalls calls, long bytes) throws HostException {
    return calls.call(SyscallNumber.MMAP, 0, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
  }

  @Test
  void bareProgramHasTextDataStackAndWhatTheKernelAdds() throws Exception {
    inChild((child, calls) -> assertThat(child.proc().maps().lines().map(RemoteSyscallsTest::brief))
        .containsExactly("00400000-00401000 r-xp target", "00402000-00403000 rw-p target",
            "7ffff7ff7000-7ffff7ffb000 r--p [vvar]", "7ffff7ffb000-7ffff7ffd000 r--p [vvar_vclock]",
            "7ffff7ffd000-7ffff7fff000 r-xp [vdso]", "7ffffffde000-7ffffffff000 rw-p [stack]",
            "ffffffffff600000-ffffffffff601000 --xp [vsyscall]"));
  }

  private static String brief(String line) {
    String[] words = line.split(" +");
    return words[0] + " " + words[1] + " " + words[5].substring(words[5].lastIndexOf('/') + 1);
  }

  @Test
  void callChangesTheChildsMaps() throws Exception {
    inChild((child, calls) -> {
      long at = map(calls, 8192);
      assertThat(child.proc().maps())
          .contains("%08x-%08x rw-p 00000000 00:00 0 \n".formatted(at, at + 8192));
      assertThat(calls.call(SyscallNumber.MUNMAP, at, 8192)).isZero();
      assertThat(child.proc().maps()).doesNotContain("%08x-".formatted(at));
    });
  }

  @Test
  void refusedCallAnswersTheNegativeErrorNumber() throws Exception {
    inChild((child, calls) -> assertThat(calls.call(SyscallNumber.MUNMAP, 1, 4096)).isEqualTo(-22));
  }

  @Test
  void touchReportsSignalCodeAndAddressAndTheChildLives() throws Exception {
    inChild((child, calls) -> {
      long at = map(calls, 4096);
      assertThat(calls.touchRead(at)).isEqualTo(Touch.OK);
      assertThat(calls.touchWrite(at, 0x5a)).isEqualTo(Touch.OK);
      assertThat(child.memory().read(at, 1)).containsExactly(0x5a);
      calls.call(SyscallNumber.MPROTECT, at, 4096, 1);
      assertThat(calls.touchWrite(at + 5)).isEqualTo(new Touch(Signals.SEGV, 2, at + 5))
          .hasToString("SIGSEGV (SEGV_ACCERR)");
      calls.call(SyscallNumber.MUNMAP, at, 4096);
      assertThat(calls.touchRead(at + 5)).isEqualTo(new Touch(Signals.SEGV, 1, at + 5))
          .hasToString("SIGSEGV (SEGV_MAPERR)");
      assertThat(calls.touchRead(1L << 60)).hasToString("SIGSEGV (SI_KERNEL)");
      assertThat(calls.call(SyscallNumber.GETPID)).isEqualTo(child.pid());
    });
  }

  @Test
  void touchBehindTheEndOfAFileIsABusError() throws Exception {
    inChild((child, calls) -> {
      child.memory().write(BareProgram.DATA, "empty\0".getBytes());
      long fd = calls.call(SyscallNumber.MEMFD_CREATE, BareProgram.DATA, 0);
      long at = calls.call(SyscallNumber.MMAP, 0, 4096, READ_WRITE, 1, fd, 0);
      assertThat(calls.touchRead(at)).hasToString("SIGBUS (BUS_ADRERR)");
    });
  }

  @Test
  void forkedChildHasItsOwnMemory() throws Exception {
    inChild((parent, calls) -> {
      long at = map(calls, 4096);
      calls.touchWrite(at, 1);
      try (TracedProcess child = calls.fork()) {
        assertThat(child.syscalls().call(SyscallNumber.GETPID)).isEqualTo(child.pid());
        child.syscalls().touchWrite(at, 2);
        assertThat(parent.memory().read(at, 1)).containsExactly(1);
        assertThat(child.memory().read(at, 1)).containsExactly(2);
      }
      assertThat(calls.call(SyscallNumber.GETPID)).isEqualTo(parent.pid());
    });
  }

  @Test
  void writtenPageIsTheLowestAnonymousOne() throws Exception {
    inChild((child, calls) -> {
      long at = map(calls, 1 << 20);
      int notAnonymous = PageState.FILE | PageState.ZERO | PageState.GUARD;
      int there = PageState.PRESENT | PageState.SWAPPED;
      calls.touchRead(at);
      assertThat(child.proc().lowestPage(at, at + (1 << 20), notAnonymous, 0, there)).isEqualTo(-1);
      calls.touchWrite(at + 0x9000);
      calls.touchWrite(at + 0x5000);
      assertThat(child.proc().lowestPage(at, at + (1 << 20), notAnonymous, 0, there))
          .isEqualTo(at + 0x5000);
    });
  }

  @Test
  void programThatRunsOnAfterRestoreNoticesNothing() throws Exception {
    Stop end = Tracer.onOwnThread("experiment", tracer -> {
      TracedProcess child = tracer.launch(
          Launch.of("/bin/sh", List.of("sh", "-c", "exit 42")).withoutInput().withoutOutput());
      child.shareProcessor();
      for (int i = 0; i < 100; i++) {
        map(child.syscalls(), 4096);
      }
      child.syscalls().restore();
      child.main().resume(0);
      Stop stop = child.main().await();
      child.ended(stop);
      return stop;
    });
    assertThat(end.exited()).isTrue();
    assertThat(end.exitStatus()).isEqualTo(42);
  }

  @Test
  void programThatIsNotThereIsNamed() {
    assertThatThrownBy(() -> Tracer.onOwnThread("experiment",
        tracer -> tracer.launch(Launch.of("/no/such/program", List.of("x")))))
        .isInstanceOf(HostException.class)
        .hasMessage("cannot run /no/such/program: execve: ENOENT (No such file or directory)");
  }

  @Test
  void anotherThreadIsRefused() throws Exception {
    Tracer.onOwnThread("experiment", tracer -> {
      assertThatThrownBy(() -> Tracer.onOwnThread("other", unused -> {
        tracer.launch(BareProgram.launch(target));
        return true;
      })).isInstanceOf(WrongThreadException.class).hasMessageContaining("experiment");
      return true;
    });
  }
}
