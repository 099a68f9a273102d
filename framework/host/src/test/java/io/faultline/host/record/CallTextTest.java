// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.host.record;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.host.OnLinux;
import io.faultline.host.linux.SyscallNumber;
import org.junit.jupiter.api.Test;

/** The words of strace 6.1. */
@OnLinux
class CallTextTest {
  private static String line(long result, int number, long... arguments) {
    long[] six = new long[6];
    System.arraycopy(arguments, 0, six, 0, arguments.length);
    return CallText.line(new Entered(number, six), "", result);
  }

  @Test
  void mappingPlacedAtAnAddress() {
    assertThat(line(0x7ffff7fc0000L, SyscallNumber.MMAP, 0, 8192, 3, 0x22, 0xffffffffL, 0))
        .isEqualTo("mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"
            + " = 0x7ffff7fc0000");
  }

  @Test
  void flagsComeInStracesOrder() {
    assertThat(line(-12, SyscallNumber.MMAP, 0x1000, 1, 0, 0x164932 | 21L << 26, -1, 0x2000))
        .isEqualTo("mmap(0x1000, 1, PROT_NONE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS|MAP_NORESERVE"
            + "|MAP_GROWSDOWN|MAP_DENYWRITE|MAP_STACK|MAP_HUGETLB|MAP_FIXED_NOREPLACE"
            + "|21<<MAP_HUGE_SHIFT, -1, 0x2000) = -1 ENOMEM (Cannot allocate memory)");
  }

  @Test
  void aMaskOfNodesIsShownByWhatItHolds() {
    long[] arguments = {0x10000, 4096, 2, 0x7fff_0000L, 65, 1};

    assertThat(CallText.line(new Entered(SyscallNumber.MBIND, arguments), "[0x1]", 0))
        .isEqualTo("mbind(0x10000, 4096, MPOL_BIND, [0x1], 65, MPOL_MF_STRICT) = 0");
    assertThat(line(0, SyscallNumber.SET_MEMPOLICY, 0, 0, 0))
        .isEqualTo("set_mempolicy(MPOL_DEFAULT, NULL, 0) = 0");
  }

  @Test
  void whatHasNoNameIsANumber() {
    assertThat(FlagText.map(0)).isEqualTo("0 /* MAP_??? */");
    assertThat(FlagText.map(0x20)).isEqualTo("0 /* MAP_??? */|MAP_ANONYMOUS");
    assertThat(FlagText.map(0x202)).isEqualTo("MAP_PRIVATE|0x200");
    assertThat(FlagText.prot(0x10)).isEqualTo("0x10 /* PROT_??? */");
    assertThat(FlagText.prot(0x11)).isEqualTo("PROT_READ|0x10");
    assertThat(FlagText.advice(0x1a)).isEqualTo("0x1a /* MADV_??? */");
    assertThat(FlagText.MS.of(8)).isEqualTo("0x8 /* MS_??? */");
  }

  @Test
  void remapHasItsFifthArgumentOnlyWhenItCounts() {
    assertThat(line(0x5000, SyscallNumber.MREMAP, 0x1000, 4096, 8192, 1, 0x9000))
        .isEqualTo("mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE) = 0x5000");
    assertThat(line(0x9000, SyscallNumber.MREMAP, 0x1000, 4096, 8192, 3, 0x9000))
        .isEqualTo("mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE|MREMAP_FIXED, 0x9000) = 0x9000");
  }

  @Test
  void lengthsAreUnsigned() {
    assertThat(line(-22, SyscallNumber.MUNMAP, -1, -1)).isEqualTo(
        "munmap(0xffffffffffffffff, 18446744073709551615) = -1 EINVAL (Invalid argument)");
  }

  @Test
  void limitWithoutLimitIsInfinity() {
    assertThat(CallText.limit(3, 8192, -1)).isEqualTo(
        "prlimit64(0, RLIMIT_STACK, {rlim_cur=8192, rlim_max=RLIM64_INFINITY}, NULL) = 0");
  }

  @Test
  void namesAreQuotedAsBytes() {
    assertThat(CallText.quoted("a\"b\\c\n\u00c3")).isEqualTo("\"a\\\"b\\\\c\\n\\303\"");
  }
}
