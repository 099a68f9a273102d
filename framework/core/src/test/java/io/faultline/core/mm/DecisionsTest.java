// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.mm;

import static io.faultline.mm.Mman.MAP_ANONYMOUS;
import static io.faultline.mm.Mman.MAP_FIXED;
import static io.faultline.mm.Mman.MAP_GROWSDOWN;
import static io.faultline.mm.Mman.MAP_PRIVATE;
import static io.faultline.mm.Mman.MAP_SHARED;
import static io.faultline.mm.Mman.PAGE_SIZE;
import static io.faultline.mm.Mman.PROT_READ;
import static io.faultline.mm.Mman.PROT_WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.sun.management.ThreadMXBean;
import io.faultline.core.Kernel;
import io.faultline.core.area.Decisions;
import io.faultline.core.device.DriverLog;
import io.faultline.device.AccessMode;
import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.kernel.Decision;
import io.faultline.kernel.DeviceRegistration;
import io.faultline.kernel.KernelProfile;
import io.faultline.kernel.Task;
import io.faultline.mm.Access;
import io.faultline.mm.Errno;
import io.faultline.mm.ErrnoException;
import io.faultline.mm.Mman;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmFlag;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the engine says about why it did what it did. */
class DecisionsTest {
  /** Away from everything else. */
  private static final long BASE = 0x1000_0000_0000L;

  private final Kernel kernel =
      new Kernel(64 << 20, KernelProfile.LINUX_6_18, DriverLog.NONE);
  private final Task task = kernel.tasks().spawn("why");
  private final List<Decision> said = new ArrayList<>();

  DecisionsTest() {
    task.explainTo(said::add);
  }

  @AfterEach
  void everythingAgrees() {
    kernel.validate();
    kernel.close();
  }

  private long map(Task who, long address, int pages) throws ErrnoException {
    return kernel
        .calls()
        .mmap(
            who, address, pages * PAGE_SIZE, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | (address == 0 ? 0 : MAP_FIXED), -1, 0);
  }

  private void write(Task who, long address) {
    assertThat(kernel.faults().handle(who, address, Access.WRITE).ok()).isTrue();
  }

  private List<String> rules() {
    return said.stream().map(Decision::rule).toList();
  }

  private Decision only(Decision.Kind kind) {
    List<Decision> ofKind = said.stream().filter(d -> d.kind() == kind).toList();
    assertThat(ofKind).hasSize(1);
    return ofKind.getFirst();
  }

  @Test
  void aPlaceSaysHowItWasFound() throws ErrnoException {
    long found = map(task, 0, 1);

    Decision placement = only(Decision.Kind.PLACEMENT);
    assertThat(placement.rule()).isEqualTo("TOP_DOWN");
    assertThat(placement.start()).isEqualTo(found);
    assertThat(placement.decider()).isEqualTo("Placer");
    assertThat(placement.source()).isEqualTo("arch_get_unmapped_area_topdown");
  }

  @Test
  void twoAnonVmasKeepNeighboursApart() throws ErrnoException {
    map(task, BASE, 1);
    map(task, BASE + 2 * PAGE_SIZE, 1);
    write(task, BASE);
    write(task, BASE + 2 * PAGE_SIZE);
    said.clear();

    map(task, BASE + PAGE_SIZE, 1);

    assertThat(rules()).containsSubsequence("MERGED_PREVIOUS", "NEIGHBOURS_DIFFER");
    assertThat(said.getLast().toString())
        .isEqualTo(
            "merge: not with what is above, 100000002000-100000003000: the neighbours' anon_vmas"
                + " differ: only the one below joins (MergeRules, RULES 10, vma_merge)");
  }

  @Test
  void flagsThatDifferAreNamed() throws ErrnoException {
    map(task, BASE, 1);
    kernel.calls().madvise(task, BASE, PAGE_SIZE, Mman.MADV_DONTDUMP);
    said.clear();

    map(task, BASE + PAGE_SIZE, 1);

    assertThat(said.stream().filter(d -> d.rule().equals("FLAGS_DIFFER")).map(Decision::text))
        .containsExactly("not with what is below, 100000000000-100000001000: the flags differ: dd");
  }

  @Test
  void aFirstFaultTakesTheNeighboursAnonVma() throws ErrnoException {
    map(task, BASE + PAGE_SIZE, 1);
    write(task, BASE + PAGE_SIZE);
    kernel.calls().mprotect(task, BASE + PAGE_SIZE, PAGE_SIZE, PROT_READ);
    map(task, BASE, 1);
    said.clear();

    write(task, BASE);

    assertThat(rules()).containsExactly("ANON_VMA_OF_NEXT", "SUPPLIED");
  }

  @Test
  void aChildsAreasDoNotTakeInWhatWasNeverFaulted() throws ErrnoException {
    map(task, BASE, 1);
    write(task, BASE);
    Task child = kernel.tasks().fork(task);
    child.explainTo(said::add);
    said.clear();

    map(child, BASE + PAGE_SIZE, 1);

    assertThat(rules()).contains("FORK_CHAIN");
    assertThat(said.stream().filter(d -> d.rule().equals("FORK_CHAIN")).map(Decision::source))
        .containsExactly("RULES 11, is_mergeable_anon_vma");
  }

  @Test
  void anAreaWithCloseIsNotRemovedByAMerge() throws ErrnoException {
    kernel.devices().register(DeviceRegistration.of("closing"), new Closing());
    int fd = kernel.files().open(task, "/dev/closing", AccessMode.READ_WRITE);
    for (long page : new long[] {0, 2}) {
      mapDevice(fd, page);
    }
    said.clear();

    mapDevice(fd, 1);

    assertThat(rules()).containsSubsequence("MERGED_PREVIOUS", "CLOSE_KEPT");
  }

  private void mapDevice(int fd, long page) throws ErrnoException {
    kernel
        .calls()
        .mmap(
            task, BASE + page * PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
            page * PAGE_SIZE);
  }

  private static final class Closing implements MmapProvider {
    private final VmOperations operations =
        new VmOperations() {
          @Override
          public void close(Vma vma) {
            // That it is there is what counts.
          }

          @Override
          public Nopage nopage(Vma vma, long address, Access access) {
            return Nopage.SIGBUS;
          }
        };

    @Override
    public void mmap(OpenFile file, MmapRequest request) {
      request.setOperations(operations);
    }
  }

  @Test
  void aPartOfASpecialMappingCannotGo() throws ErrnoException {
    Vma vvar =
        kernel.calls().list(task).stream()
            .filter(vma -> vma.length() > PAGE_SIZE && vma.flags().has(VmFlag.PFNMAP))
            .findFirst()
            .orElseThrow();

    assertThatThrownBy(() -> kernel.calls().munmap(task, vvar.start(), PAGE_SIZE))
        .isInstanceOf(ErrnoException.class);

    Decision check = only(Decision.Kind.CHECK);
    assertThat(check.rule()).isEqualTo("SPLIT_REFUSED");
    assertThat(check.source()).startsWith("RULES 3");
  }

  @Test
  void aRefusalIsToldOnceByTheClassThatRefused() {
    assertThatThrownBy(() -> map(task, 0x7fff_ffff_f000L, 1)).isInstanceOf(ErrnoException.class);

    Decision check = only(Decision.Kind.CHECK);
    assertThat(check.rule()).isEqualTo("CHECKS");
    assertThat(check.decider()).isEqualTo("Placer");
    assertThat(check.text())
        .isEqualTo("ENOMEM by the checks of an address: address, length: the range leaves user"
            + " space");
  }

  @Test
  void aHintBelowAStackIsRefusedForItsGuardGap() throws ErrnoException {
    kernel
        .calls()
        .mmap(
            task, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    said.clear();

    kernel
        .calls()
        .mmap(
            task, BASE - 4 * PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assertThat(rules()).containsSubsequence("HINT_IN_STACK_GAP", "TOP_DOWN");
  }

  @Test
  void aStackStopsAtWhatIsTooNear() throws ErrnoException {
    kernel
        .calls()
        .mmap(
            task, BASE, PAGE_SIZE, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    map(task, BASE - 4 * PAGE_SIZE, 1);
    said.clear();

    assertThat(kernel.faults().handle(task, BASE - PAGE_SIZE, Access.WRITE).ok()).isFalse();

    assertThat(rules()).containsExactly("STACK_NEAR_AREA", "NOTHING_MAPPED");
  }

  @Test
  void theHeapGrowsBesideNobody() throws ErrnoException {
    long start = kernel.calls().brk(task, 0);
    kernel.calls().brk(task, start + PAGE_SIZE);
    assertThat(rules()).contains("FIRST_BRK");
    said.clear();

    kernel.calls().brk(task, start + 2 * PAGE_SIZE);

    assertThat(rules()).containsSubsequence("MERGED_PREVIOUS", "HEAP_GROWS_ALONE");
  }

  @Test
  void nobodyHearsAnythingAnyMore() throws ErrnoException {
    task.explainTo(null);

    map(task, 0, 1);

    assertThat(said).isEmpty();
  }

  @Test
  void aChildHasNoListenerOfItsParents() throws ErrnoException {
    Task child = kernel.tasks().fork(task);
    said.clear();

    map(child, 0, 1);

    assertThat(said).isEmpty();
  }

  @Test
  void aForkSaysWhatTheChildDoesNotGet() throws ErrnoException {
    map(task, BASE, 1);
    write(task, BASE);
    map(task, BASE + 4 * PAGE_SIZE, 1);
    kernel.calls().madvise(task, BASE + 4 * PAGE_SIZE, PAGE_SIZE, Mman.MADV_DONTFORK);
    map(task, BASE + 8 * PAGE_SIZE, 1);
    kernel.calls().madvise(task, BASE + 8 * PAGE_SIZE, PAGE_SIZE, Mman.MADV_WIPEONFORK);
    said.clear();

    kernel.tasks().fork(task);

    assertThat(said)
        .extracting(Decision::rule, Decision::start)
        .contains(
            tuple("FORKED_CHAIN", BASE),
            tuple("FORK_LEFT_OUT", BASE + 4 * PAGE_SIZE),
            tuple("FORK_EMPTY", BASE + 8 * PAGE_SIZE));
  }

  @Test
  void whereNobodyListensNothingIsAllocated() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Decisions silent = new Decisions();
    ErrnoException refusal = new ErrnoException(Errno.EINVAL, "on purpose");
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 20; round++) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int i = 0; i < 10_000; i++) {
        silent.by(MmRule.NEW_AREA, i, i + 1L);
        silent.refused(MmRule.MAP_COUNT, refusal);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    // Asking for the number allocates a little itself.
    assertThat(least).isLessThan(1_000);
  }

  @Test
  void aListenerThatThrowsHarmsNobody() throws ErrnoException {
    task.explainTo(
        decision -> {
          throw new IllegalStateException("on purpose");
        });

    long found = map(task, 0, 1);

    assertThat(kernel.calls().find(task, found)).isPresent();
  }
}
