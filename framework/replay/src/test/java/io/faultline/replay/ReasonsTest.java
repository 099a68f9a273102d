// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.kernel.Decision;
import io.faultline.replay.Divergence.Kind;
import io.faultline.replay.recording.Recording;
import io.faultline.testkit.BootedKernel;
import io.faultline.testkit.FaultlineTest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A divergence names the rules that decided ours. The recordings are right and so are we: each test
 * falsifies one line of a copy, so that we diverge just there.
 */
@FaultlineTest
class ReasonsTest {
  private static final ReplayOptions STOP =
      new ReplayOptions(1, Integer.MAX_VALUE, true, false);

  private final Replayer replayer;

  @TempDir Path copy;

  ReasonsTest(BootedKernel kernel) {
    this.replayer = new Replayer(TestServices.of(kernel));
  }

  /** The first divergence of a recording, one line of one file of which is replaced. */
  private Divergence divergence(String name, String file, int line, String found, String wrong)
      throws IOException {
    TestRecordings.copy(name, copy);
    Path target = copy.resolve(file);
    List<String> lines =
        new ArrayList<>(Files.readAllLines(target, StandardCharsets.ISO_8859_1));
    assertThat(lines.get(line - 1)).containsPattern(found);
    lines.set(line - 1, lines.get(line - 1).replaceFirst(found, wrong));
    Files.write(target, lines, StandardCharsets.ISO_8859_1);
    return Objects.requireNonNull(
        replayer.replay(Recording.read(copy), STOP).first(), "nothing diverged");
  }

  private Divergence wrongResult(String name, int line, String wrong) throws IOException {
    return divergence(name, "calls.strace", line, " = [^=]*$", " = " + wrong);
  }

  private Divergence wrongDigest(String name, int line) throws IOException {
    List<String> digests =
        Files.readAllLines(TestRecordings.directory(name).resolve("digests.txt"));
    for (int i = 0; i < digests.size(); i++) {
      if (digests.get(i).startsWith(line + " ")) {
        return divergence(name, "digests.txt", i + 1, " [0-9a-f]+$", " 00000000");
      }
    }
    throw new IllegalArgumentException("no digest after line " + line);
  }

  private static void assertDecidedBy(
      Divergence divergence, int line, String rule, String decider, String source) {
    assertThat(divergence.line()).isEqualTo(line);
    assertThat(divergence.reasons().line()).isEqualTo(line);
    assertThat(divergence.reasons().decisions())
        .as("%s decided by %s", divergence, divergence.reasons())
        .anyMatch(
            decision -> decision.rule().equals(rule)
                && decision.decider().equals(decider)
                && decision.source().startsWith(source));
  }

  @ParameterizedTest(name = "{0}:{1} {2} by {3}")
  @CsvSource({
    "w-rare1, 112, TOP_DOWN, Placer, arch_get_unmapped_area_topdown",
    "w-rare1, 111, HUGE_ALIGNED, Placer, RULES 8",
    "w-rare1, 113, HUGE_ALIGNED, Placer, RULES 8",
    "w-rare1, 25, FIXED, Placer, __get_unmapped_area",
    "w-rare1, 36, HINT_RAISED, Placer, RULES 13",
    "w-rare1, 109, HINT_TAKEN, Placer, arch_get_unmapped_area_topdown",
    "w-rare1, 38, HINT_REFUSED, Placer, arch_get_unmapped_area_topdown",
    "w-rare1, 151, STACK_GAP_PASSED, UnmappedArea, RULES 17",
    "L5-s1, 1220, LOW_32_BIT, Placer, arch_get_unmapped_area",
    "w-rare1, 141, CANNOT_GROW, MremapOperation, vma_expandable",
    "w-rare1, 171, FIRST_BRK, BrkOperation, RULES 4",
    "w-rare1, 172, HEAP_HELD, BrkOperation, RULES 5"
  })
  void anAddressNamesTheRuleThatChoseIt(
      String name, int line, String rule, String decider, String source) throws IOException {
    Divergence divergence = wrongResult(name, line, "0x123456789000");

    assertThat(divergence.kind()).isEqualTo(Kind.CALL);
    assertDecidedBy(divergence, line, rule, decider, source);
  }

  @ParameterizedTest(name = "{0}:{1} {2} by {3}")
  @CsvSource({
    "w-rare1, 26, HUGETLB_CHECKS, HugetlbMapping, hugetlb_file_setup",
    "w-rare1, 26, HUGETLB_HOLE_LEFT, HugetlbMapping, RULES 1",
    "w-rare1, 30, DRIVER_MMAP, MapRegion, __mmap_new_file_vma",
    "w-rare1, 30, HOLE_LEFT, MapRegion, RULES 1",
    "w-rare1, 32, OVERCOMMIT, CommitAccount, __vm_enough_memory",
    "w-rare1, 34, MMAP, MmapOperation, do_mmap",
    "w-rare1, 42, SEALED, UnmapBatch, RULES 19",
    "w-rare1, 42, SPLIT_FOR_UNMAP, UnmapBatch, RULES 2",
    "w-rare1, 43, MPROTECT, MprotectOperation, do_mprotect_pkey",
    "w-rare1, 54, SEVERAL_MOVED, MremapOperation, RULES 9",
    "w-rare1, 65, MADVISE, MadviseOperation, do_madvise",
    "w-rare1, 156, NEW_AREA_CHECKS, MapRegion, __mmap_region",
    "L1-s1, 105, SPLIT_REFUSED, AreaSplitter, RULES 3",
    "L5-s1, 35, PKEY_FREE, ProtectionKeys, __do_sys_pkey_free",
    "L5-s1, 105, PAGE_ADVICE, PageAdvice, madvise_vma_behavior",
    "L5-s1, 114, CHECKS, Placer, __get_unmapped_area",
    "L5-s1, 138, MLOCK2, MlockOperation, do_mlock"
  })
  void anErrorNamesTheClassThatRefused(
      String name, int line, String rule, String decider, String source) throws IOException {
    Divergence divergence = wrongResult(name, line, "-1 ENOTTY (Inappropriate ioctl)");

    assertThat(divergence.kind()).isEqualTo(Kind.CALL);
    assertDecidedBy(divergence, line, rule, decider, source);
  }

  @ParameterizedTest(name = "{0}:{1} {2} by {3}")
  @CsvSource({
    "w-rare1, 73, MERGED_PREVIOUS, AreaMerger, vma_merge",
    "w-rare1, 78, MERGED_NEXT, AreaMerger, vma_merge",
    "w-rare1, 76, MERGED_BOTH, AreaMerger, vma_merge",
    "w-rare1, 25, NO_NEIGHBOUR, AreaMerger, vma_merge",
    "w-rare1, 21, ACCOUNT_DIFFERS, MergeRules, RULES 6",
    "w-rare1, 118, NOHUGEPAGE_DIFFERS, MergeRules, RULES 7",
    "w-rare1, 10, FLAGS_DIFFER, MergeRules, is_mergeable_vma",
    "w-rare1, 83, FILES_DIFFER, MergeRules, RULES 22",
    "w-rare1, 88, NEIGHBOURS_DIFFER, MergeRules, RULES 10",
    "L5-s1, 878, FORK_CHAIN, MergeRules, RULES 11",
    "L5-s1, 88, FORKED_CHAIN, AnonVmaChain, RULES 11",
    "w-rare1, 21, SPLIT_FOR_CHANGE, AddressSpace, vma_modify_flags",
    "w-rare1, 24, REMOVED, UnmapBatch, vms_complete_munmap_vmas",
    "w-rare1, 53, OFFSET_TAKEN, AreaMove, RULES 12",
    "w-rare1, 61, SOURCE_LEFT, MremapOperation, dontunmap_complete",
    "w-rare1, 64, NOT_LOCKABLE, MlockOperation, RULES 21",
    "w-rare1, 72, GUARDED, PageAdvice, RULES 16",
    "w-rare1, 72, ANON_VMA_NEW, AnonVmaReuse, __anon_vma_prepare",
    "w-rare1, 104, ACCOUNT_LOST, MprotectOperation, RULES 6",
    "w-rare1, 103, ACCOUNT_GAINED, MprotectOperation, RULES 6",
    "w-rare1, 117, NO_HUGE_PAGES, MmapOperation, RULES 7"
  })
  void aMapNamesTheMergesAndSplitsThatMadeIt(
      String name, int line, String rule, String decider, String source) throws IOException {
    Divergence divergence = wrongDigest(name, line);

    assertThat(divergence.kind()).isEqualTo(Kind.DIGEST);
    assertDecidedBy(divergence, line, rule, decider, source);
  }

  @ParameterizedTest(name = "{0}:{1} {2} by {3}")
  @CsvSource({
    "w-rare1, 148, SUPPLIED, AreaFaults, handle_mm_fault",
    "L5-s1, 32, ACCESS_DENIED, PageFaultHandler, access_error",
    "L5-s1, 42, NO_PAGE, AreaFaults, RULES 20",
    "L5-s1, 151, KEY_DENIES, PageFaultHandler, RULES 15",
    "L5-s1, 169, NOTHING_MAPPED, PageFaultHandler, bad_area",
    "L5-s1, 1523, STACK_NEAR_AREA, StackGrowth, RULES 17",
    "L5-s1, 2016, STACK_GROWN, StackGrowth, RULES 17"
  })
  void aTouchNamesHowTheFaultEnded(
      String name, int line, String rule, String decider, String source) throws IOException {
    Divergence divergence = wrongResult(name, line, "SIGSEGV (SI_USER)");

    assertThat(divergence.kind()).isEqualTo(Kind.TOUCH);
    assertDecidedBy(divergence, line, rule, decider, source);
  }

  @Test
  void flagsThatComeToLightAtACheckpointNameTheLineThatSetThem() throws IOException {
    Path flags = TestRecordings.directory("w-rare1").resolve("checkpoints/003.vmflags");
    List<String> lines = Files.readAllLines(flags);
    int sealed = 1;
    while (!lines.get(sealed - 1).startsWith("104008000-")) {
      sealed++;
    }
    Divergence divergence =
        divergence("w-rare1", "checkpoints/003.vmflags", sealed, " sl", "");

    assertThat(divergence.kind()).isEqualTo(Kind.FLAGS);
    assertThat(divergence.line()).isEqualTo(99);
    assertThat(divergence.reasons().line()).isEqualTo(47);
    assertThat(divergence.reasons().lines(divergence.line()).getFirst())
        .isEqualTo("ours was decided at line 47 by");
  }

  @Test
  void veryManyAreCutToTheLast() {
    Decision decision =
        new Decision(Decision.Kind.MERGE, "RULE", "joined", "AreaMerger", "vma_merge", 0, 1);
    List<String> lines = new Reasons(7, Collections.nCopies(40, decision)).lines(7);

    assertThat(lines).hasSize(18);
    assertThat(lines.get(0)).isEqualTo("ours was decided by");
    assertThat(lines.get(1)).isEqualTo("  (24 more before)");
    assertThat(lines.getLast()).isEqualTo("  merge: joined (AreaMerger, vma_merge)");
  }

  @Test
  void whereNothingWasDecidedThatIsSaid() {
    assertThat(new Reasons(3, List.of()).lines(3))
        .containsExactly(
            "ours was decided by: no rule in particular; every check passed and nothing was to do");
  }
}
