// SPDX-License-Identifier: Apache-2.0
// Copyright the Faultline authors
package io.faultline.core.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.faultline.device.MmapProvider;
import io.faultline.device.MmapRequest;
import io.faultline.device.OpenFile;
import io.faultline.mm.Access;
import io.faultline.mm.Nopage;
import io.faultline.mm.VmOperations;
import io.faultline.mm.Vma;
import org.junit.jupiter.api.Test;

/** A method that is not overridden is a null entry of Linux's structure. */
class OverridesTest {
  private static class WithClose implements VmOperations {
    @Override
    public void close(Vma vma) {}
  }

  private static final class AlsoWithOpen extends WithClose {
    @Override
    public void open(Vma vma) {}
  }

  private interface WithNopage extends VmOperations {
    @Override
    default Nopage nopage(Vma vma, long address, Access access) {
      return Nopage.OOM;
    }
  }

  private static final class ByInterface implements WithNopage {}

  @Test
  void nothingIsOverriddenByAnEmptyClass() {
    Overrides none = Overrides.of(new VmOperations() {});

    for (String method : new String[] {"open", "close", "nopage", "populate", "mapPages",
      "pageMkwrite", "maySplit", "mremap", "mprotect", "access", "name"}) {
      assertThat(none.has(method)).as(method).isFalse();
    }
  }

  @Test
  void anOverrideInTheClassCounts() {
    assertThat(Overrides.of(new AlsoWithOpen()).has("open")).isTrue();
  }

  @Test
  void anOverrideInASuperclassCounts() {
    assertThat(Overrides.of(new AlsoWithOpen()).has("close")).isTrue();
    assertThat(Overrides.of(new WithClose()).has("open")).isFalse();
  }

  @Test
  void anOverrideInAnInterfaceBetweenCounts() {
    assertThat(Overrides.of(new ByInterface()).has("nopage")).isTrue();
    assertThat(Overrides.of(new ByInterface()).has("close")).isFalse();
  }

  @Test
  void providersAreLookedAtInTheSameWay() {
    Overrides mmapOnly = Overrides.of(new MmapProvider() {
      @Override
      public void mmap(OpenFile file, MmapRequest request) {}
    });

    assertThat(mmapOnly.has("mmap")).isTrue();
    assertThat(mmapOnly.has("read")).isFalse();
  }
}
