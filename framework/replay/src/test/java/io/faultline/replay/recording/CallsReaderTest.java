// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.faultline.device.AccessMode;
import io.faultline.device.DeviceNumber;
import io.faultline.device.FileKind;
import io.faultline.kernel.Limits;
import io.faultline.mm.Access;
import io.faultline.mm.Mman;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CallsReaderTest {
  private static List<Event> read(String text) throws RecordingException {
    return new CallsReader(new LineScanner(Path.of("calls.strace"), text)).read();
  }

  private static Event one(String line) throws RecordingException {
    return read(line + "\n").getFirst();
  }

  @Test
  void mmapOfAFileKeepsOnlyTheNumberOfTheDescriptor() throws Exception {
    assertThat(
        one(
            "mmap(0x7ffff7dfb000, 1400832, PROT_READ|PROT_EXEC,"
                + " MAP_PRIVATE|MAP_FIXED|MAP_DENYWRITE, 3</lib/a, b>c.so>(deleted), 0x26000)"
                + " = 0x7ffff7dfb000"))
        .isEqualTo(
            new SystemCall.Mmap(
                1,
                0x7ffff7dfb000L,
                1400832,
                Mman.PROT_READ | Mman.PROT_EXEC,
                Mman.MAP_PRIVATE | Mman.MAP_FIXED | Mman.MAP_DENYWRITE,
                3,
                0x26000,
                "0x7ffff7dfb000"));
  }

  @Test
  void flagsWithoutANameAreNumbersWithAComment() throws Exception {
    assertThat(
        one(
            "mmap(NULL, 8192, 0x10 /* PROT_??? */, 0x9 /* MAP_??? */|MAP_ANONYMOUS, -1, 0)"
                + " = -1 EINVAL (Invalid argument)"))
        .isEqualTo(
            new SystemCall.Mmap(
                1, 0, 8192, 0x10, 0x9 | Mman.MAP_ANONYMOUS, -1, 0, "-1 EINVAL"));
  }

  @Test
  void hugePageSizeStandsBesideTheFlags() throws Exception {
    SystemCall.Mmap call =
        (SystemCall.Mmap) one(
            "mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE|MAP_HUGETLB|21<<MAP_HUGE_SHIFT, -1, 0)"
                + " = -1 ENOMEM (Cannot allocate memory)");
    assertThat(call.flags())
        .isEqualTo(Mman.MAP_PRIVATE | Mman.MAP_HUGETLB | 21 << Mman.MAP_HUGE_SHIFT);
  }

  @Test
  void lengthsAreUnsigned64Bits() throws Exception {
    assertThat(one("munmap(0x1000, 18446744073709551615) = -1 EINVAL (Invalid argument)"))
        .isEqualTo(new SystemCall.Munmap(1, 0x1000, -1L, "-1 EINVAL"));
  }

  @Test
  void mremapHasAFifthArgumentOnlyWithAFixedTarget() throws Exception {
    assertThat(
        read(
            """
                mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE) = 0x5000
                mremap(0x1000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_FIXED, 0x9000) = 0x9000
                mremap(0x1000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_DONTUNMAP, NULL) = 0x7000
                """))
        .containsExactly(
            new SystemCall.Mremap(1, 0x1000, 4096, 8192, 1, 0, "0x5000"),
            new SystemCall.Mremap(2, 0x1000, 4096, 4096, 3, 0x9000, "0x9000"),
            new SystemCall.Mremap(3, 0x1000, 4096, 4096, 5, 0, "0x7000"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "madvise(0x1000, 4096, 0x68 /* MADV_??? */) = 0; 104",
        "madvise(0x1000, 4096, MADV_GUARD_INSTALL) = 0; 102",
        "madvise(0x1000, 4096, MADV_DONTNEED_LOCKED) = 0; 24"
      })
  void adviceHasANameOrANumber(String line, int advice) throws Exception {
    assertThat(((SystemCall.Madvise) one(line)).advice()).isEqualTo(advice);
  }

  @Test
  void sharedMemoryFlagsMayBeOctal() throws Exception {
    assertThat(
        read(
            """
                shmat(10, 0x30000123, SHM_RND) = 0x30000000
                shmat(10, 0x30000123, 0x2000) = 0x30000000
                shmat(10, 0x30000123, 020000) = 0x30000000
                """))
        .extracting(event -> ((SystemCall.Shmat) event).flags())
        .containsOnly(Mman.SHM_RND);
  }

  @Test
  void aCallThatNeverReturnedIsNotScored() throws Exception {
    assertThat(((ScoredEvent) one("munmap(0x1000, 4096) = ?")).expected()).isNull();
  }

  @Test
  void touchesCarrySignalAndCode() throws Exception {
    assertThat(
        read(
            """
                touch_write(0x402000) = ok
                touch_read(0x7ffff7ffa000) = SIGBUS (BUS_ADRERR)
                """))
        .containsExactly(
            new Touch(1, 0x402000, Access.WRITE, "ok"),
            new Touch(2, 0x7ffff7ffa000L, Access.READ, "SIGBUS (BUS_ADRERR)"));
  }

  @Test
  void limitsAreInputs() throws Exception {
    assertThat(
        read(
            """
                prlimit64(0, RLIMIT_STACK, {rlim_cur=8388608, rlim_max=RLIM64_INFINITY}, NULL) = 0
                prlimit64(0, RLIMIT_AS, {rlim_cur=RLIM64_INFINITY, rlim_max=8192}, NULL) = 0
                prlimit64(0, RLIMIT_DATA, NULL, 0x7fffffffe000) = 0
                prlimit64(0, RLIMIT_DATA, {rlim_cur=1, rlim_max=1}, NULL) = -1 EPERM (Operation not permitted)
                """))
        .containsExactly(
            new SetLimit(1, "RLIMIT_STACK", 8388608L, Limits.UNLIMITED),
            new SetLimit(2, "RLIMIT_AS", Limits.UNLIMITED, 8192),
            new SetLimit(3, "RLIMIT_DATA", null, Limits.UNLIMITED),
            new SetLimit(4, "RLIMIT_DATA", null, 1));
  }

  @Test
  void aMaskOfNodesIsItsWordsOrItsAddressOrNone() throws Exception {
    assertThat(
        read(
            """
                mbind(0x20000000, 4096, MPOL_BIND, [0x1, 0], 128, MPOL_MF_STRICT) = 0
                mbind(0x20000000, 4096, MPOL_INTERLEAVE, 0x7fff0000, 64, 0) = 0
                set_mempolicy(MPOL_DEFAULT, NULL, 0) = 0
                syscall_238(0x5, 0x7ffff001b190, 0x400, 0, 0, 0) = 0
                """))
        .containsExactly(
            new SystemCall.Mbind(
                1, 0x20000000, 4096, 2, new NodeMask(0, List.of(1L, 0L)), 128, 1, "0"),
            new SystemCall.Mbind(
                2, 0x20000000, 4096, 3, new NodeMask(0x7fff0000, List.of()), 64, 0, "0"),
            new SystemCall.SetMempolicy(3, 0, NodeMask.NONE, 0, "0"),
            new SystemCall.SetMempolicy(
                4, 5, new NodeMask(0x7ffff001b190L, List.of()), 0x400, "0"));
  }

  @Test
  void aMaskThatIsNotKnownNamesTheOneNodeWhereOneIsNeeded() {
    NodeMask unknown = new NodeMask(0x7fff0000, List.of());

    assertThat(unknown.words(Mman.MPOL_BIND)).containsExactly(1);
    assertThat(unknown.words(Mman.MPOL_LOCAL)).containsExactly(0);
    assertThat(NodeMask.of(3).words(Mman.MPOL_LOCAL)).containsExactly(3);
  }

  @Test
  void aCallThatIsNotListedIsKeptByName() throws Exception {
    assertThat(one("syscall_999(0x5, 0x7ffff001b190) = 0"))
        .isEqualTo(new SystemCall.Unlisted(1, "syscall_999", "0"));
  }

  @Test
  void thePathOfADescriptorRunsToTheEndOfTheLine() throws Exception {
    assertThat(
        one(
            "@fd 4 file=5 kind=chr acc=rw append=1 fs=tmpfs noexec=0 dev=00:06 ino=4 size=0"
                + " seals=0x18 rdev=1:5 path=/dev/my zero (deleted)"))
        .isEqualTo(
            new Note.FileDescriptor(
                1,
                4,
                5,
                FileKind.CHARACTER_DEVICE,
                AccessMode.READ_WRITE,
                true,
                "tmpfs",
                false,
                new Note.FileName(new DeviceNumber(0, 6), 4, "/dev/my zero (deleted)"),
                0,
                0x18,
                new DeviceNumber(1, 5)));
  }

  @Test
  void aNewObjectMayTellItsLength() throws Exception {
    Note.FileName name = new Note.FileName(new DeviceNumber(0, 1), 10, "/SYSV0 (deleted)");
    assertThat(
        read(
            """
                @newobj addr=0x7ffff7d88000 len=303104 dev=00:01 ino=10 path=/SYSV0 (deleted)
                @newobj dev=00:01 ino=10 path=/SYSV0 (deleted)
                """))
        .containsExactly(new Note.NewObject(1, name, 303104), new Note.NewObject(2, name, -1));
  }

  @Test
  void whatBecomesOfChildrenIsTold() throws Exception {
    assertThat(
        read(
            """
                fork() = 1001
                @child 1001 stays
                fork() = 1002
                @child 1002 exits
                fork() = 1003
                @follow 1003
                @others_exit
                """))
        .containsExactly(
            new OpaqueCall(1, "fork"),
            new Note.Child(2, 1001, false),
            new OpaqueCall(3, "fork"),
            new Note.Child(4, 1002, true),
            new OpaqueCall(5, "fork"),
            new Note.Follow(6, 1003),
            new Note.OthersExit(7));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "munmap(0x1000, x) = 0; calls.strace:2: expected a length, found 'x) = 0'",
        "munmap(0x1000, 4096); calls.strace:2: expected ') = ', found ')'",
        "munmap(0x1000, 4096) =; calls.strace:2: expected ') = ', found ') ='",
        "munmap(0x1000 4096) = 0; calls.strace:2: expected ', ', found ' 4096) = 0'",
        "mprotect(0x1000, 4096, PROT_REED) = 0;"
            + " calls.strace:2: expected PROT_… flags, found 'PROT_REED'",
        "madvise(0x1000, 4096, MADV_NORMAL /* x) = 0;"
            + " calls.strace:2: expected the end of the comment, '*/',"
            + " found the end of the line",
        "touch_read(0x1000) = ?;"
            + " calls.strace:2: expected the result of a touch, found 'touch_read(0x1000) = ?'",
        "@fd three file=1; calls.strace:2: expected a file descriptor, found 'three file=1'",
        "@frobnicate; calls.strace:2: expected @fd, @newobj, @path, @checkpoint, @child, @follow"
            + " or @others_exit, found '@frobnicate'",
        "=; calls.strace:2: expected the name of a call, a touch or '@', found '='",
        "mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 3</a>) = 0;"
            + " calls.strace:2: expected ', ' and the offset, found '</a>) = 0'",
      })
  void aBrokenLineIsNamedWithWhatWasExpected(String line, String message) {
    assertThatThrownBy(() -> read("munmapped() = 0\n" + line + "\n"))
        .isInstanceOf(RecordingException.class)
        .hasMessage(message);
  }

  @Test
  void anEmptyLineIsBroken() {
    assertThatThrownBy(() -> read("brk(NULL) = 0x1000\n\nbrk(NULL) = 0x1000\n"))
        .hasMessage(
            "calls.strace:2: expected a call, a touch or a note, found the end of the line");
  }

  @Test
  void theLastLineNeedsNoLineFeed() throws Exception {
    assertThat(read("munlockall() = 0")).hasSize(1);
  }
}
